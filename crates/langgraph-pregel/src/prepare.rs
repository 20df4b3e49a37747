//! Which tasks the next superstep has.

use std::sync::Arc;

use langgraph_rust_channels::{Channel, Packet};
use langgraph_rust_core::{
    names, ChannelIndex, CheckpointId, Domain, Fault, IdHash, NodeIndex, PacketTarget, TaskId,
    TaskPath,
};
use smallvec::SmallVec;

use crate::{Plan, Prepared, Task, ThreadState};

impl<D: Domain> ThreadState<D> {
    /// The tasks of superstep `step` in `namespace`: packets first, in order, then the triggered
    /// nodes by name (in order of declaration, if what changed last is not known).
    pub fn prepare(
        &self,
        cx: D::Cx<'_>,
        namespace: &str,
        step: i64,
    ) -> Result<Vec<Prepared<D>>, Fault<D>> {
        let mut tasks = Vec::new();
        self.prepare_into(cx, &mut tasks)?;
        let prepared = tasks.into_iter().map(|task| {
            let id = self.task_id(namespace, step, &task).clone();
            Prepared { id, task }
        });
        Ok(prepared.collect())
    }

    /// [`ThreadState::prepare`], into a vector that is used again and again.
    pub(crate) fn prepare_into(
        &self,
        cx: D::Cx<'_>,
        tasks: &mut Vec<Task<D>>,
    ) -> Result<(), Fault<D>> {
        let mut slots = Slots { tasks, taken: 0 };
        let prepared = self.fill(cx, &mut slots);
        slots.finish();
        prepared
    }

    fn fill(&self, cx: D::Cx<'_>, slots: &mut Slots<'_, D>) -> Result<(), Fault<D>> {
        if let Channel::Tasks(channel) = self.channel(self.plan.tasks_channel()) {
            for (index, packet) in channel.packets().iter().enumerate() {
                self.push_task(cx, index, packet, slots);
            }
        }
        match self.only_candidate() {
            Some(node) => self.pull_task(cx, node, slots),
            None => {
                for node in self.candidates() {
                    self.pull_task(cx, node, slots)?;
                }
                Ok(())
            }
        }
    }

    /// The node that what changed may start, if there is one and no other.
    fn only_candidate(&self) -> Option<NodeIndex> {
        let [channel] = self.updated.as_deref()? else { return None };
        match self.plan.triggered_by(*channel) {
            [node] => Some(*node),
            _ => None,
        }
    }

    fn candidates(&self) -> SmallVec<[NodeIndex; 8]> {
        match self.updated.as_deref() {
            Some(updated) if !updated.is_empty() => {
                let triggered = |index: &ChannelIndex| self.plan.triggered_by(*index).iter();
                let mut nodes: SmallVec<[NodeIndex; 8]> =
                    updated.iter().flat_map(triggered).copied().collect();
                if nodes.len() > 1 {
                    nodes.sort_unstable_by_key(|node| self.plan.rank(*node));
                    nodes.dedup();
                }
                nodes
            }
            _ if !self.has_begun() => SmallVec::new(),
            _ => (0..self.plan.nodes().len()).map(NodeIndex::new).collect(),
        }
    }

    fn is_triggered(&self, cx: D::Cx<'_>, node: NodeIndex) -> Result<bool, Fault<D>> {
        let spec = self.plan.node(node);
        if !spec.runs {
            return Ok(false);
        }
        let has_run = self.seen.has_run(node);
        let mut triggered = false;
        for trigger in &spec.triggers {
            if self.is_news(node, *trigger, has_run) && self.channel(*trigger).is_available(cx)? {
                triggered = true;
                break;
            }
        }
        match spec.requires {
            Some(required) if triggered => self.channel(required).is_available(cx),
            _ => Ok(triggered),
        }
    }

    /// A node that never ran takes any value; one that ran takes only newer versions.
    fn is_news(&self, node: NodeIndex, trigger: ChannelIndex, has_run: bool) -> bool {
        !has_run
            || self
                .version(trigger)
                .is_some_and(|version| version.newer_than(self.seen.by_node(node, trigger)))
    }

    /// The task of a node, if what changed starts it.
    fn pull_task(
        &self,
        cx: D::Cx<'_>,
        node: NodeIndex,
        slots: &mut Slots<'_, D>,
    ) -> Result<(), Fault<D>> {
        if self.is_triggered(cx, node)? {
            slots.add(node, &self.plan.node(node).name, None);
        }
        Ok(())
    }

    /// The task of a packet; none for a packet that no node of the plan can take.
    fn push_task(&self, cx: D::Cx<'_>, index: usize, packet: &Packet<D>, slots: &mut Slots<'_, D>) {
        let PacketTarget::Node(node) = packet.target else { return };
        // A stored packet may be for a node of an earlier release of the graph.
        let Some(spec) = self.plan.nodes().get(node.get()).filter(|spec| spec.runs) else { return };
        slots.add(node, &spec.name, Some((index, D::copy(cx, &packet.value))));
    }

