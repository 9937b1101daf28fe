//! Fetches what is longer than an answer is kept in memory.

use std::fs::File;
use std::io::{Seek, Write};
use std::time::Duration;

use anyhow::{Context, bail};
use http_body_util::BodyExt;
use hyper::{Method, StatusCode};
use tokio::time::timeout;

use super::admin_client::{ANSWER_MAX_BYTES, ANSWER_PATIENCE, AdminAnswer, AdminClient};
use crate::http_client::{Request, ServerUrl, whole};

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
                Ok(()) => return Ok(url.authority()),
                Err(error) => last = Some(error),
            }
        }
        Err(last.context("no URL is given")?)
    }

    async fn download_from(
        &self,
        url: &ServerUrl,
        path: &str,
        mut into: &File,
        progress: &mut impl FnMut(u64),
    ) -> anyhow::Result<()> {
        let authority = url.authority();
        let unanswered = || format!("{authority} does not answer");
        let asking = timeout(ANSWER_PATIENCE, self.client.start(Request::new(Method::GET, url, path))).await;
        let response = asking.with_context(unanswered)??;
        if response.status() != StatusCode::OK {
            let refusal = timeout(ANSWER_PATIENCE, whole(url, response, ANSWER_MAX_BYTES)).await;
            let refusal = refusal.with_context(unanswered)??;
            let refusal = AdminAnswer::new(refusal.status, &refusal.body).good().map(drop);
            return refusal.context(authority.to_owned());
        }
        let mut body = response.into_body();
        let mut received = 0;
        while let Some(frame) = timeout(SILENCE, body.frame()).await.with_context(unanswered)? {
            let frame = frame.with_context(|| format!("{authority} broke off; try again"))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            received += data.len() as u64;
            if received > MAX_BYTES {
                bail!("{authority} sends without end");
            }
            into.write_all(&data).context("cannot write the file")?;
            progress(received);
        }
        Ok(())
    }
}
