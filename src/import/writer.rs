//! Writes to the nodes of this cluster: batch after batch, at the first node that takes them.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{self, HeaderName};
use hyper::{Method, StatusCode};
use tokio::time::{Instant, sleep};

use super::source::{Reading, Source, SourceError};
use super::task::Task;
use crate::eureka::{DecodeError, MAX_BATCH_BYTES, MAX_OUTGOING_ITEMS, OutgoingBatch, decode_batch_response};
use crate::http_client::{Answer, HttpClient, HttpClientError, Request, ServerUrl};

/// Says that what is written is a copy, which gives way to what clients write themselves.
const IMPORT: HeaderName = HeaderName::from_static("x-registry-import");

/// Longer than a node waits for a write to be committed.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Writer {
    client: HttpClient,
    /// URLs up to and including `/eureka` or the like.
    nodes: Vec<ServerUrl>,
    /// The one that took the last batch.
    current: usize,
    /// Most tasks of a batch: fewer once a node called one too long.
    most: usize,
    /// For a batch, with all attempts.
    patience: Duration,
}

/// Why nothing can be written. Each is one line that tells a person what to do.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("no node takes writes; the last said: {0}")]
    Lost(#[source] Box<NodeError>),
    #[error(transparent)]
    Node(NodeError),
    /// It cannot be seen what is here already.
    #[error("what this cluster has cannot be read: {0}")]
    Unreadable(#[source] SourceError),
    #[error("no node is given to write to")]
    NoNode,
}

/// Why one node does not take a batch.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error(transparent)]
    Exchange(#[from] HttpClientError),
    #[error("{0} answers {1}")]
    Status(String, StatusCode),
    #[error("{0} asks who you are; write http://USER:PASSWORD@HOST:PORT, or check both")]
    Unauthorized(String),
    #[error("{0} refuses writes; they need the role write")]
    Forbidden(String),
    #[error("{0} takes no replication; is it a node of rs-registry?")]
    NotFound(String),
    #[error("{0} calls the batch unreadable (400); is it older than this program?")]
    Unreadable(String),
    #[error("what {0} answers is none to a batch: {1}")]
    NoAnswer(String, DecodeError),
    #[error("{url} answers {answers} of {items} items; is it a node of rs-registry?")]
    Answers { url: String, items: usize, answers: usize },
}

impl NodeError {
    /// Whether the same batch may be taken later, or by another node.
    fn is_passing(&self) -> bool {
        match self {
            NodeError::Exchange(error) => matches!(
                error,
                HttpClientError::Connect { .. }
                    | HttpClientError::Timeout { .. }
                    | HttpClientError::Broken { .. }
            ),
            NodeError::Status(_, status) => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            _ => false,
        }
    }
}

impl Writer {
    /// To these nodes, of which any will do. One batch is tried for so long.
    pub fn new(client: HttpClient, nodes: Vec<ServerUrl>, patience: Duration) -> Self {
        Self { client, nodes, current: 0, most: MAX_OUTGOING_ITEMS, patience }
    }

    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// What the first node that answers has now.
    ///
    /// # Errors
    /// What the last of them said instead.
    pub async fn read(&self) -> Result<Reading, WriteError> {
        let mut last = WriteError::NoNode;
        for node in &self.nodes {
            match Source::new(self.client.clone(), node.clone()).read().await {
                Ok(reading) => return Ok(reading),
                Err(error) => last = WriteError::Unreadable(error),
            }
        }
        Err(last)
    }

    /// Writes the first of these tasks, as many as fit into a batch, and returns the statuses of each one's steps. None
    /// of none.
    ///
    /// # Errors
    /// [`WriteError`] if no node took them in time, or one will never.
    pub async fn write(&mut self, tasks: &[Task]) -> Result<Vec<Vec<u16>>, WriteError> {
        loop {
            let mut batch = OutgoingBatch::default();
            let fit = tasks.iter().take(self.most).take_while(|task| batch.push(&task.items())).count();
            if fit == 0 {
                return Ok(Vec::new());
            }
            let items = batch.len();
            match self.deliver(batch.finish().into(), items).await? {
                Some(statuses) => return Ok(by_task(&tasks[..fit], &statuses)),
                // A node may be set to take shorter bodies than others.
                None if fit > 1 => self.most = fit / 2,
                None => {
                    return Ok(by_task(&tasks[..1], &vec![StatusCode::PAYLOAD_TOO_LARGE.as_u16(); items]));
                }
            }
        }
    }

    /// The statuses of all items, from the first node that takes them; `None` if they are too many at once.
    async fn deliver(&mut self, body: Bytes, items: usize) -> Result<Option<Vec<u16>>, WriteError> {
        let deadline = Instant::now() + self.patience;
        let mut pause = FIRST_PAUSE;
        loop {
            let mut last = None;
            for attempt in 0..self.nodes.len() {
                let place = (self.current + attempt) % self.nodes.len();
                match self.post(&self.nodes[place], body.clone(), items).await {
                    Ok(statuses) => {
                        self.current = place;
                        return Ok(statuses);
                    }
                    Err(error) if error.is_passing() => last = Some(error),
                    Err(error) => return Err(WriteError::Node(error)),
                }
            }
            let last = last.ok_or(WriteError::NoNode)?;
            if Instant::now() + pause >= deadline {
                return Err(WriteError::Lost(Box::new(last)));
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn post(&self, node: &ServerUrl, body: Bytes, items: usize) -> Result<Option<Vec<u16>>, NodeError> {
        let request = Request::new(Method::POST, node, "/peerreplication/batch/")
            .header(header::ACCEPT, "application/json")
            .header(IMPORT, "true")
            .body("application/json", body);
        let answer = self.client.send(request, ANSWER_PATIENCE, MAX_BATCH_BYTES).await?;
        taken(node, &answer, items)
    }
}

/// The statuses of all items; `None` if the node takes no body of that length.
fn taken(node: &ServerUrl, answer: &Answer, items: usize) -> Result<Option<Vec<u16>>, NodeError> {
    match answer.status {
        StatusCode::OK => {}
        StatusCode::PAYLOAD_TOO_LARGE => return Ok(None),
        StatusCode::UNAUTHORIZED => return Err(NodeError::Unauthorized(node.to_string())),
        StatusCode::FORBIDDEN => return Err(NodeError::Forbidden(node.to_string())),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            return Err(NodeError::NotFound(node.to_string()));
        }
        StatusCode::BAD_REQUEST => return Err(NodeError::Unreadable(node.to_string())),
        status => return Err(NodeError::Status(node.to_string(), status)),
    }
    let responses = decode_batch_response(&answer.body);
    let responses = responses.map_err(|reason| NodeError::NoAnswer(node.to_string(), reason))?;
    if responses.len() != items {
        return Err(NodeError::Answers { url: node.to_string(), items, answers: responses.len() });
    }
    Ok(Some(responses.iter().map(|response| response.status_code).collect()))
}

fn by_task(tasks: &[Task], statuses: &[u16]) -> Vec<Vec<u16>> {
    let mut statuses = statuses.iter().copied();
    tasks.iter().map(|task| statuses.by_ref().take(task.steps.len()).collect()).collect()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;
    use crate::eureka::decode_batch;
    use crate::registry::{AppName, InstanceId, Key};

    const PATIENCE: Duration = Duration::from_secs(10);

    /// Answers each batch by how many there were before and how many items it has, and tells the latter.
    async fn node(status: fn(usize, usize) -> u16) -> (ServerUrl, mpsc::UnboundedReceiver<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/eureka", listener.local_addr().expect("an address"));
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for before in 0.. {
                let (stream, _) = listener.accept().await.expect("a connection");
                let mut stream = BufReader::new(stream);
                let (mut length, mut line) = (0, String::new());
                while stream.read_line(&mut line).await.expect("a head") > 2 {
                    if let Some(said) = line.strip_prefix("content-length: ") {
                        length = said.trim().parse().expect("a length");
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                stream.read_exact(&mut body).await.expect("a body");
                let items = decode_batch(&body).expect("a batch").len();
                let _ = tell.send(items);
                let answers = vec!["{\"statusCode\":200}"; items].join(",");
                let head = format!("HTTP/1.1 {} Some\r\nconnection: close\r\n\r\n", status(before, items));
                let answer = format!("{head}{{\"responseList\":[{answers}]}}");
                stream.write_all(answer.as_bytes()).await.expect("to answer");
            }
        });
        (url.parse().expect("a URL"), told)
    }

    fn writer(nodes: Vec<ServerUrl>, patience: Duration) -> Writer {
        Writer::new(HttpClient::new(None, PATIENCE).expect("a client"), nodes, patience)
    }

    fn tasks(count: usize) -> Vec<Task> {
        let key = |number| {
            let id = InstanceId::parse(&format!("i-{number}")).expect("an id");
            Key::new(AppName::parse("APP").expect("a name"), id)
        };
        (0..count).map(|number| Task::cancel(key(number))).collect()
    }

    #[tokio::test]
    async fn the_first_node_that_takes_a_batch_gets_the_next_one_too() {
        let (busy, mut told_busy) = node(|_, _| 503).await;
        let (free, mut told_free) = node(|_, _| 200).await;
        let gone = "http://127.0.0.1:1/eureka".parse().expect("a URL");
        let mut writer = writer(vec![gone, busy, free], PATIENCE);
        for _ in 0..2 {
            assert_eq!(writer.write(&tasks(2)).await.expect("it is taken"), [[200], [200]]);
        }
        assert_eq!((told_free.recv().await, told_free.recv().await), (Some(2), Some(2)));
        assert_eq!(told_busy.recv().await, Some(2));
        assert!(told_busy.try_recv().is_err(), "it was asked again");
    }

    #[tokio::test]
    async fn nodes_that_are_busy_are_asked_again() {
        let (url, _told) = node(|before, _| if before < 2 { 503 } else { 200 }).await;
        let mut writer = writer(vec![url.clone()], PATIENCE);
        assert_eq!(writer.write(&tasks(1)).await.expect("it is taken"), [[200]]);

        let (url, _told) = node(|_, _| 503).await;
        let mut writer = self::writer(vec![url], FIRST_PAUSE);
        let error = writer.write(&tasks(1)).await.expect_err("nobody takes it");
        assert!(matches!(error, WriteError::Lost(_)), "{error:?}");
    }

    #[tokio::test]
    async fn a_batch_is_as_short_as_a_node_wants_it() {
        let (url, mut told) = node(|_, items| if items > 3 { 413 } else { 200 }).await;
        let mut writer = writer(vec![url], PATIENCE);
        assert_eq!(writer.write(&tasks(10)).await.expect("it is taken").len(), 2);
        assert_eq!((told.recv().await, told.recv().await, told.recv().await), (Some(10), Some(5), Some(2)));
        assert_eq!(writer.write(&tasks(10)).await.expect("it is taken").len(), 2);
        assert_eq!(told.recv().await, Some(2), "it is remembered");
        assert_eq!(writer.write(&[]).await.expect("nothing").len(), 0);

        let (url, _told) = node(|_, _| 413).await;
        let mut writer = self::writer(vec![url], PATIENCE);
        assert_eq!(writer.write(&tasks(2)).await.expect("an answer"), [[413]]);
    }
}
