//! What becomes of what a node returns: its writes, where it leads, and how its task ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use langgraph_rust_core::{interrupt_id, ChannelIndex, Control, Target, Write};
use langgraph_rust_pregel::{Failure, Retry, TaskKey, TaskOutcome, ThreadState};

use super::{listed, Ended, Run};
use crate::error::{caught, Cause, Reason};
use crate::graph::{Choice, Core, Exit, Program};
use crate::{
    Command, Error, Goto, Interrupt, Native, NodeError, RetryPolicy, TaskInput, Value, END,
};

impl Run {
    /// What the engine is told of a task that is over.
    #[inline]
    pub fn conclude(&self, ended: Ended) -> TaskOutcome<Native> {
        let Ended { key, mut returned, resumed, answered } = ended;
        let Some(program) = self.program(key) else {
            return TaskOutcome::Cancelled(None);
        };
        let core = &self.shared.graph.core;
        let writes = match &mut returned {
            // Read where it is: most commands are empty, and none is small.
            Ok(command) => core.writes(program, command, self.engine.state()),
            Err(error) => Err(error.clone()),
        };
        match writes {
            Ok(written) if answered == 0 => TaskOutcome::Finished(written),
            Ok(written) => {
                // First, as a node in Python has them before it returns, and one for each interrupt.
                let answers = (0..answered).filter_map(|_| resume_write(&resumed));
                TaskOutcome::Finished(answers.chain(written).collect())
            }
            Err(error) => self.conclude_error(key, error, &resumed),
        }
    }

    fn conclude_error(
        &self,
        key: TaskKey,
        error: NodeError,
        resumed: &[Value],
    ) -> TaskOutcome<Native> {
        let resume_values: Vec<_> = resume_write(resumed).into_iter().collect();
        match error.0 {
            Reason::Interrupt(value) => match self.interrupt(key, value, resumed.len()) {
                Ok(value) => TaskOutcome::Interrupted { value: Some(value), resume_values },
                Err(error) => self.failed(key, error.into(), resume_values, None),
            },
            Reason::Paused(interrupts) => {
                let all: Vec<_> = interrupts.iter().flat_map(Interrupt::unpack).collect();
                let value = match Interrupt::pack(&all) {
                    Ok(value) => (!all.is_empty()).then_some(value),
                    Err(error) => return self.failed(key, error.into(), resume_values, None),
                };
                TaskOutcome::Interrupted { value, resume_values }
            }
            reason @ Reason::Parent(_) => TaskOutcome::Escaped(NodeError(reason)),
            reason @ Reason::Failed(_) => {
                let retry = self.program(key).and_then(|program| program.retry.as_ref());
                self.failed(key, NodeError(reason), resume_values, retry)
            }
        }
    }

    pub(super) fn program(&self, key: TaskKey) -> Option<&Program> {
        let node = self.engine.task(key)?.node?;
        self.shared.graph.core.programs.get(node.get())
    }

    fn interrupt(&self, key: TaskKey, value: Value, passed: usize) -> Result<Value, Error> {
        let task = self.engine.task(key);
        let namespace = task.map(|task| self.engine.namespace_of(task));
        let id = interrupt_id(&namespace.unwrap_or_default(), passed).into();
        Interrupt::pack(&[Interrupt { id, value }])
    }

    fn failed(
        &self,
        key: TaskKey,
        error: NodeError,
        writes: Vec<Write<Native>>,
        retry: Option<&RetryPolicy>,
    ) -> TaskOutcome<Native> {
        let value = Value::from(cause(&error));
        let error = match self.engine.task(key) {
            Some(task) => self.named(task, error),
            None => error,
        };
        let is_worth_it =
            |policy: &&RetryPolicy| policy.on.as_ref().is_none_or(|on| on(&error.clone().into()));
        TaskOutcome::Failed(Failure {
            value,
            writes,
            retry: retry.filter(is_worth_it).map(|policy| Retry {
                max_attempts: policy.max_attempts,
                delay: policy.delay,
                jitter: std::time::Duration::ZERO,
            }),
            error,
            is_final: false,
            spares_others: false,
        })
    }

    /// The error with the name of the node it came from, unless it has one: then it came from a graph
    /// that is the node.
    fn named(&self, task: &langgraph_rust_pregel::Task<Native>, error: NodeError) -> NodeError {
        let Reason::Failed(source) = &error.0 else { return error };
        if matches!(source.downcast_ref::<Error>(), Some(Error::Node { .. })) {
            return error;
        }
        let id = self.engine.id_of(task).clone();
        let (node, task, source) = (task.name.clone(), id, source.clone());
        NodeError(Reason::Failed(Cause::new(Error::Node { node, task, source })))
    }
}

