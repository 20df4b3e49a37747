//! What the values of a class's fields look like, as far as they can be told by their types alone.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple, PyType};

use super::class::Fields;

/// What a value must look like for its dump, and what validating the dump gives, to be that very
/// value again.
pub enum Shape {
    /// Anything: validating leaves it alone, and dumping leaves plain values alone.
    Any,
    Text,
    Int,
    Float,
    Bool,
    None,
    Nullable(Box<Shape>),
    /// One of these strings.
    Literal(Vec<String>),
    List(Box<Shape>),
    /// A dict with any keys, or with strings only.
    Dict(bool, Box<Shape>),
    /// A dict with these keys, some of which may be missing.
    Typed(Vec<Entry>),
    /// One of these, which differ in their types.
    Union(Vec<Shape>),
    /// An instance of just this class, left alone by both.
    Exact(Py<PyType>),
    /// A model, of just this class.
    Model(Arc<Fields>),
}

/// An entry of a dict that a `TypedDict` describes.
pub struct Entry {
    pub name: String,
    pub is_required: bool,
    pub shape: Shape,
}

/// The kind of a value, as its bytes or its type show it.
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum Kind {
    None,
    Bool,
    Int,
    Float,
    Text,
    List,
    Dict,
    Other,
}

impl Kind {
    pub fn of(value: &Bound<'_, PyAny>) -> Self {
        if value.is_exact_instance_of::<PyString>() {
            Self::Text
        } else if value.is_exact_instance_of::<PyDict>() {
            Self::Dict
        } else if value.is_exact_instance_of::<PyList>() {
            Self::List
        } else if value.is_none() {
            Self::None
        } else if value.is_exact_instance_of::<PyInt>() {
            Self::Int
        } else if value.is_exact_instance_of::<PyBool>() {
            Self::Bool
        } else if value.is_exact_instance_of::<PyFloat>() {
            Self::Float
        } else {
            Self::Other
        }
    }
}

impl Shape {
    /// Reads what `checkpoint/serde/_classes.py` says: a tuple with a name and what belongs to it.
    pub fn read(told: &Bound<'_, PyAny>) -> PyResult<Self> {
        let told = told.cast::<PyTuple>()?;
        let name: String = told.get_item(0)?.extract()?;
        let inner = |position: usize| -> PyResult<Box<Self>> {
            Self::read(&told.get_item(position)?).map(Box::new)
        };
        Ok(match name.as_str() {
            "any" => Self::Any,
            "str" => Self::Text,
            "int" => Self::Int,
            "float" => Self::Float,
            "bool" => Self::Bool,
            "none" => Self::None,
            "nullable" => Self::Nullable(inner(1)?),
            "literal" => Self::Literal(told.get_item(1)?.extract()?),
            "list" => Self::List(inner(1)?),
            "dict" => Self::Dict(told.get_item(1)?.extract()?, inner(2)?),
            "exact" => Self::Exact(told.get_item(1)?.cast_into::<PyType>()?.unbind()),
            "model" => Self::Model(Arc::new(Fields::read(&told.get_item(1)?)?)),
            "typed" => {
                let entries = told.get_item(1)?.cast_into::<PyTuple>()?;
                let read = |entry: Bound<'_, PyAny>| -> PyResult<Entry> {
                    Ok(Entry {
                        name: entry.get_item(0)?.extract()?,
                        is_required: entry.get_item(1)?.extract()?,
                        shape: Self::read(&entry.get_item(2)?)?,
                    })
                };
                Self::Typed(entries.iter().map(read).collect::<PyResult<_>>()?)
            }
            "union" => {
                let choices = told.get_item(1)?.cast_into::<PyTuple>()?;
                let choices = choices.iter().map(|choice| Self::read(&choice));
                Self::Union(choices.collect::<PyResult<_>>()?)
            }
            _ => return Err(PyValueError::new_err(format!("no shape is called {name}"))),
        })
    }

    /// The choice of a union that a value of this kind can be.
    pub fn choice(choices: &[Self], kind: Kind) -> Option<&Self> {
        choices.iter().find(|choice| choice.kind() == kind)
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Text | Self::Literal(_) => Kind::Text,
            Self::Int => Kind::Int,
            Self::Float => Kind::Float,
            Self::Bool => Kind::Bool,
            Self::None => Kind::None,
            Self::List(_) => Kind::List,
            Self::Dict(..) | Self::Typed(_) => Kind::Dict,
            Self::Any | Self::Nullable(_) | Self::Union(_) | Self::Exact(_) | Self::Model(_) => {
                Kind::Other
            }
        }
    }
}
