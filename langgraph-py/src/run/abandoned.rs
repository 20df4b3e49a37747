//! Whether anybody still waits for a task.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use langgraph_rust_pregel::TaskKey;

use crate::host::collect::plain_lock;

/// Whether a task was abandoned: its run ended while it ran, and did not wait for it. Sync code
/// cannot be stopped, so what the task runs has to hear of it: a run within it is abandoned, too.
#[derive(Default)]
pub struct Abandoned {
    is_told: AtomicBool,
    around: Option<Arc<Self>>,
}

impl Abandoned {
    /// Whether the task was abandoned, or one around it.
    pub fn get(&self) -> bool {
        let is_told = self.is_told.load(Ordering::Acquire);
        is_told || self.around.as_ref().is_some_and(|around| around.get())
    }
}

/// How many tasks with runs in them are remembered before those that are over are forgotten.
const MANY: usize = 64;

/// The tasks of a run that have runs within them.
#[derive(Default)]
pub struct Outer {
    tasks: Mutex<HashMap<TaskKey, Arc<Abandoned>>>,
}

impl Outer {
    /// What a run within the task `key` is to know, whose own run is within what has `around`.
    pub fn of(&self, key: TaskKey, around: Option<&Arc<Abandoned>>) -> Arc<Abandoned> {
        let mut tasks = plain_lock(&self.tasks);
        if tasks.len() >= MANY {
            tasks.retain(|_, task| Arc::strong_count(task) > 1 || task.get());
        }
        let made = || Abandoned { is_told: AtomicBool::new(false), around: around.cloned() };
        tasks.entry(key).or_insert_with(|| Arc::new(made())).clone()
    }

    /// Nobody waits for the task `key` any more, which runs.
    pub fn abandon(&self, key: TaskKey) {
        self.of(key, None).is_told.store(true, Ordering::Release);
    }
}
