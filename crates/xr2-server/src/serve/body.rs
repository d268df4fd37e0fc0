//! Answers on their way out: handed over in pieces, so that what a client does not take waits here once and not in a
//! connection's buffers, and so that it is seen when a client has stopped taking it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

use crate::serve::activity::InFlight;

/// What is handed over at once.
const PIECE: usize = 16 * 1024;

/// Whether an answer is handed over at once, as a whole.
pub fn is_small(response: &Response) -> bool {
    response.body().size_hint().exact().is_some_and(|size| size <= PIECE as u64)
}

/// Gives an answer to a connection. It is in flight for as long as it is not handed over.
pub fn hand_over(
    response: Response,
    in_flight: InFlight,
    pace: impl FnOnce() -> Option<Arc<Pace>>,
) -> Response {
    let pace = pace();
    response.map(|body| Body::new(Paced { body, rest: Bytes::new(), pace, _in_flight: in_flight }))
}

/// Whether a client takes an answer: since when it has not asked for more.
#[derive(Debug)]
pub struct Pace {
    began: Instant,
    /// Milliseconds from the beginning, and one; zero while more is asked for.
    given: AtomicU64,
}

impl Pace {
    /// Of an answer that begins now.
    pub fn new() -> Pace {
        Pace { began: Instant::now(), given: AtomicU64::new(0) }
    }

    /// More is asked for.
    pub fn ask(&self) {
        self.given.store(0, Ordering::Relaxed);
    }

    /// Something was given.
    pub fn give(&self) {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.given.store(millis + 1, Ordering::Relaxed);
    }

    /// Since when what was given is not taken.
    pub fn waits_since(&self) -> Option<Instant> {
        let given = self.given.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.began + std::time::Duration::from_millis(given))
    }
}

/// A body that goes out in pieces.
struct Paced {
    body: Body,
    rest: Bytes,
    pace: Option<Arc<Pace>>,
    _in_flight: InFlight,
}

impl Paced {
    fn piece(&mut self) -> Frame<Bytes> {
        let piece = self.rest.split_to(PIECE.min(self.rest.len()));
        if let Some(pace) = &self.pace {
            pace.give();
        }
        Frame::data(piece)
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(pace) = &self.pace {
            pace.ask();
        }
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(self.piece())));
        }
        let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)?) else {
            return Poll::Ready(None);
        };
        Poll::Ready(Some(Ok(match frame.into_data() {
            Ok(data) => {
                self.rest = data;
                self.piece()
            }
            Err(trailers) => trailers,
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::serve::activity::Activity;

    #[tokio::test]
    async fn a_large_answer_goes_out_in_pieces_and_is_whole() {
        let text: Bytes = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
        let activity = Arc::new(Activity::default());
        let pace = Arc::new(Pace::new());
        let response =
            hand_over(Response::new(Body::from(text.clone())), activity.begin(), || Some(pace.clone()));
        let mut body = response.into_body();
        assert_eq!(body.size_hint().exact(), Some(text.len() as u64));
        let mut taken = Vec::new();
        while let Some(frame) = body.frame().await {
            assert!(pace.waits_since().is_some() || body.is_end_stream());
            let piece = frame.unwrap().into_data().unwrap();
            assert!(piece.len() <= PIECE);
            taken.extend_from_slice(&piece);
            assert_eq!(body.size_hint().exact(), Some((text.len() - taken.len()) as u64));
            assert!(activity.is_answering());
        }
        assert!(taken == text && pace.waits_since().is_none());
        drop(body);
        assert!(!activity.is_answering());
    }

    #[test]
    fn a_small_answer_is_not_in_flight_once_it_is_there() {
        let activity = Arc::new(Activity::default());
        let response = activity.begin().hand_over(Response::new(Body::from("short")));
        assert!(!activity.is_answering());
        assert_eq!(response.body().size_hint().exact(), Some(5));
    }
}
