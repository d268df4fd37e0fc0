//! Threads that give way: what nobody waits for is done when requests leave a processor free.

use std::cell::Cell;
use std::future::Future;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::{DbError, Result};

/// How much less of a busy processor these threads get than others: about a tenth, so that they go on in any case.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

thread_local! {
    /// Whether this is a thread that gives way.
    static IS_HERE: Cell<bool> = const { Cell::new(false) };
}

/// Brings `work` to its end on a thread of its own, which gives way to all others where the system knows how to. Threads
/// that `work` starts give way too. Goes on when nobody waits for it any more.
pub async fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T> {
    let (tell, told) = oneshot::channel();
    let runtime = Handle::current();
    let on_thread = move || {
        enter();
        // Who asked may have gone.
        let _ = tell.send(runtime.block_on(work));
    };
    let thread = std::thread::Builder::new().name("xr2-background".to_owned());
    thread.spawn(on_thread).map_err(|error| DbError::usage(format!("cannot start a thread: {error}")))?;
    told.await.map_err(|_| DbError::usage("a thread in the background ended before its work"))
}

/// From now on this thread gives way, and those that it starts.
pub(crate) fn enter() {
    if !IS_HERE.replace(true) {
        give_way();
    }
}

/// Lets others have the processor, on a thread that gives way. Linux leaves a thread alone for some milliseconds once it
/// runs, however little it matters; so who works for longer calls this every now and then.
pub fn breathe() {
    if IS_HERE.get() {
        std::thread::yield_now();
    }
}

/// Does what starts threads for others too, such as connections that are shared, on a thread that does not give way.
pub(crate) async fn leave<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T> {
    if !IS_HERE.get() {
        return Ok(work.await);
    }
    tokio::spawn(work).await.map_err(|_| DbError::usage("work of a thread in the background was given up"))
}

/// Elsewhere niceness is that of a whole process.
#[cfg(target_os = "linux")]
fn give_way() {
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "a thread in the background keeps its priority");
    }
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Field 19 of `/proc/thread-self/stat` (proc_pid_stat(5)), counted behind the name in parentheses.
    fn niceness() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let behind_name = stat.rsplit(')').next().unwrap();
        behind_name.split_whitespace().nth(16).unwrap().parse().unwrap()
    }

    #[tokio::test]
    async fn only_the_work_and_what_it_starts_give_way() {
        let before = niceness();
        let of_both = async { (niceness(), std::thread::spawn(niceness).join().unwrap()) };
        let expected = (before + NICENESS).min(19);
        assert_eq!(run(of_both).await.unwrap(), (expected, expected));
        assert_eq!(niceness(), before);
    }

    #[tokio::test]
    async fn who_leaves_gives_way_no_more() {
        let before = niceness();
        let within = async { (niceness(), leave(async { niceness() }).await.unwrap()) };
        assert_eq!(run(within).await.unwrap(), ((before + NICENESS).min(19), before));
    }

    #[tokio::test]
    async fn work_that_panics_is_an_error() {
        assert!(run(async { panic!("on purpose") }).await.map(|(): ()| ()).is_err());
    }
}
