//! Savers, caches, and a thread's state outside of runs.
//!
//! In come the engine's words for what is stored; out come calls of savers and caches, to be made
//! by whoever drives. Nothing here decides what is stored or when.

pub mod cache;
pub mod linear;
pub mod metadata;
pub mod save;
pub mod state_view;
pub mod stored;
