//! Encoding.

mod records;
mod shaped;

use std::sync::Arc;

use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple,
    PyType,
};

use super::class::Class;
use super::fault::{step_to, Fault, Step};
use super::known::known;
use super::wire::Writer;
use super::TOTAL;
use crate::host::call::{call, call_method};
use crate::host::imports;
use crate::host::object::{items, small_int, with_bytes};
use records::refused;

/// How deep containers may be within one another in one body.
const DEPTH: usize = 255;

/// How many classes of one value are remembered while it is encoded.
const SEEN: usize = 8;

type Encoded = Result<(), Fault>;

/// Returns `value` as msgpack.
///
/// Args:
///     value: What to encode.
///     describe: Tells what a value is stored as that has no encoding of its own: `(code, body)` for
///         a record, `(None, value)` for another value. Raises if it is not known.
#[pyfunction]
#[pyo3(name = "_encode")]
pub fn encode<'py>(
    value: &Bound<'py, PyAny>,
    describe: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = value.py();
    let mut encoder =
        Encoder { out: Writer::new(), describe, depth: 0, total: 0, classes: Vec::new() };
    match encoder.value(value) {
        Ok(()) => Ok(PyBytes::new(py, encoder.out.bytes())),
        Err(fault) => Err(fault.into_py(py)),
    }
}

/// Returns `value` as it is stored: a tag, and what belongs to it.
///
/// Args:
///     value: What to store.
///     describe: As for `_encode`.
#[pyfunction]
#[pyo3(name = "_encode_typed")]
pub fn encode_typed<'py>(
    value: &Bound<'py, PyAny>,
    describe: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyTuple>> {
    let py = value.py();
    let (tag, body) = if value.is_none() {
        (intern!(py, "null"), PyBytes::new(py, &[]).into_any())
    } else if value.is_instance_of::<PyBytes>() {
        (intern!(py, "bytes"), value.clone())
    } else if value.is_instance_of::<PyByteArray>() {
        (intern!(py, "bytearray"), value.clone())
    } else {
        (intern!(py, "msgpack"), encode(value, describe)?.into_any())
    };
    PyTuple::new(py, [tag.as_any(), &body])
}

