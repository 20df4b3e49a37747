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
pub(crate) type Group<D> = (ChannelIndex, Written<D>);

/// Values, mostly one.
pub(crate) enum Written<D: Domain> {
    One(D::Value),
    Several(Vec<D::Value>),
}

impl<D: Domain> Written<D> {
    fn push(&mut self, value: D::Value) {
        match self {
            Written::Several(values) => values.push(value),
            Written::One(_) => {
                let one = std::mem::replace(self, Written::Several(Vec::with_capacity(4)));
                if let (Written::One(first), Written::Several(values)) = (one, self) {
                    values.extend([first, value]);
                }
            }
        }
    }

    pub(crate) fn values(&self) -> &[D::Value] {
        match self {
            Written::One(value) => std::slice::from_ref(value),
            Written::Several(values) => values,
        }
    }
}

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
                match self.place[index.get()] {
                    NOWHERE => self.begin(index, Written::One(value)),
                    place => self.groups[place as usize].1.push(value),
                }
            }
            Target::Packet(target) => {
                if self.place[self.tasks_channel.get()] == NOWHERE {
                    self.begin(self.tasks_channel, Written::Several(Vec::new()));
                }
                self.packets.push(Packet { target, value });
            }
            // A stored write may be to a channel of an earlier release of the graph.
            Target::Channel(_) | Target::Control(_) | Target::Unknown(_) => {}
        }
    }

    fn begin(&mut self, index: ChannelIndex, values: Written<D>) {
        self.place[index.get()] = self.groups.len() as u32;
        self.groups.push((index, values));
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
        let values = self.groups.iter().flat_map(|(_, values)| values.values());
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
