use langgraph_core::{Domain, PacketTarget};

/// What storage keeps of a channel.
pub enum Saved<D: Domain> {
    /// The value as it is.
    Value(D::Value),
    /// A value and whether it has been released by `finish`.
    Released(D::Value, bool),
    /// The names a barrier has seen.
    Names(Vec<String>),
    /// The names a barrier has seen and whether it has been released by `finish`.
    ReleasedNames(Vec<String>, bool),
    /// The items of a topic.
    Items(Vec<D::Value>),
    /// The packets of the next superstep.
    Packets(Vec<(PacketTarget, D::Value)>),
}
