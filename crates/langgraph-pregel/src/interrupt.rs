use langgraph_rust_core::{Domain, NodeIndex};

use crate::{Task, ThreadState};

/// The nodes at which a run stops, to go on when it is invoked again.
#[derive(Clone, Debug, Default)]
pub enum InterruptAt {
    /// None.
    #[default]
    Nowhere,
    /// All but the hidden ones.
    Everywhere,
    /// These.
    Nodes(Vec<NodeIndex>),
}

/// What a run pauses for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pause {
    /// A task's interrupt.
    #[default]
    Interrupt,
    /// A node that it was told to stop before.
    Before,
    /// A node that it was told to stop after.
    After,
}

impl Pause {
    /// The name that listeners know it by.
    pub fn name(self) -> &'static str {
        match self {
            Pause::Interrupt => "pending",
            Pause::Before => "interrupt_before",
            Pause::After => "interrupt_after",
        }
    }
}

impl InterruptAt {
    /// Whether the run stops at one of `tasks`: something must have changed since the last stop,
    /// or a resumed run would stop at the same place for ever.
    pub(crate) fn hits<D: Domain>(&self, state: &ThreadState<D>, tasks: &[Task<D>]) -> bool {
        if matches!(self, InterruptAt::Nowhere) {
            return false;
        }
        let hit = |node: NodeIndex| match self {
            InterruptAt::Nowhere => false,
            InterruptAt::Everywhere => !state.plan().node(node).hidden,
            InterruptAt::Nodes(nodes) => nodes.contains(&node),
        };
        tasks.iter().filter_map(|task| task.node).any(hit) && has_news(state)
    }
}

fn has_news<D: Domain>(state: &ThreadState<D>) -> bool {
    let seen = state.seen.interrupt().unwrap_or_default();
    state.all_versions().iter().any(|(name, version)| {
        let before = seen.iter().find(|(known, _)| known == name).map(|(_, version)| version);
        version.newer_than(before)
    })
}
