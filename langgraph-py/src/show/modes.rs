//! Stream modes.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// A set of stream modes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Modes(u8);

impl Modes {
    /// All names.
    pub const NAMES: [&'static str; 8] =
        ["values", "updates", "tasks", "checkpoints", "debug", "custom", "messages", "tools"];
    /// The output after each superstep that changed it.
    pub const VALUES: Modes = Modes(1);
    /// What each task wrote.
    pub const UPDATES: Modes = Modes(2);
    /// Tasks as they start and end.
    pub const TASKS: Modes = Modes(4);
    /// The state after each superstep.
    pub const CHECKPOINTS: Modes = Modes(8);
    /// Checkpoints and tasks, wrapped.
    pub const DEBUG: Modes = Modes(16);
    /// What nodes write to the stream.
    pub const CUSTOM: Modes = Modes(32);
    /// What models say, token by token.
    pub const MESSAGES: Modes = Modes(64);
    /// What tools do.
    pub const TOOLS: Modes = Modes(128);

    /// The mode with the given name.
    pub fn named(name: &str) -> Modes {
        match name {
            "values" => Self::VALUES,
            "updates" => Self::UPDATES,
            "tasks" => Self::TASKS,
            "checkpoints" => Self::CHECKPOINTS,
            "debug" => Self::DEBUG,
            "custom" => Self::CUSTOM,
            "messages" => Self::MESSAGES,
            "tools" => Self::TOOLS,
            _ => Modes(0),
        }
    }

    /// The name of one mode, as chunks carry it.
    pub fn name(self, py: Python<'_>) -> &Bound<'_, PyString> {
        match self {
            Self::VALUES => intern!(py, "values"),
            Self::UPDATES => intern!(py, "updates"),
            Self::TASKS => intern!(py, "tasks"),
            Self::CHECKPOINTS => intern!(py, "checkpoints"),
            Self::DEBUG => intern!(py, "debug"),
            Self::CUSTOM => intern!(py, "custom"),
            Self::MESSAGES => intern!(py, "messages"),
            _ => intern!(py, "tools"),
        }
    }

    /// The modes named by an iterable of names.
    pub fn read(names: &Bound<'_, PyAny>) -> PyResult<Modes> {
        names.try_iter()?.try_fold(Modes(0), |modes, name| {
            Ok(modes.with(Modes::named(name?.cast::<PyString>()?.to_str()?)))
        })
    }

    /// Both sets together.
    pub const fn with(self, other: Modes) -> Modes {
        Modes(self.0 | other.0)
    }

    /// Whether any of `other` is among these.
    pub fn any(self, other: Modes) -> bool {
        self.0 & other.0 != 0
    }
}
