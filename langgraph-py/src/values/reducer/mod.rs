//! How a channel with a reducer starts, and how it folds writes into its value.
//!
//! A reducer is any callable of the current value and one write; that of a delta channel takes a
//! list of writes. Known here are `operator.add`, `add_messages` and the latter's kin for delta
//! channels. For these, a batch of writes makes one new list instead of one per write, which nobody
//! can tell apart because nobody sees the lists in between.

mod messages;

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PySequence, PyString, PyTuple};

use crate::collects;
use crate::host::call::call;
use crate::host::imports;
use crate::values::errors;

/// A reducer and the type of the values it reduces.
pub struct Reducer {
    operator: Py<PyAny>,
    typ: Py<PyAny>,
    /// Called for the initial value; `None` if there is none.
    factory: Option<Py<PyAny>>,
    method: Method,
}

/// How writes are folded.
#[derive(Clone, Copy)]
enum Method {
    /// As `operator.add` does.
    Add,
    /// As `add_messages` does.
    AddMessages,
    /// By calling the operator for each write.
    Call,
    /// By calling the operator once, with a list of all writes.
    Batch,
    /// As `_messages_delta_reducer` does, which takes a list of all writes.
    BatchMessages,
}

impl Reducer {
    /// The reducer `operator` for a channel of type `typ`.
    pub fn new(
        py: Python<'_>,
        operator: Bound<'_, PyAny>,
        typ: Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        Ok(Self {
            factory: factory(py, typ.clone())?.map(Bound::unbind),
            method: Method::of(py, &operator)?,
            operator: operator.unbind(),
            typ: typ.unbind(),
        })
    }

    /// The reducer `operator` of lists of writes, for a channel of type `typ`.
    pub fn batch(
        py: Python<'_>,
        operator: Bound<'_, PyAny>,
        typ: Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        const MODULE: &str = "langgraph_rust.pregel._streams.messages";
        static REDUCER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let is_loaded = REDUCER.get(py).is_some() || imports::is_loaded(py, MODULE)?;
        let takes_messages =
            is_loaded && operator.is(REDUCER.import(py, MODULE, "_messages_delta_reducer")?);
        let method = if takes_messages { Method::BatchMessages } else { Method::Batch };
        let factory = factory(py, typ.clone())?.map(Bound::unbind);
        Ok(Self { factory, method, operator: operator.unbind(), typ: typ.unbind() })
    }

