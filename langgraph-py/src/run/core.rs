//! What changes while a run goes on.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::MutexGuard;

use langgraph_rust_pregel::{Effect, Engine, Task, TaskKey};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::collects;
use crate::host::collect::{Collect, Visited};
use crate::store::save::Place;
use crate::values::domain::{shown, Objects};
use crate::values::env::{Clock, Versioning};

/// What is kept of tasks, by their keys.
pub type Kept<T> = HashMap<TaskKey, T, BuildHasherDefault<KeyHasher>>;

/// Hashes the two small numbers of a key; nobody chooses them to collide.
#[derive(Default)]
pub struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32((*byte).into()));
    }

    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0.rotate_left(5) ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What changes while a run goes on. `T` is what is kept of each task.
pub struct Core<T> {
    /// The engine.
    pub engine: Engine<Objects>,
    /// The output, as far as it is kept for the end.
    pub latest: Latest,
    /// The interrupts, for the result.
    pub interrupts: Vec<Py<PyAny>>,
    /// Resumptions and pauses not yet asked for.
    pub lifecycle: Vec<Py<PyAny>>,
    /// An effect put back because chunks must leave first.
    pub stashed: Option<Effect<Objects>>,
    /// The configs that checkpoints are stored under.
    pub place: Place,
    /// The asyncio tasks of savers that the driver did not begin, which nothing else keeps alive.
    pub savers: Vec<Py<PyAny>>,
    tasks: Kept<T>,
    versioning: Versioning,
    /// The superstep that what is kept by task is about.
    step: i64,
    /// Whether that superstep is over.
    has_moved_on: bool,
}

/// The output of a run whose caller waits for the end.
pub enum Latest {
    /// None yet.
    Nothing,
    /// Whatever the channels hold.
    Channels,
    /// This.
    Value(Py<PyAny>),
}

collects!(
    enum Latest {
        Nothing,
        Channels,
        Value(value),
    }
);

impl<T: Collect> Collect for Core<T> {
    fn collect(&self, visit: &pyo3::PyVisit<'_>) -> Visited {
        self.engine.traverse(&mut shown(visit))?;
        if let Some(effect) = &self.stashed {
            effect.traverse(&mut shown(visit))?;
        }
        self.latest.collect(visit)?;
        self.interrupts.collect(visit)?;
        self.lifecycle.collect(visit)?;
        self.place.collect(visit)?;
        self.savers.collect(visit)?;
        self.versioning.collect(visit)?;
        self.tasks.collect(visit)
    }
}

impl<T> Core<T> {
    /// A run about to be driven.
    pub fn new(engine: Engine<Objects>, versioning: Versioning, place: Place) -> Self {
        Self {
            step: engine.steps().0,
            engine,
            versioning,
            place,
            tasks: Kept::default(),
            has_moved_on: false,
            latest: Latest::Nothing,
            interrupts: Vec::new(),
            lifecycle: Vec::new(),
            stashed: None,
            savers: Vec::new(),
        }
    }

    /// What to do next.
    pub fn poll(&mut self, py: Python<'_>) -> Effect<Objects> {
        if let Some(effect) = self.stashed.take() {
            return effect;
        }
        let mut clock = Clock { py, versioning: &self.versioning };
        let effect = self.engine.poll(py, &mut clock);
        let step = self.engine.steps().0;
        if step != self.step || matches!(effect, Effect::Finish(_)) {
            self.step = step;
            self.has_moved_on = true;
        }
        effect
    }

    /// What was kept of tasks that are no more since the last time, to be dropped once the engine is
    /// free: that may run Python code.
    pub fn take_over(&mut self) -> Option<Kept<T>> {
        let has_moved_on = std::mem::take(&mut self.has_moved_on);
        (has_moved_on && !self.tasks.is_empty()).then(|| std::mem::take(&mut self.tasks))
    }

    /// All that is kept of tasks: nobody drives the run any more.
    pub fn take_kept(&mut self) -> Kept<T> {
        std::mem::take(&mut self.tasks)
    }

    /// A task of the current superstep.
    pub fn task(&self, key: TaskKey) -> PyResult<&Task<Objects>> {
        let gone = || PyRuntimeError::new_err("The superstep that the task belongs to is over");
        self.engine.task(key).ok_or_else(gone)
    }

    /// What is kept of a task, if anything is.
    pub fn kept(&self, key: TaskKey) -> Option<&T> {
        self.tasks.get(&key)
    }

    /// The same, to take something out of it.
    pub fn kept_mut(&mut self, key: TaskKey) -> Option<&mut T> {
        self.tasks.get_mut(&key)
    }

    /// What is kept of every task.
    pub fn all_kept(&self) -> impl Iterator<Item = (&TaskKey, &T)> {
        self.tasks.iter()
    }

    /// Whether the task was started by a call.
    pub fn is_call(&self, key: TaskKey) -> bool {
        self.engine.task(key).is_some_and(Task::is_call)
    }
}

impl<T: Default> Core<T> {
    /// What is kept of a task, to add something to it.
    pub fn keep(&mut self, key: TaskKey) -> &mut T {
        self.tasks.entry(key).or_default()
    }
}

/// The engine while it is held.
pub struct CoreGuard<'a, T> {
    guard: MutexGuard<'a, Core<T>>,
    owner: &'a AtomicU64,
}

impl<'a, T> CoreGuard<'a, T> {
    /// The engine, held by the thread that `owner` names.
    pub(super) fn new(guard: MutexGuard<'a, Core<T>>, owner: &'a AtomicU64) -> Self {
        Self { guard, owner }
    }
}

impl<T> std::ops::Deref for CoreGuard<'_, T> {
    type Target = Core<T>;
    fn deref(&self) -> &Core<T> {
        &self.guard
    }
}

impl<T> std::ops::DerefMut for CoreGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut Core<T> {
        &mut self.guard
    }
}

impl<T> Drop for CoreGuard<'_, T> {
    fn drop(&mut self) {
        self.owner.store(0, Ordering::Release);
    }
}
