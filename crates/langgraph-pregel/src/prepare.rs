//! Which tasks the next superstep has.

use std::sync::Arc;

use langgraph_channels::{Channel, Packet};
use langgraph_core::{
    names, ChannelIndex, Domain, Fault, NodeIndex, PacketTarget, TaskId, TaskPath,
};

use crate::{State, Task, TaskState};

impl<D: Domain> State<D> {
    /// The tasks of superstep `step` in `namespace`: packets first, in order, then the triggered
    /// nodes by name (in order of declaration, if what changed last is not known).
    pub fn prepare(
        &self,
        cx: D::Cx<'_>,
        namespace: &str,
        step: i64,
    ) -> Result<Vec<Task<D>>, Fault<D>> {
        let place = IdParts::new(self, namespace, step);
        let mut tasks = Vec::new();
        if let Channel::Tasks(channel) = self.channel(self.plan.tasks_channel()) {
            for (index, packet) in channel.packets().iter().enumerate() {
                tasks.extend(self.push_task(cx, &place, index, packet));
            }
        }
        for node in self.candidates() {
            if self.is_triggered(cx, node)? {
                tasks.push(self.pull_task(&place, node));
            }
        }
        Ok(tasks)
    }

    fn candidates(&self) -> Vec<NodeIndex> {
        match self.updated.as_deref() {
            Some(updated) if !updated.is_empty() => {
                let mut nodes: Vec<NodeIndex> = updated
                    .iter()
                    .flat_map(|index| self.plan.triggered_by(*index).iter().copied())
                    .collect();
                nodes.sort_unstable_by_key(|node| self.plan.rank(*node));
                nodes.dedup();
                nodes
            }
            _ if !self.has_begun() => Vec::new(),
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

    fn pull_task(&self, place: &IdParts<'_, D>, node: NodeIndex) -> Task<D> {
        let spec = self.plan.node(node);
        let mut parts = place.head(&spec.name, names::PULL);
        parts.extend(spec.trigger_names().iter().map(|name| &**name));
        Task {
            id: place.derive(&parts),
            node: Some(node),
            name: spec.name.clone(),
            path: TaskPath::Pull(spec.name.clone()),
            packet: None,
            writes: Vec::new(),
            state: TaskState::Waiting,
            attempts: 0,
            question: None,
            handles: None,
            after: None,
        }
    }

    /// The task of a packet; `None` for a packet that no node of the plan can take.
    fn push_task(
        &self,
        cx: D::Cx<'_>,
        place: &IdParts<'_, D>,
        index: usize,
        packet: &Packet<D>,
    ) -> Option<Task<D>> {
        let PacketTarget::Node(node) = packet.target else { return None };
        let spec = self.plan.node(node);
        if !spec.runs {
            return None;
        }
        let position = index.to_string();
        let mut parts = place.head(&spec.name, names::PUSH);
        parts.push(&position);
        Some(Task {
            id: place.derive(&parts),
            node: Some(node),
            name: spec.name.clone(),
            path: TaskPath::Push(index),
            packet: Some(D::copy(cx, &packet.value)),
            writes: Vec::new(),
            state: TaskState::Waiting,
            attempts: 0,
            question: None,
            handles: None,
            after: None,
        })
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
        let place = IdParts::new(self, namespace, step);
        let (position, parent_text) = (index.to_string(), parent.text());
        let mut parts = place.head(&name, names::PUSH);
        parts.extend([&*parent_text, &position]);
        Task {
            id: place.derive(&parts),
            node: None,
            path: TaskPath::Call { parent: Arc::new(parent.clone()), index },
            name: name.clone(),
            packet: None,
            writes: Vec::new(),
            state: TaskState::Waiting,
            attempts: 0,
            question: None,
            handles: None,
            after: None,
        }
    }

    /// The task that handles the failure of `failed` in the node `handler`.
    pub fn handler_task(
        &self,
        cx: D::Cx<'_>,
        namespace: &str,
        step: i64,
        handler: NodeIndex,
        failed: &Task<D>,
    ) -> Task<D> {
        let place = IdParts::new(self, namespace, step);
        let spec = self.plan.node(handler);
        let mut parts = place.head(&spec.name, names::PUSH);
        parts.extend(["node_error_handler", failed.id.as_str()]);
        Task {
            id: place.derive(&parts),
            node: Some(handler),
            name: spec.name.clone(),
            path: TaskPath::Handler(Arc::new(failed.path.clone())),
            packet: failed.packet.as_ref().map(|packet| D::copy(cx, packet)),
            writes: Vec::new(),
            state: TaskState::Waiting,
            attempts: 0,
            question: None,
            handles: None,
            after: None,
        }
    }
}

/// What task ids are derived from.
struct IdParts<'a, D: Domain> {
    state: &'a State<D>,
    namespace: &'a str,
    step: String,
}

impl<'a, D: Domain> IdParts<'a, D> {
    fn new(state: &'a State<D>, namespace: &'a str, step: i64) -> Self {
        Self { state, namespace, step: step.to_string() }
    }

    /// Namespace of the node, step, node, kind.
    fn head<'p>(&'p self, name: &'p str, kind: &'p str) -> Vec<&'p str> {
        let mut parts = Vec::with_capacity(8);
        if !self.namespace.is_empty() {
            parts.extend([self.namespace, names::NS_SEP]);
        }
        parts.extend([name, &self.step, name, kind]);
        parts
    }

    fn derive(&self, parts: &[&str]) -> TaskId {
        TaskId::derive(&self.state.id, parts)
    }
}
