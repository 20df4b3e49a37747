use std::time::Duration;

/// When a checkpoint must be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Before the next superstep starts.
    Sync,
    /// While the next superstep runs; checkpoints are stored one after another.
    Async,
    /// Once, when the run ends, pauses or fails.
    Exit,
}

/// How long to wait before a failed task's next attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryDelay {
    /// The wait before the second attempt.
    pub initial: Duration,
    /// What the wait is multiplied by for each further attempt.
    pub factor: f64,
    /// The longest wait, before jitter.
    pub max: Duration,
}

impl RetryDelay {
    /// The wait after `attempts` attempts have failed; `jitter` is added to it.
    pub fn after(&self, attempts: u32, jitter: Duration) -> Duration {
        let exponent = attempts.saturating_sub(1).min(i32::MAX as u32) as i32;
        let seconds = self.initial.as_secs_f64() * self.factor.powi(exponent);
        let bounded = seconds.min(self.max.as_secs_f64()).max(0.0);
        Duration::try_from_secs_f64(bounded).unwrap_or(self.max).saturating_add(jitter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_bound() {
        let delay = RetryDelay {
            initial: Duration::from_millis(500),
            factor: 2.0,
            max: Duration::from_secs(3),
        };
        let waits: Vec<u128> =
            (1..=5).map(|n| delay.after(n, Duration::ZERO).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 3000, 3000]);
        let longest = RetryDelay { initial: Duration::MAX, max: Duration::MAX, ..delay };
        assert_eq!(longest.after(1, Duration::from_secs(1)), Duration::MAX);
    }
}
