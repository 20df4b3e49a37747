//! The superstep engine, without I/O.
//!
//! The engine never waits, sleeps, spawns, reads a clock, draws randomness, logs, calls a node or
//! touches storage. A driver tells it what happened and asks what to do:
//!
//! ```text
//! let mut engine = Engine::new(plan, options);
//! engine.start(cx, env, loaded, input)?;
//! loop {
//!     match engine.poll(cx, env)? {
//!         Effect::RunTask(task)            => run it, then engine.task_finished(cx, task, outcome),
//!         Effect::CancelTask(task)         => stop it if that is possible,
//!         Effect::LookUpCache(tasks)       => engine.cache_answered(cx, found),
//!         Effect::PersistWrites(writes)    => store, then engine.persisted(ticket),
//!         Effect::PersistCheckpoint(put)   => store, then engine.persisted(ticket),
//!         Effect::Emit(event)              => show it to whoever listens,
//!         Effect::Wait(reason)             => wait for one of the above to happen,
//!         Effect::Finish(outcome)          => return it,
//!     }
//! }
//! ```
//!
//! After each input, poll until [`Effect::Wait`] or [`Effect::Finish`]. One owner at a time.
//! Inputs may be given between polls; an event must be shown before the next input is given,
//! because events say *what* changed and the engine is read for the values.

mod apply;
mod effect;
mod engine;
mod env;
mod interrupt;
mod options;
mod persist;
mod plan;
mod prepare;
mod scratch;
mod seen;
mod start;
mod state;
mod superstep;
mod task;
#[cfg(test)]
mod toy;
mod traverse;

pub use effect::{CheckpointToStore, Effect, End, Outcome, RunEvent, WaitReason, WritesToStore};
pub use engine::Engine;
pub use env::Env;
pub use interrupt::{InterruptAt, Pause};
pub use options::{Emits, Loaded, Options};
pub use persist::Ticket;
pub use plan::{ChannelSpec, NodeSpec, Plan, PlanError};
pub use seen::Reader;
pub use start::{Resumes, RunInput, Start, StartError, Started, Surroundings};
pub use state::{TaskWrites, ThreadState};
pub use task::{Failure, Retry, Task, TaskKey, TaskOutcome, TaskState};
