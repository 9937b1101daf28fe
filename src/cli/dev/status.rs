//! What the nodes say of themselves over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use tokio::time::timeout;

use super::ports::NodePlan;

/// Asks nodes for their state.
#[derive(Debug, Clone)]
pub struct StatusClient {
    client: Client<HttpConnector, Empty<Bytes>>,
}

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
    pub fn new() -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// A node that is down, slow or wrong is an observation too, not an error.
    pub async fn observe(&self, node: &NodePlan) -> Observation {
        let ready = self.get(node, "readyz").await.is_some();
        let cluster = self.get(node, "api/cluster").await;
        Observation { ready, cluster: cluster.and_then(|body| serde_json::from_slice(&body).ok()) }
    }

    /// The body of a 200; none for all else.
    async fn get(&self, node: &NodePlan, path: &str) -> Option<Bytes> {
        let uri = format!("http://{}/{path}", node.http).parse().ok()?;
        let exchange = async {
            let response = self.client.get(uri).await.ok()?;
            let good = response.status().is_success();
            // Read also when it is of no use, so that the connection can be used again.
            let body = Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect().await.ok()?;
            good.then(|| body.to_bytes())
        };
        timeout(ANSWER_PATIENCE, exchange).await.ok().flatten()
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
        let seen = StatusClient::new().observe(&node).await;
        let cluster = ClusterStatus { role: "leader".into(), leader_id: Some(1), term: 7 };
        assert_eq!(seen, Observation { ready: true, cluster: Some(cluster) });
    }

    #[tokio::test]
    async fn a_node_that_is_not_ready_or_not_there_is_seen_as_that() {
        let unavailable = "HTTP/1.1 503 Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let garbled = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n[]";
        let starting = node([("/readyz", unavailable), ("/api/cluster", garbled)]).await;
        assert_eq!(StatusClient::new().observe(&starting).await, Observation::default());

        let closed =
            TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
        let gone = NodePlan { id: 1, http: closed, peer: closed };
        assert_eq!(StatusClient::new().observe(&gone).await, Observation::default());
    }
}
