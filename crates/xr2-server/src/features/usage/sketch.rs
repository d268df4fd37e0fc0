//! Latencies as a sketch: any two can be merged, and each percentile is right to one in a hundred.

use sketches_ddsketch::{Config, DDSketch};

/// A DDSketch of latencies in microseconds.
#[derive(Clone)]
pub struct Latencies(DDSketch);

impl Default for Latencies {
    fn default() -> Self {
        Latencies(DDSketch::new(Config::defaults()))
    }
}

impl Latencies {
    /// Adds `count` deliveries that took so many microseconds.
    pub fn add(&mut self, micros: i64, count: u64) {
        self.0.add_with_count(micros.max(0) as f64, count);
    }

    /// Adds all of another.
    pub fn merge(&mut self, other: &Latencies) {
        // All have the same configuration, the only thing that could be in the way.
        let _ = self.0.merge(&other.0);
    }

    /// The latency below which this share of all was, in microseconds.
    pub fn percentile(&self, share: f64) -> Option<f64> {
        self.0.quantile(share).ok().flatten()
    }

    /// As stored: the format that DDSketch's implementations exchange.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_java_bytes()
    }

    /// Reads what was stored; none when it cannot be read.
    pub fn from_bytes(bytes: &[u8]) -> Option<Latencies> {
        let read = DDSketch::from_java_bytes(bytes).ok()?;
        // Taken over into one of ours, so that what is read can be merged whatever wrote it.
        let mut ours = DDSketch::new(Config::defaults());
        ours.merge(&read).ok()?;
        Some(Latencies(ours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_and_stored_sketches_keep_their_percentiles() {
        let (mut odd, mut even) = (Latencies::default(), Latencies::default());
        for micros in 1..=10_000 {
            if micros % 2 == 0 { even.add(micros, 1) } else { odd.add(micros, 1) }
        }
        let mut all = Latencies::from_bytes(&odd.to_bytes()).unwrap();
        all.merge(&Latencies::from_bytes(&even.to_bytes()).unwrap());
        for (share, exact) in [(0.5, 5000.0), (0.95, 9500.0), (0.99, 9900.0)] {
            let found = all.percentile(share).unwrap();
            assert!((found - exact).abs() / exact < 0.011, "{share}: {found}");
        }
        assert!(Latencies::from_bytes(b"\xffnonsense").is_none());
        assert_eq!(Latencies::default().percentile(0.5), None);
    }
}
