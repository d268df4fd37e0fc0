//! Connections whose other end takes nothing are closed: what waits for them takes memory and a place.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::serve::activity::Activity;

/// A connection that is watched while something waits to be written, and that notes when something comes.
pub struct Watched<I> {
    io: I,
    activity: Arc<Activity>,
    patience: Duration,
    /// Only while it waits: nearly all connections never do.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl<I> Watched<I> {
    /// `patience` is how long the other end may take nothing of what it is sent.
    pub fn new(io: I, activity: Arc<Activity>, patience: Duration) -> Watched<I> {
        Watched { io, activity, patience, waiting: None }
    }

    fn watch<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.waiting = None;
            return outcome;
        }
        let patience = self.patience;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(patience)));
        match waiting.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                metrics::counter!("xr2_connections_stalled_total").increment(1);
                Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the client takes nothing")))
            }
        }
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.io).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.activity.received();
        }
        outcome
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(context, bytes);
        self.watch(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(context, pieces);
        self.watch(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn whoever_takes_nothing_is_let_go_and_whoever_takes_a_little_is_not() {
        let (near, mut far) = tokio::io::duplex(16);
        let mut watched = Watched::new(near, Arc::default(), Duration::from_millis(200));
        let reader = tokio::spawn(async move {
            let mut buffer = [0; 4];
            for _ in 0..6 {
                far.read_exact(&mut buffer).await.unwrap();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            far
        });
        watched.write_all(&[7; 40]).await.unwrap();
        let error = watched.write_all(&[7; 40]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(reader.await.unwrap());
    }
}
