//! Load for any server or cluster that speaks Eureka's protocol, and what it makes of it.
//!
//! A [`plan::Plan`] names the servers and the workload. Its instances are registered by the
//! [`fleet`], an answer of each server is looked into by [`check`], and then each of the workload's
//! connections sends requests, [`drive`]n at its [`pace`], and counts into
//! a [`tally`] of its own. At the end they are added up in a [`report`], and the fleet is cancelled.
//! Nothing here knows more of a server than Eureka's protocol says.

pub mod documents;
pub mod plan;
pub mod report;
pub mod target;

mod check;
mod error;
mod fleet;

mod drive;
mod fetch;
mod paced;
mod register;
mod renew;
mod visible;

mod alarm;
mod pace;
mod schedule;
mod tally;
mod window;

mod connection;
mod framing;
mod request;

mod progress;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

pub use self::error::BenchError;
use self::fleet::{Cancelled, Fleet};
use self::plan::{Plan, Workload};
use self::report::{Report, Row};
use self::window::{Halt, Window};

/// For requests in flight when all is to stop: a registration that arrived behind the cancellation would stay.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// Measures, unless `stop` comes first with the name of a signal, and cancels what was registered in either case.
///
/// # Errors
/// When the measurement cannot be made; requests that fail during it are in the report.
pub async fn run(plan: &Plan, stop: impl Future<Output = &'static str>) -> Result<Report, BenchError> {
    let mut targets = Vec::new();
    for url in &plan.urls {
        let lookup = |source| BenchError::Lookup { url: url.clone(), source };
        targets.push(Arc::new(url.clone().resolve().await.map_err(lookup)?));
    }
    let halt = Halt::default();
    let fleet = Arc::new(Fleet::new(plan, targets, halt.clone()));
    if plan.workload == Workload::Visible {
        visible::check(&fleet)?;
    }
    let outcome = {
        let mut measurement = pin!(measure(plan, &fleet));
        tokio::select! {
            outcome = &mut measurement => outcome,
            signal = stop => {
                halt.call();
                // What it comes to is not asked for any more.
                let _ = timeout(STOP_PATIENCE, measurement).await;
                Err(BenchError::Stopped { signal })
            }
        }
    };
    let cleanup = cancel(plan, &fleet).await;
    match (outcome, cleanup) {
        (Ok(rows), cleanup) => Ok(Report::new(plan, &rows, cleanup?)),
        (Err(error), Ok(Some(Cancelled { left, .. }))) if left > 0 => {
            Err(BenchError::Left { error: Box::new(error), left })
        }
        (Err(error), _) => Err(error),
    }
}

async fn cancel(plan: &Plan, fleet: &Arc<Fleet>) -> Result<Option<Cancelled>, BenchError> {
    if plan.keep { Ok(None) } else { fleet.cancel().await.map(Some) }
}

async fn measure(plan: &Plan, fleet: &Arc<Fleet>) -> Result<Vec<Row>, BenchError> {
    fleet.register().await?;
    check::answers(fleet, plan.workload).await?;
    // Requests are made before the time begins.
    match plan.workload {
        Workload::Register => drive(plan, fleet, register::lanes(fleet)).await,
        Workload::Renew => drive(plan, fleet, renew::lanes(fleet)).await,
        Workload::Fetch { resource, gzip } => drive(plan, fleet, fetch::lanes(fleet, resource, gzip)).await,
        Workload::Delta { gzip } => drive(plan, fleet, fetch::delta_lanes(fleet, gzip)).await,
        Workload::Visible => {
            let window = window(plan, fleet);
            shown(visible::run(fleet, plan.rate, &window), &window).await
        }
        Workload::Paced { renew, fetch } => {
            let lanes = paced::lanes(fleet);
            let window = window(plan, fleet);
            shown(paced::run(lanes, renew, fetch, &window), &window).await
        }
    }
}

async fn drive(plan: &Plan, fleet: &Fleet, lanes: Vec<drive::Lane>) -> Result<Vec<Row>, BenchError> {
    let window = window(plan, fleet);
    let tally = shown(drive::all(lanes, plan.rate, &window), &window).await?;
    let row = Row::new(plan.workload.name(), tally);
    let reads = matches!(plan.workload, Workload::Fetch { .. } | Workload::Delta { .. });
    Ok(vec![if reads { row.with_bytes() } else { row }])
}

fn window(plan: &Plan, fleet: &Fleet) -> Window {
    Window::starting_now(plan.warm_up, plan.duration, fleet.halt.clone())
}

/// Shows how far the window is until the work is done.
async fn shown<T>(work: impl Future<Output = T>, window: &Window) -> T {
    tokio::select! {
        done = work => done,
        never = progress::follow(window) => match never {},
    }
}

/// What all of these tasks came to.
async fn gather<T: 'static>(tasks: &mut JoinSet<T>) -> Result<Vec<T>, BenchError> {
    let mut done = Vec::with_capacity(tasks.len());
    while let Some(joined) = tasks.join_next().await {
        done.push(joined.map_err(|error| BenchError::Task(error.to_string()))?);
    }
    Ok(done)
}
