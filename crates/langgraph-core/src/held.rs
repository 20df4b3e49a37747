use crate::Domain;

/// Something of the domain's that is held, shown to a collector of garbage.
///
/// The methods called `traverse` show each reference that their object owns once, allocate nothing,
/// and stop at the first error. What is shared (a plan, and the reducers in it) is not shown: its
/// owners cannot know who else holds it.
pub enum Held<'a, D: Domain> {
    /// A value.
    Value(&'a D::Value),
    /// A channel that somebody else implements.
    Foreign(&'a D::Foreign),
    /// An error, to be raised.
    Error(&'a D::Error),
}
