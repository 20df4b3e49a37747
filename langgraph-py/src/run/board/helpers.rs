//! Workers that help with a run's tasks, as the board counts them: on their way, or looking on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use super::{Board, Numbers};
use crate::host::collect::plain_lock;
use crate::host::wake::Waker;

#[derive(Default)]
pub(super) struct Helpers {
    /// How many are on their way.
    coming: usize,
    /// Whether one of them looks on first.
    watched: bool,
}

impl Board {
    /// Whether a helper is at work or on its way to it, the one that looks on not counted. Asked by
    /// a driver that has no place itself.
    pub fn is_helped(&self) -> bool {
        let helpers = plain_lock(&self.numbers.helpers);
        self.numbers.running.get() + helpers.coming > usize::from(helpers.watched)
    }

    /// Counts another helper, if there is work and a place for it. One that looks on is enough.
    pub fn call_helper(&self, looks_on: bool) -> Option<Coming> {
        let mut helpers = plain_lock(&self.numbers.helpers);
        let (waiting, running) = self.counts();
        let has_place = self.limit.is_none_or(|limit| running + helpers.coming < limit);
        let wanted = has_place && waiting > helpers.coming;
        if !wanted || (looks_on && helpers.watched) {
            return None;
        }
        helpers.coming += 1;
        helpers.watched |= looks_on;
        let (numbers, waker) = (self.numbers.clone(), self.waker.clone());
        Some(Coming { numbers, waker, looks_on, is_gone: Arc::default() })
    }
}

/// A helper on its way; no longer when it is dropped.
pub struct Coming {
    numbers: Arc<Numbers>,
    waker: Arc<Waker>,
    looks_on: bool,
    is_gone: Arc<AtomicBool>,
}

impl Coming {
    /// What the helper looks on with.
    pub fn watch(&self) -> Watch {
        Watch { numbers: self.numbers.clone(), is_gone: self.is_gone.clone() }
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        if self.is_gone.load(Ordering::Acquire) {
            return;
        }
        let mut helpers = plain_lock(&self.numbers.helpers);
        helpers.coming -= 1;
        helpers.watched &= !self.looks_on;
        drop(helpers);
        // Whoever waits may have counted on it.
        self.waker.wake();
    }
}

/// What a helper sees that looks on.
pub enum Look {
    /// Tasks wait; so many are over.
    Waiting(u64),
    /// None waits; so many are over.
    Empty(u64),
    /// The helper is not wanted.
    Gone,
}

/// The board as a helper without the interpreter sees it.
pub struct Watch {
    numbers: Arc<Numbers>,
    is_gone: Arc<AtomicBool>,
}

impl Watch {
    /// Looks at the board. If no task waits, and none got done since `before` were, the helper
    /// goes: whoever runs one task after the other need not call one for each.
    pub fn look(&self, before: Option<u64>) -> Look {
        let mut helpers = plain_lock(&self.numbers.helpers);
        let completed = self.numbers.completed.load(Ordering::Relaxed);
        // Looked at with the lock: whoever adds a task later calls a helper, and sees none.
        if self.numbers.waiting.get() > 0 {
            return Look::Waiting(completed);
        }
        if before != Some(completed) {
            return Look::Empty(completed);
        }
        helpers.coming -= 1;
        helpers.watched = false;
        self.is_gone.store(true, Ordering::Release);
        Look::Gone
    }

    /// The helper joins: another may look on.
    pub fn end(&self) {
        plain_lock(&self.numbers.helpers).watched = false;
    }
}
