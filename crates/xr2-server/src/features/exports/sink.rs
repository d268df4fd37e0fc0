//! Where an export goes: pieces of bytes, handed over as they are taken.

use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use uuid::Uuid;

use crate::error::{ApiError, Code, Result};
use crate::features::exports::{csv, json};
use crate::state::App;

/// Bytes handed over at once.
const PIECE: usize = 64 * 1024;
/// Exports at once; more would only make each slower.
static PLACES: Semaphore = Semaphore::const_new(8);
/// How long one waits for a place.
const PATIENCE: Duration = Duration::from_secs(10);

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Everything.
    Json,
    /// A row a prompt.
    Csv,
}

impl std::str::FromStr for Form {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Form::Json),
            "csv" => Ok(Form::Csv),
            _ => Err("must be json or csv"),
        }
    }
}

impl Form {
    /// How the file's name ends.
    pub fn extension(self) -> &'static str {
        match self {
            Form::Json => "json",
            Form::Csv => "csv",
        }
    }
}

/// What is exported.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// What is in the bin as well.
    pub with_bin: bool,
    /// These prompts only, by slug or id.
    pub only: Option<Vec<String>>,
}

/// What takes pieces.
pub trait Taker: Send {
    /// Takes a piece; an error ends the export.
    fn take(&mut self, piece: Bytes) -> impl Future<Output = Result<()>> + Send;
}

impl Taker for mpsc::Sender<Result<Bytes>> {
    async fn take(&mut self, piece: Bytes) -> Result<()> {
        let gone = || ApiError::new(Code::BadRequest, "whoever asked for the export has left");
        self.send(Ok(piece)).await.map_err(|_| gone())
    }
}

/// Gathers what is written into pieces, and counts and sums it up.
pub struct Sink<T> {
    to: T,
    text: Vec<u8>,
    sum: Sha256,
}

impl<T: Taker> Sink<T> {
    pub(super) fn new(to: T) -> Sink<T> {
        Sink { to, text: Vec::with_capacity(PIECE * 2), sum: Sha256::new() }
    }

    /// What is still to be handed over, to write behind it.
    pub(super) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Hands over what makes whole pieces. Never called while a transaction is open, as far as that can be: whoever takes
    /// slowly would hold it.
    pub(super) async fn pass_on(&mut self) -> Result<()> {
        if self.text.len() < PIECE { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Result<()> {
        self.sum.update(&self.text);
        let text = Bytes::from(std::mem::replace(&mut self.text, Vec::with_capacity(PIECE * 2)));
        for at in (0..text.len()).step_by(PIECE) {
            self.to.take(text.slice(at..text.len().min(at + PIECE))).await?;
        }
        Ok(())
    }

    /// The sum of everything so far, in hexadecimal.
    pub(super) async fn checksum(&mut self) -> Result<String> {
        self.flush().await?;
        Ok(self.sum.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub(super) async fn end(mut self) -> Result<()> {
        self.flush().await
    }
}

/// Writes an export to `to`; tells how many prompts it holds.
pub async fn write<T: Taker>(
    app: &App,
    workspace: Uuid,
    form: Form,
    selection: &Selection,
    to: T,
) -> Result<u64> {
    match form {
        Form::Json => json::write(app, workspace, selection, Sink::new(to)).await,
        Form::Csv => csv::write(app, workspace, selection, Sink::new(to)).await,
    }
}

/// Begins an export; its bytes come as they are taken. One that breaks off ends with an error, which is how whoever reads
/// it learns that it is not whole.
pub async fn run(
    app: &App,
    workspace: Uuid,
    form: Form,
    selection: Selection,
) -> Result<ReceiverStream<Result<Bytes>>> {
    let place = tokio::time::timeout(PATIENCE, PLACES.acquire()).await;
    let Ok(Ok(place)) = place else {
        let message = "rate limit: this server writes as many exports as it does at once. Please try again in a minute.";
        return Err(ApiError::new(Code::RateLimited, message)
            .with_header(axum::http::header::RETRY_AFTER, axum::http::HeaderValue::from_static("60")));
    };
    let (sender, receiver) = mpsc::channel(2);
    let (app, stopping) = (app.clone(), app.stopping());
    tokio::spawn(async move {
        let _place = place;
        let failures = sender.clone();
        let writing = write(&app, workspace, form, &selection, sender);
        let outcome = stopping.run_until_cancelled(writing).await;
        let error = match outcome {
            Some(Ok(_)) => return,
            Some(Err(error)) => error,
            None => ApiError::new(Code::Unavailable, "The server is stopping."),
        };
        if !failures.is_closed() {
            tracing::warn!(error = %error.message, cause = error.cause(), "an export broke off");
            let _ = failures.send(Err(error)).await;
        }
    });
    Ok(ReceiverStream::new(receiver))
}

/// `acme-2026-11-23.json`
pub fn filename(slug: &str, form: Form, now: crate::clock::Time) -> String {
    let slug: String = slug.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    format!("{slug}-{}.{}", now.format("%Y-%m-%d"), form.extension())
}
