//! The reducer `add_messages`, and its kin for delta channels, for histories that are lists of
//! messages already.
//!
//! Everything else they can do (coercing dicts, tuples and strings, removing messages) is left to
//! the Python functions: of `add_messages` write by write.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyType};

use crate::host::call;
use crate::host::imports::is_loaded;

/// Folds `writes` into `left`; `operator` is `add_messages`.
pub fn fold<'py>(
    operator: &Bound<'py, PyAny>,
    mut left: Bound<'py, PyAny>,
    writes: &[Py<PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    let py = left.py();
    let mut rest = writes;
    while let Some((write, others)) = rest.split_first() {
        let (mergeable, beyond) = rest.split_at(mergeable(&left, rest, Chunks::Become)?);
        if mergeable.is_empty() {
            left = call::call(operator, &[&left, write.bind(py)])?;
            rest = others;
        } else {
            let messages = flatten(py, mergeable);
            left = merge(left.cast::<PyList>()?, messages, own_or_new_id)?.into_any();
            rest = beyond;
        }
    }
    Ok(left)
}

/// Folds `writes` into `left`; `operator` is `_messages_delta_reducer`, which takes all at once. It
/// lets chunks stand, and messages without an id.
pub fn fold_batch<'py>(
    operator: &Bound<'py, PyAny>,
    left: Bound<'py, PyAny>,
    writes: Vec<Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = left.py();
    if mergeable(&left, &writes, Chunks::Stand)? == writes.len() {
        return Ok(merge(left.cast::<PyList>()?, flatten(py, &writes), own_id)?.into_any());
    }
    call::call(operator, &[&left, PyList::new(py, writes)?.as_any()])
}

/// How many of the first `writes` can be merged into `left` here.
fn mergeable(left: &Bound<'_, PyAny>, writes: &[Py<PyAny>], chunks: Chunks) -> PyResult<usize> {
    let py = left.py();
    let Ok(history) = left.cast_exact::<PyList>() else { return Ok(0) };
    let Some(mut kinds) = Kinds::new(py, chunks)? else { return Ok(0) };
    if !kinds.is_history(history) {
        return Ok(0);
    }
    Ok(writes.iter().take_while(|write| kinds.is_mergeable(write.bind(py))).count())
}

/// The messages of writes that are lists of messages or single ones.
fn flatten<'py>(py: Python<'py>, writes: &[Py<PyAny>]) -> Vec<Bound<'py, PyAny>> {
    let mut messages = Vec::new();
    for write in writes {
        match write.bind(py).cast_exact::<PyList>() {
            Ok(list) => messages.extend(list.iter()),
            Err(_) => messages.push(write.bind(py).clone()),
        }
    }
    messages
}

/// A new list of `history` and `messages`, where a message takes the place of the last one with
/// its id, as `id_of` tells it, of the history first. Without one it is appended.
fn merge<'py>(
    history: &Bound<'py, PyList>,
    messages: Vec<Bound<'py, PyAny>>,
    id_of: fn(&Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let py = history.py();
    let merged = history.get_slice(0, history.len());
    let old_ids = merged.iter().map(|message| id_of(&message)).collect::<PyResult<Vec<_>>>()?;
    let new_ids = messages.iter().map(id_of).collect::<PyResult<Vec<_>>>()?;
    // Only places of ids that are written matter, so that the index is as small as the write.
    let places = PyDict::new(py);
    for id in new_ids.iter().filter(|id| !id.is_none()) {
        places.set_item(id, py.None())?;
    }
    for (place, id) in old_ids.iter().enumerate() {
        if places.contains(id)? {
            places.set_item(id, place)?;
        }
    }
    for (message, id) in messages.into_iter().zip(&new_ids) {
        match places.get_item(id)?.filter(|place| !place.is_none()) {
            Some(place) => merged.set_item(place.extract()?, message)?,
            None => {
                if !id.is_none() {
                    places.set_item(id, merged.len())?;
                }
                merged.append(message)?;
            }
        }
    }
    Ok(merged)
}

