//! Every metric, its name and its help text.
//!
//! What happens is counted by [`Metrics`], which is made once and handed to whoever counts: atomics, without a lock and
//! without an allocation. What stands is told by [`Figures`], taken when somebody asks. [`encode`] makes text of both.
//! This module knows no other but that of traces.

mod counted;
mod encode;
mod figures;
mod histogram;
mod http;
mod labelled;
mod process;

pub use counted::{Applied, FailedProposals, Held, Metrics, PageReads, Pages, Proposals, Replicated};
pub use encode::{MEDIA_TYPE, encode};
pub use figures::{EurekaPeer, Figures, InForce};
pub use histogram::Histogram;
pub use http::{Http, Route};
pub use process::Process;
