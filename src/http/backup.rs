//! `GET /api/backup`: everything this node has applied, at one log index, as a file.
//!
//! It is encoded while it is sent: what waits in memory is a few chunks, beside the state, which is shared.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use super::Facade;
use super::answer::{Answer, json as json_answer, with};
use super::error::HttpError;
use super::request::Parameters;
use crate::audit::Requester;
use crate::blocking::blocking;
use crate::raft::Captured;
use crate::storage::aside;

const CHUNK_BYTES: usize = 64 * 1024;
/// That wait for a slow reader.
const CHUNKS: usize = 4;
/// A reader that has not got everything by then keeps others from theirs.
const LONGEST: Duration = Duration::from_secs(600);
/// How long a reader is waited for that is to be told of a failure.
const PARTING: Duration = Duration::from_secs(5);

/// Has everything that was acknowledged before the request, unless `?consistency=local` asks for what there is.
pub async fn backup(facade: &Facade, request: Request<Body>) -> Answer {
    let Ok(place) = facade.backups.clone().try_acquire_owned() else {
        return later("another backup of this node is under way; try again, or ask another node");
    };
    match Parameters::new(request.uri().query()).first("consistency").as_deref() {
        None | Some("linearizable") => {
            if facade.linearizer.wait().await.is_err() {
                return later(
                    "no leader with a quorum, or this node is behind it; --consistency local takes what this node has",
                );
            }
        }
        Some("local") => {}
        Some(_) => return HttpError::BadParameter("consistency").into(),
    }
    let (consensus, cluster) = (facade.consensus.clone(), facade.cluster_name.clone());
    let taken_ms = facade.wall_clock.epoch_ms();
    let capturing = blocking(move || consensus.capture(&cluster, taken_ms));
    let Ok(Some(captured)) = capturing.await else {
        return later("this node has nothing yet");
    };
    facade.audit.tell_of_backup(&Requester::of(request.extensions()), captured.index());
    sent(captured, place)
}

fn later(reason: &str) -> Answer {
    let answer = json_answer(StatusCode::SERVICE_UNAVAILABLE, &json!({"error": reason}));
    with(answer, header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn sent(captured: Captured, place: OwnedSemaphorePermit) -> Answer {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let out = Sending {
        chunk: BytesMut::with_capacity(CHUNK_BYTES),
        sender: sender.clone(),
        deadline: Instant::now() + LONGEST,
        runtime: Handle::current(),
    };
    tokio::spawn(async move {
        let _place = place;
        let (index, instances) = (captured.index(), captured.instances());
        let written = blocking(move || aside(|| captured.write(out))).await.flatten().flatten();
        match written {
            Ok(()) => tracing::info!(index, instances, "sent a backup"),
            Err(error) => {
                tracing::warn!(%error, index, "a backup was not sent to its end");
                // Has the connection end without the end of the answer. Nobody may be there any more.
                let _ = timeout(PARTING, sender.send(Err(error))).await;
            }
        }
    });
    let chunks = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let mut answer = Answer::new(Body::from_stream(chunks));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    with(answer, header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}

/// Hands on what is written, and waits for who reads it.
struct Sending {
    chunk: BytesMut,
    sender: mpsc::Sender<io::Result<Bytes>>,
    deadline: Instant,
    runtime: Handle,
}

impl Sending {
    fn send(&mut self) -> io::Result<()> {
        let chunk = self.chunk.split().freeze();
        let sending = async { timeout_at(self.deadline, self.sender.send(Ok(chunk))).await };
        match self.runtime.block_on(sending) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::Error::other("the reader has gone away")),
            Err(_) => Err(io::Error::other("the reader is too slow")),
        }
    }
}

impl Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK_BYTES {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() { Ok(()) } else { self.send() }
    }
}
