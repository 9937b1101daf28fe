//! The network between the nodes: ordered streams of bytes, as TCP gives them, that take their time,
//! and stand still while the way is cut.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::Stream;
use hyper_util::rt::TokioIo;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rs_registry::raft::Connector;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tonic::transport::server::Connected;
use tonic::transport::{Channel, Endpoint, Error};

pub type NodeId = u64;

/// Clones are the same network.
#[derive(Clone)]
pub struct Wire(Arc<Mutex<State>>);

struct State {
    now_ms: u64,
    seed: u64,
    slow_ms: u64,
    cut: BTreeSet<(NodeId, NodeId)>,
    listeners: Vec<(NodeId, mpsc::UnboundedSender<SimStream>)>,
    powerless: BTreeSet<NodeId>,
    pipes: Vec<Arc<Pipe>>,
}

/// One direction of one connection.
struct Pipe {
    from: NodeId,
    to: NodeId,
    flow: Mutex<Flow>,
}

#[derive(Default)]
struct Flow {
    under_way: VecDeque<(u64, Bytes)>,
    arrived: VecDeque<Bytes>,
    /// The sender has ended, in order or not; told when what it sent has arrived.
    ended: Option<End>,
    told: Option<End>,
    reader: Option<Waker>,
    abandoned: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    Reset,
}

impl Wire {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            now_ms: 0,
            seed,
            slow_ms: 0,
            cut: BTreeSet::new(),
            listeners: Vec::new(),
            powerless: BTreeSet::new(),
            pipes: Vec::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long something takes that sets out now, in milliseconds.
    pub fn latency_ms(&self, from: NodeId, to: NodeId) -> u64 {
        self.state().latency_ms(from, to)
    }

    /// Every way takes up to that much longer.
    pub fn slow_down(&self, by_ms: u64) {
        self.state().slow_ms = by_ms;
    }

    /// Nothing gets from one node to another any more, and no connection comes about.
    pub fn cut(&self, from: NodeId, to: NodeId) {
        self.state().cut.insert((from, to));
    }

    pub fn heal(&self, from: NodeId, to: NodeId) {
        self.state().cut.remove(&(from, to));
    }

    /// The connections that reach a node from now on.
    pub fn listen(&self, node: NodeId) -> impl Stream<Item = io::Result<SimStream>> + Send + 'static {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.state();
        state.powerless.remove(&node);
        state.listeners.retain(|(id, _)| *id != node);
        state.listeners.push((node, sender));
        futures_util::stream::unfold(receiver, async |mut receiver| {
            Some((Ok(receiver.recv().await?), receiver))
        })
    }

    /// The process of a node has ended; its kernel tells its peers.
    pub fn killed(&self, node: NodeId) {
        let mut state = self.state();
        state.listeners.retain(|(id, _)| *id != node);
        state.end_pipes(node, End::Closed);
    }

    /// A node has lost power: nobody is told before it is back, and then that its connections are gone.
    pub fn powerless(&self, node: NodeId) {
        let mut state = self.state();
        state.listeners.retain(|(id, _)| *id != node);
        state.powerless.insert(node);
        for pipe in state.pipes.iter().filter(|pipe| pipe.from == node) {
            pipe.flow().under_way.clear();
        }
    }

    pub fn powered(&self, node: NodeId) {
        let mut state = self.state();
        state.powerless.remove(&node);
        state.end_pipes(node, End::Reset);
    }

    /// Has arrive what is due.
    pub fn deliver(&self, now_ms: u64) {
        let mut state = self.state();
        state.now_ms = now_ms;
        let State { pipes, cut, powerless, .. } = &mut *state;
        for pipe in pipes.iter() {
            let open = !cut.contains(&(pipe.from, pipe.to))
                && !powerless.contains(&pipe.from)
                && !powerless.contains(&pipe.to);
            if open {
                pipe.flow().deliver(now_ms);
            }
        }
        pipes.retain(|pipe| Arc::strong_count(pipe) > 1);
    }

    /// # Errors
    /// If nobody listens there.
    async fn connect(&self, from: NodeId, to: NodeId) -> io::Result<SimStream> {
        let around = 2 * self.latency_ms(from, to);
        tokio::time::sleep(Duration::from_millis(around)).await;
        while self.state().is_apart(from, to) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut state = self.state();
        let there = Arc::new(Pipe { from, to, flow: Mutex::default() });
        let back = Arc::new(Pipe { from: to, to: from, flow: Mutex::default() });
        let end = |reads: &Arc<Pipe>, writes: &Arc<Pipe>| SimStream {
            reads: reads.clone(),
            writes: writes.clone(),
            wire: self.clone(),
        };
        let listener = state.listeners.iter().find(|(id, _)| *id == to);
        let accepted = listener.is_some_and(|(_, listener)| listener.send(end(&there, &back)).is_ok());
        if !accepted {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        state.pipes.extend([there.clone(), back.clone()]);
        Ok(end(&back, &there))
    }
}

