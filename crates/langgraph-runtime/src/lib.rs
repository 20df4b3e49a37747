//! Graphs in Rust on the langgraph-rust engine.
//!
//! A [`StateGraph`] is described by its fields, nodes and edges, and compiled to a [`Graph`]. Nodes
//! are closures from a [`State`] to an [`Update`] or a [`Command`]. [`Graph::invoke`] drives a run
//! on the calling thread; with a saver, runs pause, fail and go on where they stood.
//!
//! ```
//! use langgraph_rust_runtime::{Command, Config, Field, Memory, StateGraph, Update, END, START};
//!
//! let graph = StateGraph::new()
//!     .field("draft", Field::Last)
//!     .field("log", Field::append())
//!     .node("write", |_| Ok(Update::new().set("draft", "v1").set("log", "wrote")))
//!     .node("approve", |state| {
//!         let answer = state.interrupt(state.get("draft"))?;
//!         let next = if answer.bool()? { END } else { "write" };
//!         Ok(Command::new().set("log", "asked").goto(next))
//!     })
//!     .edge(START, "write")
//!     .edge("write", "approve")
//!     .compile()?
//!     .with_saver(Memory::new());
//!
//! let config = Config::thread("1");
//! let paused = graph.invoke(Update::new(), &config)?;
//! assert_eq!(paused.interrupts()[0].value, "v1".into());
//! let done = graph.invoke(Command::resume(true), &config)?;
//! assert_eq!(done.get("log"), vec!["wrote", "asked"].into());
//! # Ok::<(), langgraph_rust_runtime::Error>(())
//! ```
//!
//! The engine decides and the driver acts: a driver is one `match` over what [`Run::poll`] says.

mod clock;
mod command;
mod compile;
mod config;
mod drive;
mod error;
mod event;
mod field;
mod graph;
mod input;
mod memory;
mod native;
mod node;
mod perform;
mod run;
mod state;
mod thread;
mod value;

pub use clock::Clock;
pub use command::{Command, Goto, Gotos, Update};
pub use config::{Config, Stops};
pub use error::Error;
pub use event::{Chunk, Event, Interrupt, Output, Status};
pub use field::{Field, Reducer};
pub use graph::{Graph, StateGraph, END, START};
pub use input::Input;
pub use memory::{Memory, Place};
pub use native::{Native, NoForeign};
pub use node::{Node, RetryPolicy};
pub use run::Run;
pub use state::{Failed, State};
pub use thread::{Snapshot, SnapshotTask};
pub use value::{Map, Value};
