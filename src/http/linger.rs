//! Closing without losing the last answer.
//!
//! A request may be refused before all of it was read: its body is too long, or its head. To close a
//! socket with bytes unread resets the connection, and then the client may never see the answer. So
//! what still comes is read and dropped, for a moment.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// A client that sends nothing for so long has nothing more to send, or waits to be closed.
const QUIET: Duration = Duration::from_millis(250);
/// A client that never stops sending is cut off after so long.
const LIMIT: Duration = Duration::from_secs(2);
const PIECE_BYTES: usize = 16 * 1024;

/// A connection's stream; its shutdown is complete when the client has sent what it had to send.
pub struct Lingering<S> {
    stream: S,
    /// From when on the own side is closed.
    closing: Option<Closing>,
}

struct Closing {
    quiet: Pin<Box<Sleep>>,
    limit: Instant,
}

impl<S> Lingering<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, closing: None }
    }
}

impl Closing {
    fn new() -> Self {
        let now = Instant::now();
        Self { quiet: Box::pin(sleep_until(now + QUIET)), limit: now + LIMIT }
    }

    /// Ready when the client has ended its side, went quiet, or had its time.
    fn poll_drained(&mut self, stream: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Poll<()> {
        let mut piece = [0; PIECE_BYTES];
        while Instant::now() < self.limit {
            let mut unread = ReadBuf::new(&mut piece);
            match Pin::new(&mut *stream).poll_read(cx, &mut unread) {
                Poll::Ready(Ok(())) if !unread.filled().is_empty() => {
                    let quiet_at = (Instant::now() + QUIET).min(self.limit);
                    self.quiet.as_mut().reset(quiet_at);
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.quiet.as_mut().poll(cx),
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.closing.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let closing = this.closing.get_or_insert_with(Closing::new);
        closing.poll_drained(&mut this.stream, cx).map(Ok)
    }
}
