//! Taking the real database away from a running server.

use std::path::PathBuf;

use xr2_db::testing::{FileLock, lock_sqlite};

use crate::TestApp;
use crate::proxy::{Network, Proxy};

/// How the database under test is taken away.
pub(crate) enum Faults {
    /// PostgreSQL stands behind a network that fails.
    Behind(Proxy),
    /// SQLite is a file that can be moved away, or locked by somebody else.
    File { path: PathBuf, lock: Option<FileLock> },
}

impl Faults {
    pub(crate) fn of_file(url: &str) -> Faults {
        Faults::File { path: url.trim_start_matches("sqlite:").into(), lock: None }
    }

    async fn set(&mut self, network: Network) {
        match self {
            Faults::Behind(proxy) => proxy.set(network),
            Faults::File { path, lock } => {
                let away = path.with_extension("away");
                *lock = None;
                match network {
                    Network::Loses(_) => panic!("only Redis has subscribers"),
                    Network::Works if away.exists() => {
                        std::fs::rename(&away, &path).expect("the file comes back")
                    }
                    Network::Works => {}
                    Network::Cut => std::fs::rename(&path, &away).expect("the file goes away"),
                    Network::Hangs | Network::Slow(_) => {
                        let url = format!("sqlite:{}", path.display());
                        *lock = Some(lock_sqlite(&url).await.expect("the file can be locked"));
                    }
                }
            }
        }
    }
}

impl TestApp {
    /// Makes the network to PostgreSQL fail; on SQLite, moves the file away ([`Network::Cut`]) or locks it. Needs
    /// [`crate::Options::with_faults`].
    pub async fn database_network(&self, network: Network) {
        let mut faults = self.faults().lock().await;
        faults.as_mut().expect("Options::with_faults").set(network).await;
    }
}
