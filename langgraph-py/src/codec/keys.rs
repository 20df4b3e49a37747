//! Keys of maps, which are the same few in every message: each is made once.

use std::sync::Mutex;

use pyo3::prelude::*;
use pyo3::types::PyString;
use xxhash_rust::xxh3::xxh3_64;

use crate::host::collect::plain_lock;

/// The longest key that is kept, in bytes.
const LONGEST: usize = 64;

/// How many are kept; one that comes to another's place takes it.
const PLACES: usize = 1024;

static KEYS: Mutex<Vec<Option<Py<PyString>>>> = Mutex::new(Vec::new());

/// The key as a Python string.
pub fn key<'py>(py: Python<'py>, text: &str) -> Bound<'py, PyString> {
    if text.len() > LONGEST {
        return PyString::new(py, text);
    }
    let place = xxh3_64(text.as_bytes()) as usize % PLACES;
    let mut keys = plain_lock(&KEYS);
    if let Some(Some(known)) = keys.get(place) {
        let known = known.bind(py);
        if known.to_str().is_ok_and(|known| known == text) {
            return known.clone();
        }
    }
    let made = PyString::new(py, text);
    if keys.is_empty() {
        keys.resize_with(PLACES, || None);
    }
    let dropped = keys[place].replace(made.clone().unbind());
    drop(keys);
    drop(dropped);
    made
}
