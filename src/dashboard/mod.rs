//! What the dashboard shows: its page, lists of instances, and rates. Pure: [`crate::http`] answers with it.

mod assets;
mod detail;
mod listing;
mod rates;

pub use assets::{ASSETS, Asset};
pub use detail::{detail, events};
pub use listing::{BadQuery, MAX_LIMIT, Query, listing};
pub use rates::{Rates, Series, Totals};
