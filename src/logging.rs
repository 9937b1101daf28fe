//! Log lines on standard error: human on a terminal, JSON elsewhere.

use std::io::{self, IsTerminal};

use thiserror::Error;
use tracing_subscriber::filter::{ParseError, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry};

use crate::config::LogFormat;

/// Why logging could not be set up.
#[derive(Debug, Error)]
pub enum LoggingError {
    #[error("{origin} is not a log filter: {problem} (such as info, or warn,rs_registry=debug)")]
    BadFilter { origin: &'static str, problem: String },
    #[error("logging is already set up in this process")]
    SetUpTwice,
}

/// At their level info these libraries tell every step of theirs, several lines for each vote; openraft warns at each
/// call that fails, where this program tells once that a peer cannot be reached.
const QUIET_LIBRARIES: &str = "openraft=error,raft_log=warn,chunked_wal=warn";
const FILTER_VARIABLE: &str = "RUST_LOG";
const NO_COLOR_VARIABLE: &str = "NO_COLOR";

/// Sets up logging for the whole process, once. `RUST_LOG`, if set and not empty, wins over `filter`, and is taken as
/// it is; `filter` leaves the libraries that talk most at warnings, unless it names them.
pub fn init(format: LogFormat, filter: &str) -> Result<(), LoggingError> {
    let from_environment = std::env::var(FILTER_VARIABLE).ok().filter(|text| !text.is_empty());
    let filter = match &from_environment {
        Some(text) => parse_filter(FILTER_VARIABLE, text)?,
        None => parse_filter("log_filter", &format!("{QUIET_LIBRARIES},{filter}"))?,
    };
    let terminal = io::stderr().is_terminal();
    // A reader of our standard error that went away must not end the node: no complaint about a failed write.
    let lines = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(terminal && color_is_wanted())
        .log_internal_errors(false);
    let filtered = registry().with(filter);
    let set_up = if is_human(format, terminal) {
        filtered.with(lines).try_init()
    } else {
        filtered.with(lines.json().flatten_event(true)).try_init()
    };
    set_up.map_err(|_| LoggingError::SetUpTwice)
}

/// Whether `NO_COLOR` (<https://no-color.org>) leaves colours on.
pub fn color_is_wanted() -> bool {
    std::env::var_os(NO_COLOR_VARIABLE).is_none_or(|value| value.is_empty())
}

fn is_human(format: LogFormat, terminal: bool) -> bool {
    match format {
        LogFormat::Auto => terminal,
        LogFormat::Human => true,
        LogFormat::Json => false,
    }
}

fn parse_filter(origin: &'static str, text: &str) -> Result<Targets, LoggingError> {
    text.parse().map_err(|error: ParseError| LoggingError::BadFilter { origin, problem: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_is_human_on_a_terminal_only() {
        assert!(is_human(LogFormat::Auto, true));
        assert!(!is_human(LogFormat::Auto, false));
        assert!(is_human(LogFormat::Human, false));
        assert!(!is_human(LogFormat::Json, true));
    }

    #[test]
    fn a_library_is_quiet_unless_it_is_named() {
        let levels = |filter: &str| {
            let filter =
                parse_filter("log_filter", &format!("{QUIET_LIBRARIES},{filter}")).expect("a filter");
            let mut levels: Vec<_> = filter.to_string().split(',').map(str::to_owned).collect();
            levels.sort();
            levels
        };
        assert_eq!(levels("info"), ["chunked_wal=warn", "info", "openraft=error", "raft_log=warn"]);
        assert_eq!(levels("openraft=debug"), ["chunked_wal=warn", "openraft=debug", "raft_log=warn"]);
    }

    #[test]
    fn a_bad_filter_says_where_it_is_from() {
        assert!(parse_filter("log_filter", "warn,rs_registry=debug").is_ok());
        let error = parse_filter("log_filter", "rs_registry=loud").expect_err("no such level").to_string();
        assert!(error.starts_with("log_filter is not a log filter: "), "{error}");
    }
}
