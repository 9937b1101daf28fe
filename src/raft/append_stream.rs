//! Appends to a follower on one long call: the next is sent before the last is answered, and none has a call of its
//! own to pay for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, Stream, StreamExt};
use openraft::errors::{NetworkError, Unreachable};
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, StreamAppendResult};
use tokio::time::Instant;
use tonic::{Request, Streaming};

use super::link::Link;
use super::network::{RpcError, malformed};
use super::rpc::{self, peer};
use super::types::{RaftLogId, TypeConfig};
use crate::metrics::Histogram;

/// How often it is looked whether an answer is overdue.
const WATCH: Duration = Duration::from_millis(250);

/// What is on its way, the oldest first: answers come in the order of the requests.
#[derive(Default)]
struct Sent(Mutex<VecDeque<SentAppend>>);

struct SentAppend {
    at: Instant,
    prev: Option<RaftLogId>,
    last: Option<RaftLogId>,
}

impl Sent {
    fn note(&self, request: &AppendEntriesRequest<TypeConfig>) {
        let (at, prev) = (Instant::now(), request.prev_log_id);
        let last = request.entries.last().map_or(prev, |entry| Some(entry.log_id));
        self.queue().push_back(SentAppend { at, prev, last });
    }

    fn oldest_is_older_than(&self, patience: Duration) -> bool {
        self.queue().front().is_some_and(|oldest| oldest.at.elapsed() > patience)
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<SentAppend>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends appends as they come, and gives what came of each in their order. It ends with the first error, and when
/// no answer has come for `patience`. How long each answer took is noted in `round_trip_seconds`.
///
/// # Errors
/// If the peer cannot be reached.
pub(super) async fn append_stream<S>(
    link: &Link,
    requests: S,
    patience: Duration,
    round_trip_seconds: Option<Histogram>,
) -> Result<BoxStream<'static, Result<StreamAppendResult<TypeConfig>, RpcError>>, RpcError>
where
    S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + 'static,
{
    let sent = Arc::new(Sent::default());
    let noted = sent.clone();
    let messages = without_superseded(requests).map(move |request| {
        noted.note(&request);
        rpc::append_to_message(&request)
    });
    let mut client = link.client().await.map_err(|error| RpcError::from(Unreachable::new(&error)))?;
    let opening = tokio::time::timeout(patience, client.append_stream(Request::new(messages)));
    let answers = match opening.await {
        Ok(Ok(opened)) => opened.into_inner(),
        Ok(Err(status)) => {
            link.reset();
            return Err(Unreachable::new(&status).into());
        }
        Err(_) => {
            link.reset();
            return Err(NetworkError::from_string("no answer in time").into());
        }
    };
    let open = Some(Answers { answers, sent, patience, round_trip_seconds, link: link.clone() });
    let results = stream::unfold(open, |open| async move {
        let mut open = open?;
        match open.next().await? {
            Ok(Ok(flushed)) => Some((Ok(Ok(flushed)), Some(open))),
            ends => {
                if ends.is_err() {
                    open.link.reset();
                }
                Some((ends, None))
            }
        }
    });
    Ok(results.boxed())
}

/// The same but for requests without entries that the next one has come behind: each tells how far the log is committed,
/// and one that comes later tells it too.
fn without_superseded<S>(requests: S) -> impl Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + 'static
where
    S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + 'static,
{
    stream::unfold(Box::pin(requests.fuse()), |mut requests| async move {
        let mut request = requests.next().await?;
        while request.entries.is_empty()
            && let Some(next) = requests.next().now_or_never().flatten()
        {
            request = next;
        }
        Some((request, requests))
    })
}

struct Answers {
    answers: Streaming<peer::AppendResponse>,
    sent: Arc<Sent>,
    patience: Duration,
    round_trip_seconds: Option<Histogram>,
    link: Link,
}

impl Answers {
    async fn next(&mut self) -> Option<Result<StreamAppendResult<TypeConfig>, RpcError>> {
        loop {
            let answer = match tokio::time::timeout(WATCH, self.answers.message()).await {
                Ok(Ok(Some(answer))) => answer,
                Ok(Ok(None)) if self.sent.queue().is_empty() => return None,
                Ok(Ok(None)) => return Some(Err(broken("the peer ended the stream of appends"))),
                Ok(Err(status)) => return Some(Err(Unreachable::new(&status).into())),
                Err(_) if self.sent.oldest_is_older_than(self.patience) => {
                    return Some(Err(broken("no answer in time")));
                }
                Err(_) => continue,
            };
            let Some(SentAppend { at, prev, last }) = self.sent.queue().pop_front() else {
                return Some(Err(broken("an answer to nothing that was sent")));
            };
            if let Some(seconds) = &self.round_trip_seconds {
                seconds.observe(at.elapsed());
            }
            return Some(match rpc::appended_from_message(answer) {
                // There is nothing before the first entry that could be another's.
                Ok(AppendEntriesResponse::Conflict) if prev.is_none() => {
                    Err(broken("the peer does not take the log from its beginning"))
                }
                Ok(response) => Ok(response.into_stream_result(prev, last)),
                Err(error) => Err(malformed(error)),
            });
        }
    }
}

fn broken(reason: &str) -> RpcError {
    NetworkError::from_string(reason).into()
}

#[cfg(test)]
mod tests {
    use openraft::EntryPayload;
    use tokio::sync::mpsc;

    use super::*;
    use crate::raft::types::{RaftEntry, log_id};

    /// A request with so many entries behind that index, that tells so far a commit.
    fn request(prev: u64, entries: u64, commit: u64) -> AppendEntriesRequest<TypeConfig> {
        let entry = |index| RaftEntry { log_id: log_id(1, index), payload: EntryPayload::Blank };
        AppendEntriesRequest {
            vote: openraft::Vote::new_committed(1, 1),
            prev_log_id: Some(log_id(1, prev)),
            entries: (prev + 1..=prev + entries).map(entry).collect(),
            leader_commit: Some(log_id(1, commit)),
        }
    }

    fn told(request: &AppendEntriesRequest<TypeConfig>) -> (usize, u64) {
        (request.entries.len(), request.leader_commit.map_or(0, |commit| commit.index))
    }

    #[tokio::test]
    async fn a_commit_is_told_with_the_entries_that_follow_it_at_once() {
        let (sender, mut requests) = mpsc::unbounded_channel();
        let mut sent =
            Box::pin(without_superseded(stream::poll_fn(move |context| requests.poll_recv(context))));
        let send = |request| sender.send(request).unwrap();
        send(request(1, 1, 1));
        send(request(2, 0, 2));
        send(request(2, 0, 2));
        send(request(2, 1, 2));
        send(request(3, 1, 2));
        send(request(4, 0, 4));
        let mut next = async || told(&sent.next().await.unwrap());
        assert_eq!(next().await, (1, 1));
        assert_eq!(next().await, (1, 2), "what has no entries is superseded");
        assert_eq!(next().await, (1, 2), "what has entries is not");
        assert_eq!(next().await, (0, 4), "nothing has come behind it");
        send(request(4, 0, 5));
        drop(sender);
        assert_eq!(told(&sent.next().await.unwrap()), (0, 5));
        assert!(sent.next().await.is_none());
    }
}
