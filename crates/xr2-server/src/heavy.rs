//! Work that may take long, beside the threads that serve requests, and only so much of it at once.

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;
use xr2_db::background;

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

/// Reports, sums and the like that are worked on at once: they wait for each other at the database in any case.
static BULK: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(4)));

/// Brings bulk work to its end on a thread of its own, which gives way to those that serve. It waits for the database like
/// any other; what it does in between takes milliseconds, for which requests must not wait. Goes on when nobody waits for
/// it any more.
pub async fn bulk<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T> {
    let place = BULK.clone().acquire_owned().await.map_err(ApiError::internal)?;
    let work = async move {
        let _place = place;
        work.await
    };
    background::run(work).await.map_err(ApiError::internal)
}
