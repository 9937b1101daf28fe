//! What is shown on standard error while it goes on, if that is a terminal.

use std::convert::Infallible;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use tokio::time::{Instant, sleep};

use super::window::Window;

const DRAWS_PER_SECOND: u8 = 5;
const TEMPLATE: &str = "{msg:<12} [{bar:40}] {pos}/{len}";
const STEP: Duration = Duration::from_millis(200);

/// Of this many steps. Nothing is drawn where there is no terminal.
pub fn bar(what: &'static str, steps: usize) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
    let style = ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(steps as u64), target)
        .with_style(style.progress_chars("=> "))
        .with_message(what)
        .with_finish(ProgressFinish::AndClear)
}

/// Shows how far the window is; never ends.
pub async fn follow(window: &Window) -> Infallible {
    let seconds = (window.end - window.start).as_secs_f64().ceil() as u64;
    let bar = bar("warming up", usize::try_from(seconds).unwrap_or(usize::MAX));
    loop {
        let now = Instant::now();
        if now >= window.begin {
            bar.set_message("measuring");
        }
        bar.set_position(now.saturating_duration_since(window.start).as_secs().min(seconds));
        sleep(STEP).await;
    }
}
