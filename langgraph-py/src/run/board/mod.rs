//! Who runs at the same time: the tasks that wait for a place, those that have one, and those that
//! are over.
//!
//! The board alone owns the limit. A place is a value: whoever has it runs, and dropping it frees
//! it, whichever way the task ended. A task that calls tasks lends its place to them until they
//! are over, since it may wait for them; so tasks that call tasks never starve them.

pub mod helpers;

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use langgraph_rust_pregel::{TaskKey, TaskOutcome};
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use self::helpers::Helpers;
use super::abandoned::Outer;
use crate::host::collect::{plain_lock, Collect};
use crate::host::context::Context;
use crate::host::wake::Waker;
use crate::values::domain::Objects;

/// A task that is to run.
pub struct Order {
    /// Which task.
    pub key: TaskKey,
    /// How long to wait first.
    pub delay: Duration,
    /// What the task's context is a copy of: the driver's, wherever the task runs.
    pub context: Context,
    /// Whether nothing else waited or ran when it was taken.
    pub is_alone: bool,
    /// The place that it runs in, if it was called.
    loan: Option<Loan>,
}

impl Order {
    /// An order given now, from here.
    pub fn new(py: Python<'_>, key: TaskKey, delay: Duration) -> PyResult<Self> {
        Ok(Self { key, delay, context: Context::copied(py)?, is_alone: false, loan: None })
    }
}

/// A task that is over. Nothing here keeps the run alive: a task may end after its run.
pub struct Report {
    /// Which task.
    pub key: TaskKey,
    /// How it ended.
    pub outcome: TaskOutcome<Objects>,
}

/// Shared between a run's driver and the workers that help it.
pub struct Board {
    queue: Mutex<Queue>,
    numbers: Arc<Numbers>,
    limit: Option<usize>,
    /// Rung when something is done.
    pub waker: Arc<Waker>,
    /// The tasks with runs within them.
    pub outer: Outer,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Order>,
    done: VecDeque<Report>,
    /// How many tasks each task that lends its place has called and waits for.
    lent: HashMap<TaskKey, usize>,
    /// Whether nothing is begun any more, and nobody asks for reports.
    is_closed: bool,
}

/// What threads without the interpreter may look at.
#[derive(Default)]
struct Numbers {
    /// Tasks that wait for a place.
    waiting: Count,
    /// Places that are taken and not lent.
    running: Count,
    /// Tasks that are over, of all there were.
    completed: AtomicU64,
    /// Reports that nobody has asked for yet.
    done: Count,
    /// Tasks that the engine knows of, and that are not added yet.
    announced: AtomicUsize,
    /// Locked after the queue, if both are.
    helpers: Mutex<Helpers>,
}

/// A number that changes while the queue is locked, and is read at any time: a step of a graph looks
/// at it several times, and a lock would cost more than all else that it does here.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    fn set(&self, number: usize) {
        self.0.store(number, Ordering::Release);
    }

    fn up(&self) {
        self.set(self.get() + 1);
    }

    fn down(&self) {
        self.set(self.get().saturating_sub(1));
    }
}

impl Board {
    /// A board with so many places, or any number, that rings the given bell.
    pub fn new(waker: Arc<Waker>, limit: Option<usize>) -> Arc<Self> {
        let (queue, numbers, outer) = Default::default();
        Arc::new(Self { waker, limit, outer, queue, numbers })
    }

    /// Adds a task.
    pub fn add(&self, order: Order) {
        let mut queue = plain_lock(&self.queue);
        if queue.is_closed {
            // Called by a task that did not know yet. Dropped without the lock, as below.
            return drop((queue, order));
        }
        queue.waiting.push_back(order);
        self.numbers.waiting.up();
    }

    /// Announces a task: until the announcement is dropped, somebody is at work.
    pub fn announce(self: &Arc<Self>) -> Announcement {
        self.numbers.announced.fetch_add(1, Ordering::AcqRel);
        Announcement { board: self.clone() }
    }

    /// Whether nobody is at work: no place is taken, and no task waits or is about to.
    pub fn is_idle(&self) -> bool {
        // In this order: what is announced waits before it is announced no more.
        let announced = self.numbers.announced.load(Ordering::Acquire);
        announced == 0 && self.counts() == (0, 0)
    }

    /// Adds a task that the running task `caller` called.
    pub fn add_called(self: &Arc<Self>, caller: TaskKey, mut order: Order) {
        order.loan = Some(Loan::new(self, caller));
        self.add(order);
    }

    /// Takes a task to run it, if there is a place.
    pub fn take(self: &Arc<Self>) -> Option<(Order, Place)> {
        let mut queue = plain_lock(&self.queue);
        if self.limit.is_some_and(|limit| self.numbers.running.get() >= limit) {
            return None;
        }
        let order = queue.waiting.pop_front()?;
        Some(self.placed(order))
    }

