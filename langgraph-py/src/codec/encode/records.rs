//! Values that msgpack has no type for.

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use super::{Encoded, Encoder};
use crate::codec::class::{Data, How, Model, Single};
use crate::codec::fault::{Fault, Step};
use crate::codec::{RECORD, TOTAL};
use crate::host::call::{attribute, call, call_method};
use crate::host::object::get_plainly;

impl<'py> Encoder<'_, 'py> {
    /// A value that Python tells the record of.
    pub(super) fn described(&mut self, value: &Bound<'py, PyAny>) -> Encoded {
        let told = self.ask(self.describe, value)?;
        let told = told.cast_into::<PyTuple>().map_err(|error| Fault::raised(error.into()))?;
        let (code, body) = (told.get_item(0), told.get_item(1));
        let (code, body) = (code.map_err(Fault::raised)?, body.map_err(Fault::raised)?);
        if code.is_none() {
            if body.is(value) {
                return Err(refused(value, None));
            }
            if self.total + RECORD > TOTAL {
                return Err(Fault::too_deep());
            }
            self.total += RECORD;
            let written = match body.cast_exact::<PyBytes>() {
                // What is packed already.
                Ok(packed) if told.len() > 2 => {
                    self.out.raw(packed.as_bytes());
                    Ok(())
                }
                _ => self.value(&body),
            };
            self.total -= RECORD;
            return written;
        }
        let code: i8 = code.extract().map_err(Fault::raised)?;
        self.record(code, |encoder| match body.cast_exact::<PyTuple>() {
            Ok(parts) => encoder.parts(parts),
            Err(_) => encoder.value(&body),
        })
    }

    /// The body of a record: what it refers to, and the argument.
    fn parts(&mut self, parts: &Bound<'py, PyTuple>) -> Encoded {
        self.deeper()?;
        self.out.array(parts.len())?;
        for part in parts.iter() {
            match part.cast_exact::<PyDict>() {
                Ok(fields) => self.dict(fields, Step::Field)?,
                Err(_) => self.value(&part)?,
            }
        }
        self.back();
        Ok(())
    }

    pub(super) fn record(&mut self, code: i8, body: impl FnOnce(&mut Self) -> Encoded) -> Encoded {
        if self.total + RECORD > TOTAL {
            return Err(Fault::too_deep());
        }
        let outer = (std::mem::replace(&mut self.depth, 0), self.total);
        self.total += RECORD;
        let mark = self.out.open();
        body(self)?;
        self.out.close(mark, code)?;
        (self.depth, self.total) = outer;
        Ok(())
    }

    /// Asks Python code about a value. That it does not know is the value's fault; an interrupt
    /// that is heard meanwhile is not.
    pub(super) fn ask(
        &mut self,
        function: &Bound<'py, PyAny>,
        value: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyAny>, Fault> {
        let py = value.py();
        call(function, &[value]).map_err(|error| match error.is_instance_of::<PyException>(py) {
            true => refused(value, Some(error)),
            false => Fault::raised(error),
        })
    }

    pub(super) fn single(&mut self, single: &Single, value: &Bound<'py, PyAny>) -> Encoded {
        let py = value.py();
        let argument = match &single.how {
            How::Attribute(name) => attribute(value, name.bind(py)),
            How::Method(name) => call_method(value, name.bind(py), &[]),
            How::Call(function) => call(function.bind(py), &[value]),
        };
        let argument = argument.map_err(|error| match error.is_instance_of::<PyException>(py) {
            true => refused(value, Some(error)),
            false => Fault::raised(error),
        })?;
        self.record(single.code, |encoder| {
            encoder.out.raw(&single.head);
            encoder.deeper()?;
            encoder.value(&argument)?;
            encoder.out.raw(&single.tail);
            Ok(())
        })
    }

    pub(super) fn data(&mut self, data: &Data, value: &Bound<'py, PyAny>) -> Encoded {
        if data.has_dict {
            // With more in it than its fields it may look like something else.
            let own = get_plainly(value, intern!(value.py(), "__dict__"));
            let own = own.ok().and_then(|own| own.cast_into::<PyDict>().ok());
            if own.is_none_or(|own| own.len() != data.fields.len()) {
                return self.described(value);
            }
        }
        self.record(2, |encoder| {
            encoder.out.raw(&data.head);
            encoder.deeper()?;
            encoder.deeper()?;
            encoder.out.map(data.fields.len())?;
            for (name, packed) in &data.fields {
                encoder.out.raw(packed);
                let name = name.bind(value.py());
                let field = attribute(value, name).map_err(|error| refused(value, Some(error)))?;
                let step = || Step::Field(name.to_string());
                encoder.value(&field).map_err(|fault| fault.within(step))?;
            }
            Ok(())
        })
    }

    pub(super) fn model(&mut self, model: &Model, value: &Bound<'py, PyAny>) -> Encoded {
        let mark = self.out.mark();
        let (depth, total) = (self.depth, self.total);
        let mut is_written = false;
        let written = self.record(5, |encoder| {
            encoder.out.raw(&model.head);
            encoder.deeper()?;
            is_written = encoder.fields(&model.fields, value)?;
            encoder.out.raw(&model.tail);
            Ok(())
        });
        match written {
            Ok(()) if is_written => Ok(()),
            Err(fault) if !fault.is_refusal() => Err(fault),
            _ => {
                // What does not look as its schema says is dumped by pydantic.
                self.out.back_to(mark);
                (self.depth, self.total) = (depth, total);
                self.described(value)
            }
        }
    }
}

/// A value of a type that nothing is known about.
pub(super) fn refused(value: &Bound<'_, PyAny>, cause: Option<PyErr>) -> Fault {
    let class = value.get_type();
    let name = class.fully_qualified_name().map(|name| name.to_string());
    let name = match class.name() {
        // As CPython calls it: with its module only if it is not written in Python.
        Ok(short) if class.getattr("__flags__").is_ok_and(|flags| is_heap(&flags)) => {
            short.to_string()
        }
        _ => name.unwrap_or_default(),
    };
    Fault::refused(format!("Type is not msgpack serializable: {name}"), cause)
}

/// Whether the flags of a type are those of a class made by a `class` statement.
fn is_heap(flags: &Bound<'_, PyAny>) -> bool {
    flags.extract::<u64>().is_ok_and(|flags| flags & (1 << 9) != 0)
}
