//! From noted deliveries to rows: those that are alike share one.

use std::collections::HashMap;

use chrono::DateTime;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::event::{Alike, Delivery, Source};
use super::sketch::Latencies;
use crate::features::quotas::month_of;

/// Microseconds of an hour.
pub const HOUR: i64 = 3_600_000_000;

/// A row of `usage_events`.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// What, by whom, for whom.
    pub alike: Alike,
    /// When the first of them was, in microseconds since 1970.
    pub at: i64,
    /// How many there were.
    pub count: i64,
    /// Their mean latency in microseconds; none when nobody measured.
    pub latency_us: Option<i64>,
    /// All their latencies, when there are several.
    pub latencies: Option<Vec<u8>>,
    /// In place of an address.
    pub address_hash: Option<String>,
}

impl EventRow {
    /// Whether it counts towards the month's calls: something was delivered to a program.
    pub fn is_call(&self) -> bool {
        self.alike.source == Source::Api && self.alike.status < 400
    }

    /// The month it counts in.
    pub fn month(&self) -> i64 {
        month_of(DateTime::from_timestamp_micros(self.at).unwrap_or_default())
    }
}

struct Measured {
    at: i64,
    micros: Vec<u32>,
}

/// Puts deliveries together that are alike and of the same hour, in the order of time.
pub fn rows_of(deliveries: Vec<Delivery>, secret: &[u8; 32]) -> Vec<EventRow> {
    let mut groups: HashMap<(Alike, i64), Measured> = HashMap::with_capacity(deliveries.len().min(4096));
    for Delivery { alike, at, latency } in deliveries {
        let at = at.timestamp_micros();
        let group = groups
            .entry((alike, at.div_euclid(HOUR)))
            .or_insert_with(|| Measured { at, micros: Vec::with_capacity(1) });
        group.at = group.at.min(at);
        group.micros.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }
    let mut rows: Vec<EventRow> =
        groups.into_iter().map(|((alike, _), measured)| row(alike, &measured, secret)).collect();
    rows.sort_unstable_by_key(|row| row.at);
    rows
}

fn row(alike: Alike, measured: &Measured, secret: &[u8; 32]) -> EventRow {
    let sum: i64 = measured.micros.iter().map(|micros| i64::from(*micros)).sum();
    let count = measured.micros.len() as i64;
    let address = alike.address.filter(|_| alike.user.is_none());
    EventRow {
        at: measured.at,
        count,
        latency_us: Some(sum / count.max(1)),
        latencies: (count > 1).then(|| sketch(&measured.micros).to_bytes()),
        address_hash: address.map(|address| hash(secret, alike.what.workspace, &address.to_string())),
        alike,
    }
}

fn sketch(micros: &[u32]) -> Latencies {
    let mut latencies = Latencies::default();
    for micros in micros {
        latencies.add(i64::from(*micros), 1);
    }
    latencies
}

/// Nobody without the instance's key can find the address again, and in another workspace it is another hash.
fn hash(secret: &[u8; 32], workspace: Uuid, address: &str) -> String {
    let digest = Sha256::new().chain_update(secret).chain_update(workspace).chain_update(address).finalize();
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::clock::Time;
    use crate::features::usage::event::delivery_of;

    fn delivery(version: i64, user: Option<&str>, seconds: i64, micros: u64) -> Delivery {
        let id = Uuid::from_u128(7);
        let mut delivery = delivery_of(id, id);
        Arc::make_mut(&mut delivery.alike.what).version = version;
        delivery.alike.user = user.map(Into::into);
        delivery.alike.address = Some([203, 0, 113, 9].into());
        delivery.at = Time::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
        delivery.latency = Duration::from_micros(micros);
        delivery
    }

    #[test]
    fn deliveries_that_are_alike_share_a_row() {
        let secret = [1; 32];
        let all = vec![
            delivery(1, None, 5, 100),
            delivery(1, None, 4, 300),
            delivery(2, None, 6, 50),
            delivery(1, Some("ana"), 7, 70),
            delivery(1, None, 3600, 10),
        ];
        let rows = rows_of(all, &secret);
        let seen: Vec<(i64, i64, Option<i64>, bool)> = rows
            .iter()
            .map(|r| (r.alike.what.version, r.count, r.latency_us, r.latencies.is_some()))
            .collect();
        let expected = [
            (1, 2, Some(200), true),
            (2, 1, Some(50), false),
            (1, 1, Some(70), false),
            (1, 1, Some(10), false),
        ];
        assert_eq!(seen, expected);
        assert!(rows.is_sorted_by_key(|row| row.at));
        assert_eq!(rows[2].address_hash, None, "a user is named");
        let hash = rows[0].address_hash.clone().unwrap();
        assert!(!hash.contains("203") && hash.len() == 16);
        assert_ne!(rows_of(vec![delivery(1, None, 5, 1)], &[2; 32])[0].address_hash, Some(hash));
    }
}
