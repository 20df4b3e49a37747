//! Extension records: built here, or by Python.

use std::sync::Arc;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyType};

use super::fault::Fault;
use super::{Read, Reading, Shaped};
use crate::codec::class::{Class, Model};
use crate::codec::known::{referred, Referred};
use crate::codec::wire::Reader;
use crate::codec::{RECORD, TOTAL};
use crate::host::call::{call, call_tuple, call_with};
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

    fn made(&mut self, code: i8) -> Read<'py> {
        let py = self.py;
        let (body, total) = (self.data.clone(), self.total);
        match self.built(code) {
            Ok(Some(built)) => return Ok(built),
            Err(fault) if fault.is_final(py) => return Err(fault),
            _ => (self.data, self.depth, self.total) = (body, 0, total),
        }
        match self.value() {
            Ok(record) => self.rebuilt(code, &record, None),
            Err(fault) if fault.is_final(py) => Err(fault),
            // What is broken within a record is the record's loss.
            Err(fault) => self.rebuilt(code, &py.None().into_bound(py), Some(fault.into_py(py))),
        }
    }

    /// What Python makes of a record, or of what went wrong with it.
    fn rebuilt(&self, code: i8, record: &Bound<'py, PyAny>, error: Option<PyErr>) -> Read<'py> {
        let py = self.py;
        let rebuild = self.decoder.rebuild.bind(py);
        let code = code.into_pyobject(py).map_err(PyErr::from)?;
        Ok(match error {
            None => call(rebuild, &[code.as_any(), record])?,
            Some(error) => call(rebuild, &[code.as_any(), record, error.value(py).as_any()])?,
        })
    }

    /// A value that is made here; `None` if Python must see to it.
    fn built(&mut self, code: i8) -> Shaped<'py> {
        let Ok(marker) = self.data.marker() else { return Ok(None) };
        let (Ok(Some(3..=4)), 0..=5) = (self.data.array_length(marker), code) else {
            return Ok(None);
        };
        let (Some(module), Some(name)) = (self.data.text(), self.data.text()) else {
            return Ok(None);
        };
        let Some(class) = self.class(module, name)? else { return Ok(None) };
        self.deeper()?;
        match code {
            MODEL => self.model(&class.known),
            0..=2 => self.constructed(code, (module, name), class.class.bind(self.py)),
            _ => Ok(None),
        }
    }

    /// A model that is built from what its dump says, unless pydantic must see to it.
    pub(super) fn model(&mut self, class: &Class) -> Shaped<'py> {
        let Class::Model(model) = class else { return Ok(None) };
        if !model.is_built {
            return Ok(None);
        }
        let Some(values) = self.values(&model.fields)? else { return Ok(None) };
        match is_built(model, &values) {
            true => Ok(Some(model.fields.build(&values)?)),
            false => Ok(None),
        }
    }

    /// What calling a class with the argument, the arguments or the named ones gives.
    fn constructed(
        &mut self,
        code: i8,
        (module, name): (&str, &str),
        class: &Bound<'py, PyType>,
    ) -> Shaped<'py> {
        let (py, argument) = (self.py, self.value()?);
        let made = match code {
            0 => call(class, &[&argument]),
            1 => {
                let Ok(list) = argument.cast_exact::<PyList>() else { return Ok(None) };
                if name == "Send" && list.len() != 2 {
                    return Ok(None);
                }
                call_tuple(class, &list.to_tuple(), None)
            }
            _ => {
                let Ok(kwargs) = argument.cast_exact::<PyDict>() else { return Ok(None) };
                if !items(kwargs).all(|(key, _)| key.is_instance_of::<PyString>()) {
                    return Ok(None);
                }
                call_with(class, &[], Some(kwargs))
            }
        };
        match made {
            Ok(made) => Ok(Some(made)),
            Err(error) if error.is_instance_of::<PyException>(py) => {
                let (module, name) = (PyString::new(py, module), PyString::new(py, name));
                let parts = [module.as_any(), name.as_any(), &argument];
                let record = PyList::new(py, parts)?;
                self.rebuilt(code, record.as_any(), Some(error)).map(Some)
            }
            Err(error) => Err(error.into()),
        }
    }

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

/// Whether nothing in the values is what a validator of the class would act on.
fn is_built(model: &Model, values: &Bound<'_, PyDict>) -> bool {
    let Some((position, unwanted)) = &model.unless else { return true };
    let name = &model.fields.fields[*position].name;
    let value = values.get_item(name).ok().flatten();
    let value = value.as_ref().and_then(|value| value.cast::<PyDict>().ok());
    value.is_some_and(|value| value.contains(unwanted).is_ok_and(|is_there| !is_there))
}
