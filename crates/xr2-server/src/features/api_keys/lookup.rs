//! Looking up keys that are not in memory, so that invented ones cost nearly nothing.
//!
//! A few at a time, fewer for each network, so that nobody takes all places; what was asked for in vain is remembered for
//! some seconds. A network that has used up its requests without a valid key is no longer given any lookups on trust: what
//! it shows has to be among the hashes of all keys, which are read once and from then on as keys are made.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::TimeDelta;
use quick_cache::sync::Cache;
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;
use xr2_db::Purpose;

use crate::clock::Time;
use crate::error::{ApiError, Result};
use crate::events::Notice;
use crate::features::api_keys::{KeyPrincipal, queries};
use crate::http::RequestContext;
use crate::limits::{is_network_used_up, network_of};
use crate::state::App;

/// Keys read from the database at the same time; after an outage everybody asks at once.
const READS: usize = 16;

/// Those of them for one network.
const READS_OF_NETWORK: usize = 4;

/// Networks are told apart by so many places.
const NETWORKS: usize = 1024;

/// Hashes that no key has, kept in memory.
const UNKNOWN: usize = 10_000;

/// For so long.
const UNKNOWN_FOR: TimeDelta = TimeDelta::seconds(10);

/// New keys that are waited with for the next request; if there are more, all are read again.
const MOST_NEW: usize = 1000;

/// See the module.
pub(super) struct Lookups {
    reading: Semaphore,
    networks: Vec<Semaphore>,
    hasher: RandomState,
    unknown: Cache<[u8; 32], Time>,
    all: AllKeys,
    /// How often the database was asked.
    count: AtomicU64,
}

impl Lookups {
    pub(super) fn new() -> Lookups {
        Lookups {
            reading: Semaphore::new(READS),
            networks: (0..NETWORKS).map(|_| Semaphore::new(READS_OF_NETWORK)).collect(),
            hasher: RandomState::new(),
            unknown: Cache::new(UNKNOWN),
            all: AllKeys::default(),
            count: AtomicU64::default(),
        }
    }

    /// How often the database was asked.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Something has happened to a key.
    pub(super) fn hear(&self, notice: &Notice) {
        let new = match notice.kind.as_str() {
            "api_key.created" => notice.resource_id,
            "api_key.rotated" => {
                notice.after.as_ref().and_then(|after| after.get("id")?.as_str()?.parse().ok())
            }
            _ => return,
        };
        self.unknown.clear();
        self.all.add(new);
    }

    /// Nothing that was known counts any more.
    pub(super) fn forget(&self) {
        self.unknown.clear();
        self.all.forget();
    }

    /// No key has this hash.
    pub(super) fn note_unknown(&self, hash: [u8; 32], now: Time) {
        self.unknown.insert(hash, now);
    }

    pub(super) fn is_unknown(&self, hash: &[u8; 32], now: Time) -> bool {
        self.unknown.get(hash).is_some_and(|since| now < since + UNKNOWN_FOR)
    }

    async fn place_for(&self, context: &RequestContext) -> Result<Option<SemaphorePermit<'_>>> {
        let Some(address) = context.address else { return Ok(None) };
        let network: IpAddr = network_of(address);
        let place = self.hasher.hash_one(network) % self.networks.len() as u64;
        let place = &self.networks[usize::try_from(place).unwrap_or(0)];
        place.acquire().await.map(Some).map_err(ApiError::internal)
    }
}

/// The key with this hash, which is not in memory.
pub(super) async fn load(app: &App, hash: [u8; 32], context: &RequestContext) -> Result<Arc<KeyPrincipal>> {
    let (cache, lookups) = (app.keys(), app.keys().lookups());
    if lookups.is_unknown(&hash, app.clock().now()) {
        return Err(unknown());
    }
    let _place_of_network = lookups.place_for(context).await?;
    // Somebody else may have read it while this request waited for its turn.
    if let Some(key) = cache.get(&hash) {
        return Ok(key);
    }
    if is_network_used_up(app, context) && !lookups.all.may_have(app, &hash).await {
        return Err(unknown());
    }
    let _place = lookups.reading.acquire().await.map_err(ApiError::internal)?;
    if let Some(key) = cache.get(&hash) {
        return Ok(key);
    }
    let epoch = cache.epoch();
    let key = match read(app, &hash).await {
        Ok(Some(key)) => key,
        Ok(None) => {
            cache.keep_unknown(hash, app.clock().now(), epoch);
            return Err(unknown());
        }
        Err(error) if error.is_unavailable() => match cache.thawed().find(app, &hash).await {
            Some(kept) => kept?,
            None => return Err(error.into()),
        },
        Err(error) => return Err(error.into()),
    };
    let key = Arc::new(key);
    cache.keep(hash, &key, epoch);
    Ok(key)
}

