use std::sync::Arc;

use crate::{ChannelIndex, Domain, Held, NodeIndex};

/// What a task wrote: a value and where it goes.
pub struct Write<D: Domain> {
    /// Where the value goes.
    pub target: Target,
    /// The value.
    pub value: D::Value,
}

/// Where a write goes. The boundary resolves names once, so that the engine compares indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A channel of the plan.
    Channel(ChannelIndex),
    /// The tasks channel: the value is a packet for a node, run in the next superstep.
    Packet(PacketTarget),
    /// No channel: the write says something about its task.
    Control(Control),
    /// A name that the plan has no channel for. Kept with the task's writes, never applied.
    Unknown(Arc<str>),
}

/// The node a packet is addressed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PacketTarget {
    /// A node of the plan.
    Node(NodeIndex),
    /// A name that the plan has no node for; such a packet is dropped when its turn comes.
    Unknown(Arc<str>),
    /// The value is no packet at all; dropped likewise.
    Malformed,
}

/// Writes that describe a task rather than the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// The task finished and produced nothing.
    NoWrites,
    /// The value a called task returned.
    Return,
    /// The resume values a task has received.
    Resume,
    /// The interrupts a task stopped with.
    Interrupt,
    /// The error a task failed with.
    Error,
    /// The failed node, for its error handler.
    ErrorSource,
}

impl Control {
    /// Whether the write tells what happened to the task, so that it is no output.
    pub fn is_status(self) -> bool {
        !matches!(self, Control::NoWrites | Control::Return)
    }

    /// Whether storage keeps one such write per task, the newest.
    pub fn has_fixed_slot(self) -> bool {
        matches!(self, Control::Resume | Control::Interrupt | Control::Error)
    }
}

impl<D: Domain> Write<D> {
    /// A write to a channel of the plan.
    pub fn channel(index: ChannelIndex, value: D::Value) -> Self {
        Self { target: Target::Channel(index), value }
    }

    /// A write about the task itself.
    pub fn control(control: Control, value: D::Value) -> Self {
        Self { target: Target::Control(control), value }
    }

    /// A packet for a node.
    pub fn packet(target: PacketTarget, value: D::Value) -> Self {
        Self { target: Target::Packet(target), value }
    }

    /// Whether the write is output: what makes a task count as finished.
    pub fn is_output(&self) -> bool {
        !matches!(&self.target, Target::Control(control) if control.is_status())
    }

    /// Whether the write is of the given control kind.
    pub fn is_control(&self, kind: Control) -> bool {
        self.target == Target::Control(kind)
    }

    /// Shows what is held, for the garbage collector.
    pub fn traverse<E>(
        &self,
        visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        visit(Held::Value(&self.value))
    }

    /// A copy, for a second owner.
    pub fn copy(&self, cx: D::Cx<'_>) -> Self {
        Self { target: self.target.clone(), value: D::copy(cx, &self.value) }
    }
}
