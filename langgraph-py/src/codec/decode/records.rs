//! Extension records: built here, or by Python.

use std::sync::Arc;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyType};

use super::fault::Fault;
use super::scan::Scan;
use super::{Read, Reading, Shaped};
use crate::codec::class::Class;
use crate::codec::known::{referred, Referred};
use crate::codec::wire::Reader;
use crate::codec::{RECORD, TOTAL};
use crate::host::call::{call, call_tuple, call_with};
use crate::host::imports;
use crate::host::object::items;

/// The code of records of pydantic models.
const MODEL: i8 = 5;

impl<'a, 'py> Reading<'a, 'py> {
    pub(super) fn record(&mut self, code: i8, body: &'a [u8]) -> Read<'py> {
        if self.total + RECORD > TOTAL {
            return Err(Fault::broken("Recursion limit reached"));
        }
        let outer = (std::mem::replace(&mut self.data, Reader::new(body)), self.depth, self.total);
        (self.depth, self.total) = (0, self.total + RECORD);
        let made = self.made(code);
        (self.data, self.depth, self.total) = outer;
        made
    }

    /// What a record stands for. Its body is decoded once: what looks as if it were a model's dump is
    /// known for one before anything is made of it.
    fn made(&mut self, code: i8) -> Read<'py> {
        let py = self.py;
        let body = self.data.clone();
        let class = self.referred(code)?;
        let was_cautious = self.is_cautious;
        let built = match (code, &class) {
            (MODEL, Some(class)) if !was_cautious => self.model(&class.known),
            _ => Ok(None),
        };
        let record = match built {
            Ok(Some(built)) => return Ok(built),
            Ok(None) => {
                self.data = body;
                self.value()
            }
            Err(fault) => Err(fault),
        };
        self.is_cautious = was_cautious;
        match (record, &class) {
            (Ok(record), Some(class)) if code < 3 => self.constructed(code, &record, class),
            (Ok(record), _) => self.rebuilt(code, &record, None),
            (Err(fault), _) if fault.is_final(py) => Err(fault),
            // What is broken within a record is the record's loss.
            (Err(fault), _) => {
                self.rebuilt(code, &py.None().into_bound(py), Some(fault.into_py(py)))
            }
        }
    }

    /// What Python makes of a record, or of what went wrong with it.
    #[inline(never)]
    fn rebuilt(&self, code: i8, record: &Bound<'py, PyAny>, error: Option<PyErr>) -> Read<'py> {
        let py = self.py;
        let rebuild = self.decoder.rebuild.bind(py);
        let code = code.into_pyobject(py).map_err(PyErr::from)?;
        Ok(match error {
            None => call(rebuild, &[code.as_any(), record])?,
            Some(error) => call(rebuild, &[code.as_any(), record, error.value(py).as_any()])?,
        })
    }

    /// The class that a record refers to, if its instances may be made here.
    #[inline(never)]
    fn referred(&mut self, code: i8) -> Result<Option<Arc<Referred>>, Fault> {
        let Ok(marker) = self.data.marker() else { return Ok(None) };
        let (Ok(Some(3..=4)), 0..=2 | MODEL) = (self.data.array_length(marker), code) else {
            return Ok(None);
        };
        match (self.data.text(), self.data.text()) {
            (Some(module), Some(name)) => self.class(module, name),
            _ => Ok(None),
        }
    }

    /// A model that is built from what its dump says, unless pydantic must see to it.
    #[inline(never)]
    fn model(&mut self, class: &Class) -> Shaped<'py> {
        let Class::Model(model) = class else { return Ok(None) };
        let mut scan = Scan(self.data.clone());
        let looks_so = scan.fits(&model.fields, model.unless.as_ref());
        if !model.is_built || !looks_so || !scan.ends_with(&model.tail) {
            return Ok(None);
        }
        let (depth, total) = (self.depth, self.total);
        self.deeper()?;
        let values = self.values(&model.fields)?;
        (self.depth, self.total) = (depth, total);
        // Decoding anew, and each level anew within that, would take for ever.
        self.is_cautious = values.is_none();
        values.map(|values| model.fields.build(&values)).transpose().map_err(Fault::from)
    }

    /// What calling a class with the argument, the arguments or the named ones gives.
    #[inline(never)]
    fn constructed(&mut self, code: i8, record: &Bound<'py, PyAny>, class: &Referred) -> Read<'py> {
        let (py, made) = (self.py, class.class.bind(self.py));
        let argument = record.get_item(2)?;
        let made = match code {
            0 => call(made, &[&argument]),
            1 => match argument.cast_exact::<PyList>() {
                Ok(list) if !is_packet_with_more(made, list)? => {
                    call_tuple(made, &list.to_tuple(), None)
                }
                _ => return self.rebuilt(code, record, None),
            },
            _ => match argument.cast_exact::<PyDict>() {
                Ok(named) if items(named).all(|(key, _)| key.is_instance_of::<PyString>()) => {
                    call_with(made, &[], Some(named))
                }
                _ => return self.rebuilt(code, record, None),
            },
        };
        match made {
            Ok(made) => Ok(made),
            Err(error) if error.is_instance_of::<PyException>(py) => {
                self.rebuilt(code, record, Some(error))
            }
            Err(error) => Err(error.into()),
        }
    }

    #[inline(never)]
    fn class(&mut self, module: &'a str, name: &'a str) -> Result<Option<Arc<Referred>>, Fault> {
        let met = self.classes.iter().find(|(at, of, _)| (*at, *of) == (module, name));
        if let Some((_, _, class)) = met {
            return Ok(class.clone());
        }
        let py = self.py;
        let permits = self.decoder.permits.bind(py);
        let arguments = [PyString::new(py, module), PyString::new(py, name)];
        let permitted = call(permits, &[arguments[0].as_any(), arguments[1].as_any()])?;
        let found = match permitted.is_truthy()? {
            true => referred(py, module, name).map(Arc::new),
            false => None,
        };
        self.classes.push((module, name, found.clone()));
        Ok(found)
    }
}

/// Whether a `Send` has more than node and argument: what follows is named.
fn is_packet_with_more(class: &Bound<'_, PyType>, arguments: &Bound<'_, PyList>) -> PyResult<bool> {
    Ok(arguments.len() != 2 && class.is(imports::send_type(class.py())?))
}
