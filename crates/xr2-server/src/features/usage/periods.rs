//! The stretch of time that analytics look at.

use chrono::TimeDelta;

use super::rows::HOUR;
use crate::clock::Time;
use crate::error::{ApiError, Result};
use crate::http::Params;

/// Hours of a day.
const DAY: i64 = 24;

/// Whole hours or days up to the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// As asked for.
    pub name: &'static str,
    /// Its first hour, since 1970.
    pub from_hour: i64,
    /// Its last, which is not over.
    pub to_hour: i64,
    /// Hours that one point of a series stands for.
    pub step: i64,
}

impl Period {
    /// `period=24h|7d|30d`; a day unless said.
    pub fn of(params: &Params, now: Time) -> Result<Period> {
        let to_hour = now.timestamp_micros().div_euclid(HOUR);
        let days = |name, days: i64| Period {
            name,
            from_hour: (to_hour.div_euclid(DAY) - days + 1) * DAY,
            to_hour,
            step: DAY,
        };
        match params.first_of(&["period"]).unwrap_or("24h") {
            "24h" => Ok(Period { name: "24h", from_hour: to_hour - DAY + 1, to_hour, step: 1 }),
            "7d" => Ok(days("7d", 7)),
            "30d" => Ok(days("30d", 30)),
            _ => Err(ApiError::invalid_field("period", "invalid", "must be 24h, 7d or 30d")),
        }
    }

    /// The beginning of an hour.
    pub fn time_of(hour: i64) -> Time {
        Time::default() + TimeDelta::hours(hour)
    }

    /// The first hours of all points of a series.
    pub fn steps(&self) -> impl Iterator<Item = i64> {
        (self.from_hour..=self.to_hour).step_by(usize::try_from(self.step).unwrap_or(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_end_with_the_present_hour_or_day() {
        let now = Time::from_timestamp(1_800_000_000, 0).unwrap();
        let period = |text: &str| Period::of(&Params::parse(text).unwrap(), now);
        let day = period("").unwrap();
        assert_eq!((day.name, day.steps().count(), day.to_hour), ("24h", 24, 500_000));
        for (name, count) in [("7d", 7), ("30d", 30)] {
            let days = period(&format!("period={name}")).unwrap();
            assert_eq!(days.steps().count(), count);
            let first = Period::time_of(days.from_hour);
            assert_eq!(first.time(), chrono::NaiveTime::MIN, "days begin at midnight");
        }
        assert!(period("period=1y").is_err());
    }
}
