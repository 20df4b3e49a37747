//! New versions for channels that are stored though nothing was written to them.
//!
//! Storage keeps a value only of a channel whose version is new. A version that stands for no write
//! must start nobody: whoever had seen the version before counts as having seen this one. Which
//! entries were moved on, and what was really read, is kept under a name of its own.

use std::sync::Arc;

use langgraph_rust_channels::Channel;
use langgraph_rust_checkpoint::{SinceSnapshot, Versions, VersionsSeen};
use langgraph_rust_core::{names, ChannelIndex, Domain, Fault, Version};

use crate::seen::Seen;
use crate::{Env, Plan, ThreadState};

/// A channel that got a new version.
struct Bump {
    channel: ChannelIndex,
    name: Arc<str>,
    before: Option<Version>,
    now: Version,
}

impl<D: Domain> ThreadState<D> {
    /// The delta channels whose values are to be stored because of what happened to them since that
    /// was done: their own number of updates, or so many `supersteps`.
    pub fn due_snapshots(
        &self,
        cx: D::Cx<'_>,
        since: &[(ChannelIndex, SinceSnapshot)],
        supersteps: u64,
    ) -> Result<Vec<ChannelIndex>, Fault<D>> {
        let mut due = Vec::new();
        for (index, since) in since {
            let frequency = match self.channel(*index) {
                Channel::Delta(channel) => channel.frequency(),
                Channel::Aggregate(channel) => match channel.value() {
                    Some(value) => worthwhile(D::size(cx, value)),
                    None => continue,
                },
                _ => continue,
            };
            let is_due = since.updates >= frequency || since.supersteps >= supersteps;
            // A channel that was never written has nothing to store.
            if is_due && self.version(*index).is_some() && self.channel(*index).is_available(cx)? {
                due.push(*index);
            }
        }
        Ok(due)
    }

    /// Gives the channels `snapshots` new versions, unless they have got some since `stored`; so for
    /// those that store their values but were rebuilt from changes: the thread may be a branch by
    /// now, and what is stored of the other is not theirs.
    pub fn bump_snapshots(
        &mut self,
        env: &mut dyn Env<D>,
        snapshots: &[ChannelIndex],
        stored: &[Option<Version>],
    ) -> Result<(), Fault<D>> {
        let mut bumps = Vec::new();
        let rebuilt = std::mem::take(&mut self.rebuilt);
        for index in snapshots.iter().chain(&rebuilt) {
            let before = self.versions[index.get()].clone();
            let known = stored.get(index.get()).and_then(Option::as_ref);
            if before.is_some() && before.as_ref() != known {
                continue;
            }
            let now = env.next_version(before.as_ref()).map_err(Fault::Domain)?;
            if self.newest.as_ref().is_none_or(|newest| now.newer_than(Some(newest))) {
                self.newest = Some(now.clone());
            }
            self.set_version(*index, now.clone());
            let name = self.plan.channel(*index).name.clone();
            bumps.push(Bump { channel: *index, name, before, now });
        }
        if !bumps.is_empty() {
            self.seen = mark(&self.plan, self.seen.store(&self.plan), &bumps);
        }
        Ok(())
    }
}

/// After how many updates a value of so many items is stored again, if its channel did not say. Up
/// to a bound that is half as many as there are items: a short value is soon read and costs little,
/// and while a long one grows, all that is stored of it grows no faster than it does. What nobody has
/// written to need not be stored again.
fn worthwhile(items: usize) -> u64 {
    const BOUND: u64 = 100;
    (items as u64 / 2).clamp(1, BOUND)
}

/// Moves on whoever had seen the versions before.
fn mark<D: Domain>(plan: &Plan<D>, mut seen: VersionsSeen, bumps: &[Bump]) -> Seen {
    for bump in bumps.iter().filter(|bump| bump.before.is_none()) {
        // Nodes that never ran would take the first version for a write.
        for node in plan.triggered_by(bump.channel) {
            let name = &plan.node(*node).name;
            if !seen.iter().any(|(known, _)| known == name) {
                seen.push((name.clone(), Arc::default()));
            }
        }
    }
    let is_marks = |(name, _): &(Arc<str>, Arc<Versions>)| &**name == names::SNAPSHOT_BUMPS;
    let place = seen.iter().position(is_marks);
    let taken = place.map(|place| std::mem::take(&mut seen[place].1)).unwrap_or_default();
    let mut marks = Arc::unwrap_or_clone(taken);
    for (node, versions) in seen.iter_mut().filter(|entry| !is_marks(entry)) {
        for bump in bumps {
            if get(versions, &bump.name) != bump.before.as_ref() {
                continue;
            }
            let advanced: Arc<str> = format!("{node}{}{}", names::NS_SEP, bump.name).into();
            let read: Arc<str> = format!("{node}{}{}", names::NS_END, bump.name).into();
            // If an earlier bump made the version before, what was really read is known already.
            if let Some(before) = &bump.before {
                if get(&marks, &advanced) != Some(before) {
                    set(&mut marks, read, before.clone());
                }
            }
            set(&mut marks, advanced, bump.now.clone());
            set(Arc::make_mut(versions), bump.name.clone(), bump.now.clone());
        }
    }
    match place {
        Some(place) => seen[place].1 = Arc::new(marks),
        None if marks.is_empty() => {}
        None => seen.push((names::SNAPSHOT_BUMPS.into(), Arc::new(marks))),
    }
    Seen::load(plan, seen)
}

fn get<'v>(versions: &'v Versions, name: &str) -> Option<&'v Version> {
    versions.iter().find(|(known, _)| &**known == name).map(|(_, version)| version)
}

fn set(versions: &mut Versions, name: Arc<str>, version: Version) {
    match versions.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = version,
        None => versions.push((name, version)),
    }
}
