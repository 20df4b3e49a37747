//! Values as bytes: the stored format of checkpoints, writes and cached results.
//!
//! The format is upstream's: msgpack, with an extension record for each value that msgpack has no
//! type for. What a record holds is said in Python (`checkpoint/serde/_records.py`); here is what
//! can be done without asking: plain values, and instances of classes whose records follow from
//! their schema ([`class`]).
//!
//! In: a value, or bytes. Out: bytes, or a value; or an error that says where in the value it was.

mod class;
mod decode;
mod encode;
mod fault;
mod keys;
mod known;
mod shape;
mod wire;

use pyo3::prelude::*;

/// How deep a value may be, bodies of records within one another counted through: containers count
/// one. The stack of a thread is not endless.
const TOTAL: usize = 3000;

/// What a record counts.
const RECORD: usize = 3;

/// Adds what Python uses of this room.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<decode::Decoder>()?;
    module.add_function(wrap_pyfunction!(encode::encode, module)?)?;
    module.add_function(wrap_pyfunction!(encode::encode_typed, module)?)
}
