//! Classes whose records follow from their schema.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySet, PyString, PyType, PyWeakrefMethods, PyWeakrefReference};

use super::shape::Shape;
use super::wire::Writer;
use crate::host::object::{bare, set_plainly};

/// What is known of a class.
pub enum Class {
    /// Nothing: its instances are asked one by one.
    Unknown,
    /// A pydantic model.
    Model(Model),
    /// A dataclass.
    Data(Data),
    /// A type whose values are told by one other value.
    Single(Single),
}

/// A type whose values are told by one other value.
pub struct Single {
    pub code: i8,
    pub head: Vec<u8>,
    pub tail: Vec<u8>,
    pub how: How,
}

/// How that other value is had.
pub enum How {
    Attribute(Py<PyString>),
    Method(Py<PyString>),
    Call(Py<PyAny>),
}

/// The fields of a model, in the order of its schema.
pub struct Fields {
    /// The class, which is not kept alive.
    class: Py<PyWeakrefReference>,
    pub fields: Vec<Field>,
    /// What the instance's `__pydantic_extra__` is when there is none.
    takes_extra: bool,
    names: Py<PySet>,
}

/// One of them.
pub struct Field {
    pub name: Py<PyString>,
    /// The name, packed.
    pub packed: Vec<u8>,
    pub shape: Shape,
}

/// A pydantic model whose dump can be told from its fields.
pub struct Model {
    pub fields: Arc<Fields>,
    /// The record up to the dump, packed, and what comes after it.
    pub head: Vec<u8>,
    pub tail: Vec<u8>,
    /// Whether instances can be built without validating what was dumped.
    pub is_built: bool,
    /// The field that must be empty for that, and the key that it must not have.
    pub unless: Option<(usize, String)>,
    /// What the class must still have: its `model_dump`, and the serializer at this address, which
    /// would keep the class alive.
    dump: Py<PyAny>,
    serializer: usize,
    init: Py<PyAny>,
}

/// A dataclass whose instances look like nothing else.
pub struct Data {
    pub head: Vec<u8>,
    pub fields: Vec<(Py<PyString>, Vec<u8>)>,
    pub has_dict: bool,
}

impl Class {
    /// Reads what `checkpoint/serde/_classes.py` says of a class.
    pub fn read(told: &Bound<'_, PyAny>) -> PyResult<Self> {
        if told.is_none() {
            return Ok(Self::Unknown);
        }
        let told = told.cast::<PyDict>()?;
        let entry = |name: &str| -> PyResult<Bound<'_, PyAny>> {
            let missing = || PyValueError::new_err(format!("nothing is said of {name}"));
            told.get_item(name)?.ok_or_else(missing)
        };
        let kind: String = entry("kind")?.extract()?;
        let (module, name): (String, String) =
            (entry("module")?.extract()?, entry("name")?.extract()?);
        if kind == "dataclass" {
            let names: Vec<Bound<'_, PyString>> = entry("fields")?.extract()?;
            let packed = names.into_iter().map(|name| Ok((name.clone().unbind(), pack(&name)?)));
            return Ok(Self::Data(Data {
                head: head(3, &module, &name),
                fields: packed.collect::<PyResult<_>>()?,
                has_dict: entry("has_dict")?.extract()?,
            }));
        }
        if kind == "single" {
            let method: Option<String> = entry("method")?.extract()?;
            let how: String = entry("how")?.extract()?;
            let by = entry("by")?;
            return Ok(Self::Single(Single {
                code: entry("code")?.extract()?,
                head: head(3 + usize::from(method.is_some()), &module, &name),
                tail: method.map(|method| packed(&method)).unwrap_or_default(),
                how: match how.as_str() {
                    "attribute" => How::Attribute(by.cast_into()?.unbind()),
                    "method" => How::Method(by.cast_into()?.unbind()),
                    _ => How::Call(by.unbind()),
                },
            }));
        }
        let fields = Arc::new(Fields::read(&entry("fields")?)?);
        let unless: Option<(String, String)> = entry("unless")?.extract()?;
        let unless =
            unless.and_then(|(field, key)| Some((fields.position(told.py(), &field)?, key)));
        Ok(Self::Model(Model {
            head: head(4, &module, &name),
            tail: packed("model_validate_json"),
            is_built: entry("is_built")?.extract()?,
            unless,
            dump: entry("dump")?.unbind(),
            serializer: entry("serializer")?.as_ptr() as usize,
            init: entry("init")?.unbind(),
            fields,
        }))
    }
}

