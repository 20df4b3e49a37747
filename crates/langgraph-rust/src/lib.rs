#![cfg_attr(feature = "sqlite", doc = include_str!("../README.md"))]
#![cfg_attr(not(feature = "sqlite"), doc = "LangGraph in Rust: see the README.")]

#[cfg(feature = "derive")]
pub use langgraph_rust_derive::{Input, State};
#[cfg(feature = "postgres")]
pub use langgraph_rust_postgres as postgres;
pub use langgraph_rust_runtime::*;
#[cfg(feature = "sqlite")]
pub use langgraph_rust_sqlite as sqlite;

// They are not in the published crate, and need what its features add.
#[cfg(all(doctest, feature = "sqlite"))]
mod pages;

/// What most graphs need: `use langgraph_rust::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Command, Config, Dynamic, Event, Field, Goto, Graph, Input, Memory, Message, Mode, Node,
        NodeError, NodeResult, Overwrite, RetryPolicy, RunControl, Runtime, State, StateGraph,
        Status, Update, Value, END, START,
    };
    #[cfg(feature = "postgres")]
    pub use langgraph_rust_postgres::Postgres;
    #[cfg(feature = "sqlite")]
    pub use langgraph_rust_sqlite::Sqlite;
}
