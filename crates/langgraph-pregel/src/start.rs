//! How a run begins: from input, from where the thread stands, or from an older checkpoint.

use std::sync::Arc;

use langgraph_checkpoint::{PendingWrite, Source};
use langgraph_core::{CheckpointId, Control, Domain, Durability, Fault, TaskId, TaskPath, Write};

use crate::engine::Engine;
use crate::{Env, Event, Loaded, Options, Plan, Reader, State, TaskWrites};

/// What a run is given.
pub enum Input<D: Domain> {
    /// Nothing: go on from where the thread stands.
    Nothing,
    /// The graph's input, as writes; empty if none of it concerns the graph.
    Writes(Vec<Write<D>>),
    /// A command: writes to apply to where the thread stands, and maybe answers.
    Command {
        /// The writes, among them a single answer.
        writes: Vec<Write<D>>,
        /// Whether it answers questions.
        answers: bool,
        /// Whether the answers are by interrupt id: then they are the driver's to hand out.
        by_id: bool,
        /// What the command is as input, should the thread not have begun.
        input: Vec<Write<D>>,
    },
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
    /// Applying the input failed.
    Fault(Fault<D>),
}

impl<D: Domain> From<Fault<D>> for StartError<D> {
    fn from(fault: Fault<D>) -> Self {
        StartError::Fault(fault)
    }
}

/// The decisions that follow from input, surroundings and what was loaded.
struct Facts {
    resuming: bool,
    time_travel: bool,
    /// The run saves a fork first, so that what it stores is not stored on a checkpoint that has
    /// children.
    forks: bool,
}

impl Facts {
    fn new<D: Domain>(
        state: &State<D>,
        loaded: &Loaded<D>,
        options: &Options,
        input: &Input<D>,
        around: Surroundings,
    ) -> Self {
        let goes_on = match input {
            Input::Nothing | Input::Command { .. } => true,
            Input::Writes(_) => !options.nested && around.same_run,
        };
        let resuming = state.has_begun() && around.resuming.unwrap_or(goes_on);
        let answers = matches!(input, Input::Command { answers: true, .. });
        let time_travel = loaded.addressed
            && ((options.nested && around.own_namespace_addressed)
                || !(answers || around.resuming.unwrap_or(false)));
        let is_branch = matches!(loaded.source, Some(Source::Update | Source::Fork));
        let forks = resuming && time_travel && (!is_branch || loaded.superseded);
        Self { resuming, time_travel, forks }
    }
}

impl<D: Domain> Engine<D> {
    /// Begins a run of `plan` on `loaded`. `parent_of_loaded` is the stored checkpoint before the
    /// loaded one, if any.
    #[allow(clippy::too_many_arguments)] // each is said once, at the one place where runs begin
    pub fn start(
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        plan: Arc<Plan<D>>,
        options: Options,
        mut loaded: Loaded<D>,
        parent_of_loaded: Option<CheckpointId>,
        input: Input<D>,
        around: Surroundings,
    ) -> Result<(Self, Started), StartError<D>> {
        let id = loaded.checkpoint.id.clone();
        let checkpoint = take_checkpoint(&mut loaded);
        let state = State::load(cx, plan, checkpoint)?;
        let facts = Facts::new(&state, &loaded, &options, &input, around);
        let mut engine = Self::assemble(state, options, &mut loaded);
        engine.replaying = facts.time_travel || loaded.superseded;
        if facts.time_travel {
            engine.pending.retain(|p| !p.write.is_control(Control::Resume));
        }
        let mut carried = Vec::new();
        let mut given = Vec::new();
        match input {
            Input::Nothing => {}
            Input::Writes(writes) => given = writes,
            Input::Command { writes, by_id, input, .. } => {
                given = input;
                if writes.is_empty() && !by_id {
                    return Err(StartError::EmptyCommand);
                }
                if facts.forks {
                    carried = writes;
                } else if !writes.is_empty() {
                    engine.put_null_writes(cx, writes);
                }
            }
        }
        engine.apply_null_writes(cx, env, carried)?;
        let mut bound = None;
        let mut took_input = false;
        if facts.resuming {
            engine.state.pass_interrupts();
            if facts.forks {
                let is_branch = matches!(loaded.source, Some(Source::Update | Source::Fork));
                bound = parent_of_loaded.clone().filter(|_| is_branch);
                engine.pending.retain(|p| !p.write.is_control(Control::Interrupt));
                // A fork is stored as if nothing were known of what changed, but goes on knowing.
                let updated = engine.state.updated.take();
                engine.put_checkpoint(cx, env, Source::Fork)?;
                engine.state.updated = updated;
            }
            engine.emit_values();
        } else if !given.is_empty() {
            took_input = true;
            engine.apply_input(cx, env, given)?;
            engine.put_checkpoint(cx, env, Source::Input)?;
        } else if around.resuming.is_none() {
            return Err(StartError::EmptyInput);
        }
        let is_branch = matches!(loaded.source, Some(Source::Update | Source::Fork));
        let replay_before = facts.time_travel.then(|| match bound {
            Some(bound) => bound,
            // Nested runs look for what they had before the checkpoint that was addressed.
            None if facts.forks && engine.options.durability != Durability::Exit => id,
            None if took_input => engine.state.id.clone(),
            None if is_branch || facts.forks => parent_of_loaded.unwrap_or(id),
            None => id,
        });
        Ok((engine, Started { resuming: facts.resuming, replay_before }))
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
                // Not applied but asked for: the answer stays with the run.
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
        self.state.apply(cx, env, vec![input_writes(writes)])?;
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
        given: Vec<Write<D>>,
    ) -> Result<(), Fault<D>> {
        let discarded = self.state.prepare(cx, &self.options.namespace, self.step)?;
        let mut tasks: Vec<TaskWrites<D>> =
            discarded.into_iter().map(|task| self.task_writes(task, Vec::new())).collect();
        tasks.push(input_writes(given));
        self.state.apply(cx, env, tasks)
    }

    pub(crate) fn emit_values(&mut self) {
        if self.options.emits.values {
            self.emit(Event::Values);
        }
    }
}

fn input_writes<D: Domain>(writes: Vec<Write<D>>) -> TaskWrites<D> {
    TaskWrites { reader: Reader::Input, path: TaskPath::Input, triggers: Vec::new(), writes }
}

fn take_checkpoint<D: Domain>(loaded: &mut Loaded<D>) -> langgraph_checkpoint::Checkpoint<D> {
    let emptied = langgraph_checkpoint::Checkpoint {
        ts: loaded.checkpoint.ts.clone(),
        ..langgraph_checkpoint::Checkpoint::empty(loaded.checkpoint.id.clone())
    };
    std::mem::replace(&mut loaded.checkpoint, emptied)
}
