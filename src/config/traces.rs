//! Where traces go.

use hyper::Uri;

use super::{Config, Violation};

impl Config {
    pub(super) fn check_traces(&self) -> Result<(), Violation> {
        let Some(endpoint) = &self.otlp_endpoint else {
            return Ok(());
        };
        if endpoint.parse().is_ok_and(|uri| is_plain(&uri)) {
            return Ok(());
        }
        // Not repeated: it may hold a password.
        let problem = "is not http://HOST:PORT of a collector that takes OTLP over gRPC".to_owned();
        Err(Violation { key: "otlp_endpoint", problem })
    }
}

fn is_plain(uri: &Uri) -> bool {
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    let is_root = uri.path() == "/" && uri.query().is_none();
    uri.scheme_str() == Some("http") && uri.port_u16().is_some() && !has_user && is_root
}

#[cfg(test)]
mod tests {
    use super::super::tests::{config, violation};

    #[test]
    fn traces_go_to_a_port_without_tls() {
        for endpoint in [
            "",
            "collector",
            "collector:4317",
            "http://collector",
            "https://collector:4317",
            "http://user:secret@collector:4317",
            "http://collector:4317/v1/traces",
        ] {
            let (key, problem) = violation(|c| c.otlp_endpoint = Some(endpoint.into()));
            assert_eq!(key, "otlp_endpoint");
            assert!(problem.contains("http://HOST:PORT") && !problem.contains("secret"), "{problem}");
        }
        let mut config = config();
        config.otlp_endpoint = Some("http://127.0.0.1:4317".into());
        assert_eq!(config.check(), Ok(()));
    }
}