fn unknown() -> ApiError {
    ApiError::unauthenticated("This API key is unknown or has been revoked.")
}

async fn read(app: &App, hash: &[u8; 32]) -> xr2_db::Result<Option<KeyPrincipal>> {
    app.keys().lookups().count.fetch_add(1, Ordering::Relaxed);
    let mut tx = app.db().system(Purpose::KeyLookup).read().await?;
    let found = queries::principal(&mut tx, hash).await?;
    tx.commit().await?;
    Ok(found)
}

/// What hashes there are, revoked keys' perhaps among them: eight bytes of each, which nobody can guess.
#[derive(Default)]
struct AllKeys {
    /// Held by whoever reads.
    reading: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// None before somebody has asked.
    hashes: Option<HashSet<u64>>,
    /// Keys made since.
    new: Vec<Uuid>,
    /// Counts how often all this was forgotten.
    epoch: u64,
    /// Whether new keys are noted.
    is_wanted: bool,
}

impl AllKeys {
    /// A key was made; none: nobody knows which one.
    fn add(&self, key: Option<Uuid>) {
        let mut known = self.known();
        if !known.is_wanted {
            return;
        }
        match key.filter(|_| known.new.len() < MOST_NEW) {
            Some(key) => known.new.push(key),
            None => known.forget(),
        }
    }

    fn forget(&self) {
        self.known().forget();
    }

    /// Whether some key may have this hash; if the database does not tell, any may.
    async fn may_have(&self, app: &App, hash: &[u8; 32]) -> bool {
        if app.follower().contact().stale().is_some() {
            // Nobody tells of new keys just now.
            return true;
        }
        let wanted = fingerprint(hash);
        if let Some(answer) = self.known().answer(wanted) {
            return answer;
        }
        let _turn = self.reading.lock().await;
        let (is_first, new, epoch) = {
            let mut known = self.known();
            if let Some(answer) = known.answer(wanted) {
                return answer;
            }
            known.is_wanted = true;
            (known.hashes.is_none(), known.new.clone(), known.epoch)
        };
        let read = read_hashes(app, is_first, &new).await;
        let mut known = self.known();
        match read {
            Ok(hashes) if known.epoch == epoch => {
                known.new.drain(..new.len());
                let hashes = hashes.iter().map(|hash| fingerprint(hash));
                known.hashes.get_or_insert_default().extend(hashes);
                // A key that was made meanwhile is for the next one to read.
                known.hashes.as_ref().is_some_and(|hashes| hashes.contains(&wanted)) || !known.new.is_empty()
            }
            Ok(_) => true,
            Err(_) => {
                known.forget();
                true
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Known {
    fn answer(&self, wanted: u64) -> Option<bool> {
        let hashes = self.hashes.as_ref()?;
        (hashes.contains(&wanted) || self.new.is_empty()).then(|| hashes.contains(&wanted))
    }

    fn forget(&mut self) {
        *self = Known { epoch: self.epoch + 1, ..Known::default() };
    }
}

/// The hashes of all keys, or of these alone.
async fn read_hashes(app: &App, all: bool, new: &[Uuid]) -> xr2_db::Result<Vec<Vec<u8>>> {
    app.keys().lookups().count.fetch_add(1, Ordering::Relaxed);
    let mut tx = app.db().system(Purpose::KeyLookup).read().await?;
    let hashes =
        if all { queries::all_hashes(&mut tx).await? } else { queries::hashes_of(&mut tx, new).await? };
    tx.commit().await?;
    Ok(hashes)
}

fn fingerprint(hash: &[u8]) -> u64 {
    hash.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
