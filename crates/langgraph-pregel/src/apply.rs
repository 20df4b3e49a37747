//! Applying a superstep's writes: in path order, one new version for all channels that change.

use langgraph_channels::{Channel, Packet};
use langgraph_core::{ChannelIndex, Domain, Fault, Target, TaskPath, Version, Write};
use smallvec::SmallVec;

use crate::state::Groups;
use crate::{Env, Reader, TaskWrites, ThreadState};

/// What is applied of a task. Most of it stays where it is.
pub(crate) struct Applied<'a, D: Domain> {
    pub(crate) reader: Reader,
    pub(crate) path: &'a TaskPath,
    pub(crate) triggers: &'a [ChannelIndex],
    pub(crate) writes: Vec<Write<D>>,
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
        let take = |task: &mut TaskWrites<D>| std::mem::take(&mut task.writes);
        let writes: Vec<Vec<Write<D>>> = tasks.iter_mut().map(take).collect();
        let mut applied = SmallVec::new();
        applied.extend(tasks.iter().zip(writes).map(|(task, writes)| Applied {
            reader: task.reader.clone(),
            path: &task.path,
            triggers: &task.triggers,
            writes,
        }));
        self.apply_all(cx, env, applied)
    }

    /// [`ThreadState::apply`], for tasks that the engine holds.
    pub(crate) fn apply_all(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        mut tasks: SmallVec<[Applied<'_, D>; 2]>,
    ) -> Result<(), Fault<D>> {
        if !tasks.is_sorted_by(|a, b| a.path <= b.path) {
            tasks.sort_by(|a, b| a.path.cmp(b.path));
        }
        // Input alone does not advance the superstep: transient channels keep what they hold.
        let advances = tasks.iter().any(|task| !matches!(task.reader, Reader::Input));
        self.note_seen(&tasks);
        let mut updated = std::mem::take(&mut self.scratch.updated);
        updated.clear();
        let mut pass = Pass { next: None, updated };
        self.consume_triggers(cx, env, &mut pass, &tasks)?;
        let mut groups = self.group(tasks);
        for (index, values) in groups.drain(..) {
            self.update(cx, env, &mut pass, index, values)?;
        }
        self.scratch.groups = groups;
        if advances {
            self.tell_transients(cx, env, &mut pass)?;
            if pass.updated.iter().all(|index| self.plan.triggered_by(*index).is_empty()) {
                self.tell_finish(cx, env, &mut pass)?;
            }
        }
        for index in &pass.updated {
            self.scratch.is_updated[index.get()] = false;
        }
        self.keep_live(cx, &pass.updated)?;
        // What changed before counts until here: writes that cannot be applied change nothing.
        self.scratch.updated = self.updated.replace(pass.updated).unwrap_or_default();
        Ok(())
    }

    fn note_seen(&mut self, tasks: &[Applied<'_, D>]) {
        for task in tasks {
            self.seen.note(&task.reader);
            let Reader::Node(node) = task.reader else { continue };
            for trigger in task.triggers {
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
        pass: &mut Pass,
        tasks: &[Applied<'_, D>],
    ) -> Result<(), Fault<D>> {
        for (position, task) in tasks.iter().enumerate() {
            for trigger in task.triggers {
                let before = &tasks[..position];
                if before.len() < 8 && before.iter().any(|t| t.triggers.contains(trigger)) {
                    continue;
                }
                if self.channels[trigger.get()].consume(cx)? {
                    self.bump(env, pass, *trigger)?;
                }
            }
        }
        Ok(())
    }

    /// The written values by channel, channels in the order of their first write.
    fn group(&mut self, tasks: SmallVec<[Applied<'_, D>; 2]>) -> Groups<D> {
        let mut groups = std::mem::take(&mut self.scratch.groups);
        let tasks_channel = self.plan.tasks_channel();
        for task in tasks {
            for Write { target, value } in task.writes {
                let index = match target {
                    Target::Channel(index) => index,
                    Target::Packet(packet) => {
                        // The values of packets travel beside the groups, with their addresses.
                        if self.scratch.packets.is_empty() {
                            groups.push((tasks_channel, Vec::new()));
                        }
                        self.scratch.packets.push((packet, value));
                        continue;
                    }
                    Target::Control(_) | Target::Unknown(_) => continue,
                };
                let slot = &mut self.scratch.group_of[index.get()];
                if *slot == u32::MAX {
                    *slot = groups.len() as u32;
                    groups.push((index, Vec::with_capacity(1)));
                }
                groups[*slot as usize].1.push(value);
            }
        }
        for (index, _) in &groups {
            self.scratch.group_of[index.get()] = u32::MAX;
        }
        groups
    }

    fn update(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        pass: &mut Pass,
        index: ChannelIndex,
        values: Vec<D::Value>,
    ) -> Result<(), Fault<D>> {
        let packets = std::mem::take(&mut self.scratch.packets);
        let changed = match &mut self.channels[index.get()] {
            Channel::Tasks(tasks) if !packets.is_empty() => {
                let packets = packets.into_iter();
                tasks.replace(packets.map(|(target, value)| Packet { target, value }).collect())
            }
            channel => {
                self.scratch.packets = packets;
                channel.update(cx, &self.plan.channel(index).name, values)?
            }
        };
        if changed {
            self.changed(cx, env, pass, index)?;
        }
        Ok(())
    }

    fn tell_transients(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        pass: &mut Pass,
    ) -> Result<(), Fault<D>> {
        for position in 0..self.live.len() {
            let index = self.live[position];
            let told = self.scratch.is_updated[index.get()];
            if !told && self.channels[index.get()].is_available(cx)? {
                self.update(cx, env, pass, index, Vec::new())?;
            }
        }
        Ok(())
    }

    fn tell_finish(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        pass: &mut Pass,
    ) -> Result<(), Fault<D>> {
        for position in 0..self.plan.finishers().len() {
            let index = self.plan.finishers()[position];
            if self.channels[index.get()].finish(cx)? {
                self.changed(cx, env, pass, index)?;
            }
        }
        Ok(())
    }

    /// A channel changed: it gets the new version, and can trigger tasks if it can be read.
    fn changed(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        pass: &mut Pass,
        index: ChannelIndex,
    ) -> Result<(), Fault<D>> {
        self.bump(env, pass, index)?;
        let updated = &mut self.scratch.is_updated[index.get()];
        if !*updated && self.channels[index.get()].is_available(cx)? {
            *updated = true;
            pass.updated.push(index);
        }
        Ok(())
    }

    fn bump(
        &mut self,
        env: &mut dyn Env<D>,
        pass: &mut Pass,
        index: ChannelIndex,
    ) -> Result<(), Fault<D>> {
        if pass.next.is_none() {
            pass.next = Some(env.next_version(self.newest.as_ref()).map_err(Fault::Domain)?);
            self.newest = pass.next.clone();
        }
        if let Some(version) = pass.next.clone() {
            self.set_version(index, version);
        }
        Ok(())
    }

    /// Remembers which transient channels must be told of the next superstep.
    fn keep_live(&mut self, cx: D::Cx<'_>, updated: &[ChannelIndex]) -> Result<(), Fault<D>> {
        let mut live = std::mem::take(&mut self.live);
        live.extend_from_slice(updated);
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
struct Pass {
    /// The version of everything that changes, once something has.
    next: Option<Version>,
    updated: Vec<ChannelIndex>,
}
