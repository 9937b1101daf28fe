//! Every setting with its value, and where that came from.

use std::path::Path;

use figment::Profile;
use figment::value::Value;

use super::sources::{ConfigError, Flags, layered, settings};
use super::{Config, EurekaPeers};

/// The setting whose URLs may have passwords.
const PEERS: &str = "eureka_peer";

/// A setting as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    pub key: String,
    /// `None`: nothing is given, and there is no default.
    pub value: Option<String>,
    /// Where it came from, in words.
    pub origin: Option<String>,
}

impl Config {
    /// Each setting in the order of the help, whether all of them together can be used or not.
    ///
    /// # Errors
    /// [`ConfigError`] if the file cannot be read, or has keys that are no settings.
    pub fn explain(
        flags: &Flags,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Vec<Explained>, ConfigError> {
        let settings = settings();
        let sources = layered(flags, file, environment, &settings)?;
        let explained = settings.get_arguments().map(|setting| {
            let key = setting.get_id().as_str();
            let origin = sources.find_metadata(key);
            Explained {
                key: key.to_owned(),
                value: sources.find_value(key).ok().map(|value| match key {
                    PEERS => without_passwords(&value),
                    _ => shown(value),
                }),
                origin: origin.map(|origin| origin.interpolate(&Profile::Default, &[key])),
            }
        });
        Ok(explained.collect())
    }
}

fn without_passwords(peers: &Value) -> String {
    let peers: Result<EurekaPeers, _> = peers.deserialize();
    peers.map_or_else(|_| "(unreadable)".to_owned(), |peers| peers.to_string())
}

fn shown(value: Value) -> String {
    match &value {
        Value::String(_, text) => text.clone(),
        other => other
            .to_num()
            .and_then(|number| number.to_i128().map(|number| number.to_string()))
            .or_else(|| other.to_bool().map(|is| is.to_string()))
            .unwrap_or_else(|| format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn each_setting_has_its_value_and_where_that_came_from() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "lease_tick_ms = 100\nself_preservation = false\nnode_id = 7\n").unwrap();
        let flags =
            Flags::from_pairs([("data_dir", "/data"), ("eureka_peer", "http://u:secret@eureka-1:8761")]);
        let environment = [("RS_REGISTRY_NODE_ID".to_owned(), "2".to_owned())];
        let explained = Config::explain(&flags, Some(file.path()), environment).unwrap();
        let of = |key: &str| {
            let found = explained.iter().find(|explained| explained.key == key).expect("the setting");
            (found.value.as_deref(), found.origin.clone().unwrap_or_default())
        };
        assert_eq!(of("data_dir"), (Some("/data"), "flag --data-dir".to_owned()));
        assert_eq!(of("eureka_peer").0, Some("http://eureka-1:8761/eureka"));
        assert_eq!(of("node_id"), (Some("2"), "environment variable RS_REGISTRY_NODE_ID".to_owned()));
        let (value, origin) = of("lease_tick_ms");
        assert_eq!(value, Some("100"));
        assert!(origin.starts_with("lease_tick_ms in the config file"), "{origin}");
        assert_eq!(of("self_preservation").0, Some("false"));
        assert_eq!(of("cluster_name"), (Some("rs-registry"), "default of cluster_name".to_owned()));
        assert_eq!(of("http_addr"), (None, String::new()));
    }
}
