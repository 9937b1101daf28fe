//! Raft's outgoing calls.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use openraft::OptionalSend;
use openraft::alias::{SnapshotOf, VoteOf};
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{Backoff, RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use tonic::{Request, Response, Status};

use super::append_stream::append_stream;
use super::connector::Connector;
use super::link::{Client, ConnectError, Link};
use super::rpc::{self, peer};
use super::types::{
    Node, NodeId, TypeConfig, log_id_to_message, stored_membership_to_message, vote_from_message,
    vote_to_message,
};
use crate::blocking::blocking;
use crate::encoding::DecodeError;
use crate::metrics::{Histogram, Metrics};
use crate::storage::SnapshotFile;

pub(super) type RpcError = RPCError<TypeConfig>;

type AppendStream<'s> =
    BoxFuture<'s, Result<BoxStream<'s, Result<StreamAppendResult<TypeConfig>, RpcError>>, RpcError>>;

/// How long to leave an unreachable peer alone: it is looked for often, to be back soon.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// An append is answered when it is on the peer's disk, which may be slow for a moment; to send it
/// again before would make that worse.
const APPEND_TIMEOUT: Duration = Duration::from_secs(2);
const SNAPSHOT_CHUNK_BYTES: usize = 1 << 20;
/// A snapshot takes as long as it takes while it moves; each call to the disk or peer is bounded.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(600);

/// Makes the connections of one node of one cluster.
#[derive(Debug, Clone)]
pub struct NetworkFactory {
    pub cluster: String,
    pub connector: Arc<dyn Connector>,
    pub metrics: Arc<Metrics>,
}

impl RaftNetworkFactory<TypeConfig> for NetworkFactory {
    type Network = Network;

    async fn new_client(&mut self, target: NodeId, node: &Node) -> Network {
        Network::new(self, target, node, false)
    }

    async fn new_heartbeat_client(&mut self, target: NodeId, node: &Node) -> Network {
        Network::new(self, target, node, true)
    }
}

/// One connection to one peer for one purpose.
pub struct Network {
    link: Result<Link, ConnectError>,
    /// Of heartbeats, whose connection is the one to tell when the peer goes away and comes back: other appends wait
    /// for the peer's disk too.
    reach: Option<Arc<Reach>>,
    round_trip_seconds: Histogram,
}

/// Whether a peer was reached the last time.
struct Reach {
    target: NodeId,
    reached: AtomicBool,
}

impl Reach {
    fn note(&self, error: Option<&RpcError>) {
        if self.reached.swap(error.is_none(), Ordering::Relaxed) == error.is_none() {
            return;
        }
        match error {
            Some(error) => tracing::warn!(peer = self.target, %error, "a peer cannot be reached"),
            None => tracing::info!(peer = self.target, "the peer is reached again"),
        }
    }
}

impl Network {
    fn new(factory: &NetworkFactory, target: NodeId, node: &Node, heartbeats: bool) -> Self {
        let link = Link::new(&factory.cluster, target, &node.peer_addr, factory.connector.clone());
        let round_trip_seconds = factory.metrics.round_trip_seconds(target);
        let reach = heartbeats.then(|| Arc::new(Reach { target, reached: AtomicBool::new(true) }));
        Self { link, reach, round_trip_seconds }
    }

    async fn call<M, A, F>(
        &mut self,
        message: M,
        timeout: Duration,
        call: impl FnOnce(Client, Request<M>) -> F,
    ) -> Result<A, RpcError>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let link = self.link.as_ref().map_err(Unreachable::new)?;
        let mut request = Request::new(message);
        // The peer gives up later: the one clock that tells a late answer from a lost connection is here.
        request.set_timeout(timeout * 2);
        let calling = async {
            let client = link.client().await.map_err(|error| RpcError::from(Unreachable::new(&error)))?;
            call(client, request).await.map_err(|status| RpcError::from(Unreachable::new(&status)))
        };
        let Ok(result) = tokio::time::timeout(timeout, calling).await else {
            link.reset();
            return Err(NetworkError::from_string("no answer in time").into());
        };
        if result.is_err() {
            link.reset();
        }
        Ok(result?.into_inner())
    }
}

pub(super) fn malformed(error: DecodeError) -> RpcError {
    NetworkError::new(&error).into()
}

impl RaftNetworkV2<TypeConfig> for Network {
    type SnapshotData = SnapshotFile;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RpcError> {
        let message = rpc::append_to_message(&request);
        let answer = self
            .call(message, APPEND_TIMEOUT, |mut client, request| async move { client.append(request).await });
        rpc::appended_from_message(answer.await?).map_err(malformed)
    }

