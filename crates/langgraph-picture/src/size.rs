//! How large things are.

use crate::text::{self, LABEL, SMALL};
use crate::Drawing;

/// Room between a box's rim and what is in it.
pub(crate) const PADDING: f64 = 14.0;

/// The same at the top, where the label is.
pub(crate) const HEADROOM: f64 = 30.0;

/// A rectangle, in pixels, from the top left of the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Its left side.
    pub x: f64,
    /// Its top.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

impl Rect {
    /// Whether all of another is in it.
    pub(crate) fn holds(&self, other: &Rect) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && self.x + self.width >= other.x + other.width
            && self.y + self.height >= other.y + other.height
    }
}

/// The size of a node's box.
pub(crate) fn node_size(graph: &Drawing, node: usize) -> (f64, f64) {
    let node = &graph.nodes[node];
    let label = text::width(&text::cut(&node.label, text::LONGEST), LABEL);
    let notes = node.notes.iter().map(|note| text::width(&text::cut(note, text::LONGEST), SMALL));
    let width = notes.fold(label, f64::max) + 28.0;
    (width.max(48.0), 34.0 + node.notes.len() as f64 * (SMALL + 4.0))
}

/// The size of what is written beside an edge.
pub(crate) fn label_size(graph: &Drawing, edge: usize) -> Option<(f64, f64)> {
    Some(text::plate(graph.edges[edge].label.as_ref()?))
}
