//! Time and chance: checkpoint ids, timestamps, versions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;

/// 100-nanosecond intervals from the start of the Gregorian calendar to the Unix epoch.
const GREGORIAN_OFFSET: u64 = 0x01B2_1DD2_1381_4000;

/// A time-ordered id, greater than every one made in this process before; `clock_seq` fills its
/// 14-bit sequence field.
#[pyfunction]
pub fn checkpoint_id(clock_seq: i64) -> String {
    langgraph_core::uuid_text(checkpoint_bits(clock_seq))
}

/// The same, as bits.
pub fn checkpoint_bits(clock_seq: i64) -> u128 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = (unix_nanos() / 100) as u64 + GREGORIAN_OFFSET;
    let next = |last: u64| Some(now.max(last + 1));
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    let ticks = now.max(last.unwrap_or(0) + 1);
    let sequence = 0x8000 | (clock_seq as u64 & 0x3FFF);
    let high = (u128::from(ticks >> 12) << 16) | 0x6000 | u128::from(ticks & 0xFFF);
    let low = (u128::from(sequence) << 48) | u128::from(random_bits() >> 16);
    (high << 64) | low
}

/// The time in UTC as ISO 8601 with microseconds, as Python's `isoformat` writes it.
#[pyfunction]
pub fn timestamp() -> String {
    let micros = unix_nanos() / 1000;
    let (days, of_day) = ((micros / 86_400_000_000) as i64, micros % 86_400_000_000);
    let (year, month, day) = civil(days);
    let (seconds, fraction) = (of_day / 1_000_000, of_day % 1_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let head = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    match fraction {
        0 => format!("{head}+00:00"),
        fraction => format!("{head}.{fraction:06}+00:00"),
    }
}

/// The version after `current`, in the form of the savers that ship: a padded counter and a
/// random fraction, which tells apart what two branches of a thread wrote.
#[pyfunction]
#[pyo3(signature = (current=None))]
pub fn next_text_version(current: Option<&str>) -> String {
    let counter = current.map_or(0, |text| {
        text.split('.').next().and_then(|digits| digits.parse::<u64>().ok()).unwrap_or(0)
    });
    let fraction = (random_bits() >> 11) as f64 / (1u64 << 53) as f64;
    format!("{:032}.{:0>16}", counter + 1, fraction)
}

fn unix_nanos() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

/// 64 random bits; not for secrets.
pub fn random_bits() -> u64 {
    static STATE: AtomicU64 = AtomicU64::new(0);
    let seed = unix_nanos() as u64;
    let step = 0x9E37_79B9_7F4A_7C15;
    let before = STATE.fetch_add(step, Ordering::Relaxed);
    // SplitMix64 over a counter, salted by the time so that forked processes part ways.
    let mut mixed = before.wrapping_add(step) ^ seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Year, month and day of a number of days after 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
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

/// Seconds since the Unix epoch.
pub fn unix_seconds() -> f64 {
    unix_nanos() as f64 / 1e9
}