    /// Takes this task to run it, if there is a place and nobody has begun it.
    pub fn take_called(self: &Arc<Self>, key: TaskKey) -> Option<(Order, Place)> {
        let mut queue = plain_lock(&self.queue);
        if self.limit.is_some_and(|limit| self.numbers.running.get() >= limit) {
            return None;
        }
        // Most often it is the latest.
        let position = queue.waiting.iter().rposition(|order| order.key == key)?;
        let order = queue.waiting.remove(position)?;
        Some(self.placed(order))
    }

    /// A task that does not wait any more, and its place. Called with the queue locked.
    fn placed(self: &Arc<Self>, mut order: Order) -> (Order, Place) {
        let numbers = &self.numbers;
        order.is_alone = numbers.waiting.get() == 1 && numbers.running.get() == 0;
        // In this order, so that nobody sees none of either.
        numbers.running.up();
        numbers.waiting.down();
        let loan = order.loan.take();
        let place = Place { board: self.clone(), key: order.key, rings: true, loan };
        (order, place)
    }

    /// Takes back a task that nobody has begun.
    pub fn withdraw(&self, key: TaskKey) -> bool {
        let mut queue = plain_lock(&self.queue);
        let position = queue.waiting.iter().position(|order| order.key == key);
        let Some(mut order) = position.and_then(|position| queue.waiting.remove(position)) else {
            return false;
        };
        self.numbers.waiting.down();
        drop(queue);
        // Its loan and its objects are released without the lock: the loan first, so that there is
        // never a moment in which nobody seems to be at work.
        drop(order.loan.take());
        drop(order);
        true
    }

    /// Takes back all tasks that nobody has begun, and takes no more of them, nor reports.
    pub fn close(&self) {
        let mut queue = plain_lock(&self.queue);
        let left = (std::mem::take(&mut queue.waiting), std::mem::take(&mut queue.done));
        queue.is_closed = true;
        self.numbers.waiting.set(0);
        self.numbers.done.set(0);
        drop(queue);
        drop(left);
    }

    /// Whether it has been closed.
    pub fn is_closed(&self) -> bool {
        plain_lock(&self.queue).is_closed
    }

    /// Hands in a task that is over.
    pub fn hand_in(&self, report: Report) {
        let mut queue = plain_lock(&self.queue);
        match queue.is_closed {
            false => {
                queue.done.push_back(report);
                self.numbers.done.up();
            }
            // What it holds may lead back to the run, and is released without the lock.
            true => drop((queue, report)),
        }
    }

    /// The oldest task handed in.
    pub fn next_done(&self) -> Option<Report> {
        if self.numbers.done.get() == 0 {
            return None;
        }
        let mut queue = plain_lock(&self.queue);
        self.numbers.done.down();
        queue.done.pop_front()
    }

    /// How many tasks wait, and how many places are taken.
    pub fn counts(&self) -> (usize, usize) {
        // In this order: a task that is taken meanwhile is counted twice rather than not at all.
        let waiting = self.numbers.waiting.get();
        (waiting, self.numbers.running.get())
    }

    /// Visits the Python objects held, for the garbage collector.
    pub fn collect(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(queue) = self.queue.try_lock() else { return Ok(()) };
        queue.waiting.iter().try_for_each(|order| order.context.collect(visit))
    }
}

/// A place to run in; free again when it is dropped.
pub struct Place {
    board: Arc<Board>,
    key: TaskKey,
    /// Whether somebody may wait for it to be free.
    rings: bool,
    /// What it was lent by.
    loan: Option<Loan>,
}

impl Place {
    /// Frees it; for the driver, who knows by itself.
    pub fn free(mut self) {
        self.rings = false;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // First, so that there is never a moment in which nobody seems to be at work.
        drop(self.loan.take());
        let mut queue = plain_lock(&self.board.queue);
        let is_lent = !queue.lent.is_empty() && queue.lent.remove(&self.key).is_some();
        let numbers = &self.board.numbers;
        if !is_lent {
            numbers.running.down();
        }
        numbers.completed.store(numbers.completed.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        drop(queue);
        if self.rings {
            self.board.waker.wake();
        }
    }
}

/// A task that is about to be added; no longer when it is dropped.
pub struct Announcement {
    board: Arc<Board>,
}

impl Drop for Announcement {
    fn drop(&mut self) {
        self.board.numbers.announced.fetch_sub(1, Ordering::AcqRel);
        // Whoever waits may have counted on it.
        if self.board.is_idle() {
            self.board.waker.wake();
        }
    }
}

/// The place of a task that waits for one that it called.
struct Loan {
    board: Weak<Board>,
    caller: TaskKey,
}

impl Loan {
    fn new(board: &Arc<Board>, caller: TaskKey) -> Self {
        let mut queue = plain_lock(&board.queue);
        let calls = queue.lent.entry(caller).or_insert(0);
        if *calls == 0 {
            board.numbers.running.down();
        }
        *calls += 1;
        Self { board: Arc::downgrade(board), caller }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let Some(board) = self.board.upgrade() else { return };
        let mut queue = plain_lock(&board.queue);
        // A caller that is over has no place any more.
        let Some(calls) = queue.lent.get_mut(&self.caller) else { return };
        *calls -= 1;
        if *calls == 0 {
            queue.lent.remove(&self.caller);
            board.numbers.running.up();
        }
    }
}
