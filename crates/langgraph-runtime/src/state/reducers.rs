//! What folds a write into the value of a field of some type: what `#[reducer(..)]` names.
//!
//! Types of one's own may implement the traits; any other function of two values to one is
//! `#[reducer(custom = path)]`, or [`Reducer::typed`](crate::Reducer::typed).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::time::Duration;

use indexmap::{IndexMap, IndexSet};

use crate::{Error, FieldValue};

/// What a reducer gives: the new value, or an error that fails the run.
pub trait Reduced<T> {
    /// It, as a result.
    ///
    /// # Errors
    ///
    /// The reducer's own.
    fn reduced(self) -> Result<T, crate::NodeError>;
}

impl<T: FieldValue> Reduced<T> for T {
    fn reduced(self) -> Result<T, crate::NodeError> {
        Ok(self)
    }
}

impl<T: FieldValue, E: Into<crate::NodeError>> Reduced<T> for Result<T, E> {
    fn reduced(self) -> Result<T, crate::NodeError> {
        self.map_err(Into::into)
    }
}

/// A type whose values can be put behind one another: `#[reducer(append)]`.
#[diagnostic::on_unimplemented(
    message = "`#[reducer(append)]` cannot append to `{Self}`",
    label = "the type of a field that is no list",
    note = "`append` is for `Vec`, `VecDeque` and `String`; make the field one of these, implement \
            `Append` for the type, or name a function by `#[reducer(custom = path)]`"
)]
pub trait Append {
    /// This with `more` behind it.
    fn append(self, more: Self) -> Self;
}

impl<T> Append for Vec<T> {
    fn append(mut self, more: Self) -> Self {
        self.extend(more);
        self
    }
}

impl<T> Append for VecDeque<T> {
    fn append(mut self, more: Self) -> Self {
        self.extend(more);
        self
    }
}

impl Append for String {
    fn append(mut self, more: Self) -> Self {
        self.push_str(&more);
        self
    }
}

/// A type whose values can be added: `#[reducer(sum)]`.
#[diagnostic::on_unimplemented(
    message = "`#[reducer(sum)]` cannot add values of `{Self}`",
    label = "the type of a field that is no number",
    note = "`sum` is for numbers and `Duration`; make the field one of these, implement `Sum` for \
            the type, or name a function by `#[reducer(custom = path)]`, such as `std::ops::Add::add`"
)]
pub trait Sum: Sized {
    /// The sum.
    ///
    /// # Errors
    ///
    /// It is too large for the type.
    fn sum(self, more: Self) -> Result<Self, Error>;
}

macro_rules! sum_checked {
    ($($number:ty),*) => {
        $(impl Sum for $number {
            fn sum(self, more: Self) -> Result<Self, Error> {
                let too_large = || Error::message(format!("{self:?} + {more:?} is too large"));
                self.checked_add(more).ok_or_else(too_large)
            }
        })*
    };
}

sum_checked!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, Duration);

macro_rules! sum_floats {
    ($($number:ty),*) => {
        $(impl Sum for $number {
            fn sum(self, more: Self) -> Result<Self, Error> {
                Ok(self + more)
            }
        })*
    };
}

sum_floats!(f32, f64);

/// A type whose values are sets: `#[reducer(set)]`.
#[diagnostic::on_unimplemented(
    message = "`#[reducer(set)]` cannot unite values of `{Self}`",
    label = "the type of a field that is no set",
    note = "`set` is for `BTreeSet`, `HashSet` and `IndexSet`; make the field one of these, \
            implement `Unite` for the type, or name a function by `#[reducer(custom = path)]`"
)]
pub trait Unite {
    /// What is in this or in `more`.
    fn unite(self, more: Self) -> Self;
}

impl<T: Ord> Unite for BTreeSet<T> {
    fn unite(mut self, more: Self) -> Self {
        self.extend(more);
        self
    }
}

impl<T: Eq + Hash, S: BuildHasher> Unite for HashSet<T, S> {
    fn unite(mut self, more: Self) -> Self {
        self.extend(more);
        self
    }
}

impl<T: Eq + Hash, S: BuildHasher> Unite for IndexSet<T, S> {
    fn unite(mut self, more: Self) -> Self {
        self.extend(more);
        self
    }
}

/// A type whose values hold entries by key: `#[reducer(merge)]`.
#[diagnostic::on_unimplemented(
    message = "`#[reducer(merge)]` cannot merge values of `{Self}`",
    label = "the type of a field that is no map",
    note = "`merge` is for `BTreeMap`, `HashMap` and `IndexMap`; make the field one of these, \
            implement `Merge` for the type, or name a function by `#[reducer(custom = path)]`"
)]
pub trait Merge {
    /// The entries of both; where they have the same key, that of `more`.
    fn merge(self, more: Self) -> Self;
}

impl<K: Ord, V> Merge for BTreeMap<K, V> {
    fn merge(mut self, more: Self) -> Self {
        self.extend(more);
        self
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> Merge for HashMap<K, V, S> {
    fn merge(mut self, more: Self) -> Self {
        self.extend(more);
        self
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> Merge for IndexMap<K, V, S> {
    fn merge(mut self, more: Self) -> Self {
        self.extend(more);
        self
    }
}

/// `#[reducer(append)]`: what is written goes behind what the field holds.
pub fn append<T: Append>(held: T, more: T) -> T {
    held.append(more)
}

/// `#[reducer(sum)]`: what is written is added.
///
/// # Errors
///
/// The sum is too large for the type.
pub fn sum<T: Sum>(held: T, more: T) -> Result<T, Error> {
    held.sum(more)
}

/// `#[reducer(max)]`: the field holds the greatest of what was written. Of what cannot be compared, as
/// a number that is none, it keeps what it holds.
pub fn max<T: PartialOrd>(held: T, more: T) -> T {
    if more > held {
        more
    } else {
        held
    }
}

/// `#[reducer(min)]`: the field holds the least of what was written, as for [`max`].
pub fn min<T: PartialOrd>(held: T, more: T) -> T {
    if more < held {
        more
    } else {
        held
    }
}

/// `#[reducer(set)]`: the field holds all items that were written, each once.
pub fn unite<T: Unite>(held: T, more: T) -> T {
    held.unite(more)
}

/// `#[reducer(merge)]`: the field holds all entries that were written, the last of each key.
pub fn merge<T: Merge>(held: T, more: T) -> T {
    held.merge(more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_that_are_too_large_are_errors() {
        assert_eq!(sum(1_u8, 2).unwrap(), 3);
        assert_eq!(sum(0.5, 0.25).unwrap(), 0.75);
        assert_eq!(sum(200_u8, 100).unwrap_err().to_string(), "200 + 100 is too large");
    }

    #[test]
    fn what_cannot_be_compared_changes_nothing() {
        assert_eq!((max(1.5, f64::NAN), min(1.5, f64::NAN)), (1.5, 1.5));
        assert_eq!((max(1, 2), max(2, 1), min(1, 2), min(2, 1)), (2, 2, 1, 1));
    }

    #[test]
    fn sets_and_maps_keep_what_was_written_last() {
        assert_eq!(
            unite(BTreeSet::from([1, 2]), BTreeSet::from([2, 3])),
            BTreeSet::from([1, 2, 3])
        );
        let merged = merge(BTreeMap::from([("a", 1), ("b", 1)]), BTreeMap::from([("b", 2)]));
        assert_eq!(merged, BTreeMap::from([("a", 1), ("b", 2)]));
    }
}
