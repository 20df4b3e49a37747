//! Whether anybody still waits for the tasks of a run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// Whether a run has been ended without waiting for its tasks. Sync code cannot be stopped, so what
/// an abandoned task runs has to hear of it: a run within it is abandoned, too.
#[derive(Default)]
pub struct Abandoned {
    is_told: AtomicBool,
    around: Option<Arc<Self>>,
}

impl Abandoned {
    /// That of a run within a task of the run that has `around`.
    pub fn within(around: Option<Arc<Self>>) -> Arc<Self> {
        Arc::new(Self { is_told: AtomicBool::new(false), around })
    }

    /// Nobody waits any more.
    pub fn tell(&self) {
        self.is_told.store(true, Ordering::Release);
    }

    /// Whether nobody waits: for the run itself, or for one around it.
    pub fn get(&self) -> bool {
        self.is_told.load(Ordering::Acquire) || self.is_around()
    }

    /// Whether a run around it was abandoned, and it has not been told itself.
    pub fn is_news(&self) -> bool {
        self.is_around() && !self.is_told.load(Ordering::Acquire)
    }

    fn is_around(&self) -> bool {
        self.around.as_ref().is_some_and(|around| around.get())
    }
}
