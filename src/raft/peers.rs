//! What a node asks of its peers beside Raft: to propose a batch, and who they are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tonic::{Request, Status};

use super::checkpoints::{CHECKPOINT_FORM, Checkpoint};
use super::connector::Connector;
use super::consensus::Written;
use super::forward_stream::{ForwardStream, Forwarded, NotSent};
use super::link::Link;
use super::membership::{MembershipChange, MembershipError};
use super::rpc::peer;
use super::types::NodeId;
use crate::encoding::decode_outcome;
use crate::format::{Format, Formats};

const DESCRIBE_TIMEOUT: Duration = Duration::from_millis(1000);

/// Connections for forwarding, apart from Raft's own.
pub struct Peers {
    cluster: String,
    connector: Arc<dyn Connector>,
    links: Mutex<BTreeMap<NodeId, Link>>,
    forward_streams: Mutex<BTreeMap<NodeId, ForwardStream>>,
    described: Mutex<BTreeMap<NodeId, PeerDescription>>,
}

/// What a peer last said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerDescription {
    pub http_addr: String,
    pub version: String,
    /// What its program reads.
    pub formats: Formats,
    /// None if its hashes are of another form than this node's.
    pub checkpoints: Vec<Checkpoint>,
}

#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    #[error("node {0} does not lead, or cannot be reached; nothing was proposed")]
    NotProposed(NodeId),
    #[error("too much is waiting at node {0}; nothing was proposed")]
    Overloaded(NodeId),
    #[error("node {node} may have proposed it, or not: {reason}")]
    Unknown { node: NodeId, reason: String },
}

impl Peers {
    /// Links to nodes at their peer addresses. One whose address or cluster name cannot be put on
    /// the wire is left out: it cannot be reached.
    pub fn new(
        cluster: &str,
        addresses: impl IntoIterator<Item = (NodeId, String)>,
        connector: &Arc<dyn Connector>,
    ) -> Self {
        let peers = Self {
            cluster: cluster.to_owned(),
            connector: connector.clone(),
            links: Mutex::default(),
            forward_streams: Mutex::default(),
            described: Mutex::default(),
        };
        peers.know(addresses);
        peers
    }

    /// From now on the peers are these. A connection to one whose address is what it was goes on.
    pub fn know(&self, addresses: impl IntoIterator<Item = (NodeId, String)>) {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = std::mem::take(&mut *links);
        for (id, addr) in addresses {
            let kept = known.remove(&id).filter(|link| link.addr() == addr);
            if kept.is_none() {
                self.forward_streams().remove(&id);
            }
            let link = kept.or_else(|| Link::new(&self.cluster, id, &addr, self.connector.clone()).ok());
            links.extend(link.map(|link| (id, link)));
        }
        let mut described = self.described.lock().unwrap_or_else(PoisonError::into_inner);
        described.retain(|id, _| links.contains_key(id));
        self.forward_streams().retain(|id, _| links.contains_key(id));
    }

    /// Has the leader propose a batch and waits for what came of it.
    ///
    /// # Errors
    /// [`ForwardError`], which tells whether the batch may be tried again.
    pub async fn forward(
        &self,
        leader: NodeId,
        forwarded: Forwarded,
        timeout: Duration,
    ) -> Result<Written, ForwardError> {
        use peer::forward_response::Result as Answer;
        let not_proposed = |_| ForwardError::NotProposed(leader);
        let unknown = |reason: &str| ForwardError::Unknown { node: leader, reason: reason.to_owned() };
        let deadline = Instant::now() + timeout;
        let Ok(opened) = tokio::time::timeout_at(deadline, self.forward_stream(leader)).await else {
            self.connect_anew(leader);
            return Err(ForwardError::NotProposed(leader));
        };
        let answer = opened.and_then(|stream| stream.send(forwarded)).map_err(not_proposed)?;
        let response = match tokio::time::timeout_at(deadline, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => return Err(unknown("the connection is lost")),
            Err(_) => {
                self.connect_anew(leader);
                return Err(unknown("no answer in time"));
            }
        };
        match response.result {
            Some(Answer::Decided(decided)) => {
                let outcomes = decided.outcomes.into_iter().map(decode_outcome).collect::<Result<_, _>>();
                let outcomes = outcomes.map_err(|error| unknown(&error.to_string()))?;
                Ok(Written { log_index: decided.log_index, outcomes })
            }
            Some(Answer::NotLeader(_)) => Err(ForwardError::NotProposed(leader)),
            Some(Answer::Overloaded(_)) => Err(ForwardError::Overloaded(leader)),
            Some(Answer::Unknown(_)) | None => Err(unknown("leadership changed meanwhile")),
        }
    }

    /// The call for batches to a peer that is open, or a new one.
    async fn forward_stream(&self, leader: NodeId) -> Result<ForwardStream, NotSent> {
        let open = self.forward_streams().get(&leader).filter(|stream| !stream.has_ended()).cloned();
        if let Some(open) = open {
            return Ok(open);
        }
        let opened = ForwardStream::open(&self.link(leader).ok_or(NotSent)?).await?;
        self.forward_streams().insert(leader, opened.clone());
        Ok(opened)
    }

