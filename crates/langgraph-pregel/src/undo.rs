//! Taking back a superstep whose writes could not all be applied.
//!
//! Only durability `exit` needs it: there, the state in memory is what is stored in the end.
//! Otherwise the checkpoint before is, and a state that is half applied goes with the run.

use langgraph_rust_channels::Channel;
use langgraph_rust_core::{ChannelIndex, Domain, Fault, Target, Version};

use crate::apply::Applied;
use crate::seen::SeenBefore;
use crate::{Env, ThreadState};

/// What a superstep is about to change, as it was.
struct Before<D: Domain> {
    channels: Vec<(ChannelIndex, Channel<D>, Option<Version>)>,
    /// How many channels had a version.
    with_version: usize,
    newest: Option<Version>,
    live: Vec<ChannelIndex>,
    seen: SeenBefore,
}

impl<D: Domain> ThreadState<D> {
    /// [`ThreadState::apply_all`], wholly or not at all.
    #[inline(never)]
    pub(crate) fn apply_wholly(
        &mut self,
        cx: D::Cx<'_>,
        env: &mut dyn Env<D>,
        tasks: &mut [Applied<'_, D>],
    ) -> Result<(), Fault<D>> {
        let before = self.before(cx, tasks)?;
        let applied = self.apply_all(cx, env, tasks);
        if applied.is_err() {
            self.take_back(before);
        }
        applied
    }

    /// Remembers what applying the writes of `tasks` can change.
    fn before(&self, cx: D::Cx<'_>, tasks: &[Applied<'_, D>]) -> Result<Before<D>, Fault<D>> {
        let triggers = tasks.iter().flat_map(|task| task.triggers.of(&self.plan).iter().copied());
        let targets = tasks.iter().flat_map(|task| &*task.writes).map(|write| &write.target);
        let written = targets.filter_map(|target| match target {
            Target::Channel(index) => Some(*index).filter(|i| i.get() < self.channels.len()),
            Target::Packet(_) => Some(self.plan.tasks_channel()),
            Target::Control(_) | Target::Unknown(_) => None,
        });
        let told = self.live.iter().chain(self.plan.finishers()).copied();
        let mut touched: Vec<ChannelIndex> = triggers.chain(written).chain(told).collect();
        touched.sort_unstable();
        touched.dedup();
        let copied = touched.into_iter().map(|index| {
            let channel = self.channels[index.get()].duplicate(cx)?;
            Ok((index, channel, self.versions[index.get()].clone()))
        });
        Ok(Before {
            channels: copied.collect::<Result<_, Fault<D>>>()?,
            with_version: self.version_order.len(),
            newest: self.newest.clone(),
            live: self.live.clone(),
            seen: self.seen.before(tasks.iter().map(|task| &task.reader)),
        })
    }

    /// Is again as it was. What a reducer changed within the value that it was given stays changed.
    fn take_back(&mut self, before: Before<D>) {
        for (index, channel, version) in before.channels {
            self.channels[index.get()] = channel;
            self.versions[index.get()] = version;
        }
        self.version_order.truncate(before.with_version);
        self.newest = before.newest;
        self.live = before.live;
        self.seen.take_back(before.seen);
    }
}
