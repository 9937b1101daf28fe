//! The results as four curves over the number of instances.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::combinators::LogCoord;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::common::{BLUE, FAINT_INK, INK, grouped, text_style};
use super::size::Size;

const SIZE: (u32, u32) = (880, 640);
const FIGURE_SIZE: u32 = 13;
const PANEL_MARGIN: u32 = 14;
/// Above the highest point.
const HEADROOM: f64 = 1.2;
/// Of a label from its point, in pixels.
const LABEL_DISTANCE: i32 = 7;
/// Of a curve's name to the right, from the last point.
const NAME_SHIFT: i32 = 28;

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
    value: fn(&Size) -> f64,
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
        for (place, panel) in area.split_evenly((2, 2)).iter().zip(panels()) {
            panel.draw(place, sizes)?;
        }
        area.present()?;
    }
    Ok(text)
}

fn panels() -> [Panel; 4] {
    [
        Panel {
            title: "Writes per second",
            log: false,
            curves: vec![
                Curve { name: "renewals", colour: BLUE, value: |size| size.renewals_per_second },
                Curve { name: "registrations", colour: ORANGE, value: |size| size.registrations_per_second },
            ],
        },
        Panel {
            title: "Processor time of a full fetch, µs",
            log: true,
            curves: vec![
                Curve { name: "after a change", colour: ORANGE, value: |size| size.change_and_fetch_cpu_us },
                Curve { name: "nothing changed", colour: BLUE, value: |size| size.fetch_cpu_us },
            ],
        },
        Panel {
            title: "Memory (RSS) of the largest node, MiB",
            log: true,
            curves: vec![Curve { name: "", colour: BLUE, value: |size| size.rss_mib }],
        },
        Panel {
            title: "All killed → all ready, ms",
            log: true,
            curves: vec![Curve { name: "", colour: BLUE, value: |size| size.restart_ms }],
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
        let mut chart = ChartBuilder::on(area);
        chart
            .margin(PANEL_MARGIN)
            .caption(self.title, ("sans-serif", 17).into_font().color(&INK))
            .x_label_area_size(40)
            .y_label_area_size(58);
        let x = (first..last).log_scale();
        if self.log {
            self.fill(&mut chart.build_cartesian_2d(x, whole_decades(least, most).log_scale())?, sizes)
        } else {
            self.fill(&mut chart.build_cartesian_2d(x, 0.0..most * HEADROOM)?, sizes)
        }
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
            let figure = text_style(FIGURE_SIZE, &INK, HPos::Center, VPos::Bottom);
            chart.draw_series(points.iter().map(|(x, y)| {
                EmptyElement::at((*x, *y)) + Text::new(grouped(*y), (0, -LABEL_DISTANCE), figure.clone())
            }))?;
            let name = text_style(FIGURE_SIZE, &curve.colour, HPos::Right, VPos::Top);
            chart.draw_series(points.last().map(|point| {
                EmptyElement::at(*point) + Text::new(curve.name, (NAME_SHIFT, 2 * LABEL_DISTANCE), name)
            }))?;
        }
        Ok(())
    }
}

/// Around these two.
fn whole_decades(least: f64, most: f64) -> Range<f64> {
    10_f64.powf(least.log10().floor())..10_f64.powf((most * HEADROOM).log10().ceil())
}
