//! Buffers that a state uses again and again, so that a superstep allocates little.

use langgraph_rust_channels::Packet;
use langgraph_rust_core::{ChannelIndex, Domain, Held, Target, Write};

/// Written values by channel, channels in the order of their first write.
pub(crate) struct Groups<D: Domain> {
    groups: Vec<Group<D>>,
    /// For each channel, where its group is.
    place: Vec<u32>,
    /// The packets travel beside the groups, with their addresses.
    packets: Vec<Packet<D>>,
    tasks_channel: ChannelIndex,
}

/// The values written to one channel.
pub(crate) type Group<D> = (ChannelIndex, Vec<<D as Domain>::Value>);

const NOWHERE: u32 = u32::MAX;

impl<D: Domain> Groups<D> {
    pub(crate) fn new(channels: usize, tasks_channel: ChannelIndex) -> Self {
        let place = vec![NOWHERE; channels];
        Self { groups: Vec::new(), place, packets: Vec::new(), tasks_channel }
    }

    /// Adds a write; those that go to no channel are skipped.
    pub(crate) fn add(&mut self, Write { target, value }: Write<D>) {
        match target {
            Target::Channel(index) if index.get() < self.place.len() => {
                self.group(index, 1).push(value);
            }
            Target::Packet(target) => {
                self.group(self.tasks_channel, 0);
                self.packets.push(Packet { target, value });
            }
            // A stored write may be to a channel of an earlier release of the graph.
            Target::Channel(_) | Target::Control(_) | Target::Unknown(_) => {}
        }
    }

    /// The channel's group, made with room for `capacity` values if it is new.
    fn group(&mut self, index: ChannelIndex, capacity: usize) -> &mut Vec<D::Value> {
        let place = &mut self.place[index.get()];
        if *place == NOWHERE {
            *place = self.groups.len() as u32;
            self.groups.push((index, Vec::with_capacity(capacity)));
        }
        &mut self.groups[*place as usize].1
    }

    /// The groups, to be given back by [`Groups::reuse`].
    pub(crate) fn take(&mut self) -> Vec<Group<D>> {
        for (index, _) in &self.groups {
            self.place[index.get()] = NOWHERE;
        }
        std::mem::take(&mut self.groups)
    }

    pub(crate) fn take_packets(&mut self) -> Vec<Packet<D>> {
        std::mem::take(&mut self.packets)
    }

    /// Shows what is held, for the garbage collector.
    pub(crate) fn traverse<E>(
        &self,
        visit: &mut impl FnMut(Held<'_, D>) -> Result<(), E>,
    ) -> Result<(), E> {
        let values = self.groups.iter().flat_map(|(_, values)| values);
        let packets = self.packets.iter().map(|packet| &packet.value);
        values.chain(packets).map(Held::Value).try_for_each(visit)
    }

    /// Takes back an emptied vector. What could not be applied is dropped.
    pub(crate) fn reuse(&mut self, emptied: Vec<Group<D>>) {
        self.groups = emptied;
        self.packets.clear();
    }
}

/// Channels, in the order in which they came.
pub(crate) struct ChannelSet {
    members: Vec<ChannelIndex>,
    contains: Vec<bool>,
}

impl ChannelSet {
    pub(crate) fn new(channels: usize) -> Self {
        Self { members: Vec::new(), contains: vec![false; channels] }
    }

    pub(crate) fn members(&self) -> &[ChannelIndex] {
        &self.members
    }

    pub(crate) fn contains(&self, index: ChannelIndex) -> bool {
        self.contains[index.get()]
    }

    pub(crate) fn insert(&mut self, index: ChannelIndex) {
        if !std::mem::replace(&mut self.contains[index.get()], true) {
            self.members.push(index);
        }
    }

    /// Empties the set and returns what was in it; `spare` takes the place of that vector.
    pub(crate) fn take(&mut self, mut spare: Vec<ChannelIndex>) -> Vec<ChannelIndex> {
        for index in &self.members {
            self.contains[index.get()] = false;
        }
        spare.clear();
        std::mem::replace(&mut self.members, spare)
    }
}
