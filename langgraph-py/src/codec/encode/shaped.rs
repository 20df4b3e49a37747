//! Dumps of models, told from their fields.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyString};

use super::Encoder;
use crate::codec::class::Fields;
use crate::codec::fault::Fault;
use crate::codec::shape::{Entry, Kind, Shape};
use crate::host::object::{get_plainly, items};

impl<'py> Encoder<'_, 'py> {
    /// The dump of a model's fields; tells whether it is one.
    pub(super) fn fields(
        &mut self,
        fields: &Fields,
        value: &Bound<'py, PyAny>,
    ) -> Result<bool, Fault> {
        let py = value.py();
        let own = get_plainly(value, intern!(py, "__dict__"));
        let extra = get_plainly(value, intern!(py, "__pydantic_extra__"));
        let (Ok(own), Ok(extra)) = (own, extra) else { return Ok(false) };
        let Ok(own) = own.cast_exact::<PyDict>() else { return Ok(false) };
        let has_extra = !extra.is_none() && extra.cast::<PyDict>().is_ok_and(|it| !it.is_empty());
        if has_extra || own.len() != fields.fields.len() {
            return Ok(false);
        }
        self.deeper()?;
        self.out.map(own.len())?;
        for (field, (key, value)) in fields.fields.iter().zip(items(own)) {
            let is_same = key.is(&field.name) || key.eq(field.name.bind(py)).unwrap_or(false);
            if !is_same {
                return Ok(false);
            }
            self.out.raw(&field.packed);
            if !self.shaped(&field.shape, &value)? {
                return Ok(false);
            }
        }
        self.back();
        Ok(true)
    }

    /// A value of that shape; tells whether it is one.
    pub(super) fn shaped(
        &mut self,
        shape: &Shape,
        value: &Bound<'py, PyAny>,
    ) -> Result<bool, Fault> {
        let kind = Kind::of(value);
        match shape {
            Shape::Any => self.plain(value),
            Shape::Nullable(_) if kind == Kind::None => self.plain(value),
            Shape::Nullable(inner) => self.shaped(inner, value),
            Shape::Text if kind == Kind::Text => self.plain(value),
            Shape::Int if kind == Kind::Int => self.plain(value),
            Shape::Float if kind == Kind::Float => self.plain(value),
            Shape::Bool if kind == Kind::Bool => self.plain(value),
            Shape::None if kind == Kind::None => self.plain(value),
            Shape::Literal(choices) if kind == Kind::Text => {
                let text = value.extract::<&str>().ok();
                let is_choice = choices.iter().any(|choice| Some(choice.as_str()) == text);
                Ok(is_choice && self.plain(value)?)
            }
            Shape::Union(choices) => match Shape::choice(choices, kind) {
                Some(choice) => self.shaped(choice, value),
                None => Ok(false),
            },
            Shape::List(inner) => match value.cast_exact::<PyList>() {
                Ok(list) => self.shaped_list(inner, list),
                Err(_) => Ok(false),
            },
            Shape::Dict(texts, inner) => match value.cast_exact::<PyDict>() {
                Ok(dict) => self.shaped_dict(*texts, inner, dict),
                Err(_) => Ok(false),
            },
            Shape::Typed(entries) => match value.cast_exact::<PyDict>() {
                Ok(dict) => self.typed(entries, dict),
                Err(_) => Ok(false),
            },
            Shape::Exact(class) if value.get_type().is(class) => self.value(value).map(|()| true),
            Shape::Model(fields) if fields.is_class_of(value) => self.fields(fields, value),
            _ => Ok(false),
        }
    }

    fn shaped_list(&mut self, shape: &Shape, list: &Bound<'py, PyList>) -> Result<bool, Fault> {
        self.deeper()?;
        self.out.array(list.len())?;
        for item in list.iter() {
            if !self.shaped(shape, &item)? {
                return Ok(false);
            }
        }
        self.back();
        Ok(true)
    }

    fn shaped_dict(
        &mut self,
        texts: bool,
        shape: &Shape,
        dict: &Bound<'py, PyDict>,
    ) -> Result<bool, Fault> {
        self.deeper()?;
        self.out.map(dict.len())?;
        for (key, value) in items(dict) {
            let is_text = key.is_exact_instance_of::<PyString>();
            if !is_text && (texts || !key.is_exact_instance_of::<PyInt>()) {
                return Ok(false);
            }
            self.key(&key)?;
            if !self.shaped(shape, &value)? {
                return Ok(false);
            }
        }
        self.back();
        Ok(true)
    }

    fn typed(&mut self, entries: &[Entry], dict: &Bound<'py, PyDict>) -> Result<bool, Fault> {
        self.deeper()?;
        self.out.map(dict.len())?;
        let mut required = entries.iter().filter(|entry| entry.is_required).count();
        for (key, value) in items(dict) {
            let Ok(key) = key.cast_exact::<PyString>() else { return Ok(false) };
            let Ok(name) = key.to_str() else { return Ok(false) };
            let Some(entry) = entries.iter().find(|entry| entry.name == name) else {
                return Ok(false);
            };
            required -= usize::from(entry.is_required);
            self.out.text(name)?;
            if !self.shaped(&entry.shape, &value)? {
                return Ok(false);
            }
        }
        self.back();
        Ok(required == 0)
    }

    /// A value that a dump leaves as it is; tells whether it is one.
    fn plain(&mut self, value: &Bound<'py, PyAny>) -> Result<bool, Fault> {
        match Kind::of(value) {
            Kind::List => match value.cast_exact::<PyList>() {
                Ok(list) => self.shaped_list(&Shape::Any, list),
                Err(_) => Ok(false),
            },
            Kind::Dict => match value.cast_exact::<PyDict>() {
                Ok(dict) => self.shaped_dict(false, &Shape::Any, dict),
                Err(_) => Ok(false),
            },
            Kind::Other => Ok(false),
            _ => self.value(value).map(|()| true),
        }
    }
}
