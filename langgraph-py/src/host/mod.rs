//! What CPython and the operating system give: calls, contexts, coroutines, threads, waking, time.
//!
//! In comes whatever a call needs, as Python objects. Nothing here knows graphs or runs, and all
//! `unsafe` of the package is here.

pub mod call;
pub mod clock;
pub mod collect;
pub mod context;
pub mod coroutine;
pub mod dataclass;
pub mod event_loop;
pub mod imports;
pub mod object;
pub mod offload;
pub mod pool;
pub mod threads;
pub mod wake;
