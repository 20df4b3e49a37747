//! What has been found out about classes so far.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::{PyString, PyType, PyWeakrefMethods, PyWeakrefReference};

use super::class::Class;
use crate::host::call::call_named;
use crate::host::collect::plain_lock;

const MODULE: &str = "langgraph_rust.checkpoint.serde._classes";

/// How many classes are remembered: programs that make classes as they go must not grow.
const LIMIT: usize = 1024;

struct Entry {
    /// The class, which is not kept alive; another one may come to have its address.
    class: Py<PyWeakrefReference>,
    known: Arc<Class>,
}

static CLASSES: Mutex<Option<HashMap<usize, Entry>>> = Mutex::new(None);

/// What is known of `class`, found out now if it has not been yet.
pub fn known(class: &Bound<'_, PyType>) -> PyResult<Arc<Class>> {
    let (py, address) = (class.py(), class.as_ptr() as usize);
    let found = plain_lock(&CLASSES).as_ref().and_then(|classes| {
        let entry = classes.get(&address)?;
        let is_it = entry.class.bind(py).upgrade().is_some_and(|alive| alive.is(class));
        is_it.then(|| entry.known.clone())
    });
    if let Some(found) = found {
        let holds = match &*found {
            Class::Model(model) => model.holds(class)?,
            Class::Data(data) => data.holds(class)?,
            _ => true,
        };
        if holds {
            return Ok(found);
        }
    }
    let told = call_named(py, MODULE, "look_at", &[class.as_any()]);
    // What cannot be told is nothing known; the class may raise whatever it likes.
    let known = Arc::new(told.and_then(|told| Class::read(&told)).unwrap_or(Class::Unknown));
    let Ok(weak) = PyWeakrefReference::new(class) else { return Ok(known) };
    let entry = Entry { class: weak.unbind(), known: known.clone() };
    let mut classes = plain_lock(&CLASSES);
    let classes = classes.get_or_insert_default();
    let dropped = (classes.len() >= LIMIT).then(|| std::mem::take(classes));
    let replaced = classes.insert(address, entry);
    drop((dropped, replaced));
    Ok(known)
}

/// A reference to a class, as records make it: module and name.
type Reference = (String, String);

/// Where each class is found that records refer to; `None` for what is no class.
static REFERENCES: Mutex<Option<HashMap<Reference, Option<Place>>>> = Mutex::new(None);

/// Where a class is found.
struct Place {
    module: Py<PyString>,
    name: Py<PyString>,
}

/// A class that records refer to.
pub struct Referred {
    pub class: Py<PyType>,
    pub known: Arc<Class>,
}

/// The class that records with this module and name refer to, if they refer to one.
pub fn referred(py: Python<'_>, module: &str, name: &str) -> Option<Referred> {
    let class = place(py, module, name)?;
    Some(Referred { known: known(&class).ok()?, class: class.unbind() })
}

fn place<'py>(py: Python<'py>, module: &str, name: &str) -> Option<Bound<'py, PyType>> {
    let reference = (module.to_owned(), name.to_owned());
    let places = plain_lock(&REFERENCES);
    let found = places.as_ref().and_then(|places| places.get(&reference));
    let at = found.map(|place| {
        place.as_ref().map(|at| (at.module.bind(py).clone(), at.name.bind(py).clone()))
    });
    drop(places);
    let (module, name) = match at {
        Some(at) => at?,
        None => find(py, reference)?,
    };
    let modules = crate::host::imports::sys(py).ok()?.getattr("modules").ok()?;
    let module = modules.get_item(module).ok()?;
    module.getattr(name).ok()?.cast_into::<PyType>().ok()
}

fn find<'py>(
    py: Python<'py>,
    reference: Reference,
) -> Option<(Bound<'py, PyString>, Bound<'py, PyString>)> {
    let (module, name) = (PyString::new(py, &reference.0), PyString::intern(py, &reference.1));
    let found = call_named(py, MODULE, "module_of", &[module.as_any(), name.as_any()]).ok();
    let found = found.and_then(|module| module.cast_into::<PyString>().ok());
    let place = found.map(|module| Place { module: module.unbind(), name: name.clone().unbind() });
    let told = place.as_ref().map(|at| (at.module.bind(py).clone(), name));
    let mut places = plain_lock(&REFERENCES);
    let places = places.get_or_insert_default();
    let dropped = (places.len() >= LIMIT).then(|| std::mem::take(places));
    places.insert(reference, place);
    drop(dropped);
    told
}
