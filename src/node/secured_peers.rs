//! Connections between nodes by TLS, in both directions.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::http::Uri;
use futures_util::{Stream, stream};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use tonic::transport::{Channel, Endpoint, Error};
use tower::{Service, service_fn};

use crate::raft::{Connector, Names};
use crate::tls::PeerTls;

/// A peer gives up connecting sooner.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections that are agreeing on TLS at once. Those beyond are closed: one that waits is of no use to a peer.
const HANDSHAKES: usize = 256;
/// After an error of `accept` (no file descriptors left, mostly), wait before the next.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);
/// Refused connections are told of once in so long.
const TELLING: Duration = Duration::from_secs(1);

/// Connects to peers whose certificate is of the right authority and names the host of their address.
#[derive(Debug)]
pub struct SecuredConnector {
    pub tls: PeerTls,
    pub names: Names,
}

#[tonic::async_trait]
impl Connector for SecuredConnector {
    async fn connect(&self, endpoint: Endpoint) -> Result<Channel, Error> {
        let (tls, names) = (self.tls.clone(), self.names.clone());
        let dialing = service_fn(move |peer| dial(tls.clone(), names.clone(), peer));
        endpoint.connect_with_connector(dialing).await
    }
}

async fn dial(tls: PeerTls, names: Names, peer: Uri) -> io::Result<TokioIo<client::TlsStream<TcpStream>>> {
    let host = peer.host().ok_or_else(|| io::Error::other(format!("{peer} is no address of a peer")))?;
    let name = host.trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(name).map_err(io::Error::other)?;
    let stream = names.connector().call(peer).await.map_err(io::Error::other)?;
    let connector = TlsConnector::from(tls.current().connecting.clone());
    Ok(TokioIo::new(connector.connect(name, stream.into_inner()).await?))
}

type Peer = server::TlsStream<TcpStream>;

/// The connections of peers that have shown a certificate of the right authority. Ends accepting when it is dropped.
pub fn incoming(listener: TcpListener, tls: PeerTls) -> impl Stream<Item = io::Result<Peer>> + Send {
    let (accepted, mut peers) = mpsc::channel(1);
    tokio::spawn(accept(listener, tls, accepted));
    stream::poll_fn(move |cx| peers.poll_recv(cx).map(|peer| peer.map(Ok)))
}

async fn accept(listener: TcpListener, tls: PeerTls, accepted: mpsc::Sender<Peer>) {
    let mut handshakes = JoinSet::new();
    let mut refusals = Refusals::default();
    loop {
        tokio::select! {
            () = accepted.closed() => return,
            Some(ended) = handshakes.join_next() => {
                if let Ok((from, Err(reason))) = ended {
                    refusals.tell(from, &reason);
                }
            }
            connected = listener.accept() => match connected {
                Ok((_, from)) if handshakes.len() >= HANDSHAKES => {
                    refusals.tell(from, &io::Error::other("too many others are connecting"));
                }
                Ok((stream, from)) => {
                    let acceptor = TlsAcceptor::from(tls.current().accepting.clone());
                    let accepted = accepted.clone();
                    handshakes.spawn(async move { (from, handshake(acceptor, stream, accepted).await) });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection of a peer");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            },
        }
    }
}

async fn handshake(acceptor: TlsAcceptor, stream: TcpStream, accepted: mpsc::Sender<Peer>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let peer = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await??;
    // Nobody takes it only when this node stops.
    let _ = accepted.send(peer).await;
    Ok(())
}

/// Tells of connections that were refused, without letting those who make them fill the log.
#[derive(Default)]
struct Refusals {
    told: Option<Instant>,
    untold: u64,
}

impl Refusals {
    fn tell(&mut self, from: SocketAddr, reason: &io::Error) {
        if self.told.is_some_and(|told| told.elapsed() < TELLING) {
            self.untold += 1;
            return;
        }
        let untold = std::mem::take(&mut self.untold);
        self.told = Some(Instant::now());
        tracing::warn!(
            %from, %reason, untold,
            "a connection to the peer port is refused; if it is a node's, look at its certificate and at both \
             peer_tls_ca_file"
        );
    }
}
