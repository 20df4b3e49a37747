//! Decoding.

mod fault;
mod records;
mod scan;
mod shaped;

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple,
};
use pyo3::{PyTraverseError, PyVisit};
use rmp::Marker;

use super::keys::key;
use super::known::Referred;
use super::wire::{Cut, Reader};
use super::TOTAL;
use crate::collects;
use crate::host::call::call;
use crate::host::collect::Collect;
use crate::host::object::with_bytes;
use fault::{failed, Fault};

/// How deep containers may be within one another in one body.
const DEPTH: usize = 1023;

/// Decodes msgpack, with the extension records that `rebuild` knows.
#[pyclass(frozen, module = "langgraph_rust._engine", name = "_Decoder")]
pub struct Decoder {
    /// Makes a value of a record: called with its code and its decoded body, or the error that
    /// decoding it ended with.
    rebuild: Py<PyAny>,
    /// Asked whether a class may be built: called with module and name.
    permits: Py<PyAny>,
}

collects!(Decoder { rebuild, permits });

#[pymethods]
impl Decoder {
    #[new]
    fn new(rebuild: Py<PyAny>, permits: Py<PyAny>) -> Self {
        Self { rebuild, permits }
    }

    /// Returns the value that `data` holds.
    ///
    /// Args:
    ///     data: Bytes, or what has bytes in one piece.
    ///     ext_hook: Called with code and body of each record in place of the decoder's own ways.
    #[pyo3(signature = (data, ext_hook=None))]
    fn decode<'py>(
        &self,
        data: &Bound<'py, PyAny>,
        ext_hook: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = data.py();
        if let Ok(bytes) = data.cast_exact::<PyBytes>() {
            return self.value(py, bytes.as_bytes(), ext_hook);
        }
        let is_known = data.is_exact_instance_of::<PyByteArray>()
            || data.is_exact_instance_of::<PyMemoryView>();
        if !is_known {
            return Err(failed(py, "Input must be bytes, bytearray, memoryview", None));
        }
        // Code that is called meanwhile may change what the buffer holds.
        let copied = with_bytes(data, <[u8]>::to_vec);
        match copied {
            Ok(bytes) => self.value(py, &bytes, ext_hook),
            Err(_) => Err(failed(py, "Input type memoryview must be a C contiguous buffer", None)),
        }
    }

    /// Makes a value of a record's code and body.
    pub(super) fn record<'py>(
        &self,
        py: Python<'py>,
        code: i64,
        body: &Bound<'py, PyBytes>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut reading = self.reading(py, body.as_bytes(), None);
        let Ok(code) = i8::try_from(code) else { return Ok(py.None().into_bound(py)) };
        let made = reading.record(code, body.as_bytes());
        made.map_err(|error| error.into_py(py))
    }

    fn __deepcopy__<'py>(slf: &Bound<'py, Self>, _memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        slf.clone()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.collect(&visit)
    }
}

impl Decoder {
    fn reading<'a, 'py>(
        &'a self,
        py: Python<'py>,
        data: &'a [u8],
        hook: Option<&'a Bound<'py, PyAny>>,
    ) -> Reading<'a, 'py> {
        Reading {
            py,
            data: Reader::new(data),
            decoder: self,
            hook,
            depth: 0,
            total: 0,
            is_cautious: false,
            classes: Vec::new(),
        }
    }

    pub(super) fn value<'py>(
        &self,
        py: Python<'py>,
        data: &[u8],
        hook: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.reading(py, data, hook).value().map_err(|error| error.into_py(py))
    }
}

/// What is read: the value, or that it does not look as expected, and must be read anew.
type Shaped<'py> = Result<Option<Bound<'py, PyAny>>, Fault>;

type Read<'py> = Result<Bound<'py, PyAny>, Fault>;

struct Reading<'a, 'py> {
    py: Python<'py>,
    data: Reader<'a>,
    decoder: &'a Decoder,
    hook: Option<&'a Bound<'py, PyAny>>,
    /// How deep in containers of this body.
    depth: usize,
    /// How deep in all.
    total: usize,
    /// Whether models are left to pydantic: what is being decoded has been decoded before.
    is_cautious: bool,
    /// Classes met so far, by module and name; `None` for those that Python must see to.
    classes: Vec<(&'a str, &'a str, Option<Arc<Referred>>)>,
}

impl<'a, 'py> Reading<'a, 'py> {
    pub(super) fn deeper(&mut self) -> Result<(), Fault> {
        if self.depth == DEPTH || self.total == TOTAL {
            return Err(Fault::broken("Recursion limit reached"));
        }
        self.depth += 1;
        self.total += 1;
        Ok(())
    }

    pub(super) fn back(&mut self) {
        self.depth -= 1;
        self.total -= 1;
    }

