//! One run of a graph: the engine, what surrounds it, and what it shows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use langgraph_core::{ChannelIndex, TaskPath};
use langgraph_pregel::{Effect, Engine, TaskKey, TaskOutcome, TaskState};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyDict, PyString};
use pyo3::{PyTraverseError, PyVisit};

use crate::board::Board;
use crate::cache::CacheSlot;
use crate::calls::Call;
use crate::clock::{Clock, Versioning};
use crate::config::ConfigBase;
use crate::domain::{fault_to_python, Objects};
use crate::node::NodeRun;
use crate::offload::Mailbox;
use crate::plan::{Graph, Keys};
use crate::save::Saver;
use crate::sink::{Shape, Sink};
use crate::task::TaskHandle;

/// One run of a graph.
pub struct Run {
    /// The graph.
    pub graph: Arc<Graph>,
    /// What surrounds the run.
    pub context: Context,
    /// What it shows.
    pub shows: Shows,
    /// The tasks at work on threads.
    pub board: Arc<Board>,
    /// Results of sync code on their way to the event loop.
    pub mailbox: Mailbox,
    core: Mutex<Core>,
    owner: AtomicU64,
    deadline: Mutex<Option<Instant>>,
}

/// What changes while the run goes on.
pub struct Core {
    /// The engine.
    pub engine: Engine<Objects>,
    /// Errors of failed tasks, for their handlers.
    pub errors: HashMap<TaskKey, Py<PyAny>>,
    /// Called functions, by task.
    pub calls: HashMap<TaskKey, Call>,
    /// Handles of tasks that are tried again.
    pub handles: HashMap<TaskKey, Py<TaskHandle>>,
    /// Where the results of tasks are to be cached.
    pub cache_slots: HashMap<TaskKey, CacheSlot>,
    /// The asyncio tasks of called functions.
    pub spawned: HashMap<TaskKey, Py<PyAny>>,
    /// Tasks got ready before their turn, because somebody wanted to see their input.
    pub prepared: HashMap<TaskKey, NodeRun>,
    /// Futures of called functions, by task.
    pub futures: HashMap<TaskKey, Vec<Py<PyAny>>>,
    /// The output, as far as it is kept for the end.
    pub latest: Latest,
    /// The questions asked, for the result.
    pub questions: Vec<Py<PyAny>>,
    /// Resumptions and pauses not yet asked for.
    pub lifecycle: Vec<Py<PyAny>>,
    /// An effect put back because chunks must leave first.
    pub stashed: Option<Effect<Objects>>,
    /// The configs that checkpoints are stored under.
    pub place: crate::save::Place,
    versioning: Versioning,
    /// The superstep that what is kept by task is about.
    step: i64,
}

/// The output of a run whose caller waits for the end.
pub enum Latest {
    /// None yet.
    Nothing,
    /// Whatever the channels hold.
    Channels,
    /// This.
    Value(Py<PyAny>),
}

/// What surrounds a run. Nothing here changes while it goes on.
pub struct Context {
    /// What its tasks' configs are made from.
    pub base: Py<ConfigBase>,
    /// The saver.
    pub saver: Option<Saver>,
    /// The cache of node results.
    pub cache: Option<Py<PyAny>>,
    /// Asked before each superstep whether to stop.
    pub control: Option<Py<PyAny>>,
    /// The namespace as text.
    pub namespace: Arc<str>,
    /// Answers by interrupt id.
    pub resume_map: Option<Py<PyDict>>,
    /// The scratchpad of the task that this run is part of.
    pub parent_scratchpad: Option<Py<PyAny>>,
    /// The graph's retry policies, for nodes without their own.
    pub retry: Option<Py<PyAny>>,
    /// The graph's cache policy, for nodes without their own.
    pub cache_policy: Option<Py<PyAny>>,
    /// Told of each node that finished.
    pub node_finished: Option<Py<PyAny>>,
    /// How many tasks may run at once.
    pub max_concurrency: Option<usize>,
    /// How long a superstep may take, in seconds.
    pub step_timeout: Option<f64>,
    /// The event loop of an async run.
    pub event_loop: Option<Py<PyAny>>,
    /// Whether nodes are run by their async functions.
    pub is_async: bool,
    /// Whether nodes are run by their streams, for those who tap them.
    pub drains: bool,
}

