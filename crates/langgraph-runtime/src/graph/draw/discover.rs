//! Which nodes lead where, found by going through the graph without running its nodes: what edges
//! write is written, and what branches are declared to choose from is all chosen, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use langgraph_rust_core::{ChannelIndex, NodeIndex, Write};
use langgraph_rust_pregel::{Env, Task, TaskWrites, ThreadState};

use crate::graph::{Core, Declared, Exit};
use crate::{Clock, Error, Map, Native, Value, END};

/// More supersteps than this are not looked at.
const LIMIT: i64 = 250;

/// From where to where, whether that is a choice, and what it is called. In the order of drawings.
pub(super) type Found = (Arc<str>, Arc<str>, bool, Option<Arc<str>>);

/// What a node writes to start others: the channel, whether that is a choice, and its label.
type Start = (ChannelIndex, bool, Option<Arc<str>>);

#[derive(Default)]
pub(super) struct Discovered {
    pub(super) edges: BTreeSet<Found>,
    /// The nodes of the last superstep.
    pub(super) last: Vec<Arc<str>>,
}

/// Goes through the graph.
pub(super) fn discover(core: &Core) -> Discovered {
    let mut walk =
        Walk { core, seen: BTreeSet::new(), starts: BTreeMap::new(), found: Discovered::default() };
    // Nothing that is written here can be refused: it is what edges write.
    let _ = walk.go();
    walk.found
}

struct Walk<'a> {
    core: &'a Core,
    /// The nodes whose branches have been taken.
    seen: BTreeSet<NodeIndex>,
    /// What each node started when it last ran.
    starts: BTreeMap<Arc<str>, BTreeSet<Start>>,
    found: Discovered,
}

impl Walk<'_> {
    fn go(&mut self) -> Result<(), Error> {
        let plan = &self.core.plan;
        let mut clock = Clock::counter();
        let id = clock.checkpoint_id(-2);
        let mut state = ThreadState::<Native>::empty((), plan.clone(), id)?;
        let input = Write::channel(self.core.start, Map::new().into());
        state.apply((), &mut clock, vec![TaskWrites::of_input(vec![input])])?;
        let mut tasks = state.prepare((), "", -1)?;
        for step in -1..LIMIT {
            if tasks.is_empty() {
                break;
            }
            let mut now: BTreeMap<Arc<str>, BTreeSet<Start>> = BTreeMap::new();
            let mut writes = Vec::with_capacity(tasks.len());
            for task in &tasks {
                let (starts, written) = self.leads(task);
                now.insert(task.name.clone(), starts);
                writes.push(TaskWrites::of_task(plan, task, written));
            }
            self.found.last = now.keys().cloned().collect();
            self.starts.extend(now.clone());
            state.apply((), &mut clock, writes)?;
            tasks = state.prepare((), "", step)?;
            for task in &tasks {
                self.reached(task, &now);
            }
        }
        Ok(())
    }

    /// What a task starts, and what it writes for that.
    fn leads(&mut self, task: &Task<Native>) -> (BTreeSet<Start>, Vec<Write<Native>>) {
        let (mut starts, mut writes) = (BTreeSet::new(), Vec::new());
        let Some(node) = task.node else { return (starts, writes) };
        let program = &self.core.programs[node.get()];
        let is_first = self.seen.insert(node);
        for exit in &program.exits {
            let Exit::Write(channel, value) = exit else { continue };
            writes.push(Write::channel(*channel, value.clone()));
            let declared = |target: &&Declared| target.to == Some(*channel);
            let also = program.declared.iter().rev().find(declared);
            match also.filter(|_| is_first && value.is_null()) {
                Some(declared) => starts.insert((*channel, true, declared.label.clone())),
                None => starts.insert((*channel, false, None)),
            };
        }
        for declared in &program.declared {
            match declared.to {
                Some(channel) => {
                    starts.insert((channel, true, declared.label.clone()));
                    if is_first {
                        writes.push(Write::channel(channel, Value::Null));
                    }
                }
                None => {
                    let label = declared.label.clone();
                    self.found.edges.insert((task.name.clone(), END.into(), true, label));
                }
            }
        }
        (starts, writes)
    }

    /// Notes who started a task: those of the superstep before (`now`), and others that waited for them.
    fn reached(&mut self, task: &Task<Native>, now: &BTreeMap<Arc<str>, BTreeSet<Start>>) {
        let Some(node) = task.node else { return };
        let triggers = &self.core.plan.node(node).triggers;
        let mut is_explained = false;
        for (source, starts) in &mut self.starts {
            let current = now.get(source);
            starts.retain(|start| {
                let (channel, is_choice, label) = start;
                if !triggers.contains(channel) {
                    return true;
                }
                let edge = (source.clone(), task.name.clone(), *is_choice, label.clone());
                self.found.edges.insert(edge);
                let is_current = current.is_some_and(|starts| starts.contains(start));
                is_explained |= is_current;
                is_current
            });
        }
        if !is_explained {
            let sources = now.keys();
            let edge = |source: &Arc<str>| (source.clone(), task.name.clone(), true, None);
            self.found.edges.extend(sources.map(edge));
        }
    }
}