/// The message's id, which may be `None`.
fn own_id<'py>(message: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    message.getattr(intern!(message.py(), "id"))
}

/// The message's id, given to it now if it has none.
fn own_or_new_id<'py>(message: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = message.py();
    let attribute = intern!(py, "id");
    let id = own_id(message)?;
    if !id.is_none() {
        return Ok(id);
    }
    // Looked up each time: programs replace `uuid.uuid4` to get known ids.
    let fresh = call::call_named(py, "uuid", "uuid4", &[])?;
    message.setattr(attribute, fresh.str()?)?;
    message.getattr(attribute)
}

/// What the classes of messages mean for merging, remembered while one write is looked at.
struct Kinds<'py> {
    message: &'py Bound<'py, PyType>,
    chunk: &'py Bound<'py, PyType>,
    removal: &'py Bound<'py, PyType>,
    chunks: Chunks,
    known: Vec<(Bound<'py, PyType>, Kind)>,
}

/// What becomes of chunks of messages.
#[derive(Clone, Copy, PartialEq)]
enum Chunks {
    /// They are messages like others.
    Stand,
    /// They become messages first.
    Become,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Stands as it is.
    Message,
    /// Removes messages, or stands as it is in a history.
    Removal,
    /// Must become a message first.
    Other,
}

impl<'py> Kinds<'py> {
    /// `None` as long as no program can have a message.
    fn new(py: Python<'py>, chunks: Chunks) -> PyResult<Option<Self>> {
        static CLASSES: PyOnceLock<[Py<PyType>; 3]> = PyOnceLock::new();
        let classes = match CLASSES.get(py) {
            Some(classes) => classes,
            None if !is_loaded(py, "langchain_core.messages.base")? => return Ok(None),
            None => CLASSES.get_or_try_init(py, || classes_of_messages(py))?,
        };
        let [message, chunk, removal] = classes.each_ref().map(|class| class.bind(py));
        Ok(Some(Self { message, chunk, removal, chunks, known: Vec::with_capacity(4) }))
    }

    /// Whether `list` holds nothing but messages.
    fn is_history(&mut self, list: &Bound<'py, PyList>) -> bool {
        list.iter().all(|item| self.kind(&item) != Kind::Other)
    }

    /// Whether `write` is a message, or a list of messages, to be appended or put in place.
    fn is_mergeable(&mut self, write: &Bound<'py, PyAny>) -> bool {
        match write.cast_exact::<PyList>() {
            Ok(list) => list.iter().all(|item| self.kind(&item) == Kind::Message),
            Err(_) => self.kind(write) == Kind::Message,
        }
    }

    fn kind(&mut self, item: &Bound<'py, PyAny>) -> Kind {
        let class = item.get_type_ptr();
        if let Some((_, kind)) = self.known.iter().find(|(known, _)| known.as_type_ptr() == class) {
            return *kind;
        }
        let class = item.get_type();
        let kind = self.kind_of(&class);
        self.known.push((class, kind));
        kind
    }

    fn kind_of(&self, class: &Bound<'py, PyType>) -> Kind {
        // By inheritance proper: asking the classes would run code, and say the same.
        let bases = class.mro();
        let inherits = |base: &Bound<'py, PyType>| bases.iter().any(|class| class.is(base));
        let becomes_another = self.chunks == Chunks::Become && inherits(self.chunk);
        if !inherits(self.message) || becomes_another {
            Kind::Other
        } else if inherits(self.removal) {
            Kind::Removal
        } else {
            Kind::Message
        }
    }
}

fn classes_of_messages(py: Python<'_>) -> PyResult<[Py<PyType>; 3]> {
    let class = |module: &str, name: &str| -> PyResult<Py<PyType>> {
        Ok(py.import(module)?.getattr(name)?.cast_into::<PyType>()?.unbind())
    };
    Ok([
        class("langchain_core.messages.base", "BaseMessage")?,
        class("langchain_core.messages.base", "BaseMessageChunk")?,
        class("langchain_core.messages.modifier", "RemoveMessage")?,
    ])
}
