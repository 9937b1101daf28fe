//! What peers ask of this node, by gRPC.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tonic::service::Interceptor;
use tonic::{Request, Response, Status, Streaming};

use crate::encoding::{EncodedCommands, encode_outcome};
use crate::format::Format;
use crate::propose::{ProposeError, Proposer};
use crate::raft::peer::peer_server::{Peer, PeerServer};
use crate::raft::peer::{self, forward_response::Result as Answer};
use crate::raft::{
    CHECKPOINT_FORM, CLUSTER_HEADER, Checkpoint, Consensus, Forwarded, IncomingError, MAX_MESSAGE_BYTES,
    MembershipChange, NodeId, Peers, TO_HEADER,
};
use crate::trace::Parent;

/// Batches of one follower that are proposed at once; it sends few.
const FORWARDED_AT_ONCE: usize = 16;

pub struct PeerService {
    consensus: Consensus,
    proposer: Proposer,
    peers: Arc<Peers>,
    http_addr: String,
}

impl PeerService {
    pub fn new(consensus: Consensus, proposer: Proposer, peers: Arc<Peers>, http_addr: String) -> Self {
        Self { consensus, proposer, peers, http_addr }
    }

    pub fn into_server(self) -> PeerServer<Self> {
        PeerServer::new(self)
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES)
    }
}

/// Turns away what is meant for another cluster or another node: to answer it would count this node
/// as one that it is not.
#[derive(Clone)]
pub struct Addressed {
    pub cluster: String,
    pub node_id: NodeId,
}

impl Interceptor for Addressed {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let header = |name: &str| request.metadata().get(name).and_then(|value| value.to_str().ok());
        let (cluster, to) = (header(CLUSTER_HEADER), header(TO_HEADER));
        let for_this_node = to.and_then(|to| to.parse().ok()) == Some(self.node_id);
        if cluster == Some(self.cluster.as_str()) && for_this_node {
            return Ok(request);
        }
        let meant = format!("node {} of cluster {}", to.unwrap_or("?"), cluster.unwrap_or("?"));
        let this = format!("node {} of cluster {}", self.node_id, self.cluster);
        tracing::warn!(meant, this, "a request for another node arrived here: check its initial_cluster");
        Err(Status::failed_precondition(format!("this is {this}, not {meant}")))
    }
}

