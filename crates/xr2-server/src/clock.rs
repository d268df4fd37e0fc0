//! Time and ids. Both come from here, so that tests decide what time it is.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use uuid::{ContextV7, Timestamp, Uuid};

/// A point in time, UTC, whole microseconds (what both databases keep).
pub type Time = DateTime<Utc>;

/// Where the time comes from.
#[derive(Clone, Default)]
pub struct Clock {
    /// Microseconds that a test has moved the clock forward.
    ahead: Arc<AtomicI64>,
}

impl Clock {
    /// The present, cut to microseconds.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    pub fn now(&self) -> Time {
        let now = Utc::now() + TimeDelta::microseconds(self.ahead.load(Ordering::Relaxed));
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }

    /// The time since some fixed point; never goes back, whatever happens to the machine's clock.
    pub fn monotonic(&self) -> Duration {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        let ahead = u64::try_from(self.ahead.load(Ordering::Relaxed)).unwrap_or(0);
        BEGAN.elapsed() + Duration::from_micros(ahead)
    }

    /// Moves the clock forward; for tests.
    pub fn advance(&self, by: TimeDelta) {
        self.ahead.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::Relaxed);
    }

    /// A fresh id that sorts by time of creation (UUIDv7).
    pub fn new_id(&self) -> Uuid {
        static CONTEXT: std::sync::Mutex<Option<ContextV7>> = std::sync::Mutex::new(None);
        let now = self.now();
        let mut context = CONTEXT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let context = context.get_or_insert_with(ContextV7::new);
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos()))
    }
}

/// RFC 3339 with six decimals, as it stands in every answer.
pub fn rfc3339(time: &Time) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// `#[serde(with = "clock::micros")]`: six decimals, `Z`.
pub mod micros {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Time, rfc3339};

    /// Writes the time.
    pub fn serialize<S: Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(time))
    }

    /// Reads any RFC 3339 time.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        chrono::DateTime::parse_from_rfc3339(&text).map(|t| t.to_utc()).map_err(serde::de::Error::custom)
    }

    /// The same for `Option`.
    pub mod option {
        use serde::{Deserialize, Deserializer, Serializer};

        use super::super::{Time, rfc3339};

        /// Writes the time or null.
        pub fn serialize<S: Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
            match time {
                Some(time) => serializer.serialize_some(&rfc3339(time)),
                None => serializer.serialize_none(),
            }
        }

        /// Reads any RFC 3339 time or null.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
            let text = Option::<String>::deserialize(deserializer)?;
            text.map(|text| {
                chrono::DateTime::parse_from_rfc3339(&text)
                    .map(|t| t.to_utc())
                    .map_err(serde::de::Error::custom)
            })
            .transpose()
        }
    }
}
