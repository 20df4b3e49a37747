//! What callers see: stream modes, payloads, and the ways in which chunks reach them.
//!
//! In come the engine's events and its state to read; out come chunks, in the order of the events.
//! Nothing here runs nodes or stores anything.

pub mod debug;
pub mod modes;
pub mod payloads;
pub mod shape;
pub mod sink;

use pyo3::prelude::*;

use crate::collects;
use crate::plan::Keys;
use modes::Modes;
use shape::Shape;
use sink::Sink;

/// What a run shows, and to whom.
pub struct Shows {
    /// Where events go, if anybody wants any.
    pub sink: Option<Py<Sink>>,
    /// The namespace, as stream chunks carry it.
    pub namespace: Py<PyAny>,
    /// The output channels.
    pub output: Keys,
    /// Whether the output can be read later than it changed.
    pub output_is_steady: bool,
    /// Whether the latest output is wanted at the end, rather than as it comes.
    pub latest: bool,
    /// Whether chunks must leave while tasks run.
    pub eager: bool,
    /// How chunks reach the caller.
    pub shape: Shape,
}

collects!(Shows { sink, namespace, shape });

impl Shows {
    /// Where events of `mode` go, if anybody wants them.
    pub fn wanted(&self, mode: Modes) -> Option<&Sink> {
        self.sink.as_ref().map(|sink| sink.get()).filter(|sink| sink.wants(mode))
    }

    /// Gives an event to those who want it.
    pub fn emit(&self, py: Python<'_>, mode: Modes, payload: Bound<'_, PyAny>) -> PyResult<()> {
        self.wanted(mode).map_or(Ok(()), |sink| sink.emit(py, &self.namespace, mode, payload))
    }

    /// The next chunk for the caller, shaped.
    pub fn next_chunk(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let Some(sink) = &self.sink else { return Ok(None) };
        while let Some(chunk) = sink.get().pop() {
            if let Some(shaped) = self.shape.apply(py, chunk)? {
                return Ok(Some(shaped));
            }
        }
        Ok(None)
    }

    /// Whether chunks are in line.
    pub fn has_chunks(&self) -> bool {
        self.sink.as_ref().is_some_and(|sink| sink.get().has_chunks())
    }
}