    /// The task that `parent` calls as its `index`-th.
    pub fn call_task(
        &self,
        namespace: &str,
        step: i64,
        name: Arc<str>,
        parent: &TaskPath,
        index: usize,
    ) -> Task<D> {
        let origin = self.origin(step);
        let (position, parent_text) = (Decimal::new(index as i64), parent.text());
        let rest = [&name, names::PUSH, &*parent_text, position.as_str()];
        let id = origin.derive(namespace, &name, rest);
        let path = TaskPath::Call { parent: Arc::new(parent.clone()), index };
        Task::new(None, name, path).named(id)
    }

    /// The task that handles the failure of `failed` in the node `handler`.
    pub fn handler_task(
        &self,
        cx: D::Cx<'_>,
        namespace: &str,
        step: i64,
        handler: NodeIndex,
        failed: (&Task<D>, &TaskId),
    ) -> Task<D> {
        let (failed, failure) = failed;
        let name = self.plan.node(handler).name.clone();
        let rest = [&name, names::PUSH, "node_error_handler", failure.as_str()];
        let id = self.origin(step).derive(namespace, &name, rest);
        let path = TaskPath::Handler(Arc::new(failed.path.clone()));
        let mut task = Task::new(Some(handler), name, path).named(id);
        task.packet = failed.packet.as_ref().map(|packet| D::copy(cx, packet));
        task
    }
}

/// Where a superstep's tasks go: in the places of those of the one before.
struct Slots<'t, D: Domain> {
    tasks: &'t mut Vec<Task<D>>,
    taken: usize,
}

impl<D: Domain> Slots<'_, D> {
    /// Adds the task of a node, started by the packet at a position in the tasks channel or by none.
    fn add(&mut self, node: NodeIndex, name: &Arc<str>, packet: Option<(usize, D::Value)>) {
        if self.taken == self.tasks.len() {
            let path = TaskPath::Input;
            self.tasks.push(Task::new(Some(node), name.clone(), path));
        }
        let task = &mut self.tasks[self.taken];
        task.restart(node, name);
        match packet {
            Some((index, value)) => {
                task.path = TaskPath::Push(index);
                task.packet = Some(value);
            }
            None if matches!(&task.path, TaskPath::Pull(known) if Arc::ptr_eq(known, name)) => {}
            None => task.path = TaskPath::Pull(name.clone()),
        }
        self.taken += 1;
    }

    fn finish(self) {
        self.tasks.truncate(self.taken);
    }
}

/// What the ids of a superstep's tasks are derived from: where the superstep stands.
pub(crate) struct Origin {
    checkpoint: CheckpointId,
    hash: IdHash,
    step: i64,
}

impl<D: Domain> ThreadState<D> {
    fn origin(&self, step: i64) -> Origin {
        Origin { checkpoint: self.id.clone(), hash: self.task_ids, step }
    }

    /// Moves on to the checkpoint `next`; returns where superstep `step` stood.
    pub(crate) fn move_on(&mut self, step: i64, next: CheckpointId) -> Origin {
        let hash = std::mem::take(&mut self.task_ids);
        Origin { checkpoint: std::mem::replace(&mut self.id, next), hash, step }
    }

    /// The id of a task of superstep `step` in `namespace`.
    pub(crate) fn task_id<'t>(&self, namespace: &str, step: i64, task: &'t Task<D>) -> &'t TaskId {
        task.id.get_or_init(|| self.origin(step).id_of(&self.plan, namespace, task))
    }
}

impl Origin {
    /// The id of a task that nobody has asked for it yet.
    pub(crate) fn id_of<D: Domain>(
        &self,
        plan: &Plan<D>,
        namespace: &str,
        task: &Task<D>,
    ) -> TaskId {
        let name = &*task.name;
        match (&task.path, task.node) {
            (TaskPath::Pull(_), Some(node)) => {
                self.derive(namespace, name, [plan.node(node).id_tail()])
            }
            (TaskPath::Push(index), _) => {
                let position = Decimal::new(*index as i64);
                self.derive(namespace, name, [name, names::PUSH, position.as_str()])
            }
            // Others have their ids from the beginning.
            (path, _) => self.derive(namespace, name, [name, names::PUSH, &*path.text()]),
        }
    }

    /// The id of a task: the node's namespace, the step, and `rest`, which begins with the node.
    fn derive<const N: usize>(&self, namespace: &str, node: &str, rest: [&str; N]) -> TaskId {
        let separator = if namespace.is_empty() { "" } else { names::NS_SEP };
        let step = Decimal::new(self.step);
        let mut parts = [""; 8];
        parts[..4].copy_from_slice(&[namespace, separator, node, step.as_str()]);
        parts[4..4 + N].copy_from_slice(&rest);
        TaskId::derive(self.hash, &self.checkpoint, &parts[..4 + N])
    }
}

/// A number in decimal digits, spelled in place.
struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    fn new(number: i64) -> Self {
        let mut digits = [b'0'; 20];
        let mut start = digits.len();
        let mut rest = number.unsigned_abs();
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if number < 0 {
            start -= 1;
            digits[start] = b'-';
        }
        Self { digits, start }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[self.start..]).expect("digits are UTF-8")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_as_they_are_everywhere() {
        for number in [0, 7, 10, -1, -12, 10_007, i64::MAX, i64::MIN] {
            assert_eq!(Decimal::new(number).as_str(), number.to_string());
        }
    }
}
