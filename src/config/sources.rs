//! Where settings come from: flags win over the environment, that over the file, that over the defaults.
//!
//! The names of all four come from the fields of [`Config`]: `node_id` in the file is `--node-id` and
//! `RS_REGISTRY_NODE_ID`. Every error names the setting, where its value came from, and what is wanted.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use figment::error::Kind;
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use thiserror::Error;

use super::{Config, Violation};

/// The settings given on the command line, as text; take them into a clap command with `#[command(flatten)]`.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    given: BTreeMap<String, String>,
}

/// Why there is no usable configuration. Each is one line that tells a person what to do.
#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("cannot read the config file {}: {cause}", path.display())]
    Unreadable { path: PathBuf, cause: std::io::Error },
    #[error("the config file {} is not TOML: line {line}: {problem}", path.display())]
    NotToml { path: PathBuf, line: usize, problem: String },
    #[error("unknown key {key:?} in the config file {}; known keys are {known}", path.display())]
    UnknownKey { path: PathBuf, key: String, known: String },
    #[error(
        "{key} is not set; give --{}, or {}, or {key} in the file of --config ({wanted})",
        flag(key),
        variable(key)
    )]
    Missing { key: String, wanted: String },
    #[error("{origin}: {problem} ({wanted})")]
    Invalid { origin: String, problem: String, wanted: String },
}

const VARIABLE_PREFIX: &str = "RS_REGISTRY_";

impl Config {
    /// Reads and checks the settings: `flags` over `environment` over `file` over the defaults.
    ///
    /// Variables that are no settings are left alone, since an orchestrator may set some with the same prefix
    /// (Kubernetes does for a service of this name); a variable that is set but empty counts as not set.
    pub fn load(
        flags: &Flags,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let settings = settings();
        let sources = layered(flags, file, environment, &settings)?;
        // Lossy only in that the text of a flag or variable may stand for a number.
        let config: Config =
            sources.extract_lossy().map_err(|error| ConfigError::from_figment(error, &settings))?;
        config.check().map_err(|violation| ConfigError::from_violation(violation, &sources, &settings))?;
        Ok(config)
    }
}

/// All that is given, the later over the earlier.
///
/// # Errors
/// [`ConfigError`] if the file cannot be read, or has keys that are no settings.
pub(super) fn layered(
    flags: &Flags,
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    settings: &Command,
) -> Result<Figment, ConfigError> {
    let mut sources = Figment::from(Layer::defaults(settings));
    if let Some(path) = file {
        sources = sources.merge(Layer::file(path, settings)?);
    }
    Ok(sources.merge(Layer::environment(environment, settings)).merge(Layer::flags(flags)))
}

impl Flags {
    /// Flags by the names and texts of their settings.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self { given: pairs.into_iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect() }
    }
}

/// By hand, for what clap would demand as a flag may also stand in the environment or the file, and what it would
/// fill in as a default must not hide them.
impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let settings = settings();
        let command = Config::augment_args(command);
        settings.get_arguments().fold(command, |command, setting| {
            command.mut_arg(setting.get_id().as_str(), |flag| flag.required(false))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for key in settings().get_arguments().map(|setting| setting.get_id().as_str()) {
            if matches.value_source(key) != Some(ValueSource::CommandLine) {
                continue;
            }
            for value in matches.get_raw(key).into_iter().flatten() {
                let text =
                    value.to_str().ok_or_else(|| clap::Error::new(clap::error::ErrorKind::InvalidUtf8))?;
                self.given.insert(key.to_owned(), text.to_owned());
            }
        }
        Ok(())
    }
}

impl ConfigError {
    fn from_figment(error: figment::Error, settings: &Command) -> Self {
        if let Kind::MissingField(key) = &error.kind {
            return Self::Missing { key: key.to_string(), wanted: wanted(key, settings) };
        }
        let key = error.path.first().cloned().unwrap_or_default();
        let origin = match &error.metadata {
            Some(metadata) => metadata.interpolate(&Profile::Default, &error.path),
            None => key.clone(),
        };
        Self::Invalid { origin, problem: error.kind.to_string(), wanted: wanted(&key, settings) }
    }

    fn from_violation(violation: Violation, sources: &Figment, settings: &Command) -> Self {
        let origin = match sources.find_metadata(violation.key) {
            Some(metadata) => metadata.interpolate(&Profile::Default, &[violation.key]),
            None => violation.key.to_owned(),
        };
        Self::Invalid { origin, problem: violation.problem, wanted: wanted(violation.key, settings) }
    }
}

/// The values of one source, with the way to name one of them to a person.
struct Layer {
    metadata: Metadata,
    values: Dict,
}

