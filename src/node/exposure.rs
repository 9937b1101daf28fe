//! Whether a node may listen where it is told to: beyond this machine only with TLS, and only for those who show who
//! they are.

use std::net::SocketAddr;

use anyhow::bail;

use crate::config::Config;

/// # Errors
/// What is missing, if anyone could reach a port that asks nobody who they are.
pub fn check(config: &Config, peer_addr: SocketAddr) -> anyhow::Result<()> {
    let clients = lacking(&[
        ("tls_cert_file and tls_key_file", config.client_tls().is_some()),
        ("auth_file", config.auth_file.is_some()),
    ]);
    let peers = lacking(&[(
        "peer_tls_cert_file, peer_tls_key_file and peer_tls_ca_file",
        config.peer_tls().is_some(),
    )]);
    for (setting, addr, lacking) in
        [("http_addr", config.http_addr, clients), ("peer_addr", peer_addr, peers)]
    {
        if addr.ip().is_loopback() || lacking.is_empty() {
            continue;
        }
        if !config.insecure {
            bail!(
                "{setting}: {addr} can be reached from other machines; give {lacking} too, or insecure if \
                 everybody there may read and write"
            );
        }
        tracing::warn!(setting, %addr, lacking, "everybody who reaches this port may use it, as insecure says");
    }
    Ok(())
}

fn lacking(parts: &[(&str, bool)]) -> String {
    let lacking: Vec<&str> = parts.iter().filter(|(_, given)| !given).map(|(part, _)| *part).collect();
    lacking.join(", and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;

    fn config(more: &[(&str, &str)]) -> Config {
        let base = [
            ("node_id", "1"),
            ("data_dir", "/data"),
            ("http_addr", "127.0.0.1:8761"),
            ("peer_addr", "127.0.0.1:9761"),
            ("initial_cluster", "1=127.0.0.1:9761"),
        ];
        let pairs = base.iter().chain(more).copied();
        Config::load(&Flags::from_pairs(pairs), None, []).expect("a good config")
    }

    const LOOPBACK: &str = "[::1]:9761";
    const ANYWHERE: &str = "0.0.0.0:9761";
    const TLS: [(&str, &str); 2] = [("tls_cert_file", "c"), ("tls_key_file", "k")];
    const PEER_TLS: [(&str, &str); 3] =
        [("peer_tls_cert_file", "c"), ("peer_tls_key_file", "k"), ("peer_tls_ca_file", "a")];

    fn error(peer_addr: &str, more: &[(&str, &str)]) -> Option<String> {
        check(&config(more), peer_addr.parse().unwrap()).err().map(|error| error.to_string())
    }

    #[test]
    fn on_loopback_nothing_is_demanded() {
        assert_eq!(error(LOOPBACK, &[]), None);
    }

    #[test]
    fn clients_need_tls_and_authentication() {
        let http = [("http_addr", "0.0.0.0:8761")];
        let both = error(LOOPBACK, &http).unwrap();
        assert!(both.starts_with("http_addr: 0.0.0.0:8761") && both.contains("tls_cert_file"), "{both}");
        assert!(both.contains("auth_file"), "{both}");
        let auth = error(LOOPBACK, &[&http[..], &TLS].concat()).unwrap();
        assert!(auth.contains("auth_file") && !auth.contains("tls_cert_file"), "{auth}");
        let tls = error(LOOPBACK, &[http[0], ("auth_file", "f")]).unwrap();
        assert!(tls.contains("tls_cert_file") && !tls.contains("auth_file"), "{tls}");
        assert_eq!(error(LOOPBACK, &[&http[..], &TLS, &[("auth_file", "f")]].concat()), None);
    }

    #[test]
    fn peers_need_tls_unless_told_otherwise() {
        let peers = error(ANYWHERE, &TLS).unwrap();
        assert!(
            peers.starts_with("peer_addr: 0.0.0.0:9761") && peers.contains("peer_tls_ca_file"),
            "{peers}"
        );
        assert_eq!(error(ANYWHERE, &PEER_TLS), None);
        assert_eq!(error(ANYWHERE, &[("insecure", "true")]), None);
    }
}
