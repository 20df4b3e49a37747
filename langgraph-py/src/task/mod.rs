//! One task of a run: got ready, called, its result written, its outcome told.
//!
//! In come a run and the key of a task; out come steps for a driver to take ([`node::Advance`])
//! and a report for the engine. Nothing here waits, and nothing knows how it is driven.

pub mod cached;
pub mod call;
pub mod called;
pub mod config;
pub mod handle;
mod input;
pub mod node;
mod notices;
pub mod outcome;
mod prepare;
pub mod report;
pub mod shown;
mod write;

use std::time::Duration;

use pyo3::prelude::*;

use crate::collects;
use crate::store::cache::CacheSlot;
use called::Call;
use handle::TaskHandle;
use node::NodeRun;

/// A run, with what is kept of its tasks.
pub type Run = crate::run::Run<Kept>;

/// The engine of a run, with what is kept of its tasks.
pub type Core = crate::run::core::Core<Kept>;

/// What is kept of a task until its superstep is over.
#[derive(Default)]
pub struct Kept {
    /// Its error, for the node that handles it.
    pub error: Option<Py<PyAny>>,
    /// The function that it calls, if it was called itself.
    pub call: Option<Call>,
    /// The futures of those who called it.
    pub futures: Vec<Py<PyAny>>,
    /// Its handle, for its next attempt.
    pub handle: Option<Py<TaskHandle>>,
    /// Where its result is to be cached.
    pub cache_slot: Option<CacheSlot>,
    /// The asyncio task that it is.
    pub asyncio_task: Option<Py<PyAny>>,
    /// Itself, got ready before its turn because somebody wanted to see its input.
    pub prepared: Option<Box<NodeRun>>,
    /// The wait before its next attempt, if it was called and has one: for whoever reported the last.
    pub again: Option<Duration>,
}

collects!(Kept { error, call, futures, handle, cache_slot, asyncio_task, prepared });

/// How often a run is held by tasks of its own that were got ready before their turn.
pub fn own_holds(run: &Run) -> usize {
    let is_prepared = |kept: &&Kept| kept.prepared.is_some();
    run.core_at_rest()
        .map_or(0, |core| core.all_kept().map(|(_, kept)| kept).filter(is_prepared).count())
}
