//! Storing what tasks wrote that are over while others of their superstep still run.
//!
//! A driver that runs a task itself, or awaits one within its own coroutine, is not there to store
//! what others wrote meanwhile, and that task may take for ever, or take the process down. So
//! whoever reports a task has it stored.

use std::sync::Arc;

use langgraph_rust_pregel::Ticket;
use pyo3::prelude::*;

use super::act;
use super::storing::begin_alone;
use crate::host::call::call_tuple;
use crate::store::save::{self, Saver, SaverCall};
use crate::task::Run;

/// Stores what is there to be stored now.
pub fn store(py: Python<'_>, run: &Arc<Run>) -> PyResult<()> {
    let Some(saver) = &run.context.saver else { return Ok(()) };
    loop {
        let Some(put) = run.core(py)?.engine.take_writes() else { return Ok(()) };
        let call = save::writes(py, &run.graph, saver, &run.core(py)?.place, &put);
        if let Err(error) = call.and_then(|call| begin(py, run, put.ticket, saver, call)) {
            act::stored(py, run, put.ticket, Err(error))?;
        }
    }
}

fn begin(
    py: Python<'_>,
    run: &Arc<Run>,
    ticket: Ticket,
    saver: &Saver,
    call: SaverCall,
) -> PyResult<()> {
    let (object, arguments) = (saver.object.bind(py), call.arguments.bind(py));
    if run.context.is_async() && !saver.never_blocks {
        let method = object.getattr(format!("a{}", call.method).as_str())?;
        let coroutine = call_tuple(&method, arguments, None)?;
        return begin_alone(py, run, ticket, &coroutine);
    }
    call_tuple(&object.getattr(call.method)?, arguments, None)?;
    act::stored(py, run, ticket, Ok(()))
}