/// What a run shows, and to whom.
pub struct Shows {
    /// Where events go, if anybody wants any.
    pub sink: Option<Py<Sink>>,
    /// The namespace, as stream chunks carry it.
    pub namespace: Py<PyAny>,
    /// The output channels.
    pub output: Keys,
    /// Whether the output can be read later than it changed.
    pub output_is_steady: bool,
    /// Whether the latest output is wanted at the end, rather than as it comes.
    pub latest: bool,
    /// Whether chunks must leave while tasks run.
    pub eager: bool,
    /// How chunks reach the caller.
    pub shape: Shape,
}

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
    pub fn with(self, other: Modes) -> Modes {
        Modes(self.0 | other.0)
    }

    /// Whether any of `other` is among these.
    pub fn any(self, other: Modes) -> bool {
        self.0 & other.0 != 0
    }
}

impl Context {
    /// Visits the Python objects held, for the garbage collector.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.base)?;
        visit.call(self.saver.as_ref().map(|saver| &saver.object))?;
        visit.call(&self.cache)?;
        visit.call(&self.control)?;
        visit.call(&self.resume_map)?;
        visit.call(&self.parent_scratchpad)
    }
}

impl Core {
    /// A run about to be driven.
    pub fn new(engine: Engine<Objects>, versioning: Versioning, place: crate::save::Place) -> Self {
        Self {
            step: engine.steps().0,
            engine,
            versioning,
            place,
            errors: HashMap::new(),
            calls: HashMap::new(),
            handles: HashMap::new(),
            futures: HashMap::new(),
            cache_slots: HashMap::new(),
            spawned: HashMap::new(),
            prepared: HashMap::new(),
            latest: Latest::Nothing,
            questions: Vec::new(),
            lifecycle: Vec::new(),
            stashed: None,
        }
    }

    /// Another superstep began: what is kept by task is about tasks that are no more.
    fn forget_tasks(&mut self) {
        self.errors.clear();
        self.calls.clear();
        self.handles.clear();
        self.futures.clear();
        self.cache_slots.clear();
        self.spawned.clear();
        self.prepared.clear();
    }

    /// What to do next.
    pub fn poll(&mut self, py: Python<'_>) -> Effect<Objects> {
        match self.stashed.take() {
            Some(effect) => effect,
            None => {
                let mut clock = Clock { py, versioning: &self.versioning };
                let effect = self.engine.poll(py, &mut clock);
                let step = self.engine.steps().0;
                if step != self.step || matches!(effect, Effect::Finish(_)) {
                    self.step = step;
                    self.forget_tasks();
                }
                effect
            }
        }
    }
}

impl Run {
    /// A run with its surroundings.
    pub fn new(graph: Arc<Graph>, context: Context, shows: Shows, core: Core) -> Self {
        let waker = match &shows.sink {
            Some(sink) => sink.get().waker.clone(),
            None => Arc::default(),
        };
        Self {
            graph,
            context,
            shows,
            board: Arc::new(Board::new(waker)),
            mailbox: Mailbox::default(),
            core: Mutex::new(core),
            owner: AtomicU64::new(0),
            deadline: Mutex::new(None),
        }
    }

