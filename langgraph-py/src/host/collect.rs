//! What the garbage collector sees: one trait, and one macro that lists a type's fields.
//!
//! Each visit stands for one reference, so of the owners of something shared only one may visit
//! it. What is not listed is never collected with a cycle that leads through it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};

use pyo3::{Bound, Py, PyErr, PyTraverseError, PyVisit};

/// The result of visiting.
pub type Visited = Result<(), PyTraverseError>;

/// Something that holds Python objects, or may.
pub trait Collect {
    /// Visits each of them.
    fn collect(&self, visit: &PyVisit<'_>) -> Visited;
}

/// Implements [`Collect`] for a struct by its fields, or for an enum by its variants' fields.
/// Fields without Python objects are left out; in a tuple variant they do no harm.
#[macro_export]
macro_rules! collects {
    (enum $type:ty { $($variant:ident $(($($item:ident),+))? $({$($field:ident),+})?),+ $(,)? }) => {
        impl $crate::host::collect::Collect for $type {
            fn collect(&self, visit: &pyo3::PyVisit<'_>) -> $crate::host::collect::Visited {
                match self {
                    $(Self::$variant $(($($item),+))? $({$($field,)+ ..})? => {
                        $($($crate::host::collect::Collect::collect($item, visit)?;)+)?
                        $($($crate::host::collect::Collect::collect($field, visit)?;)+)?
                    })+
                }
                Ok(())
            }
        }
    };
    ($type:ty { $($field:tt),* $(,)? }) => {
        impl $crate::host::collect::Collect for $type {
            fn collect(&self, visit: &pyo3::PyVisit<'_>) -> $crate::host::collect::Visited {
                $($crate::host::collect::Collect::collect(&self.$field, visit)?;)*
                let _ = visit;
                Ok(())
            }
        }
    };
}

/// Implements [`Collect`] for types without Python objects.
#[macro_export]
macro_rules! collects_nothing {
    ($($type:ty),*) => {
        $(impl $crate::host::collect::Collect for $type {
            fn collect(&self, _visit: &pyo3::PyVisit<'_>) -> $crate::host::collect::Visited {
                Ok(())
            }
        })*
    };
}

collects_nothing!(bool, usize, str, String, (), std::time::Duration);

impl<T> Collect for Py<T> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        visit.call(self)
    }
}

impl<T> Collect for Bound<'_, T> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        visit.call(&self.clone().unbind())
    }
}

impl<T: Collect + ?Sized> Collect for Box<T> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        (**self).collect(visit)
    }
}

impl<T: Collect> Collect for Option<T> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        self.as_ref().map_or(Ok(()), |held| held.collect(visit))
    }
}

impl<T: Collect, E: Collect> Collect for Result<T, E> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        match self {
            Ok(held) => held.collect(visit),
            Err(held) => held.collect(visit),
        }
    }
}

impl<T: Collect> Collect for [T] {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        self.iter().try_for_each(|item| item.collect(visit))
    }
}

impl<T: Collect> Collect for Vec<T> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        self.as_slice().collect(visit)
    }
}

impl<T: Collect> Collect for VecDeque<T> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        self.iter().try_for_each(|item| item.collect(visit))
    }
}

impl<K, V: Collect, S> Collect for HashMap<K, V, S> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        self.values().try_for_each(|value| value.collect(visit))
    }
}

impl<A: Collect, B: Collect> Collect for (A, B) {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        self.0.collect(visit)?;
        self.1.collect(visit)
    }
}

impl<T: Collect> Collect for OnceLock<T> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        self.get().map_or(Ok(()), |held| held.collect(visit))
    }
}

/// A lock that is taken means that somebody is at work with what it guards: then nothing of it is
/// garbage.
impl<T: Collect> Collect for Mutex<T> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        match self.try_lock() {
            Ok(held) => held.collect(visit),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().collect(visit),
            Err(TryLockError::WouldBlock) => Ok(()),
        }
    }
}

/// Shared: visited by the owner that is alone.
impl<T: Collect> Collect for Arc<T> {
    fn collect(&self, visit: &PyVisit<'_>) -> Visited {
        match Arc::strong_count(self) {
            1 => (**self).collect(visit),
            _ => Ok(()),
        }
    }
}

/// An exception that is kept is on its way to somebody and not part of a cycle for long; its parts
/// cannot be reached without the interpreter.
impl Collect for PyErr {
    fn collect(&self, _visit: &PyVisit<'_>) -> Visited {
        Ok(())
    }
}

/// Locks what is never held across a call into Python, nor a panic.
pub fn plain_lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
