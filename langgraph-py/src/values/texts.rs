//! Texts that come again and again, as Python has them: a checkpoint names every channel and every
//! node, and most versions are those of the checkpoint before.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyString;

/// How many texts are remembered; with more all are forgotten.
const MOST: usize = 4096;

/// Remembered texts, by where they are: who has the same `Arc` has the same text.
#[derive(Default)]
pub struct Texts(HashMap<usize, (Arc<str>, Py<PyString>), BuildHasherDefault<ByAddress>>);

impl Texts {
    /// The text as Python has it.
    pub fn get<'py>(&mut self, py: Python<'py>, text: &Arc<str>) -> Bound<'py, PyString> {
        let address = text.as_ptr() as usize;
        if let Some((_, known)) = self.0.get(&address) {
            return known.bind(py).clone();
        }
        if self.0.len() == MOST {
            self.0.clear();
        }
        let made = PyString::new(py, text);
        // The `Arc` is kept, so that nothing else comes to be at its address.
        self.0.insert(address, (text.clone(), made.clone().unbind()));
        made
    }
}

/// Hashes an address.
#[derive(Default)]
struct ByAddress(u64);

impl Hasher for ByAddress {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        // Spreads the low bits, which alignment leaves empty, over the high ones.
        self.0 = (self.0 ^ address as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
