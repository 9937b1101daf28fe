//! The results as curves over the number of instances.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::combinators::LogCoord;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::common::{BLUE, FAINT_INK, INK, grouped, text_style};
use super::size::Size;

const SIZE: (u32, u32) = (880, 1_000);
const FIGURE_SIZE: u32 = 13;
const PANEL_MARGIN: u32 = 14;
/// Of a panel's title, and of the line below it with the names of the curves, from the top.
const TITLE_TOP: i32 = 12;
const NAMES_TOP: i32 = 34;
const HEAD_HEIGHT: u32 = 48;
/// Between two names, in pixels.
const NAMES_GAP: i32 = 20;
/// Above the highest point.
const HEADROOM: f64 = 1.2;
/// Of a label from its point, in pixels.
const LABEL_DISTANCE: i32 = 7;

const GRID: RGBColor = RGBColor(234, 238, 242);
const ORANGE: RGBColor = RGBColor(207, 104, 12);

struct Panel {
    title: &'static str,
    /// Whether times ten is as far up everywhere, as it is to the right.
    log: bool,
    curves: Vec<Curve>,
}

struct Curve {
    name: &'static str,
    colour: RGBColor,
    /// Where its figures are: on the side where the other curve is not.
    figures: VPos,
    value: fn(&Size) -> f64,
}

impl Curve {
    const fn only(value: fn(&Size) -> f64) -> Self {
        Self { name: "", colour: BLUE, figures: VPos::Bottom, value }
    }

    const fn upper(name: &'static str, colour: RGBColor, value: fn(&Size) -> f64) -> Self {
        Self { name, colour, figures: VPos::Bottom, value }
    }

    const fn lower(name: &'static str, colour: RGBColor, value: fn(&Size) -> f64) -> Self {
        Self { name, colour, figures: VPos::Top, value }
    }
}

type Chart<'a, Y> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<LogCoord<f64>, Y>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// # Errors
/// When plotters fails.
pub fn svg(sizes: &[Size]) -> anyhow::Result<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        for (place, panel) in area.split_evenly((3, 2)).iter().zip(panels()) {
            panel.draw(place, sizes)?;
        }
        area.present()?;
    }
    Ok(text)
}

fn panels() -> [Panel; 6] {
    [
        Panel {
            title: "Writes per second",
            log: false,
            curves: vec![
                Curve::upper("renewals", BLUE, |size| size.renewals_per_second),
                Curve::lower("registrations", ORANGE, |size| size.registrations_per_second),
            ],
        },
        Panel {
            title: "Slowest hundredth of writes (p99), ms",
            log: false,
            curves: vec![
                Curve::lower("renewals", BLUE, |size| size.renewal_p99_ms),
                Curve::upper("registrations", ORANGE, |size| size.registration_p99_ms),
            ],
        },
        Panel {
            title: "Processor time of a full fetch, µs",
            log: true,
            curves: vec![
                Curve::lower("nothing changed", BLUE, |size| size.fetch_cpu_us),
                Curve::upper("after a change", ORANGE, |size| size.change_and_fetch_cpu_us),
            ],
        },
        Panel {
            title: "Full fetches per second at one node",
            log: true,
            curves: vec![Curve::only(|size| size.fetches_per_second)],
        },
        Panel {
            title: "Memory (RSS) of the largest node, MiB",
            log: true,
            curves: vec![Curve::only(|size| size.rss_mib)],
        },
        Panel {
            title: "All killed → all ready, ms",
            log: true,
            curves: vec![Curve::only(|size| size.restart_ms)],
        },
    ]
}

impl Panel {
    fn draw(&self, area: &Area<'_>, sizes: &[Size]) -> anyhow::Result<()> {
        let values = || self.curves.iter().flat_map(|curve| sizes.iter().map(curve.value));
        let most = values().fold(f64::MIN_POSITIVE, f64::max);
        let least = values().fold(f64::MAX, f64::min).max(f64::MIN_POSITIVE);
        let count = |size: Option<&Size>| size.map_or(1.0, |size| f64::from(size.instances));
        let (first, last) = (count(sizes.first()) / 1.4, count(sizes.last()) * 1.6);
        let (head, body) = area.split_vertically(HEAD_HEIGHT);
        self.draw_head(&head)?;
        let mut chart = ChartBuilder::on(&body);
        chart.margin(PANEL_MARGIN).margin_top(0).x_label_area_size(40).y_label_area_size(58);
        let x = (first..last).log_scale();
        if self.log {
            self.fill(&mut chart.build_cartesian_2d(x, whole_decades(least, most).log_scale())?, sizes)
        } else {
            self.fill(&mut chart.build_cartesian_2d(x, 0.0..most * HEADROOM)?, sizes)
        }
    }

    fn draw_head(&self, head: &Area<'_>) -> anyhow::Result<()> {
        let middle = head.dim_in_pixel().0 as i32 / 2;
        let title = text_style(17, &INK, HPos::Center, VPos::Top);
        head.draw(&Text::new(self.title, (middle, TITLE_TOP), title))?;
        let sides = [(HPos::Right, -NAMES_GAP / 2), (HPos::Left, NAMES_GAP / 2)];
        for (curve, (side, shift)) in self.curves.iter().zip(sides) {
            let name = text_style(FIGURE_SIZE, &curve.colour, side, VPos::Top);
            head.draw(&Text::new(curve.name, (middle + shift, NAMES_TOP), name))?;
        }
        Ok(())
    }

    fn fill<Y>(&self, chart: &mut Chart<'_, Y>, sizes: &[Size]) -> anyhow::Result<()>
    where
        Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let figure = |value: &f64| grouped(*value);
        chart
            .configure_mesh()
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .axis_style(FAINT_INK)
            .label_style(("sans-serif", FIGURE_SIZE).into_font().color(&FAINT_INK))
            .x_label_formatter(&figure)
            .y_label_formatter(&figure)
            .x_desc("instances")
            .x_labels(4)
            .y_labels(6)
            .draw()?;
        for curve in &self.curves {
            let points: Vec<(f64, f64)> =
                sizes.iter().map(|size| (f64::from(size.instances), (curve.value)(size))).collect();
            chart.draw_series(LineSeries::new(points.iter().copied(), curve.colour.stroke_width(2)))?;
            chart.draw_series(points.iter().map(|point| Circle::new(*point, 4, curve.colour.filled())))?;
            let figure = text_style(FIGURE_SIZE, &INK, HPos::Center, curve.figures);
            let shift = if matches!(curve.figures, VPos::Top) { LABEL_DISTANCE } else { -LABEL_DISTANCE };
            chart.draw_series(points.iter().map(|(x, y)| {
                EmptyElement::at((*x, *y)) + Text::new(grouped(*y), (0, shift), figure.clone())
            }))?;
        }
        Ok(())
    }
}

/// Around these two.
fn whole_decades(least: f64, most: f64) -> Range<f64> {
    10_f64.powf(least.log10().floor())..10_f64.powf((most * HEADROOM).log10().ceil())
}
