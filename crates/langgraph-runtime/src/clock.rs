use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use langgraph_core::{CheckpointId, Version};
use langgraph_pregel::Env;

use crate::{Error, Native};

/// 100-nanosecond intervals from the start of the Gregorian calendar to the Unix epoch.
const GREGORIAN_OFFSET: u64 = 0x01B2_1DD2_1381_4000;

/// Where ids and times come from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The system's clock.
    #[default]
    System,
    /// A counter, for tests: the same calls give the same ids.
    Counter(Arc<AtomicU64>),
}

impl Clock {
    /// A counter of its own.
    pub fn counter() -> Self {
        Self::Counter(Arc::new(AtomicU64::new(0)))
    }

    /// 100-nanosecond intervals since 1582, greater at every call.
    fn ticks(&self) -> u64 {
        static LAST: AtomicU64 = AtomicU64::new(0);
        match self {
            Clock::Counter(counter) => counter.fetch_add(1, Ordering::Relaxed) + 1,
            Clock::System => {
                let now = (since_epoch().as_nanos() / 100) as u64 + GREGORIAN_OFFSET;
                let next = |last: u64| Some(now.max(last + 1));
                let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
                now.max(last.unwrap_or(0) + 1)
            }
        }
    }
}

impl Env<Native> for Clock {
    fn next_version(&mut self, current: Option<&Version>) -> Result<Version, Error> {
        Ok(match current {
            Some(Version::Int(number)) => Version::Int(number + 1),
            _ => Version::Int(1),
        })
    }

    fn checkpoint_id(&mut self, step: i64) -> CheckpointId {
        CheckpointId::from_bits(uuid6(self.ticks(), step))
    }

    fn now(&mut self) -> Arc<str> {
        match self {
            Clock::System => iso8601(since_epoch()),
            Clock::Counter(counter) => {
                iso8601(Duration::from_micros(counter.load(Ordering::Relaxed)))
            }
        }
        .into()
    }
}

#[allow(clippy::disallowed_methods)] // the runtime is where clocks are read
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A version 6 UUID: `ticks` first, so that ids sort by time, then the step, then no node.
fn uuid6(ticks: u64, step: i64) -> u128 {
    let time_and_version = (ticks >> 12 << 16) | 0x6000 | (ticks & 0xFFF);
    let variant_and_step = 0x8000 | (step as u64 & 0x3FFF);
    (u128::from(time_and_version) << 64) | (u128::from(variant_and_step) << 48)
}

/// UTC with microseconds.
fn iso8601(since_epoch: Duration) -> String {
    let (days, of_day) = (since_epoch.as_secs() / 86_400, since_epoch.as_secs() % 86_400);
    let (year, month, day) = civil(days as i64);
    let mut text = format!("{year:04}-{month:02}-{day:02}T");
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let micros = since_epoch.subsec_micros();
    // Writing to a string cannot fail.
    let _ = write!(text, "{hour:02}:{minute:02}:{second:02}.{micros:06}+00:00");
    text
}

/// Year, month and day of a number of days after 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    // Years are counted from March, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow() {
        let mut clock = Clock::System;
        let ids: Vec<_> = (0..100).map(|step| clock.checkpoint_id(step)).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert_eq!(&ids[0].as_str()[14..15], "6");
    }

    #[test]
    fn times_are_iso_8601() {
        let time = Duration::from_micros(1_709_210_096_000_007);
        assert_eq!(iso8601(time), "2024-02-29T12:34:56.000007+00:00");
    }
}
