//! Graphs in Rust on the langgraph-rust engine, async on Tokio.
//!
//! A [`StateGraph`] is described by its fields, nodes and edges, and compiled to a [`Graph`]. Nodes
//! are functions from the state to an [`Update`] or a [`Command`], async or not. [`Graph::invoke`]
//! runs it; with a saver, runs pause, fail and go on where they stood.
//!
//! ```
//! use langgraph_rust_runtime::{
//!     Command, Config, Dynamic, Field, Memory, Runtime, StateGraph, Update, END, START,
//! };
//!
//! let graph = StateGraph::<Dynamic>::new()
//!     .field("draft", Field::Last)
//!     .field("log", Field::append())
//!     .node("write", |_: &()| Ok(Update::new().set("draft", "v1").set("log", "wrote")))
//!     .node("approve", |state: &Dynamic, runtime: &Runtime| {
//!         let answer = runtime.interrupt(state.get("draft"))?;
//!         let next = if answer.bool()? { END } else { "write" };
//!         Ok(Command::new().set("log", "asked").goto(next))
//!     })
//!     .edge(START, "write")
//!     .edge("write", "approve")
//!     .compile()?
//!     .with_saver(Memory::new());
//!
//! let config = Config::thread("1");
//! let paused = graph.blocking().invoke(Update::new(), &config)?;
//! assert_eq!(paused.interrupts()[0].value, "v1".into());
//! let done = graph.blocking().invoke(Command::resume(true), &config)?;
//! assert_eq!(done.get("log"), vec!["wrote", "asked"].into());
//! # Ok::<(), langgraph_rust_runtime::Error>(())
//! ```
//!
//! The engine decides and the driver acts: a driver is one `match` over what [`Run::poll`] says.

pub mod cache;
mod drive;
mod error;
mod graph;
pub mod message;
mod run;
pub mod saver;
mod state;
pub mod store;
mod thread;
mod trace;
mod value;

pub use langgraph_rust_checkpoint::wire::StoredValue;
pub use langgraph_rust_core::{CheckpointId, Durability, InvalidUpdate, RetryDelay, TaskId};

pub use cache::{CachePolicy, MemoryCache};
pub use drive::{block_on, Blocking, Chunks, RunStream};
pub use error::{Cause, Error, NodeError};
pub use graph::{
    shape, AnyGraph, BoxFuture, Command, Function, Goto, Gotos, Graph, Node, NodeFunction,
    NodeResult, Persistence, RetryPolicy, StateGraph, Update, END, START,
};
pub use message::{
    add_messages, Message, MessageKind, MessagesState, ToolCall, REMOVE_ALL_MESSAGES,
};
pub use run::{
    Begun, Chunk, Clock, Config, Ended, Event, Failed, GraphInput, Interrupt, Mode, Modes, Output,
    Performing, Run, RunControl, Runtime, Status, Stops,
};
pub use saver::{Memory, Place};
pub use state::{
    reducers, Dynamic, Field, FieldSpec, FieldWrite, Input, IntoItems, IntoOptional, Native,
    NoForeign, Overwrite, Reducer, State, TaskInput,
};
pub use store::{MemoryStore, Store};
pub use thread::{HistoryQuery, Snapshot, SnapshotTask, StateUpdate, COPY, INPUT};
pub use value::{FieldValue, Map, TypedValue, Value};

/// What the code that `#[derive(State)]` and `#[derive(Input)]` generate calls; may change with any
/// release.
#[doc(hidden)]
pub use state::support as __derive;