    /// A write as it is stored and applied: messages in it have ids, so that replaying the write
    /// gives the same ones again.
    pub fn admit(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Py<PyAny>> {
        let function = match self.method {
            // An overwrite's value is taken as it is, and stored as it is.
            Method::AddMessages if overwritten(value.bind(py)).is_some() => return Ok(value),
            Method::AddMessages | Method::BatchMessages => imports::with_message_ids(py)?,
            Method::Batch if may_hold_messages(value.bind(py)) => {
                imports::with_base_message_ids(py)?
            }
            _ => return Ok(value),
        };
        Ok(call(function, &[value.bind(py)])?.unbind())
    }

    /// A reducer of its own that does the same; of those who share one only one may show it to the collector.
    pub fn duplicate(&self, py: Python<'_>) -> Self {
        Self {
            operator: self.operator.clone_ref(py),
            typ: self.typ.clone_ref(py),
            factory: self.factory.as_ref().map(|factory| factory.clone_ref(py)),
            method: self.method,
        }
    }

    /// Whether writes, once admitted, give the same when they are folded again at another time.
    pub fn is_known_to_replay(&self, py: Python<'_>) -> bool {
        match self.method {
            Method::AddMessages => true,
            Method::Add => {
                self.factory.as_ref().is_some_and(|made| made.is(py.get_type::<PyList>()))
            }
            Method::Call | Method::Batch | Method::BatchMessages => false,
        }
    }

    /// The callable.
    pub fn operator(&self) -> &Py<PyAny> {
        &self.operator
    }

    /// An empty value of the channel's type, made anew; `None` if the type cannot make one.
    pub fn initial(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let made = call(self.factory.as_ref()?.bind(py), &[]).map(Bound::unbind);
        made.inspect_err(|error| {
            // What is no `Exception` (an interrupt, an exit) is not the type's verdict; there is
            // nobody here to give it to.
            if !error.is_instance_of::<PyException>(py) {
                error.clone_ref(py).write_unraisable(py, None);
            }
        })
        .ok()
    }

    /// Folds `writes` into `left`, in order.
    pub fn fold(
        &self,
        py: Python<'_>,
        left: Py<PyAny>,
        writes: Vec<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let left = left.into_bound(py);
        let value = match self.method {
            Method::Add => add(left, &writes)?,
            Method::AddMessages => messages::fold(self.operator.bind(py), left, &writes)?,
            Method::Call => call_each(self.operator.bind(py), left, writes)?,
            Method::BatchMessages => messages::fold_batch(self.operator.bind(py), left, writes)?,
            Method::Batch => {
                let writes = PyList::new(py, writes)?;
                call(self.operator.bind(py), &[&left, writes.as_any()])?
            }
        };
        Ok(value.unbind())
    }
}

// A reducer that several owners share may be visited by one of them only.
collects!(Reducer { operator, typ, factory });

impl Method {
    fn of(py: Python<'_>, operator: &Bound<'_, PyAny>) -> PyResult<Self> {
        static ADD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        static ADD_MESSAGES: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        const MESSAGE: &str = "langgraph_rust.graph.message";
        if operator.is(ADD.import(py, "operator", "add")?) {
            return Ok(Method::Add);
        }
        // Before its module is loaded nobody can have it, and loading it here would cost a start.
        let is_loaded = ADD_MESSAGES.get(py).is_some() || imports::is_loaded(py, MESSAGE)?;
        if is_loaded && operator.is(ADD_MESSAGES.import(py, MESSAGE, "add_messages")?) {
            return Ok(Method::AddMessages);
        }
        Ok(Method::Call)
    }
}

/// Whether there may be messages in a write: there are none among numbers, texts and the like.
fn may_hold_messages(write: &Bound<'_, PyAny>) -> bool {
    let is_plain = |item: &Bound<'_, PyAny>| {
        item.is_none()
            || item.is_exact_instance_of::<PyString>()
            || item.is_exact_instance_of::<PyInt>()
            || item.is_exact_instance_of::<PyFloat>()
            || item.is_exact_instance_of::<PyBool>()
    };
    match write.cast_exact::<PyList>() {
        Ok(items) => !items.iter().all(|item| is_plain(&item)),
        Err(_) => !is_plain(write),
    }
}

fn add<'py>(mut left: Bound<'py, PyAny>, writes: &[Py<PyAny>]) -> PyResult<Bound<'py, PyAny>> {
    let py = left.py();
    // A list made here, that nobody else has seen, can grow in place.
    let mut is_own = false;
    for write in writes {
        let write = write.bind(py);
        let are_lists =
            left.is_exact_instance_of::<PyList>() && write.is_exact_instance_of::<PyList>();
        left = if are_lists && !is_own {
            left.add(write)?
        } else if are_lists {
            let grown = left.cast::<PySequence>()?.in_place_concat(write.cast::<PySequence>()?)?;
            grown.into_any()
        } else {
            let adds = imports::add(py)?;
            call(adds, &[&left, write]).map_err(|error| refused(adds, &left, write, error))?
        };
        is_own = are_lists;
    }
    Ok(left)
}

fn call_each<'py>(
    operator: &Bound<'py, PyAny>,
    mut left: Bound<'py, PyAny>,
    writes: Vec<Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    for write in writes {
        let write = write.bind(operator.py());
        left = call(operator, &[&left, write])
            .map_err(|error| refused(operator, &left, write, error))?;
    }
    Ok(left)
}

/// The error of a reducer, with what it was given.
fn refused(
    operator: &Bound<'_, PyAny>,
    left: &Bound<'_, PyAny>,
    write: &Bound<'_, PyAny>,
    error: PyErr,
) -> PyErr {
    let py = operator.py();
    if error.is_instance_of::<PyException>(py) {
        let name = operator.getattr(intern!(py, "__qualname__")).map(|name| name.to_string());
        let class = |value: &Bound<'_, PyAny>| {
            value.get_type().name().map(|name| name.to_string()).unwrap_or_default()
        };
        let note = format!(
            "The reducer {} was given {}, the channel's value, and {}, which was written",
            name.unwrap_or_else(|_| "of the channel".to_owned()),
            class(left),
            class(write)
        );
        errors::add_note(py, &error, &note);
    }
    error
}