    fn stream_append<'s, S>(&'s mut self, requests: S, _option: RPCOption) -> AppendStream<'s>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
    {
        Box::pin(async move {
            let link = self.link.as_ref().map_err(Unreachable::new)?;
            let Some(reach) = self.reach.clone() else {
                let opened = append_stream(link, requests, APPEND_TIMEOUT, None).await;
                if opened.is_err() {
                    // Raft waits after an error too, but only once it is asked for a request, which needs a connection.
                    tokio::time::sleep(RETRY_AFTER).await;
                }
                return opened;
            };
            let seconds = Some(self.round_trip_seconds.clone());
            let opened = append_stream(link, requests, APPEND_TIMEOUT, seconds).await;
            let results = opened.inspect_err(|error| reach.note(Some(error)))?;
            Ok(results.inspect(move |result| reach.note(result.as_ref().err())).boxed())
        })
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        let message = rpc::vote_request_to_message(&request);
        let answer =
            self.call(
                message,
                option.soft_ttl(),
                |mut client, request| async move { client.vote(request).await },
            );
        rpc::voted_from_message(answer.await?).map_err(malformed)
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RpcError> {
        let message = rpc::vote_request_to_message(&request);
        let answer = self.call(message, option.soft_ttl(), |mut client, request| async move {
            client.pre_vote(request).await
        });
        rpc::voted_from_message(answer.await?).map_err(malformed)
    }

    async fn full_snapshot(
        &mut self,
        vote: VoteOf<TypeConfig>,
        snapshot: SnapshotOf<TypeConfig, SnapshotFile>,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let head = peer::SnapshotHead {
            vote: Some(vote_to_message(&vote)),
            last_log_id: snapshot.meta.last_log_id.as_ref().map(log_id_to_message),
            membership: Some(stored_membership_to_message(&snapshot.meta.last_membership)),
            format: snapshot.snapshot.header().map_err(|error| NetworkError::new(&error))?.format,
        };
        let chunks = chunks(head, &snapshot.snapshot).await.map_err(|error| NetworkError::new(&error))?;
        let sending = self.call(chunks, SNAPSHOT_TIMEOUT, |mut client, request| async move {
            client.install_snapshot(request).await
        });
        let answer = tokio::select! {
            biased;
            answer = sending => answer?,
            closed = cancel => return Err(closed.into()),
        };
        let vote = vote_from_message(answer.vote).map_err(malformed)?;
        Ok(SnapshotResponse::new(vote))
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RpcError> {
        let message = rpc::transfer_to_message(&request);
        let answer = self.call(message, option.soft_ttl(), |mut client, request| async move {
            client.transfer_leader(request).await
        });
        rpc::transferred_from_message(answer.await?).map_err(malformed)
    }

    fn backoff(&self) -> Option<Backoff> {
        Some(Backoff::new(std::iter::repeat(RETRY_AFTER)))
    }
}

/// A snapshot as a stream of chunks. A file that cannot be read ends it early, which the receiver
/// finds out by the checksum.
pub(super) async fn chunks(
    head: peer::SnapshotHead,
    snapshot: &SnapshotFile,
) -> io::Result<impl stream::Stream<Item = peer::SnapshotChunk> + use<>> {
    use peer::snapshot_chunk::Part;
    let file = Arc::new(snapshot.file().try_clone()?);
    (&*file).rewind()?;
    let data = stream::unfold(file, |file| async move {
        let reading = file.clone();
        match blocking(move || read_chunk(&reading)).await.flatten() {
            Ok(chunk) if chunk.is_empty() => None,
            Ok(chunk) => Some((peer::SnapshotChunk { part: Some(Part::Data(chunk)) }, file)),
            Err(error) => {
                tracing::error!(%error, "a snapshot cannot be read to be sent");
                None
            }
        }
    });
    let head = peer::SnapshotChunk { part: Some(Part::Head(head)) };
    Ok(futures_util::StreamExt::chain(stream::iter([head]), data))
}

/// The next chunk; empty at the end.
fn read_chunk(file: &File) -> io::Result<Bytes> {
    let mut chunk = Vec::with_capacity(SNAPSHOT_CHUNK_BYTES);
    file.take(SNAPSHOT_CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
    Ok(Bytes::from(chunk))
}

#[cfg(test)]
mod tests {
    use hyper_util::rt::TokioIo;
    use tokio::io::DuplexStream;
    use tokio::time::Instant;
    use tonic::transport::{Channel, Endpoint};

    use super::*;

    /// To where nobody listens.
    #[derive(Debug)]
    struct Refused;

    #[tonic::async_trait]
    impl Connector for Refused {
        async fn connect(&self, endpoint: Endpoint) -> Result<Channel, tonic::transport::Error> {
            let refuse = |_| async { Err::<TokioIo<DuplexStream>, _>(io::Error::other("refused")) };
            endpoint.connect_with_connector(tower::service_fn(refuse)).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_is_gone_is_left_alone_between_two_tries() {
        const TRIES: u32 = 20;
        let (cluster, connector) = ("test".to_owned(), Arc::new(Refused));
        let mut factory = NetworkFactory { cluster, connector, metrics: Arc::default() };
        let node = Node { peer_addr: "peer.test:1".to_owned() };
        let option = RPCOption::new(Duration::from_millis(100));
        let took = async |mut network: Network| {
            let start = Instant::now();
            for _ in 0..TRIES {
                assert!(network.stream_append(stream::pending(), option.clone()).await.is_err());
            }
            start.elapsed()
        };
        assert!(took(factory.new_client(2, &node).await).await >= RETRY_AFTER * TRIES);
        let heartbeats = factory.new_heartbeat_client(2, &node).await;
        assert_eq!(took(heartbeats).await, Duration::ZERO, "heartbeats have a pace of their own");
    }
}
