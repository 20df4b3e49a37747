//! Time and chance: checkpoint ids, timestamps, versions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;

/// A time-ordered id, greater than every one made in this process before; `clock_seq` fills its
/// 14-bit sequence field.
#[pyfunction]
pub fn checkpoint_id(clock_seq: i64) -> String {
    langgraph_rust_core::uuid_text(checkpoint_bits(clock_seq))
}

/// The same, as bits.
pub fn checkpoint_bits(clock_seq: i64) -> u128 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = langgraph_rust_core::uuid_ticks(since_epoch());
    let next = |last: u64| Some(now.max(last + 1));
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    let ticks = now.max(last.unwrap_or(0) + 1);
    langgraph_rust_core::uuid6(ticks, clock_seq, random_bits())
}

/// The time in UTC as ISO 8601 with microseconds, as Python's `isoformat` writes it.
#[pyfunction]
pub fn timestamp() -> String {
    langgraph_rust_core::iso8601(since_epoch())
}

/// The version after `current`, in the form of the savers that ship: a padded counter and a
/// random fraction, which tells apart what two branches of a thread wrote.
pub fn next_text_version(current: Option<&str>) -> String {
    let counter = current.map_or(0, |text| {
        text.split('.').next().and_then(|digits| digits.parse::<u64>().ok()).unwrap_or(0)
    });
    let fraction = (random_bits() >> 11) as f64 / (1u64 << 53) as f64;
    format!("{:032}.{:0>16}", counter + 1, fraction)
}

/// The time since the Unix epoch.
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// 64 random bits; not for secrets.
pub fn random_bits() -> u64 {
    static STATE: AtomicU64 = AtomicU64::new(0);
    let seed = since_epoch().as_nanos() as u64;
    let step = 0x9E37_79B9_7F4A_7C15;
    let before = STATE.fetch_add(step, Ordering::Relaxed);
    // SplitMix64 over a counter, salted by the time so that forked processes part ways.
    let mut mixed = before.wrapping_add(step) ^ seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Seconds since the Unix epoch.
pub fn unix_seconds() -> f64 {
    since_epoch().as_secs_f64()
}
