//! The results as bars.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::common::{BLUE, FAINT_INK, INK, grouped, text_style};
use super::measure::{Measure, Read, Server};
use super::results::Results;

const WIDTH: i32 = 880;
const LABELS_WIDTH: i32 = 230;
/// Behind a bar, for its figure.
const FIGURES_WIDTH: i32 = 150;
const MARGIN: i32 = 16;
const TITLE_HEIGHT: i32 = 34;
const BAR_HEIGHT: i32 = 18;
const BAR_GAP: i32 = 7;
const PANEL_GAP: i32 = 16;
const BAR_LEAST_WIDTH: f64 = 1.0;

const OTHERS: RGBColor = RGBColor(175, 184, 193);

struct Panel {
    title: String,
    /// The value of a bar of full length, if none is higher.
    full: f64,
    bars: Vec<Bar>,
}

struct Bar {
    label: String,
    value: f64,
    figure: String,
    server: Server,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// # Errors
/// When plotters fails.
pub fn svg(results: &Results) -> anyhow::Result<String> {
    let panels = [
        writes(
            results,
            Measure::RenewRate,
            "Renewals per second; on disk at a majority: those of rs-registry",
        ),
        writes(
            results,
            Measure::RegisterRate,
            "Registrations of 1 KB per second; on disk at a majority: those of rs-registry and etcd",
        ),
        reads(results),
    ];
    let panels: Vec<Panel> = panels.into_iter().filter(|panel| !panel.bars.is_empty()).collect();
    let height = 2 * MARGIN + panels.iter().map(Panel::height).sum::<i32>();
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH.unsigned_abs(), height.unsigned_abs()));
        let area = area.into_drawing_area();
        area.fill(&WHITE)?;
        let mut top = MARGIN;
        for panel in &panels {
            panel.draw(&area, top)?;
            top += panel.height();
        }
        area.present()?;
    }
    Ok(text)
}

fn writes(results: &Results, measure: Measure, title: &str) -> Panel {
    let bar = |server: Server| {
        let value = results.summary(measure, server)?.median;
        let label = server.title().to_owned();
        Some(Bar { label, value, figure: grouped(value), server })
    };
    Panel {
        title: title.to_owned(),
        full: f64::MIN_POSITIVE,
        bars: Server::ALL.into_iter().filter_map(bar).collect(),
    }
}

/// What the bare axum answers of each kind is 100 %.
fn reads(results: &Results) -> Panel {
    let mut bars = Vec::new();
    for read in Read::ALL {
        let median = |server| results.summary(Measure::Read(read), server).map(|summary| summary.median);
        let Some(all) = median(Server::Axum) else { continue };
        for server in [Server::Ours, Server::Spring] {
            if let Some(value) = median(server) {
                let of = if server == Server::Ours { "rs-registry" } else { "Spring Eureka" };
                let percent = value / all * 100.0;
                let figure = format!("{percent:.0} %, {}/s", grouped(value));
                bars.push(Bar { label: format!("{}: {of}", read.name()), value: percent, figure, server });
            }
        }
    }
    let title = "Reads, 10,000 instances: requests/s in % of a bare axum with the same answers".to_owned();
    Panel { title, full: 100.0, bars }
}

impl Panel {
    fn height(&self) -> i32 {
        TITLE_HEIGHT + PANEL_GAP + (BAR_HEIGHT + BAR_GAP) * i32::try_from(self.bars.len()).unwrap_or(0)
    }

    fn draw(&self, area: &Area<'_>, top: i32) -> anyhow::Result<()> {
        area.draw(&Text::new(
            self.title.clone(),
            (MARGIN, top),
            text_style(17, &INK, HPos::Left, VPos::Top),
        ))?;
        let most = self.bars.iter().map(|bar| bar.value).fold(self.full, f64::max);
        let room = f64::from(WIDTH - MARGIN - LABELS_WIDTH - FIGURES_WIDTH);
        let mut y = top + TITLE_HEIGHT;
        for bar in &self.bars {
            bar.draw(area, y, (bar.value / most * room).max(BAR_LEAST_WIDTH) as i32)?;
            y += BAR_HEIGHT + BAR_GAP;
        }
        Ok(())
    }
}

impl Bar {
    fn draw(&self, area: &Area<'_>, top: i32, length: i32) -> anyhow::Result<()> {
        let (left, middle) = (MARGIN + LABELS_WIDTH, top + BAR_HEIGHT / 2);
        let label = text_style(14, &FAINT_INK, HPos::Right, VPos::Center);
        area.draw(&Text::new(self.label.clone(), (left - 8, middle), label))?;
        let colour = if self.server == Server::Ours { BLUE } else { OTHERS };
        area.draw(&Rectangle::new([(left, top), (left + length, top + BAR_HEIGHT)], colour.filled()))?;
        let figure = text_style(14, &INK, HPos::Left, VPos::Center);
        area.draw(&Text::new(self.figure.clone(), (left + length + 6, middle), figure))?;
        Ok(())
    }
}