impl Layer {
    fn new(values: Dict, name: impl Fn(&str) -> String + Clone + Send + Sync + 'static) -> Self {
        let metadata = Metadata::named("settings")
            .interpolater(move |_: &Profile, path: &[&str]| name(path.first().copied().unwrap_or_default()));
        Self { metadata, values }
    }

    fn defaults(settings: &Command) -> Self {
        let defaults = settings.get_arguments().filter_map(|setting| {
            let text = setting.get_default_values().first()?.to_str()?;
            Some((setting.get_id().to_string(), Value::from(text)))
        });
        Self::new(defaults.collect(), |key| format!("default of {key}"))
    }

    fn file(path: &Path, settings: &Command) -> Result<Self, ConfigError> {
        let path = path.to_owned();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(cause) => return Err(ConfigError::Unreadable { path, cause }),
        };
        let values: Dict = match toml::from_str(&text) {
            Ok(values) => values,
            Err(error) => {
                let end = error.span().map_or(0, |span| span.start);
                let line = 1 + text.bytes().take(end).filter(|b| *b == b'\n').count();
                return Err(ConfigError::NotToml { path, line, problem: one_line(error.message()) });
            }
        };
        let known: Vec<&str> = settings.get_arguments().map(|setting| setting.get_id().as_str()).collect();
        if let Some(key) = values.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(ConfigError::UnknownKey { path, key: key.clone(), known: known.join(", ") });
        }
        Ok(Self::new(values, move |key| format!("{key} in the config file {}", path.display())))
    }

    fn environment(variables: impl IntoIterator<Item = (String, String)>, settings: &Command) -> Self {
        let variables: BTreeMap<String, String> = variables.into_iter().collect();
        let values = settings.get_arguments().filter_map(|setting| {
            let key = setting.get_id().as_str();
            let text = variables.get(&variable(key)).filter(|text| !text.is_empty())?;
            Some((key.to_owned(), Value::from(text.as_str())))
        });
        Self::new(values.collect(), |key| format!("environment variable {}", variable(key)))
    }

    fn flags(flags: &Flags) -> Self {
        let values = flags.given.iter().map(|(key, text)| (key.clone(), Value::from(text.as_str())));
        Self::new(values.collect(), |key| format!("flag --{}", flag(key)))
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

/// Every setting as clap knows it: its name, its help, its default.
pub(super) fn settings() -> Command {
    Config::augment_args(Command::new("settings"))
}

fn wanted(key: &str, settings: &Command) -> String {
    let help = settings.get_arguments().find(|setting| setting.get_id() == key).and_then(|s| s.get_help());
    help.map(|help| help.to_string()).unwrap_or_default()
}

fn flag(key: &str) -> String {
    key.replace('_', "-")
}

fn variable(key: &str) -> String {
    format!("{VARIABLE_PREFIX}{}", key.to_ascii_uppercase())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use crate::config::LogFormat;

    use super::*;

    const BASE: [(&str, &str); 5] = [
        ("node_id", "1"),
        ("data_dir", "/data"),
        ("http_addr", "127.0.0.1:8761"),
        ("peer_addr", "node1:9761"),
        ("initial_cluster", "1=node1:9761"),
    ];

    fn flags(more: &[(&'static str, &'static str)]) -> Flags {
        Flags::from_pairs(BASE.into_iter().chain(more.iter().copied()))
    }

    fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("to write");
        file
    }

    fn error_of(flags: &Flags, file: Option<&Path>, variables: &[(&str, &str)]) -> String {
        let error = Config::load(flags, file, environment(variables)).expect_err("an error");
        let text = error.to_string();
        assert_eq!(text.lines().count(), 1, "one line: {text}");
        text
    }

    #[test]
    fn defaults_stand_where_nothing_is_given() {
        let config = Config::load(&flags(&[]), None, []).expect("a good config");
        assert_eq!(config.cluster_name, "rs-registry");
        assert_eq!(config.heartbeat_interval_ms, 100);
        assert_eq!(config.snapshot_log_bytes, 64 * 1024 * 1024);
        assert_eq!(config.log_format, LogFormat::Auto);
        assert_eq!(config.http_advertise, None);
    }

    #[test]
    fn flags_win_over_environment_over_file_over_default() {
        let file = file("write_timeout_ms = 301\nmax_connections = 302\nlease_tick_ms = 103\n");
        let variables = environment(&[
            ("RS_REGISTRY_WRITE_TIMEOUT_MS", "201"),
            ("RS_REGISTRY_MAX_CONNECTIONS", "202"),
            ("RS_REGISTRY_CLUSTER_NAME", "42"),
        ]);
        let config = Config::load(&flags(&[("write_timeout_ms", "101")]), Some(file.path()), variables)
            .expect("a good config");
        assert_eq!(config.write_timeout_ms, 101);
        assert_eq!(config.max_connections, 202);
        assert_eq!(config.lease_tick_ms, 103);
        assert_eq!(config.snapshot_keep_entries, 20_000);
        assert_eq!(config.cluster_name, "42");
    }

    #[test]
    fn a_file_alone_is_enough_and_a_cluster_may_be_a_table() {
        let file = file(
            "node_id = 2\ndata_dir = \"d\"\nhttp_addr = \"[::1]:8761\"\npeer_addr = \"b:1\"\nlog_format = \"json\"\n\
             [initial_cluster]\n1 = \"a:1\"\n2 = \"b:1\"\n",
        );
        let config = Config::load(&Flags::default(), Some(file.path()), []).expect("a good config");
        assert_eq!(config.initial_cluster.to_string(), "1=a:1,2=b:1");
        assert_eq!(config.log_format, LogFormat::Json);
    }

    #[test]
    fn variables_that_are_no_settings_or_empty_are_left_alone() {
        let variables =
            [("RS_REGISTRY_SERVICE_HOST", "10.0.0.1"), ("RS_REGISTRY_HTTP_ADVERTISE", ""), ("PATH", "/bin")];
        let config = Config::load(&flags(&[]), None, environment(&variables)).expect("a good config");
        assert_eq!(config.http_advertise, None);
    }

    #[test]
    fn a_missing_setting_is_named_in_all_its_forms() {
        let text = error_of(&Flags::default(), None, &[]);
        for part in ["node_id is not set", "--node-id", "RS_REGISTRY_NODE_ID"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_bad_value_names_its_setting_and_origin() {
        let text = error_of(&flags(&[]), None, &[("RS_REGISTRY_LEASE_TICK_MS", "soon")]);
        assert!(text.starts_with("environment variable RS_REGISTRY_LEASE_TICK_MS: "), "{text}");
        assert!(text.contains("\"soon\""), "{text}");

        let text = error_of(&flags(&[("log_format", "xml")]), None, &[]);
        assert!(text.starts_with("flag --log-format: ") && text.contains("human"), "{text}");

        let file = file("write_timeout_ms = -5\n");
        let text = error_of(&flags(&[]), Some(file.path()), &[]);
        assert!(text.starts_with("write_timeout_ms in the config file /"), "{text}");
        assert!(text.contains("-5"), "{text}");
    }

    #[test]
    fn a_violation_names_the_origin_of_the_value() {
        let text = error_of(&flags(&[]), None, &[("RS_REGISTRY_HEARTBEAT_INTERVAL_MS", "300")]);
        assert!(text.starts_with("default of election_timeout_min_ms: 150 is below 450"), "{text}");
        let text = error_of(&flags(&[("node_id", "2")]), None, &[]);
        assert!(text.starts_with("flag --initial-cluster: 1=node1:9761 lacks this node"), "{text}");
    }

    #[test]
    fn the_cluster_of_a_table_is_checked_like_the_text() {
        let mut pairs = BASE.to_vec();
        pairs.retain(|(key, _)| *key != "initial_cluster");
        let file = file("initial_cluster = { 1 = \"node1:9761\", x = \"b:1\" }\n");
        let text = error_of(&Flags::from_pairs(pairs), Some(file.path()), &[]);
        assert!(text.starts_with("initial_cluster in the config file"), "{text}");
        assert!(text.contains("\"x=b:1\" is not ID=HOST:PORT"), "{text}");
    }

    #[test]
    fn an_unknown_key_a_bad_file_and_no_file_are_told_apart() {
        let unknown = file("nod_id = 1\n");
        let text = error_of(&flags(&[]), Some(unknown.path()), &[]);
        assert!(text.contains("unknown key \"nod_id\"") && text.contains("node_id, cluster_name"), "{text}");

        let broken = file("node_id = 1\nhttp_addr = [\n");
        let text = error_of(&flags(&[]), Some(broken.path()), &[]);
        assert!(text.contains("is not TOML: line "), "{text}");

        let text = error_of(&flags(&[]), Some(Path::new("/no/such/file.toml")), &[]);
        assert!(text.starts_with("cannot read the config file /no/such/file.toml"), "{text}");
    }

    #[test]
    fn only_flags_of_the_command_line_count_as_given() {
        let matches = Flags::augment_args(Command::new("serve"))
            .try_get_matches_from(["serve", "--node-id", "7", "--log-format=json"])
            .expect("good flags");
        let flags = Flags::from_arg_matches(&matches).expect("flags");
        let given: Vec<_> = flags.given.into_iter().collect();
        assert_eq!(given, [("log_format".into(), "json".into()), ("node_id".into(), "7".into())]);
    }
}
