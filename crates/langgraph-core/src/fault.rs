use std::fmt;
use std::sync::Arc;

use crate::Domain;

/// What can go wrong inside the engine.
pub enum Fault<D: Domain> {
    /// Writes that a channel does not accept.
    InvalidUpdate(InvalidUpdate),
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
            Fault::UnfinishedTasks(tasks) => f.debug_tuple("UnfinishedTasks").field(tasks).finish(),
            Fault::Domain(error) => f.debug_tuple("Domain").field(error).finish(),
        }
    }
}
