//! How connections to peers come about: by TCP, or over what a test has for a network.

use std::fmt::Debug;

use tonic::transport::{Channel, Endpoint, Error};

use super::names::Names;

/// Makes the connections of one node.
#[tonic::async_trait]
pub trait Connector: Debug + Send + Sync + 'static {
    /// A connection to an endpoint, which tells how long that may take.
    ///
    /// # Errors
    /// Why there is none; nothing was sent then.
    async fn connect(&self, endpoint: Endpoint) -> Result<Channel, Error>;
}

#[derive(Debug)]
pub struct Tcp(pub Names);

#[tonic::async_trait]
impl Connector for Tcp {
    async fn connect(&self, endpoint: Endpoint) -> Result<Channel, Error> {
        endpoint.connect_with_connector(self.0.connector()).await
    }
}
