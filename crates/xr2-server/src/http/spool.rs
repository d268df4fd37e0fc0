//! Large bodies: onto the disk while they come.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Body;
use http_body_util::{BodyExt, Limited};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout_at};

use crate::error::{ApiError, Code, Result};
use crate::http::body::{Pace, read_error, too_slow};
use crate::state::App;

/// A body in a file of its own, which goes with this.
pub struct Spooled(PathBuf);

impl Spooled {
    /// Takes a body in, at most `limit` bytes.
    pub async fn receive(app: &App, body: Body, limit: u64) -> Result<Spooled> {
        let folder = app.config().data_dir.join("uploads");
        tokio::fs::create_dir_all(&folder).await.map_err(ApiError::internal)?;
        let spooled = Spooled(folder.join(app.clock().new_id().to_string()));
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let mut file = options.open(&spooled.0).await.map_err(ApiError::internal)?;
        let pace = Pace { patience: app.config().http.body_timeout, rate: app.config().http.body_rate };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut body = Limited::new(body, limit);
        let (began, mut received) = (Instant::now(), 0);
        loop {
            let due = began + pace.patience + Duration::from_secs_f64(received as f64 / f64::from(pace.rate));
            let frame = match timeout_at(due, body.frame()).await {
                Err(_) => return Err(too_slow()),
                Ok(None) => break,
                Ok(Some(frame)) => frame.map_err(|error| read_error(&*error, limit))?,
            };
            let Ok(data) = frame.into_data() else { continue };
            received += data.len();
            file.write_all(&data).await.map_err(full)?;
        }
        file.flush().await.map_err(full)?;
        Ok(spooled)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

fn full(error: std::io::Error) -> ApiError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => {
            ApiError::new(Code::Unavailable, "The server has no room for this file just now.")
        }
        _ => ApiError::internal(error),
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.0) {
            tracing::warn!(%error, "an uploaded file could not be removed");
        }
    }
}
