//! Handing work to another thread and waiting for it: whether to look out for it or to sleep.
//!
//! Waking a thread on another processor may take longer than quick work. Where that is so, whoever
//! waits does better to look out for a moment. Where processors are busy, or both threads share
//! one, looking out only keeps the other from running. Which of these holds, and changes, is found
//! out by measuring: the manner that is not in use is tried now and then.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// How long a thread looks out before it sleeps.
const MOMENT: Duration = Duration::from_micros(30);

/// The other manner is tried once in so many hand-overs, ...
const PERIOD: u32 = 256;

/// ... for so many, the first of which still has to do with the manner before.
const TRIAL: u32 = 4;

/// What is known of hand-overs in this process. Threads that take note at the same time may lose a
/// note; nothing depends on any single one.
static MANNER: Manner = Manner {
    looks_out: AtomicBool::new(false),
    count: AtomicU32::new(0),
    averages: [AtomicU32::new(0), AtomicU32::new(0)],
};

struct Manner {
    /// Whether to look out, at the moment.
    looks_out: AtomicBool,
    /// Hand-overs since the last trial began.
    count: AtomicU32,
    /// What a hand-over takes in ns on the average, by whether one looks out; 0 if unknown.
    averages: [AtomicU32; 2],
}

/// Looks out for something for a moment, without sleeping, if that is the better manner.
pub fn look_out<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    // With one processor only, whoever is to bring it needs that.
    static HAS_OTHERS: LazyLock<bool> =
        LazyLock::new(|| std::thread::available_parallelism().is_ok_and(|n| n.get() > 1));
    if !*HAS_OTHERS || !MANNER.looks_out.load(Ordering::Relaxed) {
        return None;
    }
    let began = Instant::now();
    while began.elapsed() < MOMENT {
        if let Some(found) = look() {
            return Some(found);
        }
        std::hint::spin_loop();
    }
    None
}

/// Takes note of what it took to hand work over and to get its result, without the work itself.
pub fn note(took: Duration) {
    MANNER.note(u32::try_from(took.as_nanos()).unwrap_or(u32::MAX).max(1));
}

impl Manner {
    fn note(&self, took: u32) {
        let count = self.count.fetch_add(1, Ordering::Relaxed) % PERIOD;
        let looks_out = self.looks_out.load(Ordering::Relaxed);
        if count != 0 && count != TRIAL {
            let average = &self.averages[usize::from(looks_out)];
            let was = average.load(Ordering::Relaxed);
            let step = (i64::from(took) - i64::from(was)) / 4;
            let now = if was == 0 { i64::from(took) } else { i64::from(was) + step };
            average.store(u32::try_from(now).unwrap_or(u32::MAX).max(1), Ordering::Relaxed);
        }
        match count + 1 {
            PERIOD => self.looks_out.store(!looks_out, Ordering::Relaxed),
            TRIAL => self.looks_out.store(self.better(), Ordering::Relaxed),
            _ => {}
        }
    }

    /// Whether it is better to look out.
    fn better(&self) -> bool {
        let [sleeping, looking] = self.averages.each_ref().map(|it| it.load(Ordering::Relaxed));
        looking != 0 && (sleeping == 0 || looking < sleeping)
    }
}
