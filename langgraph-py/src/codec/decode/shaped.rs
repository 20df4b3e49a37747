//! What validating a dump would give, told from its shape.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use rmp::Marker;

use super::fault::Fault;
use super::{Reading, Shaped};
use crate::codec::class::Fields;
use crate::codec::keys::key;
use crate::codec::shape::{Entry, Kind, Shape};

impl<'py> Reading<'_, 'py> {
    /// The values of a model's fields, if they look as its schema says.
    pub(super) fn values(&mut self, fields: &Fields) -> Result<Option<Bound<'py, PyDict>>, Fault> {
        let marker = self.data.marker()?;
        if self.data.map_length(marker)? != Some(fields.fields.len()) {
            return Ok(None);
        }
        self.deeper()?;
        let values = PyDict::new(self.py);
        for field in &fields.fields {
            if !self.data.skip(&field.packed) {
                return Ok(None);
            }
            let Some(value) = self.shaped(&field.shape)? else { return Ok(None) };
            values.set_item(&field.name, value)?;
        }
        self.back();
        Ok(Some(values))
    }

    /// A value that validating would give back as it is, if it is one.
    pub(super) fn shaped(&mut self, shape: &Shape) -> Shaped<'py> {
        let Some(kind) = self.data.peek().map(kind_of) else { return Ok(None) };
        match shape {
            Shape::Any => self.value().map(Some),
            Shape::Nullable(_) if kind == Kind::None => self.value().map(Some),
            Shape::Nullable(inner) => self.shaped(inner),
            Shape::Text if kind == Kind::Text => self.value().map(Some),
            Shape::Int if kind == Kind::Int => self.value().map(Some),
            Shape::Float if kind == Kind::Float => self.value().map(Some),
            Shape::Bool if kind == Kind::Bool => self.value().map(Some),
            Shape::None if kind == Kind::None => self.value().map(Some),
            Shape::Literal(choices) if kind == Kind::Text => {
                let marker = self.data.marker()?;
                let text = self.text(marker)?;
                let is_choice = choices.iter().any(|choice| choice == text);
                Ok(is_choice.then(|| key(self.py, text).into_any()))
            }
            Shape::Union(choices) => match Shape::choice(choices, kind) {
                Some(choice) => self.shaped(choice),
                None => Ok(None),
            },
            Shape::List(inner) if kind == Kind::List => self.shaped_list(inner),
            Shape::Dict(texts, inner) if kind == Kind::Dict => self.shaped_dict(*texts, inner),
            Shape::Typed(entries) if kind == Kind::Dict => self.typed(entries),
            Shape::Exact(class) => {
                let value = self.value()?;
                Ok(value.get_type().is(class).then_some(value))
            }
            Shape::Model(fields) if kind == Kind::Dict => match self.values(fields)? {
                Some(values) => Ok(Some(fields.build(&values)?)),
                None => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn shaped_list(&mut self, shape: &Shape) -> Shaped<'py> {
        let marker = self.data.marker()?;
        let count = self.data.array_length(marker)?.unwrap_or(0);
        let count = self.count(count)?;
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            let Some(item) = self.shaped(shape)? else { return Ok(None) };
            items.push(item);
        }
        self.back();
        Ok(Some(PyList::new(self.py, items)?.into_any()))
    }

    fn shaped_dict(&mut self, texts: bool, shape: &Shape) -> Shaped<'py> {
        let marker = self.data.marker()?;
        let count = self.data.map_length(marker)?.unwrap_or(0);
        let count = self.count(count)?;
        let dict = PyDict::new(self.py);
        for _ in 0..count {
            let is_text = self.data.peek().map(kind_of) == Some(Kind::Text);
            if texts && !is_text {
                return Ok(None);
            }
            let key = self.key()?;
            let Some(value) = self.shaped(shape)? else { return Ok(None) };
            dict.set_item(key, value)?;
        }
        self.back();
        Ok(Some(dict.into_any()))
    }

    /// A dict with the entries of a `TypedDict`, in their order: validating puts them in it.
    fn typed(&mut self, entries: &[Entry]) -> Shaped<'py> {
        let marker = self.data.marker()?;
        let count = self.data.map_length(marker)?.unwrap_or(0);
        let count = self.count(count)?;
        let dict = PyDict::new(self.py);
        let mut rest = entries.iter();
        for _ in 0..count {
            let Some(name) = self.data.text() else { return Ok(None) };
            let entry = loop {
                match rest.next() {
                    Some(entry) if entry.name == name => break entry,
                    Some(entry) if !entry.is_required => {}
                    _ => return Ok(None),
                }
            };
            let Some(value) = self.shaped(&entry.shape)? else { return Ok(None) };
            dict.set_item(key(self.py, name), value)?;
        }
        self.back();
        Ok(rest.all(|entry| !entry.is_required).then(|| dict.into_any()))
    }
}

/// What kind of value begins with this marker.
pub(super) fn kind_of(marker: Marker) -> Kind {
    match marker {
        Marker::Null => Kind::None,
        Marker::True | Marker::False => Kind::Bool,
        Marker::F32 | Marker::F64 => Kind::Float,
        Marker::FixPos(_)
        | Marker::FixNeg(_)
        | Marker::U8
        | Marker::U16
        | Marker::U32
        | Marker::U64
        | Marker::I8
        | Marker::I16
        | Marker::I32
        | Marker::I64 => Kind::Int,
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => Kind::Text,
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => Kind::List,
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => Kind::Dict,
        _ => Kind::Other,
    }
}
