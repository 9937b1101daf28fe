//! The names of peers, looked up for each connection, since what they stand for may change at any time.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::watch;
use tokio::time::timeout;
use tower::Service;

use super::link::CONNECT_TIMEOUT;
use crate::blocking::blocking;

/// How long a connection waits for a name before it tries the addresses that the name had last.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long one waits for a name that never had any.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);

type LookUp = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;
type Coming = watch::Receiver<Option<Result<Vec<SocketAddr>, String>>>;

/// Looks names up, each once at a time: a look-up cannot be cancelled, and holds a thread for as long as the name
/// servers are silent. Clones share it.
#[derive(Clone)]
pub struct Names {
    look_up: Arc<LookUp>,
    known: Arc<Mutex<HashMap<String, Known>>>,
}

#[derive(Default)]
struct Known {
    last: Vec<SocketAddr>,
    coming: Option<Coming>,
}

impl Names {
    /// As this machine is set up to look them up.
    pub fn of_system() -> Self {
        Self::by(|name| (name, 0).to_socket_addrs().map(Iterator::collect))
    }

    fn by(look_up: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> Self {
        Self { look_up: Arc::new(look_up), known: Arc::default() }
    }

    /// Connects by TCP to what a name stands for at that moment.
    pub fn connector(&self) -> HttpConnector<Self> {
        let mut connector = HttpConnector::new_with_resolver(self.clone());
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector
    }

    async fn addresses(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let (coming, last) = self.begin(name);
        let patience = if last.is_empty() { FIRST_PATIENCE } else { PATIENCE };
        let found = match timeout(patience, looked_up(coming)).await {
            Ok(found) => found,
            Err(_) => Err(io::Error::other(format!("{name} is not looked up in time"))),
        };
        // Name servers fail more often than addresses change, and a peer proves who it is.
        if found.is_err() && !last.is_empty() { Ok(last) } else { found }
    }

    /// The look-up of a name that is under way, or a new one, and the addresses that were found last.
    fn begin(&self, name: &str) -> (Coming, Vec<SocketAddr>) {
        let mut known = self.known();
        let known = known.entry(name.to_owned()).or_default();
        let coming = known.coming.get_or_insert_with(|| self.look_up(name)).clone();
        (coming, known.last.clone())
    }

    fn look_up(&self, name: &str) -> Coming {
        let (told, coming) = watch::channel(None);
        let (names, name) = (self.clone(), name.to_owned());
        tokio::spawn(async move {
            let (look_up, wanted) = (names.look_up.clone(), name.clone());
            let found = blocking(move || look_up(&wanted)).await.flatten();
            names.keep(name, &found);
            told.send_replace(Some(found.map_err(|error| error.to_string())));
        });
        coming
    }

    fn keep(&self, name: String, found: &io::Result<Vec<SocketAddr>>) {
        let mut known = self.known();
        let last = match (found, known.remove(&name)) {
            (Ok(addresses), _) => addresses.clone(),
            (Err(_), known) => known.map(|known| known.last).unwrap_or_default(),
        };
        if !last.is_empty() {
            known.insert(name, Known { last, coming: None });
        }
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn looked_up(mut coming: Coming) -> io::Result<Vec<SocketAddr>> {
    let found = coming.wait_for(Option::is_some).await.map_err(io::Error::other)?;
    match &*found {
        Some(Ok(addresses)) => Ok(addresses.clone()),
        Some(Err(reason)) => Err(io::Error::other(reason.clone())),
        None => Err(io::Error::other("nothing was found")),
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

impl Service<Name> for Names {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let names = self.clone();
        Box::pin(async move { names.addresses(name.as_str()).await.map(Vec::into_iter) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use tokio::net::TcpListener;

    use super::*;
    use crate::raft::connector::Tcp;
    use crate::raft::link::Link;
    use crate::raft::rpc::peer::DescribeRequest;

    fn addresses(ip: &str) -> Vec<SocketAddr> {
        vec![SocketAddr::new(ip.parse().unwrap(), 0)]
    }

    #[tokio::test]
    async fn a_lost_connection_is_made_anew_to_where_the_name_leads_by_then() {
        let before = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = before.local_addr().unwrap().port();
        let after = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
        let now = Arc::new(Mutex::new(addresses("127.0.0.1")));
        let seen = now.clone();
        let names = Names::by(move |_| Ok(seen.lock().unwrap().clone()));
        let link = Link::new("test", 1, &format!("peer:{port}"), Arc::new(Tcp(names))).unwrap();

        let (client, accepted) = tokio::join!(link.client(), before.accept());
        let mut client = client.unwrap();
        *now.lock().unwrap() = addresses("127.0.0.2");
        drop((accepted, before));
        // The same client: its channel finds the connection closed, and makes another.
        let calling = async {
            while client.describe(DescribeRequest {}).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = calling => unreachable!("nobody answers"),
            accepted = timeout(Duration::from_secs(60), after.accept()) => drop(accepted.unwrap().unwrap()),
        }
    }

    #[tokio::test]
    async fn silent_name_servers_hold_one_thread_and_the_last_addresses_are_tried() {
        let (answer, answers) = mpsc::channel::<io::Result<Vec<SocketAddr>>>();
        let (asked, answers) = (Arc::new(AtomicUsize::new(0)), Mutex::new(answers));
        let counted = asked.clone();
        let names = Names::by(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            answers.lock().unwrap().recv().unwrap()
        });

        let (one, other) = (names.addresses("peer"), names.addresses("peer"));
        answer.send(Ok(addresses("10.0.0.1"))).unwrap();
        let (one, other) = tokio::join!(one, other);
        assert_eq!((one.unwrap(), other.unwrap()), (addresses("10.0.0.1"), addresses("10.0.0.1")));
        assert_eq!(asked.load(Ordering::SeqCst), 1);

        for _ in 0..2 {
            assert_eq!(names.addresses("peer").await.unwrap(), addresses("10.0.0.1"));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);

        answer.send(Ok(addresses("10.0.0.2"))).unwrap();
        let (coming, _) = names.begin("peer");
        assert_eq!(looked_up(coming).await.unwrap(), addresses("10.0.0.2"));
        answer.send(Err(io::Error::other("no such name"))).unwrap();
        assert_eq!(names.addresses("peer").await.unwrap(), addresses("10.0.0.2"));
    }

    #[tokio::test]
    async fn a_name_that_never_had_an_address_is_an_error_and_is_not_kept() {
        let names = Names::by(|_| Err(io::Error::other("no such name")));
        assert_eq!(names.addresses("peer").await.unwrap_err().to_string(), "no such name");
        assert!(names.known().is_empty());
    }
}
