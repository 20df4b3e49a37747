//! The native module of `langgraph_rust`: the engine on Python objects.
//!
//! Everything Python is in this crate and nowhere below it. A bound method converts, calls and
//! converts; decisions about graphs are the engine's.

mod async_driver;
mod board;
mod cache;
mod calls;
mod channels;
mod clock;
mod config;
mod convert;
mod coroutine;
mod domain;
mod errors;
mod events;
mod failure;
mod finish;
mod graph_run;
mod help;
mod imports;
mod interpreter;
mod mappers;
mod node;
mod offload;
mod plan;
mod pool;
mod program;
mod reducer;
mod run;
mod runtime;
mod save;
mod sink;
mod start;
mod state_view;
mod sync_driver;
mod task;
mod wake;
mod writers;

use pyo3::prelude::*;
use pyo3::types::PySet;

#[pymodule]
fn _engine(m: &Bound<'_, PyModule>) -> PyResult<()> {
    channels::register(m)?;
    m.add_class::<mappers::StateUpdates>()?;
    m.add_class::<mappers::ControlWrites>()?;
    m.add_class::<plan::Plan>()?;
    m.add_class::<graph_run::GraphRun>()?;
    m.add_class::<sink::Sink>()?;
    m.add_class::<state_view::StateView>()?;
    m.add_class::<task::TaskHandle>()?;
    m.add_class::<config::TaskConfig>()?;
    m.add_class::<coroutine::Coroutine>()?;
    m.add_function(wrap_pyfunction!(clock::checkpoint_id, m)?)?;
    m.add_function(wrap_pyfunction!(clock::timestamp, m)?)?;
    m.add_function(wrap_pyfunction!(clock::next_text_version, m)?)?;
    m.add_function(wrap_pyfunction!(task::read, m)?)?;
    m.add_function(wrap_pyfunction!(offload::resolve, m)?)?;
    m.add_function(wrap_pyfunction!(pool::work, m)?)?;
    m.add_function(wrap_pyfunction!(pool::stop, m)?)?;
    m.add("_workers", PySet::empty(m.py())?)?;
    Ok(())
}
