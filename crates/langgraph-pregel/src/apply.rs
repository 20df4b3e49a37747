//! Applying a superstep's writes: in path order, one new version for all channels that change.

use langgraph_rust_channels::Channel;
use langgraph_rust_core::{ChannelIndex, Domain, Fault, NodeIndex, TaskPath, Write};

use crate::scratch::{ChannelSet, Written};
use crate::{Env, Plan, Reader, TaskWrites, ThreadState};

/// What is applied of a task, all of it where it is.
pub(crate) struct Applied<'a, D: Domain> {
    pub(crate) reader: Reader,
    pub(crate) path: &'a TaskPath,
    pub(crate) triggers: Triggers<'a>,
    pub(crate) writes: &'a mut Vec<Write<D>>,
}

/// The channels that started a task.
#[derive(Clone, Copy)]
pub(crate) enum Triggers<'a> {
    /// Those of a node of the plan.
    OfNode(NodeIndex),
    These(&'a [ChannelIndex]),
}

impl<'a> Triggers<'a> {
    pub(crate) fn of<'p, D: Domain>(self, plan: &'p Plan<D>) -> &'p [ChannelIndex]
    where
        'a: 'p,
    {
        match self {
            Triggers::OfNode(node) => &plan.node(node).triggers,
            Triggers::These(channels) => channels,
        }
    }
}

impl<D: Domain> ThreadState<D> {
    /// Applies the writes of `tasks`; what changed is in [`ThreadState::updated`] afterwards. Writes
    /// without a channel are skipped: the driver has already warned about unknown names.
    pub fn apply(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        mut tasks: Vec<TaskWrites<D>>,
    ) -> Result<(), Fault<D>> {
        let applied = tasks.iter_mut().map(|task| Applied {
            reader: task.reader.clone(),
            path: &task.path,
            triggers: Triggers::These(&task.triggers),
            writes: &mut task.writes,
        });
        self.apply_all(cx, env, &mut applied.collect::<Vec<_>>())
    }

