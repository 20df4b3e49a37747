use langgraph_rust_core::{Domain, PacketTarget};

/// A packet: a value on its way to a node, which runs on it in the next superstep.
pub struct Packet<D: Domain> {
    /// The node it is for.
    pub target: PacketTarget,
    /// The packet as it was written; only the driver looks inside.
    pub value: D::Value,
}

/// The channel of the packets sent in the last superstep, in the order of their senders.
pub struct Tasks<D: Domain> {
    packets: Vec<Packet<D>>,
}

impl<D: Domain> Tasks<D> {
    /// A channel that holds `packets`.
    pub fn new(packets: Vec<Packet<D>>) -> Self {
        Self { packets }
    }

    /// The packets.
    pub fn packets(&self) -> &[Packet<D>] {
        &self.packets
    }

    /// Replaces the packets; returns whether anything changed.
    pub fn replace(&mut self, packets: Vec<Packet<D>>) -> bool {
        let changed = !self.packets.is_empty() || !packets.is_empty();
        self.packets = packets;
        changed
    }
}
