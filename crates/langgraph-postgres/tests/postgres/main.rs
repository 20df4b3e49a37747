//! The saver on a server, which `LANGGRAPH_RUST_POSTGRES` names: `make test-rust-postgres` starts
//! one. Without it, these tests are skipped.

mod conformance;
mod continuity;
mod dropped;
mod graphs;
mod round_trips;
mod server;
mod setup;
mod stored;
mod stores;
