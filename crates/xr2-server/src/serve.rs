//! Listening, and stopping without dropping anybody.

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::front::MakeFront;
use crate::http::Patient;
use crate::state::App;

/// Serves `app` on `listener` until `shutdown`, then finishes what is in flight (within the grace period).
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let service = MakeFront::new(&app);
    // Answers are small: waiting to fill a packet only delays them.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let listener = Patient::new(listener, app.config().stream.stall());
    let stopping = app.clone();
    let (begun, began) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        shutdown.await;
        // Streams end first: they would never finish by themselves.
        stopping.begin_stop();
        let _ = begun.send(());
    });
    let grace = app.config().shutdown_grace();
    let outcome = tokio::select! {
        outcome = server => outcome,
        () = async { let _ = began.await; tokio::time::sleep(grace).await } => {
            tracing::warn!("some requests did not finish in time and were cut off");
            Ok(())
        }
    };
    // A database that hangs must not keep the program alive.
    if tokio::time::timeout(grace, app.finish_stop()).await.is_err() {
        tracing::warn!("background work did not finish in time and was cut off");
    }
    outcome
}