    /// The engine, for a short while: no node may run while it is held.
    ///
    /// Another thread may hold it while a reducer runs Python code and gives up the interpreter;
    /// then this thread must give it up too while it waits. The same thread holding it means that
    /// a reducer reached back into its own run.
    pub fn core(&self, py: Python<'_>) -> PyResult<CoreGuard<'_>> {
        let thread = thread_token();
        let guard = match self.core.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                if self.owner.load(Ordering::Acquire) == thread {
                    return Err(PyRuntimeError::new_err(
                        "A reducer or channel used the run that it is part of; reducers must \
                         work on their arguments alone",
                    ));
                }
                self.core.lock_py_attached(py).unwrap_or_else(|poisoned| poisoned.into_inner())
            }
        };
        self.owner.store(thread, Ordering::Release);
        Ok(CoreGuard { guard, owner: &self.owner })
    }

    /// The answer given without an id; `consume` takes it away.
    pub fn single_answer(&self, py: Python<'_>, consume: bool) -> PyResult<Py<PyAny>> {
        let mut core = self.core(py)?;
        let found = match consume {
            true => core.engine.take_single_answer(),
            false => core.engine.single_answer().map(|answer| answer.clone_ref(py)),
        };
        drop(core);
        if let Some(found) = found {
            return Ok(found);
        }
        match &self.context.parent_scratchpad {
            Some(parent) => {
                let parent = parent.bind(py);
                Ok(parent.call_method1(intern!(py, "get_null_resume"), (consume,))?.unbind())
            }
            None => Ok(py.None()),
        }
    }

    /// What a channel reads as; with `fresh`, after `writes`.
    pub fn read_channel(
        &self,
        py: Python<'_>,
        index: ChannelIndex,
        fresh: bool,
        writes: Vec<Py<PyAny>>,
    ) -> PyResult<Option<Py<PyAny>>> {
        let core = self.core(py)?;
        let state = core.engine.state();
        let value = if fresh { state.read_with(py, index, writes) } else { state.read(py, index) };
        value.map_err(|fault| fault_to_python(py, fault))
    }

    /// The state of the output channels.
    pub fn output(&self, py: Python<'_>, core: &Core) -> PyResult<Py<PyAny>> {
        self.read_keys(py, core, &self.shows.output)
    }

    /// The state of some channels.
    pub fn read_keys(&self, py: Python<'_>, core: &Core, keys: &Keys) -> PyResult<Py<PyAny>> {
        let mut read = |index| {
            let value = core.engine.state().read(py, index);
            value.map_err(|fault| fault_to_python(py, fault))
        };
        Ok(crate::plan::read_keys(py, &self.graph, keys, &mut read)?.unbind())
    }

    /// Tells the engine to stop before the next superstep, if somebody asked for it.
    pub fn check_control(&self, py: Python<'_>, core: &mut Core) -> PyResult<()> {
        if let Some(control) = &self.context.control {
            if control.bind(py).getattr(intern!(py, "drain_requested"))?.is_truthy()? {
                core.engine.drain();
            }
        }
        Ok(())
    }

    /// When the current superstep must be over, counted from the first time this is asked in it.
    pub fn step_deadline(&self) -> Option<Instant> {
        let timeout = Duration::try_from_secs_f64(self.context.step_timeout?).ok()?;
        let mut deadline = self.deadline.lock().expect("no panic while held");
        Some(*deadline.get_or_insert_with(|| Instant::now() + timeout))
    }

    /// Forgets the deadline: another superstep begins.
    pub fn reset_deadline(&self) {
        if self.context.step_timeout.is_some() {
            *self.deadline.lock().expect("no panic while held") = None;
        }
    }

    /// Counts tasks that cannot be stopped as cancelled: the run does not wait for them.
    pub fn abandon_tasks(&self, py: Python<'_>) -> PyResult<()> {
        self.board.withdraw_all();
        let mut core = self.core(py)?;
        let running = core.engine.tasks().iter().enumerate();
        let running = running.filter(|(_, task)| task.state == TaskState::Running);
        let keys: Vec<TaskKey> = running.map(|(position, _)| TaskKey::new(position)).collect();
        for key in keys {
            core.engine.task_finished(py, key, TaskOutcome::Cancelled(None));
        }
        Ok(())
    }

    /// Visits the Python objects held, for the garbage collector. Only the one owner of a run may
    /// do this.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.context.traverse(visit)?;
        visit.call(&self.shows.sink)?;
        let Ok(core) = self.core.try_lock() else { return Ok(()) };
        if let Latest::Value(value) = &core.latest {
            visit.call(value)?;
        }
        let mut channels = core.engine.state().channels().iter();
        channels.try_for_each(|channel| crate::channels::traverse_values(channel, visit))
    }

    /// Whether the task was started by a call.
    pub fn is_call(core: &Core, key: TaskKey) -> bool {
        matches!(core.engine.task(key).path, TaskPath::Call { .. })
    }
}

/// The engine while it is held.
pub struct CoreGuard<'a> {
    guard: MutexGuard<'a, Core>,
    owner: &'a AtomicU64,
}

impl std::ops::Deref for CoreGuard<'_> {
    type Target = Core;
    fn deref(&self) -> &Core {
        &self.guard
    }
}

impl std::ops::DerefMut for CoreGuard<'_> {
    fn deref_mut(&mut self) -> &mut Core {
        &mut self.guard
    }
}

impl Drop for CoreGuard<'_> {
    fn drop(&mut self) {
        self.owner.store(0, Ordering::Release);
    }
}

/// A number that tells threads apart; never zero.
fn thread_token() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static TOKEN: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    TOKEN.with(|token| *token)
}
