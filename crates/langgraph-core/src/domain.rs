use std::borrow::Cow;

use crate::Fault;

/// What the engine needs to know about values. Everything else about them is the driver's.
///
/// `Cx` is permission for one call: `Python<'py>`, or `()` for native values. It comes first in
/// every signature and is never stored. Values at rest are only [`Send`]: no `Clone`, `Eq` or
/// `Hash`, because on Python objects these can fail or run code.
pub trait Domain: Sized + 'static {
    /// A value at rest between calls.
    type Value: Send + Sync;
    /// Permission to touch values.
    type Cx<'a>: Copy;
    /// Why an operation on values failed.
    type Error: Send;
    /// Combines a channel's value with a write (channels with a reducer).
    type Reducer: Send + Sync;
    /// A channel kind that the engine does not know.
    type Foreign: ForeignChannel<Self>;

    /// A second handle on the same value. Must be cheap.
    fn copy(cx: Self::Cx<'_>, value: &Self::Value) -> Self::Value;

    /// A channel's value, for a reducer to make the next one of. Domains whose reducers change a value in
    /// place if nobody else holds it take it out; if the reducer fails, it is lost (channels with a
    /// reducer).
    fn held(cx: Self::Cx<'_>, value: &mut Option<Self::Value>) -> Option<Self::Value> {
        value.as_ref().map(|value| Self::copy(cx, value))
    }

    /// The value a channel with this reducer starts from, made anew for each channel, or `None` if
    /// the first write is to be taken as it is.
    fn initial(cx: Self::Cx<'_>, reducer: &Self::Reducer) -> Option<Self::Value>;

    /// Folds `writes` into `left`, in order (channels with a reducer).
    fn reduce(
        cx: Self::Cx<'_>,
        reducer: &Self::Reducer,
        left: Self::Value,
        writes: Vec<Self::Value>,
    ) -> Result<Self::Value, Self::Error>;

    /// The value inside an overwrite, if `value` is one (channels with a reducer).
    fn overwrite(cx: Self::Cx<'_>, value: &Self::Value) -> Option<Self::Value>;

    /// The value as one of its own, for a reducer that changes what it is given (delta channels).
    fn fresh(cx: Self::Cx<'_>, value: &Self::Value) -> Result<Self::Value, Self::Error> {
        Ok(Self::copy(cx, value))
    }

    /// Whether the value is [`Domain::unit`] (delta channels: to overwrite with that is to empty).
    fn is_unit(_cx: Self::Cx<'_>, _value: &Self::Value) -> bool {
        false
    }

    /// The error with a note: where it happened, which whoever made it did not know.
    fn noted(_cx: Self::Cx<'_>, error: Self::Error, _note: &str) -> Self::Error {
        error
    }

    /// What a write becomes before it is stored, applied or cached: complete, so that replaying it
    /// gives the same whenever that is done (delta channels).
    fn admit(
        _cx: Self::Cx<'_>,
        _reducer: &Self::Reducer,
        value: Self::Value,
    ) -> Result<Self::Value, Self::Error> {
        Ok(value)
    }

    /// How many items the value has, as a measure of what it takes to store it; 0 if it is none that
    /// could be long (channels that are stored as changes).
    fn size(_cx: Self::Cx<'_>, _value: &Self::Value) -> usize {
        0
    }

    /// The value as a name, if it is one (barriers).
    fn label<'v>(cx: Self::Cx<'_>, value: &'v Self::Value) -> Option<Cow<'v, str>>;

    /// How an error message shows the value (barriers).
    fn show(cx: Self::Cx<'_>, value: &Self::Value) -> String;

    /// The value that means "nothing": what an open barrier reads as.
    fn unit(cx: Self::Cx<'_>) -> Self::Value;

    /// A name as a value: the failed node, for its error handler.
    fn name(cx: Self::Cx<'_>, name: &str) -> Self::Value;

    /// A list of values (topics).
    fn list(cx: Self::Cx<'_>, values: Vec<Self::Value>) -> Self::Value;

    /// The items of a list, or `None` if `value` is no list (topics).
    fn items(cx: Self::Cx<'_>, value: &Self::Value) -> Option<Vec<Self::Value>>;
}

/// A channel that somebody else implements: in Python, a subclass of `BaseChannel`.
pub trait ForeignChannel<D: Domain>: Send + Sized {
    /// The current value, or `None` while the channel is empty.
    fn get(&self, cx: D::Cx<'_>) -> Result<Option<D::Value>, D::Error>;
    /// Whether the channel has a value to read.
    fn is_available(&self, cx: D::Cx<'_>) -> Result<bool, D::Error>;
    /// Applies a superstep's writes, maybe none; returns whether the channel changed.
    fn update(&mut self, cx: D::Cx<'_>, values: Vec<D::Value>) -> Result<bool, Fault<D>>;
    /// A task that the channel triggers ran; returns whether the channel changed.
    fn consume(&mut self, cx: D::Cx<'_>) -> Result<bool, D::Error>;
    /// The run is about to end; returns whether the channel changed.
    fn finish(&mut self, cx: D::Cx<'_>) -> Result<bool, D::Error>;
    /// What storage keeps, or `None` if it keeps nothing.
    fn checkpoint(&self, cx: D::Cx<'_>) -> Result<Option<D::Value>, D::Error>;
    /// A fresh channel of the same kind with the stored value.
    fn restore(&self, cx: D::Cx<'_>, stored: Option<D::Value>) -> Result<Self, D::Error>;
    /// An independent copy, for a read that applies writes of its own.
    fn duplicate(&self, cx: D::Cx<'_>) -> Result<Self, D::Error>;
}
