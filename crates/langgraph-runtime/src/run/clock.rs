use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use langgraph_rust_core::{iso8601, uuid6, uuid_ticks, CheckpointId, Version};
use langgraph_rust_pregel::Env;

use crate::{Native, NodeError};

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

    /// The time, since 1970; a counter counts microseconds.
    pub(crate) fn since_epoch(&self) -> Duration {
        match self {
            Clock::System => since_epoch(),
            Clock::Counter(counter) => Duration::from_micros(counter.load(Ordering::Relaxed)),
        }
    }

    /// 100-nanosecond intervals since 1582, greater at every call.
    fn ticks(&self) -> u64 {
        static LAST: AtomicU64 = AtomicU64::new(0);
        match self {
            Clock::Counter(counter) => counter.fetch_add(1, Ordering::Relaxed) + 1,
            Clock::System => {
                let now = uuid_ticks(since_epoch());
                let next = |last: u64| Some(now.max(last + 1));
                let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
                now.max(last.unwrap_or(0) + 1)
            }
        }
    }
}

impl Env<Native> for Clock {
    fn next_version(&mut self, current: Option<&Version>) -> Result<Version, NodeError> {
        Ok(match current {
            Some(Version::Int(number)) => Version::Int(number + 1),
            _ => Version::Int(1),
        })
    }

    fn checkpoint_id(&mut self, step: i64) -> CheckpointId {
        let random = match self {
            Clock::System => process(),
            Clock::Counter(_) => 0,
        };
        CheckpointId::from_bits(uuid6(self.ticks(), step, random))
    }

    fn now(&mut self) -> Arc<str> {
        iso8601(self.since_epoch()).into()
    }
}

/// A number drawn at random that tells this process from others, where ticks do not.
fn process() -> u64 {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    // Hashers are seeded by the system.
    *PROCESS.get_or_init(|| RandomState::new().hash_one(0_u8))
}

#[allow(clippy::disallowed_methods)] // the runtime is where clocks are read
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
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
}
