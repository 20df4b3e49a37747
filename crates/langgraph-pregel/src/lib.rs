//! The superstep engine, without I/O.
//!
//! The engine never waits, sleeps, spawns, reads a clock, draws randomness, logs, calls a node or
//! touches storage. A driver asks it what to do ([`Engine::poll`]), does that, and tells it what
//! happened. This one performs each effect on the spot, and stores nothing but the ids:
//!
//! ```
//! # use std::borrow::Cow;
//! # use std::sync::Arc;
//! # use langgraph_rust_channels::{Aggregate, Channel, Ephemeral};
//! # use langgraph_rust_core::*;
//! # use langgraph_rust_pregel::*;
//! # struct Words;
//! # impl Domain for Words {
//! #     type Value = String;
//! #     type Cx<'a> = ();
//! #     type Error = String;
//! #     type Reducer = ();
//! #     type Foreign = Nothing;
//! #     fn copy((): (), value: &String) -> String { value.clone() }
//! #     fn initial((): (), (): &()) -> Option<String> { None }
//! #     fn reduce((): (), (): &(), left: String, writes: Vec<String>) -> Result<String, String> {
//! #         Ok(writes.iter().fold(left, |text, word| text + " " + word))
//! #     }
//! #     fn overwrite((): (), _: &String) -> Option<String> { None }
//! #     fn label<'v>((): (), value: &'v String) -> Option<Cow<'v, str>> { Some(value.into()) }
//! #     fn show((): (), value: &String) -> String { value.clone() }
//! #     fn unit((): ()) -> String { String::new() }
//! #     fn name((): (), name: &str) -> String { name.into() }
//! #     fn list((): (), values: Vec<String>) -> String { values.join(" ") }
//! #     fn items((): (), _: &String) -> Option<Vec<String>> { None }
//! # }
//! # enum Nothing {}
//! # impl ForeignChannel<Words> for Nothing {
//! #     fn get(&self, (): ()) -> Result<Option<String>, String> { match *self {} }
//! #     fn is_available(&self, (): ()) -> Result<bool, String> { match *self {} }
//! #     fn update(&mut self, (): (), _: Vec<String>) -> Result<bool, Fault<Words>> { match *self {} }
//! #     fn consume(&mut self, (): ()) -> Result<bool, String> { match *self {} }
//! #     fn finish(&mut self, (): ()) -> Result<bool, String> { match *self {} }
//! #     fn checkpoint(&self, (): ()) -> Result<Option<String>, String> { match *self {} }
//! #     fn restore(&self, (): (), _: Option<String>) -> Result<Self, String> { match *self {} }
//! #     fn duplicate(&self, (): ()) -> Result<Self, String> { match *self {} }
//! # }
//! # struct Counter(i64);
//! # impl Env<Words> for Counter {
//! #     fn next_version(&mut self, _: Option<&Version>) -> Result<Version, String> {
//! #         self.0 += 1;
//! #         Ok(Version::Int(self.0))
//! #     }
//! #     fn checkpoint_id(&mut self, _: i64) -> CheckpointId {
//! #         self.0 += 1;
//! #         CheckpointId::from_bits(self.0 as u128)
//! #     }
//! #     fn now(&mut self) -> Arc<str> { "now".into() }
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut env = Counter(0);
//! // A channel that collects words, and for each node one that starts it.
//! let [text, to_hello, to_world] = [0, 1, 2].map(ChannelIndex::new);
//! let started = || Channel::Ephemeral(Ephemeral::new(None, false));
//! let words = Channel::Aggregate(Aggregate::new((), Arc::new(())));
//! let channels = [("text", words), ("to:hello", started()), ("to:world", started())];
//! let channels = channels.map(|(name, pattern)| ChannelSpec { name: name.into(), pattern });
//! let nodes = [NodeSpec::new("hello", vec![to_hello]), NodeSpec::new("world", vec![to_world])];
//! let plan = Arc::new(Plan::<Words>::new(channels.into(), nodes.into())?);
//!
//! let start = Start {
//!     plan,
//!     options: Options { persists: true, output: vec![text], ..Options::default() },
//!     loaded: Loaded::unbegun(env.checkpoint_id(-2)),
//!     input: RunInput::Writes(vec![Write::channel(to_hello, String::new())]),
//!     surroundings: Surroundings::default(),
//! };
//! let Ok((mut engine, _)) = Engine::start((), &mut env, start) else { panic!("no input") };
//!
//! let mut stored = Vec::new();
//! let outcome = loop {
//!     match engine.poll((), &mut env) {
//!         Effect::RunTask { task, .. } => {
//!             let name = engine.task(task).map_or("", |task| &task.name).to_string();
//!             let mut writes = vec![Write::channel(text, name.clone())];
//!             if name == "hello" {
//!                 writes.push(Write::channel(to_world, String::new()));
//!             }
//!             engine.task_finished((), task, TaskOutcome::Finished(writes));
//!         }
//!         Effect::CancelTask(task) => engine.task_finished((), task, TaskOutcome::Cancelled(None)),
//!         Effect::LookUpCache(_) => engine.cache_answered((), Vec::new()),
//!         Effect::PersistWrites(writes) => engine.persisted(writes.ticket),
//!         Effect::PersistCheckpoint(put) => {
//!             engine.persisted(put.ticket);
//!             stored.push(put.checkpoint.id);
//!         }
//!         Effect::Emit(event) => println!("{event:?}"),
//!         Effect::Wait(reason) => panic!("nothing is under way: {reason:?}"),
//!         Effect::Finish(outcome) => break outcome,
//!     }
//! };
//! assert!(matches!(outcome, Outcome::Done));
//! let Ok(said) = engine.state().read((), text) else { panic!("the text can be read") };
//! assert_eq!(said.as_deref(), Some("hello world"));
//! assert_eq!(stored.len(), 3); // the input and two supersteps
//! # Ok(())
//! # }
//! ```
//!
//! After each input, poll until [`Effect::Wait`] or [`Effect::Finish`]. One owner at a time. Inputs
//! may be given between polls; an event must be shown before the next input is given, because
//! events say *what* changed and the engine is read for the values.
//!
//! [`Engine`] lists what goes in, what comes out and what can be read. `docs/contributing/drivers.md`
//! says more.

mod apply;
mod bumps;
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
mod undo;

pub use effect::{CheckpointToStore, Effect, End, Outcome, RunEvent, WaitReason, WritesToStore};
pub use engine::{overwritten, Engine};
pub use env::Env;
pub use interrupt::{InterruptAt, Pause};
pub use options::{Emits, Loaded, Options};
pub use persist::Ticket;
pub use plan::{ChannelSpec, NodeSpec, Plan, PlanError};
pub use seen::Reader;
pub use start::{Resumes, RunInput, Start, StartError, Started, Surroundings};
pub use state::{TaskWrites, ThreadState};
pub use task::{Failure, Prepared, Retry, Task, TaskKey, TaskOutcome, TaskState};
