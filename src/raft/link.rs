//! Connections to peers: one for each purpose, so that a snapshot never holds up a heartbeat.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use super::connector::Connector;
use super::rpc::peer::peer_client::PeerClient;
use super::types::NodeId;

/// Largest message taken from a peer: an append holds 2 MiB of entries, or one larger entry.
pub const MAX_MESSAGE_BYTES: usize = 32 << 20;
/// The cluster a request belongs to.
pub const CLUSTER_HEADER: &str = "x-registry-cluster";
/// The node a request is meant for: one that reaches another must not be answered in its name.
pub const TO_HEADER: &str = "x-registry-to";

/// For looking up the name too, and for agreeing on TLS.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
const KEEP_ALIVE: Duration = Duration::from_secs(5);

pub type Client = PeerClient<InterceptedService<Channel, Envelope>>;

/// Writes on each request which cluster and which node it is meant for.
#[derive(Debug, Clone)]
pub struct Envelope {
    cluster: MetadataValue<Ascii>,
    to: MetadataValue<Ascii>,
}

impl Interceptor for Envelope {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert(CLUSTER_HEADER, self.cluster.clone());
        request.metadata_mut().insert(TO_HEADER, self.to.clone());
        Ok(request)
    }
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot connect to {addr}: {reason}")]
pub struct ConnectError {
    addr: String,
    reason: String,
}

/// One lazily made connection to one peer. Clones share it.
#[derive(Debug, Clone)]
pub struct Link {
    addr: Arc<str>,
    envelope: Envelope,
    connector: Arc<dyn Connector>,
    channel: Arc<Mutex<Option<Channel>>>,
}

impl Link {
    /// # Errors
    /// [`ConnectError`] if the cluster's name cannot be sent.
    pub fn new(
        cluster: &str,
        to: NodeId,
        addr: &str,
        connector: Arc<dyn Connector>,
    ) -> Result<Self, ConnectError> {
        let cluster = MetadataValue::try_from(cluster)
            .map_err(|error| ConnectError { addr: addr.to_owned(), reason: error.to_string() })?;
        let envelope = Envelope { cluster, to: MetadataValue::from(to) };
        Ok(Self { addr: addr.into(), envelope, connector, channel: Arc::default() })
    }

    pub fn addr(&self) -> &str {
        &self.addr
    }

    /// A client on a connection that was up a moment ago.
    ///
    /// # Errors
    /// [`ConnectError`] if there is none and none can be made; nothing was sent then.
    pub async fn client(&self) -> Result<Client, ConnectError> {
        let open = self.lock().clone();
        let channel = match open {
            Some(channel) => channel,
            None => {
                let channel = self.connect().await?;
                *self.lock() = Some(channel.clone());
                channel
            }
        };
        Ok(PeerClient::with_interceptor(channel, self.envelope.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES))
    }

    /// Forgets a connection that failed.
    pub fn reset(&self) {
        *self.lock() = None;
    }

    async fn connect(&self) -> Result<Channel, ConnectError> {
        let failed =
            |error: &dyn Error| ConnectError { addr: self.addr.to_string(), reason: root_cause(error) };
        let endpoint =
            Endpoint::from_shared(format!("http://{}", self.addr)).map_err(|error| failed(&error))?;
        let endpoint = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
        self.connector.connect(endpoint).await.map_err(|error| failed(&error))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Channel>> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