fn refused(error: IncomingError) -> Status {
    match error {
        IncomingError::Malformed(_) => Status::invalid_argument(error.to_string()),
        IncomingError::BrokenOff(_) => Status::aborted(error.to_string()),
        IncomingError::Disk(_) | IncomingError::NotYet | IncomingError::Stopped(_) => {
            Status::unavailable(error.to_string())
        }
    }
}

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Peer for PeerService {
    type AppendStreamStream = BoxStream<'static, Result<peer::AppendResponse, Status>>;
    type ForwardStreamStream = BoxStream<'static, Result<peer::ForwardResponse, Status>>;
    type FetchSnapshotStream = BoxStream<'static, Result<peer::SnapshotChunk, Status>>;

    async fn append(&self, request: Request<peer::AppendRequest>) -> Answered<peer::AppendResponse> {
        self.consensus.append(request.into_inner()).await.map(Response::new).map_err(refused)
    }

    async fn append_stream(
        &self,
        request: Request<Streaming<peer::AppendRequest>>,
    ) -> Answered<Self::AppendStreamStream> {
        let answers = self.consensus.append_stream(request.into_inner()).map_err(refused)?;
        Ok(Response::new(answers.map(|answer| answer.map_err(refused)).boxed()))
    }

    async fn vote(&self, request: Request<peer::VoteRequest>) -> Answered<peer::VoteResponse> {
        self.consensus.vote(request.into_inner()).await.map(Response::new).map_err(refused)
    }

    async fn pre_vote(&self, request: Request<peer::VoteRequest>) -> Answered<peer::VoteResponse> {
        self.consensus.pre_vote(request.into_inner()).await.map(Response::new).map_err(refused)
    }

    async fn install_snapshot(
        &self,
        request: Request<Streaming<peer::SnapshotChunk>>,
    ) -> Answered<peer::InstallSnapshotResponse> {
        self.consensus.install_snapshot(request.into_inner()).await.map(Response::new).map_err(refused)
    }

    async fn fetch_snapshot(
        &self,
        request: Request<peer::FetchSnapshotRequest>,
    ) -> Answered<Self::FetchSnapshotStream> {
        let peer::FetchSnapshotRequest { least_index } = request.into_inner();
        let chunks = self.consensus.offer_snapshot(least_index).await.map_err(refused)?;
        Ok(Response::new(chunks.map(Ok as fn(_) -> _).boxed()))
    }

    async fn transfer_leader(
        &self,
        request: Request<peer::TransferLeaderRequest>,
    ) -> Answered<peer::TransferLeaderResponse> {
        self.consensus.transfer_leader(request.into_inner()).await.map(Response::new).map_err(refused)
    }

    async fn forward_stream(
        &self,
        request: Request<Streaming<peer::ForwardRequest>>,
    ) -> Answered<Self::ForwardStreamStream> {
        let (proposer, formats) = (self.proposer.clone(), self.consensus.formats());
        let answers = request.into_inner().map(move |request| {
            let proposer = proposer.clone();
            async move {
                let peer::ForwardRequest { commands, count, id, format, unhurried, trace_parent } = request?;
                let format = Format::from_stored(format);
                let commands = EncodedCommands::forwarded(&commands, count, format, formats)
                    .map_err(|error| Status::invalid_argument(error.to_string()))?;
                let span = match Parent::parse(&trace_parent) {
                    Parent::Traced(span) => Some(span),
                    Parent::NotTraced | Parent::None => None,
                };
                let request = Forwarded { commands, format, unhurried, span };
                let result = Some(forwarded(&proposer, request).await);
                Ok(peer::ForwardResponse { result, id })
            }
        });
        Ok(Response::new(answers.buffer_unordered(FORWARDED_AT_ONCE).boxed()))
    }

    async fn read_index(&self, _: Request<peer::ReadIndexRequest>) -> Answered<peer::ReadIndexResponse> {
        let log_index = self.consensus.read_index().await;
        Ok(Response::new(peer::ReadIndexResponse { log_index }))
    }

    async fn join(&self, request: Request<peer::JoinRequest>) -> Answered<peer::JoinResponse> {
        Ok(Response::new(self.consensus.let_join(request.into_inner()).await))
    }

    async fn change_membership(
        &self,
        request: Request<peer::MembershipChange>,
    ) -> Answered<peer::MembershipResponse> {
        let change = MembershipChange::from_message(request.into_inner())
            .ok_or_else(|| Status::unimplemented("a change that this node's version does not know"))?;
        let changed = self.consensus.change_membership_as_leader(&self.peers, &change).await;
        Ok(Response::new(changed.into()))
    }

    async fn describe(&self, _: Request<peer::DescribeRequest>) -> Answered<peer::DescribeResponse> {
        let checkpoints = self.consensus.machine().checkpoints().into_iter();
        let formats = self.consensus.formats();
        Ok(Response::new(peer::DescribeResponse {
            node_id: self.consensus.node_id(),
            http_addr: self.http_addr.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            checkpoint_form: CHECKPOINT_FORM,
            oldest_format: formats.oldest().to_stored(),
            newest_format: formats.newest().to_stored(),
            checkpoints: checkpoints
                .map(|Checkpoint { index, hash }| peer::Checkpoint { index, hash })
                .collect(),
        }))
    }
}

async fn forwarded(proposer: &Proposer, request: Forwarded) -> Answer {
    match proposer.propose_forwarded(request).await {
        Ok(written) => Answer::Decided(peer::Decided {
            log_index: written.log_index,
            outcomes: written.outcomes.iter().map(encode_outcome).collect(),
        }),
        Err(ProposeError::NotLeader | ProposeError::NoQuorum) => Answer::NotLeader(true),
        Err(ProposeError::Overloaded) => Answer::Overloaded(true),
        Err(ProposeError::Unknown | ProposeError::Stopped) => Answer::Unknown(true),
    }
}
