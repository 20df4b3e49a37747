//! How a run begins: from input, from where the thread stands, or from an older checkpoint.

use std::sync::Arc;

use langgraph_rust_checkpoint::{Metadata, PendingWrite, Source};
use langgraph_rust_core::{CheckpointId, Control, Domain, Durability, Fault, TaskId, Write};

use crate::engine::{Deltas, Engine};
use crate::{Env, Loaded, Options, Plan, RunEvent, TaskWrites, ThreadState};

/// What a run begins with.
pub struct Start<D: Domain> {
    /// The graph.
    pub plan: Arc<Plan<D>>,
    /// How the run is to go.
    pub options: Options,
    /// Where the thread stands, or stood.
    pub loaded: Loaded<D>,
    /// What the run is given.
    pub input: RunInput<D>,
    /// What is around the run.
    pub surroundings: Surroundings,
}

/// What a run is given.
pub enum RunInput<D: Domain> {
    /// Nothing: go on from where the thread stands.
    Nothing,
    /// The graph's input, as writes; empty if none of it concerns the graph.
    Writes(Vec<Write<D>>),
    /// A command: for where the thread stands.
    Command {
        /// What it writes there, among it the resume value for the next interrupt.
        writes: Vec<Write<D>>,
        /// The interrupts that it resumes from.
        resumes: Resumes,
        /// What the command is as input, should the thread not have begun.
        input: Vec<Write<D>>,
    },
}

/// The interrupts that a command resumes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resumes {
    /// None.
    #[default]
    Nothing,
    /// The next one, whichever that is; the resume value is among the command's writes.
    Next,
    /// Those that it names by id; their resume values are the driver's to hand out.
    ById,
}

/// What the run's surroundings say about resuming.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// What the enclosing run says; `None` if there is none or it does not.
    pub resuming: Option<bool>,
    /// Whether the checkpoint was left by a run with the same run id.
    pub same_run: bool,
    /// Whether the enclosing run was sent to a checkpoint of this very namespace.
    pub own_namespace_addressed: bool,
}

/// What the driver learns from the start, to hand to nested runs.
#[derive(Clone, Debug)]
pub struct Started {
    /// Whether the run resumes the thread, rather than taking new input.
    pub resuming: bool,
    /// If the run goes back in time: the checkpoint that nested runs must be older than.
    pub replay_before: Option<CheckpointId>,
}

/// Why a run could not begin.
pub enum StartError<D: Domain> {
    /// Neither input nor a thread to go on with.
    EmptyInput,
    /// A command that commands nothing.
    EmptyCommand,
    /// The thread could not be loaded, or the input not be applied.
    Fault(Fault<D>),
}

impl<D: Domain> From<Fault<D>> for StartError<D> {
    fn from(fault: Fault<D>) -> Self {
        StartError::Fault(fault)
    }
}

/// How a run begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// With new input, on the thread as it stands.
    Input,
    /// With new input, on a checkpoint that was asked for.
    Rewind,
    /// It goes on from where the thread stands.
    Resume,
    /// It goes on from a checkpoint that was asked for, and which is a branch that has no children.
    Replay,
    /// It goes on from a checkpoint that was asked for. A copy of that is saved first, so that what
    /// the run stores is not stored on a checkpoint that has children.
    Fork,
}

/// The checkpoint that a run starts from.
struct Origin {
    id: CheckpointId,
    parent: Option<CheckpointId>,
    /// Whether it was made to start from, by an update of the state or an earlier fork.
    is_branch: bool,
    addressed: bool,
    superseded: bool,
}

impl Origin {
    fn new<D: Domain>(loaded: &Loaded<D>) -> Self {
        Self {
            id: loaded.checkpoint.id.clone(),
            parent: loaded.parent.clone(),
            is_branch: matches!(loaded.source, Some(Source::Update | Source::Fork)),
            addressed: loaded.addressed,
            superseded: loaded.superseded,
        }
    }
}

impl Beginning {
    fn new<D: Domain>(
        origin: &Origin,
        state: &ThreadState<D>,
        options: &Options,
        input: &RunInput<D>,
        around: Surroundings,
    ) -> Self {
        let goes_on = match input {
            RunInput::Nothing | RunInput::Command { .. } => true,
            RunInput::Writes(_) => !options.nested && around.same_run,
        };
        let resumes_interrupts = match input {
            RunInput::Command { resumes, .. } => *resumes != Resumes::Nothing,
            RunInput::Nothing | RunInput::Writes(_) => false,
        };
        let goes_back = origin.addressed
            && ((options.nested && around.own_namespace_addressed)
                || !(resumes_interrupts || around.resuming.unwrap_or(false)));
        match (state.has_begun() && around.resuming.unwrap_or(goes_on), goes_back) {
            (false, false) => Beginning::Input,
            (false, true) => Beginning::Rewind,
            (true, false) => Beginning::Resume,
            (true, true) if origin.is_branch && !origin.superseded => Beginning::Replay,
            (true, true) => Beginning::Fork,
        }
    }

    fn resumes(self) -> bool {
        matches!(self, Beginning::Resume | Beginning::Replay | Beginning::Fork)
    }

    fn goes_back(self) -> bool {
        matches!(self, Beginning::Rewind | Beginning::Replay | Beginning::Fork)
    }
}