    /// [`ThreadState::apply`], for tasks that the engine holds.
    pub(crate) fn apply_all(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        tasks: &mut [Applied<'_, D>],
    ) -> Result<(), Fault<D>> {
        if !tasks.is_sorted_by(|a, b| a.path <= b.path) {
            tasks.sort_by(|a, b| a.path.cmp(b.path));
        }
        // Input alone does not advance the superstep: transient channels keep what they hold.
        let advances = tasks.iter().any(|task| !matches!(task.reader, Reader::Input));
        self.note_seen(tasks);
        // Writes that could not be applied have left something behind.
        self.changes.restart();
        self.consume_triggers(cx, env, tasks)?;
        self.group(tasks);
        let mut groups = self.groups.take();
        let applied =
            groups.drain(..).try_for_each(|(index, values)| self.update(cx, env, index, values));
        self.groups.reuse(groups);
        applied?;
        if advances {
            self.tell_transients(cx, env)?;
            let updated = self.changes.updated.members();
            if updated.iter().all(|index| self.plan.triggered_by(*index).is_empty()) {
                self.tell_finish(cx, env)?;
            }
        }
        self.keep_live(cx)?;
        // What changed before counts until here: writes that cannot be applied change nothing.
        let before = self.updated.take().unwrap_or_default();
        self.updated = Some(self.changes.updated.take(before));
        Ok(())
    }

    fn note_seen(&mut self, tasks: &[Applied<'_, D>]) {
        for task in tasks {
            self.seen.note(&task.reader);
            let Reader::Node(node) = task.reader else { continue };
            for trigger in task.triggers.of(&self.plan) {
                if let Some(version) = &self.versions[trigger.get()] {
                    self.seen.set(node, *trigger, version.clone());
                }
            }
        }
    }

    fn consume_triggers(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        tasks: &[Applied<'_, D>],
    ) -> Result<(), Fault<D>> {
        for (position, task) in tasks.iter().enumerate() {
            for place in 0..task.triggers.of(&self.plan).len() {
                let trigger = task.triggers.of(&self.plan)[place];
                let before = &tasks[..position];
                let repeats = |t: &Applied<'_, D>| t.triggers.of(&self.plan).contains(&trigger);
                if before.len() < 8 && before.iter().any(repeats) {
                    continue;
                }
                if self.channels[trigger.get()].consume(cx)? {
                    self.bump(env, trigger)?;
                }
            }
        }
        Ok(())
    }

    /// Sorts the written values by channel, channels in the order of their first write.
    fn group(&mut self, tasks: &mut [Applied<'_, D>]) {
        for task in tasks {
            task.writes.drain(..).for_each(|write| self.groups.add(write));
        }
    }

    fn update(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        index: ChannelIndex,
        values: Written<D>,
    ) -> Result<(), Fault<D>> {
        let changed = match &mut self.channels[index.get()] {
            Channel::Tasks(tasks) => tasks.replace(self.groups.take_packets()),
            channel => {
                let name = &self.plan.channel(index).name;
                let updated = match values {
                    Written::One(value) => channel.update_with(cx, name, value),
                    Written::Several(values) => channel.update(cx, name, values),
                };
                updated.map_err(|fault| {
                    fault.noted(cx, || format!("In what was written to channel '{name}'"))
                })?
            }
        };
        if changed {
            self.changed(cx, env, index)?;
        }
        Ok(())
    }

    fn tell_transients(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Result<(), Fault<D>> {
        for position in 0..self.live.len() {
            let index = self.live[position];
            if !self.changes.updated.contains(index)
                && self.channels[index.get()].is_available(cx)?
            {
                self.update(cx, env, index, Written::Several(Vec::new()))?;
            }
        }
        Ok(())
    }

    fn tell_finish(&mut self, cx: D::Cx<'_>, env: &mut dyn Env<D>) -> Result<(), Fault<D>> {
        for position in 0..self.plan.finishers().len() {
            let index = self.plan.finishers()[position];
            if self.channels[index.get()].finish(cx)? {
                self.changed(cx, env, index)?;
            }
        }
        Ok(())
    }

    /// A channel changed: it gets the new version, and can trigger tasks if it can be read.
    fn changed(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        index: ChannelIndex,
    ) -> Result<(), Fault<D>> {
        self.bump(env, index)?;
        if !self.changes.updated.contains(index) && self.channels[index.get()].is_available(cx)? {
            self.changes.updated.insert(index);
        }
        Ok(())
    }

    fn bump(&mut self, env: &mut dyn Env<D>, index: ChannelIndex) -> Result<(), Fault<D>> {
        if !self.changes.has_version {
            self.newest = Some(env.next_version(self.newest.as_ref()).map_err(Fault::Domain)?);
            self.changes.has_version = true;
        }
        if self.versions[index.get()].is_none() {
            self.version_order.push(index);
        }
        self.versions[index.get()].clone_from(&self.newest);
        Ok(())
    }

    /// Remembers which transient channels must be told of the next superstep.
    fn keep_live(&mut self, cx: D::Cx<'_>) -> Result<(), Fault<D>> {
        let mut live = std::mem::take(&mut self.live);
        live.extend_from_slice(self.changes.updated.members());
        let mut kept = 0;
        for position in 0..live.len() {
            let channel = &self.channels[live[position].get()];
            let is_foreign = matches!(channel, Channel::Foreign(_));
            let is_told = !is_foreign && channel.is_transient();
            if is_told && channel.is_available(cx)? {
                live[kept] = live[position];
                kept += 1;
            }
        }
        live.truncate(kept);
        live.extend_from_slice(self.plan.foreign());
        if live.len() > 1 {
            live.sort_unstable();
            live.dedup();
        }
        self.live = live;
        Ok(())
    }
}

/// What one application of writes has done so far.
pub(crate) struct Changes {
    /// Whether something has changed: then the newest version is that of everything that does.
    has_version: bool,
    /// The channels that changed and can be read.
    updated: ChannelSet,
}

impl Changes {
    pub(crate) fn new(channels: usize) -> Self {
        Self { has_version: false, updated: ChannelSet::new(channels) }
    }

    fn restart(&mut self) {
        self.has_version = false;
        if !self.updated.members().is_empty() {
            self.updated.take(Vec::new());
        }
    }
}
