//! Fetches what is longer than an answer is kept in memory.

use std::fs::File;
use std::io::{Seek, Write};
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, StatusCode};
use tokio::time::timeout;

use super::admin_client::{ANSWER_PATIENCE, AdminAnswer, AdminClient, NodeUrl, unreachable};

/// Without a byte for longer the node is taken for gone.
const SILENCE: Duration = Duration::from_secs(30);
/// More is nothing that a node sends.
const MAX_BYTES: u64 = 64 << 30;

impl AdminClient {
    /// Writes what the first node answers that can be reached and gives all of it, and says which that is.
    ///
    /// # Errors
    /// What the last of them said instead.
    pub async fn download(
        &self,
        path: &str,
        mut into: &File,
        mut progress: impl FnMut(u64),
    ) -> anyhow::Result<&str> {
        let mut last = None;
        for url in &self.urls {
            into.rewind().and_then(|()| into.set_len(0)).context("cannot write the file")?;
            match self.download_from(url, path, into, &mut progress).await {
                Ok(()) => return Ok(&url.authority),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("no URL is given")?)
    }

    async fn download_from(
        &self,
        url: &NodeUrl,
        path: &str,
        mut into: &File,
        progress: &mut impl FnMut(u64),
    ) -> anyhow::Result<()> {
        let request = url.request(&Method::GET, path).body(Full::new(Bytes::new()));
        let request = request.context("the request cannot be written")?;
        let unanswered = || format!("{} does not answer", url.authority);
        let asking = timeout(ANSWER_PATIENCE, self.client.request(request)).await;
        let response = asking.with_context(unanswered)?.with_context(|| unreachable(url))?;
        if response.status() != StatusCode::OK {
            let refusal = timeout(ANSWER_PATIENCE, AdminAnswer::read(url, response)).await;
            let refusal = refusal.with_context(unanswered)??.good().map(drop);
            return refusal.with_context(|| url.authority.clone());
        }
        let mut body = response.into_body();
        let mut received = 0;
        while let Some(frame) = timeout(SILENCE, body.frame()).await.with_context(unanswered)? {
            let frame = frame.with_context(|| format!("{} broke off; try again", url.authority))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            received += data.len() as u64;
            if received > MAX_BYTES {
                bail!("{} sends without end", url.authority);
            }
            into.write_all(&data).context("cannot write the file")?;
            progress(received);
        }
        Ok(())
    }
}
