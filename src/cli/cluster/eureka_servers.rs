//! The Eureka servers that a cluster replicates to, as a table.

use serde::Deserialize;

use crate::cli::table::{plain, table};

const HEAD: [&str; 5] = ["Eureka server", "state", "queue", "lag", "last error"];

/// One of `eureka_peers` in `/api/cluster`.
#[derive(Debug, Clone, Deserialize)]
pub struct EurekaServer {
    url: String,
    /// Whether the node that tells this tells the server what clients do; the leader does.
    told_from_here: bool,
    /// `None` where that is not known.
    reachable: Option<bool>,
    queue: usize,
    lag_ms: u64,
    last_error: Option<String>,
    last_error_age_ms: Option<u64>,
}

impl EurekaServer {
    fn line(&self) -> [String; 5] {
        let unknown = || "-".to_owned();
        if !self.told_from_here {
            return [plain(&self.url), "not known".to_owned(), unknown(), unknown(), unknown()];
        }
        let state = match self.reachable {
            Some(true) => "reachable",
            Some(false) => "unreachable",
            None => "nothing told yet",
        };
        let seconds = |ms: u64| ms as f64 / 1000.0;
        let last_error = self.last_error.as_deref().map(|error| {
            format!("{:.0} s ago: {}", seconds(self.last_error_age_ms.unwrap_or_default()), plain(error))
        });
        [
            plain(&self.url),
            state.to_owned(),
            self.queue.to_string(),
            format!("{:.1} s", seconds(self.lag_ms)),
            last_error.unwrap_or_else(unknown),
        ]
    }
}

pub fn lines(servers: &[EurekaServer]) -> String {
    let head = HEAD.map(str::to_owned);
    let lines: Vec<[String; 5]> =
        std::iter::once(head).chain(servers.iter().map(EurekaServer::line)).collect();
    table(&lines, "  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str, told_from_here: bool, reachable: Option<bool>) -> EurekaServer {
        EurekaServer {
            url: url.to_owned(),
            told_from_here,
            reachable,
            queue: 12,
            lag_ms: 61_250,
            last_error: Some("Heartbeat of A(a\u{1b}[2J): 500".to_owned()),
            last_error_age_ms: Some(2_400),
        }
    }

    #[test]
    fn a_line_for_each_server() {
        let well = EurekaServer {
            last_error: None,
            last_error_age_ms: None,
            queue: 0,
            lag_ms: 0,
            ..server("http://e2/eureka", true, Some(true))
        };
        let servers = [
            server("http://e1/eureka", true, Some(false)),
            well,
            server("http://e3/eureka", false, None),
            server("http://e4/eureka", true, None),
        ];
        assert_eq!(
            lines(&servers),
            "  Eureka server     state             queue  lag     last error\n  \
               http://e1/eureka  unreachable       12     61.2 s  2 s ago: Heartbeat of A(a\u{fffd}[2J): 500\n  \
               http://e2/eureka  reachable         0      0.0 s   -\n  \
               http://e3/eureka  not known         -      -       -\n  \
               http://e4/eureka  nothing told yet  12     61.2 s  2 s ago: Heartbeat of A(a\u{fffd}[2J): 500\n"
        );
    }
}
