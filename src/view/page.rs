//! A finished body, shared by all who read it.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::eureka::Format;

/// A response body: chunks to be sent one after the other, and how to label them. A clone shares
/// the chunks, and pages share the chunks that they have in common.
#[derive(Debug, Clone)]
pub struct Page {
    chunks: Arc<[Bytes]>,
    len_bytes: usize,
    media_type: &'static str,
    gzip: bool,
}

impl Page {
    pub(super) fn new(format: Format, gzip: bool, chunks: Vec<Bytes>) -> Self {
        let len_bytes = chunks.iter().map(Bytes::len).sum();
        Self { chunks: chunks.into(), len_bytes, media_type: format.media_type(), gzip }
    }

    /// A plain page of one chunk.
    pub(super) fn whole(format: Format, body: Vec<u8>) -> Self {
        // What a vector has room for beyond its content would be kept for as long as the page.
        Self::new(format, false, vec![Bytes::from(body.into_boxed_slice())])
    }

    pub fn chunks(&self) -> &[Bytes] {
        &self.chunks
    }

    /// Length of the body as sent, in bytes: the `Content-Length`.
    pub fn len(&self) -> usize {
        self.len_bytes
    }

    /// No page is: even an empty registry has an envelope.
    pub fn is_empty(&self) -> bool {
        self.len_bytes == 0
    }

    /// The `Content-Type`.
    pub fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// Whether the body is one gzip member, to be sent with `Content-Encoding: gzip`.
    pub fn gzip(&self) -> bool {
        self.gzip
    }

    /// The body in one piece. Copies only if it has more than one chunk.
    pub fn into_bytes(self) -> Bytes {
        if let [only] = &*self.chunks {
            return only.clone();
        }
        let mut whole = BytesMut::with_capacity(self.len_bytes);
        self.into_iter().for_each(|chunk| whole.extend_from_slice(&chunk));
        whole.freeze()
    }
}

impl IntoIterator for Page {
    type Item = Bytes;
    type IntoIter = Chunks;

    fn into_iter(self) -> Chunks {
        Chunks { chunks: self.chunks, next: 0 }
    }
}

/// The chunks of a [`Page`] in the order they are sent; owns its share of them, so it can outlive
/// the view.
#[derive(Debug)]
pub struct Chunks {
    chunks: Arc<[Bytes]>,
    next: usize,
}

impl Iterator for Chunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let chunk = self.chunks.get(self.next)?.clone();
        self.next += 1;
        Some(chunk)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.chunks.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Chunks {}