impl<D: Domain> Engine<D> {
    /// Begins a run.
    pub fn start(
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        start: Start<D>,
    ) -> Result<(Self, Started), StartError<D>> {
        let Start { plan, options, loaded, input, surroundings } = start;
        let origin = Origin::new(&loaded);
        let is_newest = !loaded.addressed;
        let Loaded { checkpoint, source, step, since_snapshot, pending, stored, .. } = loaded;
        let state = ThreadState::load(cx, plan, checkpoint)?;
        let beginning = Beginning::new(&origin, &state, &options, &input, surroundings);
        let metadata = Metadata { source: source.unwrap_or(Source::Loop), step, since_snapshot };
        let deltas = Deltas::new(state.plan(), &metadata, origin.id.clone(), is_newest);
        let mut engine = Self::assemble(state, options, pending, metadata, stored);
        engine.deltas = deltas;
        engine.replaying = beginning.goes_back() || origin.superseded;
        if beginning.goes_back() {
            engine.pending.retain(|p| !p.write.is_control(Control::Resume));
        }
        engine.begin_deltas(beginning.resumes() && !engine.replaying);
        let given = engine.take_input(cx, env, beginning, input)?;
        let mut input_taken = None;
        if beginning.resumes() {
            engine.resume(cx, env, beginning)?;
        } else if !given.is_empty() {
            engine.apply_input(cx, env, given)?;
            engine.put_checkpoint(cx, env, Source::Input)?;
            input_taken = Some(engine.state.id.clone());
        } else if surroundings.resuming.is_none() {
            return Err(StartError::EmptyInput);
        }
        let replay_before = engine.replay_before(beginning, origin, input_taken);
        Ok((engine, Started { resuming: beginning.resumes(), replay_before }))
    }

    /// Applies what a command writes, and what an earlier one left; returns what is new input.
    fn take_input(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        beginning: Beginning,
        input: RunInput<D>,
    ) -> Result<Vec<Write<D>>, StartError<D>> {
        let mut carried = Vec::new();
        let given = match input {
            RunInput::Nothing => Vec::new(),
            RunInput::Writes(writes) => writes,
            RunInput::Command { writes, resumes, input } => {
                if writes.is_empty() && resumes != Resumes::ById {
                    return Err(StartError::EmptyCommand);
                }
                let mut writes = writes;
                self.admit(cx, &mut writes).map_err(Fault::Domain)?;
                if beginning == Beginning::Fork {
                    self.carry_deltas(&writes);
                    carried = writes;
                } else if !writes.is_empty() {
                    self.keep_command(cx, &writes);
                    self.put_null_writes(cx, writes);
                }
                input
            }
        };
        self.apply_null_writes(cx, env, carried)?;
        Ok(given)
    }

    /// Goes on with the state as it is.
    fn resume(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        beginning: Beginning,
    ) -> Result<(), Fault<D>> {
        self.state.pass_interrupts();
        if beginning == Beginning::Fork {
            self.pending.retain(|p| !p.write.is_control(Control::Interrupt));
            // A fork is stored as if nothing were known of what changed, but goes on knowing.
            let updated = self.state.updated.take();
            self.put_checkpoint(cx, env, Source::Fork)?;
            self.state.updated = updated;
        }
        self.emit_values();
        Ok(())
    }

    /// What nested runs must look for their checkpoints before, in a run that goes back in time.
    fn replay_before(
        &self,
        beginning: Beginning,
        origin: Origin,
        input_taken: Option<CheckpointId>,
    ) -> Option<CheckpointId> {
        let Origin { id, parent, is_branch, .. } = origin;
        let before = parent.unwrap_or_else(|| id.clone());
        let stores_fork = self.options.durability != Durability::Exit;
        match beginning {
            Beginning::Input | Beginning::Resume => None,
            Beginning::Rewind if input_taken.is_some() => input_taken,
            Beginning::Rewind if is_branch => Some(before),
            Beginning::Rewind => Some(id),
            Beginning::Replay => Some(before),
            Beginning::Fork if is_branch || !stores_fork => Some(before),
            // Nested runs look for what they had before the checkpoint that was addressed.
            Beginning::Fork => Some(id),
        }
    }

    /// Applies what the null task wrote: input given as a command, and what an earlier run left.
    fn apply_null_writes(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        carried: Vec<Write<D>>,
    ) -> Result<(), Fault<D>> {
        let left = self.pending.iter().filter(|p| p.task.is_null()).map(|p| p.write.copy(cx));
        let mut writes: Vec<Write<D>> = left.collect();
        for write in carried {
            if write.is_control(Control::Resume) {
                // Not applied but asked for: the resume value stays with the run.
                self.pending.push(PendingWrite {
                    task: TaskId::from_text(TaskId::NULL),
                    write: write.copy(cx),
                });
            }
            writes.push(write);
        }
        if writes.is_empty() {
            return Ok(());
        }
        let before = self.state.updated.clone();
        self.state.apply(cx, env, vec![TaskWrites::of_input(writes)])?;
        self.state.updated = before.map(|mut known| {
            known.extend(self.state.updated.take().unwrap_or_default());
            known.sort_unstable();
            known.dedup();
            known
        });
        Ok(())
    }

    /// New input: tasks that an earlier run left unfinished count as having run.
    fn apply_input(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        mut given: Vec<Write<D>>,
    ) -> Result<(), Fault<D>> {
        self.admit(cx, &mut given).map_err(Fault::Domain)?;
        self.keep_input(cx, &given);
        let discarded = self.state.prepare(cx, &self.options.namespace, self.step)?;
        let plan = &self.state.plan;
        let mut tasks: Vec<TaskWrites<D>> =
            discarded.iter().map(|task| TaskWrites::of_task(plan, task, Vec::new())).collect();
        tasks.push(TaskWrites::of_input(given));
        self.state.apply(cx, env, tasks)
    }

    pub(crate) fn emit_values(&mut self) {
        if self.options.emits.values {
            self.emit(RunEvent::Values);
        }
    }
}