/// What is called for a value of type `typ`: its class, without parameters and annotations.
fn factory<'py>(py: Python<'py>, typ: Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    static UNION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if is_builtin(&typ) {
        return Ok(Some(typ));
    }
    let class = without_extras(py, typ)?;
    if is_builtin(&class) {
        return Ok(Some(class));
    }
    let class = builtin_for(py, &class)?.unwrap_or(class);
    // Calling a union always fails, only slower.
    let is_union = class.is(UNION.import(py, "typing", "Union")?);
    Ok((class.is_callable() && !is_union).then_some(class))
}

/// A type without parameters and annotations, and for an abstract collection one of its kind.
pub fn stripped<'py>(py: Python<'py>, typ: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let class = without_extras(py, typ)?;
    Ok(builtin_for(py, &class)?.unwrap_or(class))
}

fn is_builtin(class: &Bound<'_, PyAny>) -> bool {
    let py = class.py();
    class.is(py.get_type::<PyList>())
        || class.is(py.get_type::<PyDict>())
        || class.is(py.get_type::<PyInt>())
        || class.is(py.get_type::<PyString>())
}

/// `list` of `Annotated[NotRequired[list[int]], ...]`.
fn without_extras<'py>(py: Python<'py>, typ: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static REQUIRED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static NOT_REQUIRED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let mut typ = typ;
    while let Some(origin) = typ.getattr_opt(intern!(py, "__origin__"))? {
        let is_marker = origin.is(REQUIRED.import(py, "typing_extensions", "Required")?)
            || origin.is(NOT_REQUIRED.import(py, "typing_extensions", "NotRequired")?);
        typ = if is_marker { typ.getattr(intern!(py, "__args__"))?.get_item(0)? } else { origin };
    }
    Ok(typ)
}

/// A class that has instances, for an abstract collection.
fn builtin_for<'py>(
    py: Python<'py>,
    class: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    static ABSTRACTS: PyOnceLock<Vec<(Py<PyAny>, &str)>> = PyOnceLock::new();
    const BUILTINS: [(&str, &str); 6] = [
        ("Sequence", "list"),
        ("MutableSequence", "list"),
        ("Set", "set"),
        ("MutableSet", "set"),
        ("Mapping", "dict"),
        ("MutableMapping", "dict"),
    ];
    let abstracts = ABSTRACTS.get_or_try_init(py, || {
        let module = py.import("collections.abc")?;
        let abstracts =
            BUILTINS.iter().map(|(name, builtin)| Ok((module.getattr(*name)?.unbind(), *builtin)));
        abstracts.collect::<PyResult<Vec<_>>>()
    })?;
    match abstracts.iter().find(|(known, _)| class.is(known)) {
        Some((_, builtin)) => Ok(Some(py.import("builtins")?.getattr(*builtin)?)),
        None => Ok(None),
    }
}

/// The value to store in place of the channel's, if `write` is an `Overwrite`, or a dict that one
/// has become in JSON.
pub fn overwritten<'py>(write: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = write.py();
    if is_plain(write) {
        return None;
    }
    if let Ok(dict) = write.cast::<PyDict>() {
        return overwritten_by_dict(dict).ok().flatten();
    }
    let is_overwrite = write.is_instance(imports::overwrite_type(py).ok()?).unwrap_or(false);
    is_overwrite.then(|| write.getattr(intern!(py, "value")).ok()).flatten()
}

fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_none()
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyBool>()
}

fn overwritten_by_dict<'py>(dict: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = dict.py();
    match dict.len() {
        0 => Ok(None),
        1 => dict.get_item(intern!(py, "__overwrite__")),
        _ => match dict.get_item(intern!(py, "type"))? {
            Some(tag) if is_overwrite_tag(&tag) => dict.get_item(intern!(py, "value")),
            _ => Ok(None),
        },
    }
}

fn is_overwrite_tag(tag: &Bound<'_, PyAny>) -> bool {
    tag.cast::<PyString>().is_ok_and(|text| text == "__overwrite__")
}
