//! What the nodes say of themselves over HTTP.

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use serde::Deserialize;

use super::ports::NodePlan;
use crate::http_client::{HttpClient, HttpClientError, Request, ServerUrl};

/// Asks nodes for their state.
#[derive(Debug, Clone)]
pub struct StatusClient(HttpClient);

/// One look at one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// Whether `/readyz` said so.
    pub ready: bool,
    /// None when `/api/cluster` did not answer in time.
    pub cluster: Option<ClusterStatus>,
}

/// The part of `/api/cluster` that `dev` looks at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ClusterStatus {
    pub role: String,
    pub leader_id: Option<u64>,
    pub term: u64,
}

/// Who leads, as the nodes see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leader {
    pub id: u64,
    pub term: u64,
}

const ANSWER_PATIENCE: Duration = Duration::from_secs(1);
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

impl StatusClient {
    /// # Errors
    /// If there can be no client at all.
    pub fn new() -> Result<Self, HttpClientError> {
        HttpClient::new(None, ANSWER_PATIENCE).map(Self)
    }

    /// A node that is down, slow or wrong is an observation too, not an error.
    pub async fn observe(&self, node: &NodePlan) -> Observation {
        let ready = self.get(node, "/readyz").await.is_some();
        let cluster = self.get(node, "/api/cluster").await;
        Observation { ready, cluster: cluster.and_then(|body| serde_json::from_slice(&body).ok()) }
    }

    /// The body of a 200; none for all else.
    async fn get(&self, node: &NodePlan, path: &str) -> Option<Bytes> {
        let url: ServerUrl = format!("http://{}", node.http).parse().ok()?;
        let request = Request::new(Method::GET, &url, path);
        let answer = self.0.send(request, ANSWER_PATIENCE, ANSWER_MAX_BYTES).await.ok()?;
        answer.status.is_success().then_some(answer.body)
    }
}

/// The leader of the latest term that any of the nodes knows of.
pub fn leader<'a>(observations: impl IntoIterator<Item = &'a Observation>) -> Option<Leader> {
    observations
        .into_iter()
        .filter_map(|observation| observation.cluster.as_ref())
        .filter_map(|cluster| Some(Leader { id: cluster.leader_id?, term: cluster.term }))
        .max_by_key(|leader| leader.term)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn observation(leader_id: Option<u64>, term: u64) -> Observation {
        let cluster = ClusterStatus { role: "follower".into(), leader_id, term };
        Observation { ready: true, cluster: Some(cluster) }
    }

    #[test]
    fn the_latest_term_with_a_leader_counts() {
        let stale = observation(Some(1), 3);
        let fresh = observation(Some(2), 4);
        let voting = observation(None, 5);
        assert_eq!(leader([&stale, &fresh, &voting]), Some(Leader { id: 2, term: 4 }));
        assert_eq!(leader([&voting, &Observation::default()]), None);
    }

    /// Answers one request per connection with the response that its path is given.
    async fn node(answers: [(&'static str, &'static str); 2]) -> NodePlan {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let http = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 1024];
                let read = stream.read(&mut request).await.expect("a request");
                let request = String::from_utf8_lossy(&request[..read]).into_owned();
                let answer = answers.iter().find(|(path, _)| request.starts_with(&format!("GET {path} ")));
                let (_, answer) = answer.expect("a known path");
                stream.write_all(answer.as_bytes()).await.expect("to answer");
            }
        });
        NodePlan { id: 1, http, peer: http }
    }

    #[tokio::test]
    async fn a_node_that_is_ready_is_seen_with_its_leader() {
        let node = node([
            ("/readyz", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
            (
                "/api/cluster",
                "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n\
                 {\"node_id\":1,\"role\":\"leader\",\"leader_id\":1,\"term\":7,\"voters\":[1]}",
            ),
        ])
        .await;
        let seen = StatusClient::new().expect("a client").observe(&node).await;
        let cluster = ClusterStatus { role: "leader".into(), leader_id: Some(1), term: 7 };
        assert_eq!(seen, Observation { ready: true, cluster: Some(cluster) });
    }

    #[tokio::test]
    async fn a_node_that_is_not_ready_or_not_there_is_seen_as_that() {
        let unavailable = "HTTP/1.1 503 Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let garbled = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n[]";
        let starting = node([("/readyz", unavailable), ("/api/cluster", garbled)]).await;
        assert_eq!(StatusClient::new().expect("a client").observe(&starting).await, Observation::default());

        let closed =
            TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
        let gone = NodePlan { id: 1, http: closed, peer: closed };
        assert_eq!(StatusClient::new().expect("a client").observe(&gone).await, Observation::default());
    }
}
