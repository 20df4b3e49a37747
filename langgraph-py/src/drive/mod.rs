//! Driving a run: the one `match` over the engine's effects ([`act`]), and the hands that do what it
//! says on threads ([`sync`], [`helpers`]) and on an event loop ([`asyncio`], [`inline`],
//! [`spawned`]).
//!
//! In comes a run; out come chunks and its end. Nothing here decides about graphs.

mod act;
mod asked;
mod asyncio;
mod awaited;
mod early;
pub mod graph_run;
mod helpers;
mod inline;
pub mod perform;
mod spawned;
mod storing;
mod sync;

use std::sync::Arc;

use pyo3::prelude::*;

use crate::run::Called;
use crate::task::{Kept, Run};

/// What these drivers do about called tasks.
const CALLED: Called<Kept> = Called { start: start_called, run_here: helpers::run_here };

fn start_called(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    match run.context.is_async() {
        true => spawned::start_soon(py, run),
        // Whoever called it runs it when it waits for it; others wait side by side.
        false => helpers::call(py, run, helpers::Join::IfStuck),
    }
}
