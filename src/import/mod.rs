//! Takes the registry of running Eureka servers over into this cluster, once or for as long as they run.
//!
//! A [`source`] is read, whole or what lately changed in it. [`merge`] knows what all of them list and what of that is
//! here, and says what there is to do, as [`task`]s, which the [`writer`] sends to a node of this cluster as another
//! Eureka server would replicate them. [`take_over`] does that once; [`follow`] goes on with it.

mod event;
mod follow;
mod listed;
mod merge;
mod renewals;
mod source;
mod take_over;
mod tally;
mod task;
mod writer;

pub use event::Event;
pub use follow::Follower;
pub use listed::Skipped;
pub use source::{Source, SourceError};
pub use take_over::{ImportError, SourceOutcome, TakeOver};
pub use tally::Tally;
pub use writer::{NodeError, WriteError, Writer};
