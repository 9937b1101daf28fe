//! How plots look: on white, since the page below may be dark.

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{RGBColor, TextStyle};

pub const INK: RGBColor = RGBColor(36, 41, 47);
pub const FAINT_INK: RGBColor = RGBColor(87, 96, 106);
pub const BLUE: RGBColor = RGBColor(31, 111, 180);

/// Text at a point: which side of it the point is at.
pub fn text_style<'a>(size: u32, colour: &'a RGBColor, horizontal: HPos, vertical: VPos) -> TextStyle<'a> {
    TextStyle::from(("sans-serif", size)).color(colour).pos(Pos::new(horizontal, vertical))
}
