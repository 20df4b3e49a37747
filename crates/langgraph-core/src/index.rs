/// The position of a channel in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelIndex(u32);

/// The position of a node in a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(u32);

macro_rules! index {
    ($name:ident) => {
        impl $name {
            /// The index of the `position`-th entry. A plan holds fewer than 2^32 entries.
            pub fn new(position: usize) -> Self {
                Self(u32::try_from(position).expect("a plan holds fewer than 2^32 entries"))
            }

            /// The position as a `usize`, to index a slice with.
            pub fn get(self) -> usize {
                self.0 as usize
            }
        }
    };
}

index!(ChannelIndex);
index!(NodeIndex);
