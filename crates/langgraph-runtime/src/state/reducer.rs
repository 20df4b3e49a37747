use std::sync::Arc;

use super::reducers::Reduced;
use crate::error::caught;
use crate::{Error, FieldValue, NodeError, Value};

type Fold = dyn Fn(Value, Value) -> Result<Value, NodeError> + Send + Sync;
type Admit = dyn Fn(Value) -> Result<Value, NodeError> + Send + Sync;
type Read = fn(Value) -> Result<Value, Error>;

/// Folds a write into the value of a field.
#[derive(Clone)]
pub struct Reducer {
    initial: Option<Value>,
    fold: Arc<Fold>,
    /// The field that it is of, for errors.
    field: Option<Arc<str>>,
    admit: Option<Arc<Admit>>,
    read: Option<Read>,
}

impl Reducer {
    /// A reducer for a field that starts from its first write.
    pub fn new(
        fold: impl Fn(Value, Value) -> Result<Value, NodeError> + Send + Sync + 'static,
    ) -> Self {
        Self { initial: None, fold: Arc::new(fold), field: None, admit: None, read: None }
    }

    /// A reducer of values of a type of one's own, for a field that starts from the type's default.
    /// `fold` is given what the field holds and what is written; see [`reducers`](crate::reducers) for
    /// those that `#[derive(State)]` knows by name.
    pub fn typed<T: FieldValue + Default, R: Reduced<T>>(
        fold: impl Fn(T, T) -> R + Send + Sync + 'static,
    ) -> Self {
        Self::typed_bare(fold).starting_from(Value::typed(T::default()))
    }

    /// The same, for a field that starts from its first write.
    pub fn typed_bare<T: FieldValue, R: Reduced<T>>(
        fold: impl Fn(T, T) -> R + Send + Sync + 'static,
    ) -> Self {
        Self::new(move |left, right| {
            let (left, right) = (left.into_typed::<T>()?, right.into_typed::<T>()?);
            Ok(Value::typed(fold(left, right).reduced()?))
        })
    }

    /// The same reducer for a field that starts from `value`.
    pub fn starting_from(self, value: impl Into<Value>) -> Self {
        Self { initial: Some(value.into()), ..self }
    }

    /// The same reducer for a field whose writes are made complete by `admit`, where one is folded more
    /// than once, so that it gives the same each time: in a [`Field::Delta`](crate::Field::Delta)
    /// before it is stored, and in any field before a branch is shown what was written.
    pub fn admitting(
        self,
        admit: impl Fn(Value) -> Result<Value, NodeError> + Send + Sync + 'static,
    ) -> Self {
        Self { admit: Some(Arc::new(admit)), ..self }
    }

    /// The same reducer for a field of a type of one's own whose values and writes are read by `read`, not as
    /// that type reads: they may have more forms, such as a single item of a list.
    pub fn reading(self, read: fn(Value) -> Result<Value, Error>) -> Self {
        Self { read: Some(read), ..self }
    }

    /// Adds numbers, from 0.
    pub fn sum() -> Self {
        Self::new(|left, right| match (&left, &right) {
            (Value::Int(a), Value::Int(b)) => match a.checked_add(*b) {
                Some(sum) => Ok(Value::Int(sum)),
                None => Err(Error::message(format!("{a} + {b} is too large")).into()),
            },
            _ => Ok(Value::Float(left.float()? + right.float()?)),
        })
        .starting_from(0)
    }

    /// Appends a list's items, or a value by itself, to a list.
    pub fn append() -> Self {
        Self::new(|left, right| {
            let mut list = match left {
                Value::List(items) => items,
                other => return Err(Error::Unfit(format!("{other} is no list")).into()),
            };
            let items = Arc::make_mut(&mut list);
            match right {
                Value::List(more) => items.extend(more.iter().cloned()),
                value => items.push(value),
            }
            Ok(Value::List(list))
        })
        .starting_from(Value::List(Arc::new(Vec::new())))
    }

    pub(crate) fn initial(&self) -> Option<&Value> {
        self.initial.as_ref()
    }

    /// How values and writes are read, if not as the field's type.
    pub(crate) fn reader(&self) -> Option<Read> {
        self.read
    }

    pub(crate) fn admit(&self, write: Value) -> Result<Value, NodeError> {
        match &self.admit {
            Some(admit) => admit(write),
            None => Ok(write),
        }
    }

    pub(crate) fn fold(&self, left: Value, write: Value) -> Result<Value, NodeError> {
        caught(|| (self.fold)(left, write)).map_err(|error| match &self.field {
            Some(field) => Error::from(error).in_field(field).into(),
            None => error,
        })
    }

    /// The same reducer, of the field `name`.
    pub(crate) fn of(self, name: &Arc<str>) -> Self {
        Self { field: Some(name.clone()), ..self }
    }
}

impl std::fmt::Debug for Reducer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reducer").field("initial", &self.initial).finish_non_exhaustive()
    }
}
