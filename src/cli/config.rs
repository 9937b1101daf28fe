//! `config`: what the settings of `serve` come to, without starting a node.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::say;
use crate::config::{Config, Explained, Flags};

/// Looks at settings without starting a node
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Check(CheckArgs),
}

/// Shows every setting, its value and where that came from, and whether a node could be started with them
///
/// Takes what serve takes: flags, environment, and the file of --config. Files of keys and users are not read.
#[derive(Debug, Args)]
struct CheckArgs {
    /// TOML file of settings
    #[arg(long, value_name = "FILE", env = "RS_REGISTRY_CONFIG")]
    config: Option<PathBuf>,

    #[command(flatten)]
    settings: Flags,
}

/// # Errors
/// What keeps a node from being started with these settings.
pub fn run(args: ConfigArgs) -> anyhow::Result<()> {
    let Verb::Check(args) = args.verb;
    let environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let file = args.config.as_deref();
    let explained = Config::explain(&args.settings, file, environment.clone())?;
    say(&table(&explained))?;
    Config::load(&args.settings, file, environment)?;
    say("\na node can be started with these settings\n")
}

fn table(explained: &[Explained]) -> String {
    let cells = explained.iter().map(|setting| {
        let value = setting.value.as_deref().unwrap_or("-");
        (setting.key.as_str(), value, setting.origin.as_deref().unwrap_or("not set"))
    });
    let cells: Vec<(&str, &str, &str)> = cells.collect();
    let key_width = cells.iter().map(|(key, _, _)| key.len()).max().unwrap_or(0);
    let value_width = cells.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0);
    let lines = cells
        .iter()
        .map(|(key, value, origin)| format!("{key:key_width$}  {value:value_width$}  {origin}\n"));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_setting() {
        let setting = |key: &str, value: Option<&str>, origin: Option<&str>| Explained {
            key: key.to_owned(),
            value: value.map(str::to_owned),
            origin: origin.map(str::to_owned),
        };
        let explained =
            [setting("node_id", Some("1"), Some("flag --node-id")), setting("http_addr", None, None)];
        assert_eq!(table(&explained), "node_id    1  flag --node-id\nhttp_addr  -  not set\n");
    }
}
