#![doc = include_str!("../README.md")]

#[cfg(feature = "derive")]
pub use langgraph_rust_derive::{Input, State};
pub use langgraph_rust_runtime::*;
#[cfg(feature = "sqlite")]
pub use langgraph_rust_sqlite as sqlite;
#[cfg(feature = "sqlite")]
pub use langgraph_rust_sqlite::Sqlite;

/// What most graphs need: `use langgraph_rust::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Command, Config, Goto, Graph, Input, Memory, Mode, Node, NodeError, NodeResult, Overwrite,
        RetryPolicy, Runtime, State, StateGraph, Update, Value, END, START,
    };
}
