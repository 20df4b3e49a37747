//! The same graphs in each of the crates: nodes do nothing, so that what is measured is what the crate
//! does around them.

pub mod graph_flow;
pub mod juncture;
pub mod ours;

/// The nodes of a chain, by name.
fn names(length: usize) -> Vec<String> {
    (0..length).map(|n| format!("node{n:04}")).collect()
}