/// A record's beginning: how many parts it has, and the first two.
fn head(parts: usize, module: &str, name: &str) -> Vec<u8> {
    let mut head = Writer::new();
    _ = head.array(parts);
    _ = head.text(module);
    _ = head.text(name);
    head.bytes().to_vec()
}

fn pack(name: &Bound<'_, PyString>) -> PyResult<Vec<u8>> {
    Ok(packed(name.to_str()?))
}

fn packed(text: &str) -> Vec<u8> {
    let mut packed = Writer::new();
    _ = packed.text(text);
    packed.bytes().to_vec()
}

impl Model {
    /// Whether the class is still what it was when it was looked at.
    pub fn holds(&self, class: &Bound<'_, PyType>) -> PyResult<bool> {
        let py = class.py();
        Ok(class.getattr(intern!(py, "model_dump"))?.is(&self.dump)
            && class.getattr(intern!(py, "__init__"))?.is(&self.init)
            && class.getattr(intern!(py, "__pydantic_serializer__"))?.as_ptr() as usize
                == self.serializer)
    }
}

impl Data {
    /// Whether the class still looks like nothing else.
    pub fn holds(&self, class: &Bound<'_, PyType>) -> PyResult<bool> {
        let py = class.py();
        let looks = [
            intern!(py, "model_dump"),
            intern!(py, "get_secret_value"),
            intern!(py, "dict"),
            intern!(py, "_asdict"),
        ];
        for name in looks {
            if class.hasattr(name)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Fields {
    /// Reads `(class, whether it takes extra fields, ((name, shape), ...))`.
    pub fn read(told: &Bound<'_, PyAny>) -> PyResult<Self> {
        let class = told.get_item(0)?.cast_into::<PyType>()?;
        let mut fields = Vec::new();
        for field in told.get_item(2)?.try_iter()? {
            let field = field?;
            let name = field.get_item(0)?.cast_into::<PyString>()?;
            let shape = Shape::read(&field.get_item(1)?)?;
            fields.push(Field { packed: pack(&name)?, name: name.unbind(), shape });
        }
        Ok(Self {
            names: PySet::new(told.py(), fields.iter().map(|field| &field.name))?.unbind(),
            class: PyWeakrefReference::new(&class)?.unbind(),
            takes_extra: told.get_item(1)?.extract()?,
            fields,
        })
    }

    fn position(&self, py: Python<'_>, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name.bind(py).to_str().is_ok_and(|n| n == name))
    }

    /// Whether an instance is of just this class.
    pub fn is_class_of(&self, instance: &Bound<'_, PyAny>) -> bool {
        let class = self.class.bind(instance.py()).upgrade();
        class.is_some_and(|class| instance.get_type().is(&class))
    }

    /// The instance that has these values, all of its fields'.
    pub fn build<'py>(&self, values: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
        let py = values.py();
        let gone = || PyValueError::new_err("The class is gone");
        let class = self.class.bind(py).upgrade_as::<PyType>()?.ok_or_else(gone)?;
        let instance = bare(&class)?;
        let extra = match self.takes_extra {
            true => PyDict::new(py).into_any(),
            false => py.None().into_bound(py),
        };
        let names = self.names.bind(py);
        let names = PySet::new(py, names.iter())?;
        set_plainly(&instance, intern!(py, "__dict__"), values.as_any())?;
        set_plainly(&instance, intern!(py, "__pydantic_extra__"), &extra)?;
        set_plainly(&instance, intern!(py, "__pydantic_fields_set__"), names.as_any())?;
        set_plainly(&instance, intern!(py, "__pydantic_private__"), &py.None().into_bound(py))?;
        Ok(instance)
    }
}