struct Encoder<'a, 'py> {
    out: Writer,
    describe: &'a Bound<'py, PyAny>,
    /// How deep in containers of this body.
    depth: usize,
    /// How deep in all.
    total: usize,
    classes: Vec<(Bound<'py, PyType>, Arc<Class>)>,
}

impl<'py> Encoder<'_, 'py> {
    pub(super) fn value(&mut self, value: &Bound<'py, PyAny>) -> Encoded {
        if let Ok(text) = value.cast_exact::<PyString>() {
            self.text(text)
        } else if let Ok(int) = value.cast_exact::<PyInt>() {
            self.int(int)
        } else if let Ok(dict) = value.cast_exact::<PyDict>() {
            self.dict(dict, Step::Key)
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            self.list(list)
        } else if value.is_none() {
            self.out.nil();
            Ok(())
        } else if let Ok(float) = value.cast_exact::<PyFloat>() {
            self.out.float(float.value());
            Ok(())
        } else if let Ok(boolean) = value.cast_exact::<PyBool>() {
            self.out.boolean(boolean.is_true());
            Ok(())
        } else if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            Ok(self.out.binary(bytes.as_bytes())?)
        } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            self.tuple(tuple)
        } else {
            self.other(value)
        }
    }

    #[inline]
    pub(super) fn text(&mut self, text: &Bound<'py, PyString>) -> Encoded {
        match text.to_str() {
            Ok(text) => Ok(self.out.text(text)?),
            Err(_) => {
                // Half of a surrogate pair has no UTF-8.
                let py = text.py();
                let arguments = [intern!(py, "utf-8").as_any(), intern!(py, "replace").as_any()];
                let bytes = call_method(text, intern!(py, "encode"), &arguments);
                let bytes = bytes.and_then(|bytes| Ok(bytes.cast_into::<PyBytes>()?));
                let bytes = bytes.map_err(Fault::raised)?;
                Ok(self.out.text(&String::from_utf8_lossy(bytes.as_bytes()))?)
            }
        }
    }

    #[inline]
    pub(super) fn int(&mut self, int: &Bound<'py, PyInt>) -> Encoded {
        match small_int(int) {
            Some(number) => self.out.int(number),
            None => match int.extract::<u64>() {
                Ok(number) => self.out.unsigned(number),
                Err(_) => return Err(Fault::refused("Integer exceeds 64-bit range", None)),
            },
        }
        Ok(())
    }

    pub(super) fn deeper(&mut self) -> Encoded {
        if self.depth == DEPTH || self.total == TOTAL {
            return Err(Fault::too_deep());
        }
        self.depth += 1;
        self.total += 1;
        Ok(())
    }

    pub(super) fn back(&mut self) {
        self.depth -= 1;
        self.total -= 1;
    }

    pub(super) fn list(&mut self, list: &Bound<'py, PyList>) -> Encoded {
        self.deeper()?;
        let count = list.len();
        self.out.array(count)?;
        let mut seen = 0;
        // Code of a value's class may make the list shorter, or longer.
        for item in list.iter().take(count) {
            self.value(&item).map_err(|fault| fault.within(|| Step::Index(seen)))?;
            seen += 1;
        }
        self.back();
        match seen == count {
            true => Ok(()),
            false => Err(changed()),
        }
    }

    pub(super) fn tuple(&mut self, tuple: &Bound<'py, PyTuple>) -> Encoded {
        self.deeper()?;
        self.out.array(tuple.len())?;
        for (index, item) in tuple.iter().enumerate() {
            self.value(&item).map_err(|fault| fault.within(|| Step::Index(index)))?;
        }
        self.back();
        Ok(())
    }

    /// A dict; `step` says what its keys are called in errors.
    pub(super) fn dict(&mut self, dict: &Bound<'py, PyDict>, step: fn(String) -> Step) -> Encoded {
        self.deeper()?;
        let count = dict.len();
        self.out.map(count)?;
        let mut seen = 0;
        for (key, value) in items(dict) {
            let within = || match key.cast::<PyString>() {
                Ok(name) if matches!(step(String::new()), Step::Field(_)) => {
                    step(name.to_string_lossy().into_owned())
                }
                _ => step_to(&key),
            };
            self.key(&key).map_err(|fault| fault.within(within))?;
            self.value(&value).map_err(|fault| fault.within(within))?;
            seen += 1;
        }
        self.back();
        match seen == count {
            true => Ok(()),
            false => Err(changed()),
        }
    }

    pub(super) fn key(&mut self, key: &Bound<'py, PyAny>) -> Encoded {
        if let Ok(text) = key.cast_exact::<PyString>() {
            return match text.to_str() {
                Ok(text) => Ok(self.out.text(text)?),
                Err(_) => {
                    Err(Fault::refused("str is not valid UTF-8: surrogates not allowed", None))
                }
            };
        }
        self.key_part(key)
    }

    /// A key, or an item of one that is a tuple.
    fn key_part(&mut self, key: &Bound<'py, PyAny>) -> Encoded {
        if key.is_none()
            || key.is_exact_instance_of::<PyString>()
            || key.is_exact_instance_of::<PyInt>()
            || key.is_exact_instance_of::<PyBool>()
            || key.is_exact_instance_of::<PyFloat>()
            || key.is_exact_instance_of::<PyBytes>()
        {
            return self.value(key);
        }
        if let Ok(tuple) = key.cast_exact::<PyTuple>() {
            self.deeper()?;
            self.out.array(tuple.len())?;
            for item in tuple.iter() {
                self.key_part(&item)?;
            }
            self.back();
            return Ok(());
        }
        // Dates, UUIDs, enums and the like: what stands for them is plain.
        let stands = imports::key_of(key.py()).map_err(Fault::raised)?;
        let stands = call(stands, &[key]).map_err(|error| {
            match error.is_instance_of::<PyException>(key.py()) {
                true => Fault::refused(error.value(key.py()).to_string(), Some(error)),
                false => Fault::raised(error),
            }
        })?;
        self.key_part(&stands)
    }

    fn other(&mut self, value: &Bound<'py, PyAny>) -> Encoded {
        let class = value.get_type();
        let py = value.py();
        let is_enum = class.get_type().is(imports::enum_type(py).map_err(Fault::raised)?);
        let is_plain = value.is_instance_of::<PyString>()
            || value.is_instance_of::<PyInt>()
            || value.is_instance_of::<PyList>()
            || value.is_instance_of::<PyDict>();
        // Members of enums are their records, though some are strings or numbers, too.
        if is_plain && !is_enum {
            return self.subclass(value);
        }
        match &*self.class_of(class)? {
            Class::Model(model) => self.model(model, value),
            Class::Data(data) => self.data(data, value),
            Class::Single(single) => self.single(single, value),
            Class::Unknown if value.is_exact_instance_of::<PyByteArray>() => self.buffer(value),
            Class::Unknown if value.is_exact_instance_of::<PyMemoryView>() => self.buffer(value),
            Class::Unknown => self.described(value),
        }
    }

    /// An instance of a class derived from one of msgpack's own types.
    fn subclass(&mut self, value: &Bound<'py, PyAny>) -> Encoded {
        if let Ok(text) = value.cast::<PyString>() {
            self.text(text)
        } else if let Ok(int) = value.cast::<PyInt>() {
            self.int(int)
        } else if let Ok(list) = value.cast::<PyList>() {
            self.list(list)
        } else if let Ok(dict) = value.cast::<PyDict>() {
            self.dict(dict, Step::Key)
        } else {
            Err(refused(value, None))
        }
    }

    pub(super) fn buffer(&mut self, value: &Bound<'py, PyAny>) -> Encoded {
        match with_bytes(value, |bytes| self.out.binary(bytes)) {
            Ok(written) => Ok(written?),
            Err(_) => Err(Fault::refused("Failed to get buffer from memoryview", None)),
        }
    }

    pub(super) fn class_of(&mut self, class: Bound<'py, PyType>) -> Result<Arc<Class>, Fault> {
        if let Some((_, known)) = self.classes.iter().find(|(seen, _)| seen.is(&class)) {
            return Ok(known.clone());
        }
        let found = known(&class).map_err(Fault::raised)?;
        if self.classes.len() == SEEN {
            self.classes.clear();
        }
        self.classes.push((class, found.clone()));
        Ok(found)
    }
}

/// A container that changed under the encoder's hands.
fn changed() -> Fault {
    let text = "A container was changed while it was being encoded";
    Fault::refused(text, Some(PyTypeError::new_err(text)))
}
