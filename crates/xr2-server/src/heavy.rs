//! Work that may take long, beside the threads that serve requests, and only so much of it at once.

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

use crate::error::{ApiError, Result};

/// Two places for each processor: with more nothing becomes faster, only memory grows.
static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    Arc::new(Semaphore::new(processors * 2))
});

/// Does `work` on a thread that may block, when there is a place. Who stops waiting frees no place before its time.
pub async fn heavy<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let place = PLACES.clone().acquire_owned().await.map_err(ApiError::internal)?;
    let work = move || {
        let _place = place;
        work()
    };
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
}
