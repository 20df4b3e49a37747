//! Names that mean something to the engine. They are part of the checkpoint format.

/// The channel that holds the packets (`Send`s) of the next superstep.
pub const TASKS: &str = "__pregel_tasks";
/// The pseudo node that input is written by.
pub const INPUT: &str = "__input__";
/// Key of the versions a static interrupt has seen, and of a task's interrupt write.
pub const INTERRUPT: &str = "__interrupt__";
/// The resume values of a task's interrupts.
pub const RESUME: &str = "__resume__";
/// A task's error.
pub const ERROR: &str = "__error__";
/// The node whose error an error handler receives.
pub const ERROR_SOURCE_NODE: &str = "__error_source_node__";
/// Marks a task that finished without output.
pub const NO_WRITES: &str = "__no_writes__";
/// The value a called task returned.
pub const RETURN: &str = "__return__";
/// First part of the path of a task started by a packet or a call.
pub const PUSH: &str = "__pregel_push";
/// First part of the path of a task started by its triggers.
pub const PULL: &str = "__pregel_pull";
/// Key of the versions that channels got for being stored, not written.
pub const SNAPSHOT_BUMPS: &str = "__snapshot_bumps__";
/// Separates the levels of a checkpoint namespace.
pub const NS_SEP: &str = "|";
/// Separates a node's name from its task id in a namespace.
pub const NS_END: &str = ":";
