//! The words that every crate of langgraph-rust speaks: indices into a plan, ids, versions, task
//! paths, writes, and [`Domain`], the narrow door through which values enter the engine.
//!
//! Types and pure functions only. Nothing here schedules, stores, waits or knows what a value is.

mod domain;
mod fault;
mod held;
mod id;
mod index;
pub mod names;
mod path;
mod policy;
mod time;
mod version;
mod write;

pub use domain::{Domain, ForeignChannel};
pub use fault::{Fault, InvalidUpdate, MissingHistory, UnfinishedTasks, UpdateCode};
pub use held::Held;
pub use id::{interrupt_id, uuid_text, CheckpointId, IdHash, TaskId};
pub use index::{ChannelIndex, NodeIndex};
pub use path::TaskPath;
pub use policy::{Durability, RetryDelay};
pub use time::{iso8601, uuid6, uuid_ticks};
pub use version::Version;
pub use write::{Control, PacketTarget, Target, Write};
