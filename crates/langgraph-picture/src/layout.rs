//! Where everything goes.
//!
//! Each box is a level of its own, laid out as a graph, and a single large item of the level around
//! it. An edge that leaves a box goes through a port on the box's rim.

use crate::level::{layers_of, levels, Content, Level};
use crate::route::Geometry;
use crate::size::{Rect, HEADROOM};
use crate::text;
use crate::Drawing;

/// Room around the whole picture, in pixels.
const MARGIN: f64 = 12.0;

/// The course of an edge.
#[derive(Clone, Debug, Default)]
pub struct Path {
    /// The points that it goes through, from its source to its target. Between two that are not one
    /// above the other it is a curve that begins and ends upright.
    pub points: Vec<(f64, f64)>,
    /// Where its label is.
    pub label: Option<Rect>,
    /// Whether it is a loop at the right of its node.
    pub is_loop: bool,
}

/// Where everything goes.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// How wide the picture is.
    pub width: f64,
    /// How high.
    pub height: f64,
    /// Where the nodes are.
    pub nodes: Vec<Rect>,
    /// Where the boxes are.
    pub clusters: Vec<Rect>,
    /// Where the labels of boxes are: beside the edges that come in at the top, if there is room.
    pub titles: Vec<Rect>,
    /// Where the edges are.
    pub edges: Vec<Path>,
}

/// Lays out a graph.
pub fn lay_out(graph: &Drawing) -> Layout {
    let levels = levels(graph);
    let mut placed: Vec<Geometry> = Vec::new();
    placed.resize_with(levels.len(), Geometry::default);
    // A box is as large as what is in it: those within come first.
    for number in (0..levels.len()).rev() {
        let layers = layers_of(&levels[number]);
        placed[number] = Geometry::new(graph, &levels[number], &layers, &placed);
    }
    assemble(graph, &levels, &placed)
}

/// Where the label of a box is, given where edges come in at its top, from the left.
fn title(label: &str, rect: &Rect, entries: &[f64]) -> Rect {
    const ASIDE: f64 = 7.0;
    let (width, height) = text::plate(label);
    let starts = entries.iter().map(|x| x + ASIDE);
    let ends = entries.iter().map(|x| x - ASIDE).chain([rect.x + rect.width - ASIDE]);
    let rooms = std::iter::once(rect.x + ASIDE).chain(starts).zip(ends);
    let free = rooms.into_iter().find(|(start, end)| end - start >= width);
    Rect { x: free.map_or(rect.x + ASIDE, |(start, _)| start), y: rect.y + ASIDE, width, height }
}

/// Brings all levels to where they are in the picture.
fn assemble(graph: &Drawing, levels: &[Level], placed: &[Geometry]) -> Layout {
    let mut layout = Layout {
        width: placed[0].width + 2.0 * MARGIN,
        height: placed[0].height + 2.0 * MARGIN,
        nodes: vec![Rect::default(); graph.nodes.len()],
        clusters: vec![Rect::default(); graph.clusters.len()],
        titles: vec![Rect::default(); graph.clusters.len()],
        edges: vec![Path::default(); graph.edges.len()],
    };
    let mut origins = vec![(MARGIN, MARGIN); levels.len()];
    let mut sections: Vec<Vec<Section>> = vec![Vec::new(); graph.edges.len()];
    for (number, level) in levels.iter().enumerate() {
        let (left, top) = origins[number];
        let geometry = &placed[number];
        let moved = |rect: Rect| Rect { x: rect.x + left, y: rect.y + top, ..rect };
        for (content, &rect) in level.items.iter().zip(&geometry.boxes) {
            match *content {
                Content::Node(node) => layout.nodes[node] = moved(rect),
                Content::Cluster(cluster) => {
                    let rect = moved(rect);
                    layout.clusters[cluster] = rect;
                    let within = &placed[cluster + 1];
                    let left = rect.x + within.indent(rect.width);
                    origins[cluster + 1] = (left, rect.y + HEADROOM);
                    let entries: Vec<f64> = within.entries().iter().map(|x| x + left).collect();
                    let label = &graph.clusters[cluster].label;
                    layout.titles[cluster] = title(label, &rect, &entries);
                }
                Content::Port(..) => {}
            }
        }
        for (part, (points, label)) in level.parts.iter().zip(&geometry.courses) {
            let points: Vec<_> = points.iter().map(|&(x, y)| (x + left, y + top)).collect();
            sections[part.edge].push(Section { points, is_up: part.is_up });
            if let Some(label) = label {
                layout.edges[part.edge].label = Some(moved(*label));
            }
        }
        for (&edge, (points, label)) in level.loops.iter().zip(&geometry.loops) {
            let points = points.iter().map(|&(x, y)| (x + left, y + top)).collect();
            layout.edges[edge] = Path { points, label: label.map(moved), is_loop: true };
        }
    }
    for (path, sections) in layout.edges.iter_mut().zip(sections) {
        if !path.is_loop {
            let is_up = sections.first().is_some_and(|section| section.is_up);
            path.points = joined(sections);
            if is_up {
                path.points.reverse();
            }
        }
    }
    layout
}

/// The course of an edge within one level, downwards.
#[derive(Clone)]
struct Section {
    points: Vec<(f64, f64)>,
    is_up: bool,
}

/// The whole course, downwards: sections meet at the rims of boxes.
fn joined(mut sections: Vec<Section>) -> Vec<(f64, f64)> {
    sections.sort_by(|one, other| {
        let top = |section: &Section| section.points.first().map_or(0.0, |point| point.1);
        top(one).total_cmp(&top(other))
    });
    let mut points: Vec<(f64, f64)> = Vec::new();
    for point in sections.into_iter().flat_map(|section| section.points) {
        if points.last() != Some(&point) {
            points.push(point);
        }
    }
    points
}
