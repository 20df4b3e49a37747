use std::fmt;

use langgraph_rust_core::{Fault, InvalidUpdate};
use langgraph_rust_pregel::PlanError;

use crate::{Command, Native, Value};

/// Why a node, a reducer or a run failed, or a graph could not be made.
#[derive(Clone, Debug, PartialEq)]
pub enum Error {
    /// What a node or a reducer says.
    Message(String),
    /// Not a failure: the node was interrupted with this value. Made by
    /// [`State::interrupt`](crate::State::interrupt) and passed on with `?`.
    Interrupt(Value),
    /// Not a failure: a command for the graph around this one. Made of a command with
    /// [`Command::parent`], and an error only if there is no graph around.
    Parent(Box<Command>),
    /// Not a failure: a graph that is a node stopped, with these interrupts; none if it stopped at
    /// one of its nodes because it was told to.
    Paused(Vec<Value>),
    /// Writes that a field does not accept.
    InvalidUpdate(InvalidUpdate),
    /// The run needed more supersteps than its limit.
    RecursionLimit(u64),
    /// Neither input nor a thread to go on with.
    EmptyInput,
    /// A command that commands nothing.
    EmptyCommand,
    /// A resume value without an id, but several interrupts are open: give their ids.
    AmbiguousResume,
    /// The graph has no saver, so it has no threads.
    NoSaver,
    /// The graph has no such node.
    UnknownNode(String),
    /// The graph has no such field.
    UnknownField(String),
    /// The graph cannot be compiled.
    Build(String),
    /// The run was cancelled.
    Cancelled,
}

impl Error {
    /// A failure with a message.
    pub fn message(text: impl Into<String>) -> Self {
        Error::Message(text.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Message(text) => f.write_str(text),
            Error::Interrupt(value) => write!(f, "interrupted with {value}"),
            Error::Parent(_) => f.write_str("There is no parent graph"),
            Error::Paused(_) => f.write_str("a graph inside this one is waiting"),
            Error::InvalidUpdate(error) => f.write_str(&error.message),
            Error::RecursionLimit(limit) => {
                write!(f, "Recursion limit of {limit} reached without hitting a stop condition")
            }
            Error::EmptyInput => f.write_str("no input, and no thread to go on with"),
            Error::EmptyCommand => f.write_str("the command neither writes nor resumes"),
            Error::AmbiguousResume => f.write_str(
                "When there are multiple pending interrupts, you must specify the interrupt id \
                 when resuming.",
            ),
            Error::NoSaver => f.write_str("the graph was compiled without a saver"),
            Error::UnknownNode(name) => write!(f, "the graph has no node '{name}'"),
            Error::UnknownField(name) => write!(f, "the graph has no field '{name}'"),
            Error::Build(text) => f.write_str(text),
            Error::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl std::error::Error for Error {}

impl From<&str> for Error {
    fn from(text: &str) -> Self {
        Error::message(text)
    }
}

impl From<String> for Error {
    fn from(text: String) -> Self {
        Error::Message(text)
    }
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        Error::Build(error.to_string())
    }
}

impl From<Fault<Native>> for Error {
    fn from(fault: Fault<Native>) -> Self {
        match fault {
            Fault::InvalidUpdate(error) => Error::InvalidUpdate(error),
            Fault::MissingHistory(history) => Error::Message(history.to_string()),
            Fault::UnfinishedTasks(tasks) => Error::Message(tasks.to_string()),
            Fault::Domain(error) => error,
        }
    }
}