impl State {
    /// The same for all that sets out in one millisecond, in whatever order it does.
    fn latency_ms(&self, from: NodeId, to: NodeId) -> u64 {
        let moment = (self.now_ms << 16) ^ (from << 8) ^ to;
        StdRng::seed_from_u64(self.seed ^ moment).random_range(1..=3 + self.slow_ms)
    }

    fn is_apart(&self, from: NodeId, to: NodeId) -> bool {
        self.cut.contains(&(from, to)) || self.cut.contains(&(to, from)) || self.powerless.contains(&to)
    }

    fn end_pipes(&mut self, node: NodeId, end: End) {
        for pipe in self.pipes.iter().filter(|pipe| pipe.from == node || pipe.to == node) {
            let mut flow = pipe.flow();
            if end == End::Reset {
                flow.under_way.clear();
            }
            flow.ended.get_or_insert(end);
        }
    }
}

impl Pipe {
    fn flow(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flow {
    fn deliver(&mut self, now_ms: u64) {
        let due = self.under_way.partition_point(|(due_ms, _)| *due_ms <= now_ms);
        let mut moved = due > 0;
        self.arrived.extend(self.under_way.drain(..due).map(|(_, bytes)| bytes));
        if self.under_way.is_empty() && self.told != self.ended {
            self.told = self.ended;
            moved = true;
        }
        if moved && let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// One end of a connection.
pub struct SimStream {
    reads: Arc<Pipe>,
    writes: Arc<Pipe>,
    wire: Wire,
}

impl Drop for SimStream {
    fn drop(&mut self) {
        self.writes.flow().ended.get_or_insert(End::Closed);
        self.reads.flow().abandoned = true;
    }
}

impl Connected for SimStream {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for SimStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut flow = self.reads.flow();
        if let Some(bytes) = flow.arrived.front_mut() {
            let taken = bytes.len().min(into.remaining());
            into.put_slice(&bytes[..taken]);
            bytes.advance(taken);
            if bytes.is_empty() {
                flow.arrived.pop_front();
            }
            return Poll::Ready(Ok(()));
        }
        match flow.told {
            Some(End::Closed) => Poll::Ready(Ok(())),
            Some(End::Reset) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            None => {
                flow.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for SimStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let state = self.wire.state();
        let due_ms = state.now_ms + state.latency_ms(self.writes.from, self.writes.to);
        let mut flow = self.writes.flow();
        if flow.told.is_some() || flow.abandoned {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let last_ms = flow.under_way.back().map_or(0, |(due_ms, _)| *due_ms);
        flow.under_way.push_back((due_ms.max(last_ms), Bytes::copy_from_slice(bytes)));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writes.flow().ended.get_or_insert(End::Closed);
        Poll::Ready(Ok(()))
    }
}

/// The connections that one node makes.
pub struct SimConnector {
    pub wire: Wire,
    pub from: NodeId,
}

impl std::fmt::Debug for SimConnector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the connector of node {}", self.from)
    }
}

/// The peer address of a node; [`SimConnector`] knows it again.
pub fn peer_addr(node: NodeId) -> String {
    format!("sim{node}:{}", 9000 + node)
}

#[tonic::async_trait]
impl Connector for SimConnector {
    async fn connect(&self, endpoint: Endpoint) -> Result<Channel, Error> {
        let (wire, from) = (self.wire.clone(), self.from);
        let to = endpoint.uri().port_u16().map_or(0, |port| NodeId::from(port) - 9000);
        let connector = tower::service_fn(move |_| {
            let wire = wire.clone();
            async move { wire.connect(from, to).await.map(TokioIo::new) }
        });
        endpoint.connect_with_connector(connector).await
    }
}
