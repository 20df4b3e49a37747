//! What update types hold, and what their methods take.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

use indexmap::{IndexMap, IndexSet};

/// Written to a field with a reducer, replaces its value instead of being folded into it:
/// `State::update().log(Overwrite(vec![]))`. In a superstep there may be one for a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overwrite<T>(pub T);

/// What is written to a field with a reducer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldWrite<T> {
    /// Is folded into what the field holds.
    Fold(T),
    /// Replaces what the field holds.
    Overwrite(T),
}

impl<T> From<T> for FieldWrite<T> {
    fn from(value: T) -> Self {
        FieldWrite::Fold(value)
    }
}

impl<T> From<Overwrite<T>> for FieldWrite<T> {
    fn from(overwrite: Overwrite<T>) -> Self {
        FieldWrite::Overwrite(overwrite.0)
    }
}

/// What can be written to a list, set, map or text that has a reducer: anything that gives its items,
/// or an [`Overwrite`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` gives no items for a field of type `{T}`",
    label = "neither items nor an `Overwrite`",
    note = "one item is written as `[item]`; what replaces the field's value as `Overwrite(value)`"
)]
pub trait IntoItems<T> {
    /// The write.
    fn into_items(self) -> FieldWrite<T>;
}

impl<T> IntoItems<T> for Overwrite<T> {
    fn into_items(self) -> FieldWrite<T> {
        self.into()
    }
}

impl<T: Into<String>> IntoItems<String> for T {
    fn into_items(self) -> FieldWrite<String> {
        FieldWrite::Fold(self.into())
    }
}

macro_rules! into_items {
    ($($list:ident < $item:ident $(: $bound:path)? $(, $more:ident : $other:ident)? >),* $(,)?) => {
        $(impl<$item, I, $($more)?> IntoItems<$list<$item $(, $more)?>> for I
        where
            I: IntoIterator,
            I::Item: Into<$item>,
            $($item: $bound,)?
            $($item: Eq + Hash, $more: $other + Default,)?
        {
            fn into_items(self) -> FieldWrite<$list<$item $(, $more)?>> {
                FieldWrite::Fold(self.into_iter().map(Into::into).collect())
            }
        })*
    };
}

into_items!(
    Vec<T>,
    VecDeque<T>,
    BTreeSet<T: Ord>,
    HashSet<T, S: BuildHasher>,
    IndexSet<T, S: BuildHasher>,
);

macro_rules! into_entries {
    ($($map:ident < $key:ident $(: $bound:path)? , $value:ident $(, $more:ident)? >),* $(,)?) => {
        $(impl<$key, $value, A, B, I, $($more)?> IntoItems<$map<$key, $value $(, $more)?>> for I
        where
            I: IntoIterator<Item = (A, B)>,
            A: Into<$key>,
            B: Into<$value>,
            $($key: $bound,)?
            $($key: Eq + Hash, $more: BuildHasher + Default,)?
        {
            fn into_items(self) -> FieldWrite<$map<$key, $value $(, $more)?>> {
                let entries = self.into_iter().map(|(key, value)| (key.into(), value.into()));
                FieldWrite::Fold(entries.collect())
            }
        })*
    };
}

into_entries!(BTreeMap<K: Ord, V>, HashMap<K, V, S>, IndexMap<K, V, S>);

/// What can be written to a field that may hold a `T` or nothing: a `T`, an `Option<T>`; for text a
/// `&str` as well.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no value for a field of type `Option<{T}>`",
    label = "neither a `{T}` nor an `Option<{T}>`"
)]
pub trait IntoOptional<T> {
    /// The value, if there is one.
    fn into_optional(self) -> Option<T>;
}

impl<T> IntoOptional<T> for T {
    fn into_optional(self) -> Option<T> {
        Some(self)
    }
}

impl<T> IntoOptional<T> for Option<T> {
    fn into_optional(self) -> Option<T> {
        self
    }
}

impl IntoOptional<String> for &str {
    fn into_optional(self) -> Option<String> {
        Some(self.into())
    }
}

impl IntoOptional<String> for &String {
    fn into_optional(self) -> Option<String> {
        Some(self.clone())
    }
}