    /// What is on its way on the connection there is may still be answered.
    fn connect_anew(&self, leader: NodeId) {
        self.forward_streams().remove(&leader);
        if let Some(link) = self.link(leader) {
            link.reset();
        }
    }

    fn forward_streams(&self) -> MutexGuard<'_, BTreeMap<NodeId, ForwardStream>> {
        self.forward_streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the leader for the log index that a read which begins now has to see. `None` if it
    /// cannot tell, or cannot be asked.
    pub async fn read_index(&self, leader: NodeId, timeout: Duration) -> Option<u64> {
        let link = self.link(leader)?;
        let mut client = link.client().await.ok()?;
        let mut request = Request::new(peer::ReadIndexRequest {});
        request.set_timeout(timeout);
        match tokio::time::timeout(timeout, client.read_index(request)).await {
            Ok(Ok(response)) => response.into_inner().log_index,
            Ok(Err(_)) | Err(_) => {
                link.reset();
                None
            }
        }
    }

    /// Has the leader change the membership.
    ///
    /// # Errors
    /// [`MembershipError`], which tells whether anything was changed.
    pub async fn change_membership(
        &self,
        leader: NodeId,
        change: &MembershipChange,
        timeout: Duration,
    ) -> Result<String, MembershipError> {
        let link = self.link(leader).ok_or(MembershipError::NoLeader)?;
        let mut client = link.client().await.map_err(|_| MembershipError::NoLeader)?;
        let request = Request::new(peer::MembershipChange::from(change));
        match tokio::time::timeout(timeout, client.change_membership(request)).await {
            Ok(Ok(response)) => response.into_inner().into(),
            Ok(Err(status)) => {
                link.reset();
                Err(MembershipError::Unknown(status.message().to_owned()))
            }
            Err(_) => Err(MembershipError::Unknown("the leader does not answer in time".to_owned())),
        }
    }

    /// What a node says of itself that is no peer yet.
    ///
    /// # Errors
    /// Why nobody answers there who is that node of this cluster.
    pub async fn ask_who_is_at(&self, id: NodeId, addr: &str) -> Result<PeerDescription, String> {
        let link =
            Link::new(&self.cluster, id, addr, self.connector.clone()).map_err(|error| error.to_string())?;
        describe(id, &link).await.map_err(|status| status.message().to_owned())
    }

    /// The newest format that all these nodes say now that they read.
    ///
    /// # Errors
    /// Which of them does not answer.
    pub async fn newest_format_of(
        &self,
        ids: impl IntoIterator<Item = NodeId>,
    ) -> Result<Option<Format>, NodeId> {
        let mut newest: Option<Format> = None;
        for id in ids {
            let description = describe(id, &self.link(id).ok_or(id)?).await.map_err(|_| id)?;
            let read = description.formats.newest();
            newest = Some(newest.map_or(read, |newest| newest.min(read)));
        }
        Ok(newest)
    }

    pub(super) fn links(&self) -> BTreeMap<NodeId, Link> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn link(&self, id: NodeId) -> Option<Link> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// What the peers last said of themselves.
    pub fn described(&self) -> BTreeMap<NodeId, PeerDescription> {
        self.described.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps asking all peers who they are, soon while one is unknown and now and then after; `told` is
    /// what all of them last said. Runs until it is dropped.
    pub async fn keep_described(&self, mut told: impl FnMut(&BTreeMap<NodeId, PeerDescription>)) {
        const WHILE_UNKNOWN: Duration = Duration::from_secs(1);
        const AFTER: Duration = Duration::from_secs(5);
        loop {
            for (id, link) in self.links() {
                if let Ok(description) = describe(id, &link).await {
                    let mut described = self.described.lock().unwrap_or_else(PoisonError::into_inner);
                    described.insert(id, description);
                }
            }
            let described = self.described();
            told(&described);
            let complete = described.len() == self.links().len();
            tokio::time::sleep(if complete { AFTER } else { WHILE_UNKNOWN }).await;
        }
    }
}

async fn describe(id: NodeId, link: &Link) -> Result<PeerDescription, Status> {
    let mut client = link.client().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let mut request = Request::new(peer::DescribeRequest {});
    request.set_timeout(DESCRIBE_TIMEOUT);
    let answer = client.describe(request).await?.into_inner();
    if answer.node_id != id {
        return Err(Status::failed_precondition(format!("node {} answers", answer.node_id)));
    }
    let comparable = answer.checkpoint_form == CHECKPOINT_FORM;
    let checkpoints = answer.checkpoints.into_iter().filter(|_| comparable);
    Ok(PeerDescription {
        http_addr: answer.http_addr,
        version: answer.version,
        formats: Formats::from_stored(answer.oldest_format, answer.newest_format),
        checkpoints: checkpoints.map(|peer::Checkpoint { index, hash }| Checkpoint { index, hash }).collect(),
    })
}
