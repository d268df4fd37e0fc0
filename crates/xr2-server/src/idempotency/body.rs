//! A body that is hashed while it is read, and whose rest is there when whoever read it has gone.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use sha2::{Digest, Sha256};

/// See the module. Clones read the same body.
#[derive(Clone)]
pub(super) struct HashedBody(Arc<Mutex<Inner>>);

struct Inner {
    body: Body,
    hash: Sha256,
    is_read: bool,
}

impl HashedBody {
    pub(super) fn new(body: Body) -> HashedBody {
        let is_read = body.is_end_stream();
        HashedBody(Arc::new(Mutex::new(Inner { body, hash: Sha256::new(), is_read })))
    }

    /// For whoever reads it next.
    pub(super) fn reader(&self) -> Body {
        Body::new(self.clone())
    }

    /// SHA-256 of the whole body, if it was read to its end.
    pub(super) fn hash(&self) -> Option<[u8; 32]> {
        let inner = self.lock();
        inner.is_read.then(|| inner.hash.clone().finalize().into())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl HttpBody for HashedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut inner = self.lock();
        let polled = Pin::new(&mut inner.body).poll_frame(context);
        match &polled {
            Poll::Ready(None) => inner.is_read = true,
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    inner.hash.update(data);
                }
                if inner.body.is_end_stream() {
                    inner.is_read = true;
                }
            }
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.lock().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.lock().body.size_hint()
    }
}