    pub(super) fn value(&mut self) -> Read<'py> {
        let py = self.py;
        let marker = self.data.marker()?;
        Ok(match marker {
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                let length = self.data.text_length(marker)?.unwrap_or(0);
                let text = PyString::from_bytes(py, self.data.take(length)?);
                text.map_err(|_| Fault::broken("invalid UTF-8 string"))?.into_any()
            }
            Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => self.map(marker)?,
            Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => self.array(marker)?,
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                let length = self.length(marker)?;
                PyBytes::new(py, self.data.take(length)?).into_any()
            }
            Marker::FixExt1
            | Marker::FixExt2
            | Marker::FixExt4
            | Marker::FixExt8
            | Marker::FixExt16
            | Marker::Ext8
            | Marker::Ext16
            | Marker::Ext32 => {
                let length = self.length(marker)?;
                let [code] = self.data.fixed()?;
                let body = self.data.take(length)?;
                match self.hook {
                    Some(hook) => {
                        let code = i8::from_be_bytes([code]).into_pyobject(py).map_err(PyErr::from);
                        call(hook, &[code?.as_any(), PyBytes::new(py, body).as_any()])?
                    }
                    None => self.record(i8::from_be_bytes([code]), body)?,
                }
            }
            scalar => self.scalar(scalar)?,
        })
    }

    pub(super) fn scalar(&mut self, marker: Marker) -> Read<'py> {
        let py = self.py;
        let data = &mut self.data;
        let signed = match marker {
            Marker::Null => return Ok(py.None().into_bound(py)),
            Marker::True => return Ok(PyBool::new(py, true).to_owned().into_any()),
            Marker::False => return Ok(PyBool::new(py, false).to_owned().into_any()),
            Marker::F32 => {
                let number = f32::from_be_bytes(data.fixed()?);
                return Ok(PyFloat::new(py, number.into()).into_any());
            }
            Marker::F64 => {
                return Ok(PyFloat::new(py, f64::from_be_bytes(data.fixed()?)).into_any());
            }
            Marker::U64 => {
                let number = u64::from_be_bytes(data.fixed()?);
                return Ok(PyInt::new(py, number).into_any());
            }
            Marker::FixPos(number) => number.into(),
            Marker::FixNeg(number) => number.into(),
            Marker::U8 => data.fixed::<1>()?[0].into(),
            Marker::U16 => u16::from_be_bytes(data.fixed()?).into(),
            Marker::U32 => u32::from_be_bytes(data.fixed()?).into(),
            Marker::I8 => i8::from_be_bytes(data.fixed()?).into(),
            Marker::I16 => i16::from_be_bytes(data.fixed()?).into(),
            Marker::I32 => i32::from_be_bytes(data.fixed()?).into(),
            Marker::I64 => i64::from_be_bytes(data.fixed()?),
            other => return Err(Fault::broken(format!("invalid type {other:?}"))),
        };
        Ok(PyInt::new(py, signed).into_any())
    }

    pub(super) fn text(&mut self, marker: Marker) -> Result<&'a str, Fault> {
        let length = self.data.text_length(marker)?.unwrap_or(0);
        let bytes = self.data.take(length)?;
        std::str::from_utf8(bytes).map_err(|_| Fault::broken("invalid UTF-8 string"))
    }

    /// The length of what is no container and no text.
    pub(super) fn length(&mut self, marker: Marker) -> Result<usize, Fault> {
        let data = &mut self.data;
        Ok(match marker {
            Marker::FixExt1 => 1,
            Marker::FixExt2 => 2,
            Marker::FixExt4 => 4,
            Marker::FixExt8 => 8,
            Marker::FixExt16 => 16,
            Marker::Bin8 | Marker::Ext8 => data.fixed::<1>()?[0].into(),
            Marker::Bin16 | Marker::Ext16 => u16::from_be_bytes(data.fixed()?).into(),
            _ => u32::from_be_bytes(data.fixed()?) as usize,
        })
    }

    /// How many parts a container has, which has at least as many bytes: nothing is made ready
    /// for more.
    pub(super) fn count(&mut self, count: usize) -> Result<usize, Fault> {
        if count > self.data.left() {
            return Err(Cut.into());
        }
        self.deeper()?;
        Ok(count)
    }

    pub(super) fn array(&mut self, marker: Marker) -> Read<'py> {
        let count = self.data.array_length(marker)?.unwrap_or(0);
        let count = self.count(count)?;
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(self.value()?);
        }
        self.back();
        Ok(PyList::new(self.py, items)?.into_any())
    }

    pub(super) fn map(&mut self, marker: Marker) -> Read<'py> {
        let count = self.data.map_length(marker)?.unwrap_or(0);
        let count = self.count(count)?;
        let dict = PyDict::new(self.py);
        for _ in 0..count {
            let key = self.key()?;
            let value = self.value()?;
            dict.set_item(key, value).map_err(|_| Fault::broken("internal error"))?;
        }
        self.back();
        Ok(dict.into_any())
    }

    pub(super) fn key(&mut self) -> Read<'py> {
        let marker = self.data.marker()?;
        match marker {
            Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
                Ok(key(self.py, self.text(marker)?).into_any())
            }
            Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
                let count = self.data.array_length(marker)?.unwrap_or(0);
                let count = self.count(count)?;
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    items.push(self.key()?);
                }
                self.back();
                Ok(PyTuple::new(self.py, items)?.into_any())
            }
            Marker::Bin8 | Marker::Bin16 | Marker::Bin32 => {
                let length = self.length(marker)?;
                Ok(PyBytes::new(self.py, self.data.take(length)?).into_any())
            }
            scalar => self.scalar(scalar),
        }
    }
}
