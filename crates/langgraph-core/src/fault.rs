use std::fmt;
use std::sync::Arc;

use crate::Domain;

/// What can go wrong inside the engine.
pub enum Fault<D: Domain> {
    /// Writes that a channel does not accept.
    InvalidUpdate(InvalidUpdate),
    /// Channels whose stored value is in the history of the thread.
    MissingHistory(MissingHistory),
    /// Tasks that were neither finished nor failed when nothing was left to wait for.
    UnfinishedTasks(UnfinishedTasks),
    /// The domain's own error: a reducer failed, a user's channel raised.
    Domain(D::Error),
}

/// An update that breaks a channel's rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidUpdate {
    /// What happened, naming the channel and the way out.
    pub message: String,
    /// The documented error code, if the error has one.
    pub code: Option<UpdateCode>,
}

/// Channels that have been written, but of which the checkpoint holds no value: it must be rebuilt
/// from what the thread's earlier checkpoints and their writes hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingHistory {
    /// The channels' names.
    pub names: Vec<Arc<str>>,
}

impl fmt::Display for MissingHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "The checkpoint does not hold the values of these channels, though they have been \
             written: {}. They are in the writes of earlier checkpoints. Load the thread through a \
             saver that keeps those, or store its state anew where the values are known.",
            self.names.join(", ")
        )
    }
}

/// Tasks that neither finished nor failed, so that their superstep can never end. A driver has lost
/// them, or stopped them unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedTasks {
    /// Their nodes' or functions' names.
    pub names: Vec<Arc<str>>,
}

impl fmt::Display for UnfinishedTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "These tasks ended without a result or an error, so the superstep cannot end: {}. They \
             run again when the run is resumed.",
            self.names.join(", ")
        )
    }
}

/// The documented codes of invalid updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateCode {
    /// Several writes where one is allowed.
    ConcurrentUpdate,
}

impl<D: Domain> Fault<D> {
    /// The fault with a note, if it is an error of the domain's; the others say all that they know.
    pub fn noted(self, cx: D::Cx<'_>, note: impl FnOnce() -> String) -> Self {
        match self {
            Fault::Domain(error) => Fault::Domain(D::noted(cx, error, &note())),
            other => other,
        }
    }
}

impl InvalidUpdate {
    /// An invalid update without a documented code.
    pub fn new(message: String) -> Self {
        Self { message, code: None }
    }

    /// Several writes where one is allowed.
    pub fn concurrent(message: String) -> Self {
        Self { message, code: Some(UpdateCode::ConcurrentUpdate) }
    }
}

impl<D: Domain> From<InvalidUpdate> for Fault<D> {
    fn from(error: InvalidUpdate) -> Self {
        Fault::InvalidUpdate(error)
    }
}

impl<D: Domain> From<MissingHistory> for Fault<D> {
    fn from(history: MissingHistory) -> Self {
        Fault::MissingHistory(history)
    }
}

impl<D: Domain> From<UnfinishedTasks> for Fault<D> {
    fn from(tasks: UnfinishedTasks) -> Self {
        Fault::UnfinishedTasks(tasks)
    }
}

impl<D: Domain> fmt::Debug for Fault<D>
where
    D::Error: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::InvalidUpdate(error) => f.debug_tuple("InvalidUpdate").field(error).finish(),
            Fault::MissingHistory(history) => {
                f.debug_tuple("MissingHistory").field(history).finish()
            }
            Fault::UnfinishedTasks(tasks) => f.debug_tuple("UnfinishedTasks").field(tasks).finish(),
            Fault::Domain(error) => f.debug_tuple("Domain").field(error).finish(),
        }
    }
}
