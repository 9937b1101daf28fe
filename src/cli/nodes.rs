//! Which nodes a verb asks: the same for all verbs.

use std::path::PathBuf;

use clap::Args;

use super::admin_client::AdminClient;
use crate::http_client::ServerUrl;

#[derive(Debug, Args)]
pub struct NodesArgs {
    /// URLs of nodes, tried in this order: http://HOST:PORT, or https://USER:PASSWORD@HOST:PORT
    #[arg(
        long,
        global = true,
        value_name = "URL,…",
        value_delimiter = ',',
        env = "RS_REGISTRY_URLS",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8761"
    )]
    urls: Vec<ServerUrl>,

    /// PEM file of the authority of the nodes' certificates; else those are taken that the system trusts
    #[arg(long, global = true, value_name = "FILE", env = "RS_REGISTRY_CA_FILE")]
    ca_file: Option<PathBuf>,
}

impl NodesArgs {
    /// # Errors
    /// If the file of the authority cannot be used.
    pub fn client(&self) -> anyhow::Result<AdminClient> {
        AdminClient::new(self.urls.clone(), self.ca_file.as_deref())
    }
}