/// The resume values that a task has got, as it writes them.
fn resume_write(resumed: &[Value]) -> Option<Write<Native>> {
    (!resumed.is_empty()).then(|| Write::control(Control::Resume, listed(resumed)))
}

/// What a task failed with, as text: of a graph that is a node, what the node in it failed with.
fn cause(error: &NodeError) -> String {
    match error.source().and_then(|source| source.downcast_ref::<Error>()) {
        Some(Error::Node { source, .. }) => source.to_string(),
        _ => error.to_string(),
    }
}

impl Core {
    /// What a node writes that returned `command`, and whereto control goes from it, for the state as
    /// it is.
    pub(crate) fn writes(
        &self,
        program: &Program,
        command: &mut Command,
        state: &ThreadState<Native>,
    ) -> Result<Vec<Write<Native>>, NodeError> {
        if command.is_for_parent {
            return Err(NodeError(Reason::Parent(Box::new(std::mem::take(command)))));
        }
        let mut writes = Vec::with_capacity(command.update.writes.len() + program.exits.len());
        for (name, value) in command.update.writes.drain(..) {
            let (index, value) = self.field_write(&name, value)?;
            writes.push(Write::channel(index, value));
        }
        for goto in command.goto.drain(..) {
            writes.extend(self.goto(goto)?);
        }
        if program.exits.iter().any(|exit| matches!(exit, Exit::Branch(_))) {
            // Branches are shown the state with these writes, which are applied once more later: the
            // ids that messages get must be the same both times.
            self.admit(&mut writes)?;
        }
        for exit in &program.exits {
            match exit {
                Exit::Write(index, value) => writes.push(Write::channel(*index, value.clone())),
                Exit::Branch(choice) => {
                    for goto in self.choose(choice, &writes, state)? {
                        writes.extend(self.goto(goto)?);
                    }
                }
            }
        }
        Ok(writes)
    }

    fn choose(
        &self,
        choice: &Choice,
        writes: &[Write<Native>],
        state: &ThreadState<Native>,
    ) -> Result<Vec<Goto>, NodeError> {
        let mut written: BTreeMap<ChannelIndex, Vec<Value>> = BTreeMap::new();
        for write in writes {
            match write.target {
                Target::Channel(index) if index.get() < self.layout.len() => {
                    written.entry(index).or_default().push(write.value.clone());
                }
                _ => {}
            }
        }
        let mut fresh = Vec::with_capacity(written.len());
        for (index, values) in written {
            fresh.push((index, state.read_with((), index, values).map_err(Error::from)?));
        }
        let input = TaskInput::of_state(&self.layout, state, fresh);
        Ok(caught(|| choice(&input))?.0)
    }

    /// Makes writes to fields complete, see [`Reducer::admitting`](crate::Reducer::admitting).
    fn admit(&self, writes: &mut [Write<Native>]) -> Result<(), NodeError> {
        for write in writes {
            let Target::Channel(index) = write.target else { continue };
            if index.get() >= self.layout.len() {
                continue;
            }
            if let Some(reducer) = self.layout.spec(index.get()).reducer() {
                write.value = reducer.admit(std::mem::take(&mut write.value))?;
            }
        }
        Ok(())
    }

    /// Where a write that leads to `goto` goes; nowhere for the end.
    pub(crate) fn goto(&self, goto: Goto) -> Result<Option<Write<Native>>, Error> {
        Ok(match goto {
            Goto::Node(name) if &*name == END => None,
            Goto::Node(name) => {
                let entry = self.entries[self.node(&name)?.get()];
                Some(Write::channel(entry, Value::Null))
            }
            Goto::Send { node, value } => {
                self.node(&node)?;
                Some(Write::packet(self.plan.packet_target(&node), value))
            }
        })
    }

    /// The channels that make up the output.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = ChannelIndex> {
        (0..self.layout.len()).map(ChannelIndex::new)
    }

    /// The fields that `channel` has a value for.
    pub(crate) fn values<'c>(
        &self,
        channel: impl Fn(ChannelIndex) -> &'c langgraph_rust_channels::Channel<Native>,
    ) -> crate::Map {
        let named = self.layout.names().zip(self.outputs());
        let read = |(name, index): (&Arc<str>, ChannelIndex)| {
            Some((name.clone(), channel(index).get(()).ok().flatten()?))
        };
        named.filter_map(read).collect()
    }
}
