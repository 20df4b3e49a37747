//! The pages of the documentation for Rust, whose programs are tests.

#[doc = include_str!("../../../docs/rust/index.md")]
mod index {}
#[doc = include_str!("../../../docs/rust/nodes.md")]
mod nodes {}
#[doc = include_str!("../../../docs/rust/running.md")]
mod running {}
#[doc = include_str!("../../../docs/rust/state.md")]
mod state {}
#[doc = include_str!("../../../docs/rust/threads.md")]
mod threads {}
