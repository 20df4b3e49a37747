//! The channel kinds: how a channel takes the writes of a superstep, what it reads as, and what of
//! it is stored. One file each; [`Channel`] is the closed set.
//!
//! A channel in a plan is in its empty state and serves as the pattern that [`Channel::restore`]
//! makes live channels from.
//!
//! ```text
//! superstep ends:   consume()   on the channels that triggered its tasks
//!                   update(ws)  on the channels written to
//!                   update([])  on the transient channels left over
//!                   finish()    on all, if nothing is left to run
//! ```

mod after_finish;
mod aggregate;
mod any_value;
mod barrier;
mod channel;
mod delta;
mod ephemeral;
mod last_value;
mod saved;
mod tasks;
mod topic;
mod untracked;

pub use after_finish::LastValueAfterFinish;
pub use aggregate::Aggregate;
pub use any_value::AnyValue;
pub use barrier::{Barrier, BarrierAfterFinish};
pub use channel::Channel;
pub use delta::Delta;
pub use ephemeral::Ephemeral;
pub use last_value::LastValue;
pub use saved::{History, Saved};
pub use tasks::{Packet, Tasks};
pub use topic::Topic;
pub use untracked::Untracked;
