//! The native module of `langgraph_rust`: the engine on Python objects.
//!
//! Everything Python is in this crate and nowhere below it. A bound method converts, calls and
//! converts; decisions about graphs are the engine's. The rooms, from the lowest up: `host` and
//! `values`, `codec`, `picture`; `plan`; `store` and `show`; `run`; `task`; `drive`. None knows one above it, which
//! `crates/langgraph-testkit/tests/rooms.rs` holds.

mod codec;
mod drive;
mod host;
mod picture;
mod plan;
mod run;
mod show;
mod store;
mod task;
mod values;

use pyo3::prelude::*;
use pyo3::types::PySet;

#[pymodule]
fn _engine(m: &Bound<'_, PyModule>) -> PyResult<()> {
    values::channels::register(m)?;
    codec::register(m)?;
    m.add_class::<plan::mappers::StateUpdates>()?;
    m.add_class::<plan::mappers::ControlWrites>()?;
    m.add_class::<plan::Plan>()?;
    m.add_class::<drive::graph_run::GraphRun>()?;
    m.add_class::<show::sink::Sink>()?;
    m.add_class::<store::state_view::StateView>()?;
    m.add_class::<task::handle::TaskHandle>()?;
    m.add_class::<task::config::TaskConfig>()?;
    m.add_class::<task::called::callee::Callee>()?;
    m.add_class::<host::coroutine::Coroutine>()?;
    m.add_function(wrap_pyfunction!(host::clock::checkpoint_id, m)?)?;
    m.add_function(wrap_pyfunction!(host::clock::timestamp, m)?)?;
    m.add_function(wrap_pyfunction!(task::handle::read, m)?)?;
    m.add_function(wrap_pyfunction!(store::metadata::merge, m)?)?;
    m.add_function(wrap_pyfunction!(host::event_loop::resolve, m)?)?;
    m.add_function(wrap_pyfunction!(host::offload::call_on_worker, m)?)?;
    m.add_function(wrap_pyfunction!(task::handle::part_task_id, m)?)?;
    m.add_function(wrap_pyfunction!(host::offload::call_paced, m)?)?;
    m.add_class::<host::offload::Pace>()?;
    m.add_function(wrap_pyfunction!(host::pool::work, m)?)?;
    m.add_function(wrap_pyfunction!(host::pool::side_by_side::side_by_side, m)?)?;
    m.add_function(wrap_pyfunction!(host::pool::stop, m)?)?;
    m.add_function(wrap_pyfunction!(drive::perform::panic_at, m)?)?;
    m.add_function(wrap_pyfunction!(picture::draw, m)?)?;
    host::call::leave_at_exit(m)?;
    m.add("_workers", PySet::empty(m.py())?)?;
    Ok(())
}
