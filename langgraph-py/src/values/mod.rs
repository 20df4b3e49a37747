//! What Python objects are to the engine: its values, reducers, channels, versions and errors.
//!
//! In come objects, out come the engine's words, and back. Nothing here knows graphs or runs.

pub mod channels;
pub mod domain;
pub mod env;
pub mod errors;
pub mod path;
pub mod reducer;
pub mod texts;
pub mod version;
