//! Where everything goes.
//!
//! Each box is a level of its own, laid out as a graph, and a single large item of the level around
//! it. An edge that leaves a box goes through a port on the box's rim.

use crate::layers::{layers, leading_back, Arc};
use crate::route::Geometry;
use crate::text::{self, LABEL, SMALL};
use crate::Drawing;

/// Room around the whole picture, in pixels.
const MARGIN: f64 = 12.0;

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

/// What is laid out in a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Node(usize),
    Cluster(usize),
    /// Where an edge goes through the rim, at the top or at the bottom.
    Port(usize, bool),
}

/// An edge, or a part of it, within a level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) edge: usize,
    /// The item above.
    pub(crate) from: usize,
    /// The item below.
    pub(crate) to: usize,
    /// Whether the edge leads up.
    pub(crate) is_up: bool,
    /// Whether the label is here.
    pub(crate) has_label: bool,
}

/// A box, or all that is in none.
#[derive(Debug, Default)]
pub(crate) struct Level {
    pub(crate) items: Vec<Content>,
    pub(crate) parts: Vec<Part>,
    pub(crate) loops: Vec<usize>,
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

/// The levels: the whole, and then each box.
fn levels(graph: &Drawing) -> Vec<Level> {
    let mut levels: Vec<Level> = Vec::new();
    levels.resize_with(graph.clusters.len() + 1, Level::default);
    let level_of = |cluster: Option<usize>| cluster.map_or(0, |cluster| cluster + 1);
    let mut node_item = Vec::with_capacity(graph.nodes.len());
    for (number, node) in graph.nodes.iter().enumerate() {
        let items = &mut levels[level_of(node.cluster)].items;
        node_item.push(items.len());
        items.push(Content::Node(number));
    }
    let mut cluster_item = Vec::with_capacity(graph.clusters.len());
    for (number, cluster) in graph.clusters.iter().enumerate() {
        let items = &mut levels[level_of(cluster.parent)].items;
        cluster_item.push(items.len());
        items.push(Content::Cluster(number));
    }
    // From a node outwards: the levels that it is in, and which item of each.
    let chain = |node: usize| {
        let mut cluster = graph.nodes[node].cluster;
        let mut chain = vec![(level_of(cluster), node_item[node])];
        while let Some(number) = cluster {
            cluster = graph.clusters[number].parent;
            chain.push((level_of(cluster), cluster_item[number]));
        }
        chain
    };
    let mut meets: Vec<Vec<(usize, usize, usize)>> = vec![Vec::new(); levels.len()];
    for (number, edge) in graph.edges.iter().enumerate() {
        let (from, to) = (chain(edge.source), chain(edge.target));
        if edge.source == edge.target {
            levels[from[0].0].loops.push(number);
            continue;
        }
        let met = from.iter().find_map(|&(level, item)| {
            let other = to.iter().find(|&&(other, _)| other == level)?;
            Some((level, item, other.1))
        });
        if let Some((level, from, to)) = met {
            meets[level].push((number, from, to));
        }
    }
    // From the outside in: which way an edge goes is decided where its ends meet.
    for level in 0..levels.len() {
        let arcs: Vec<Arc> = meets[level].iter().map(|&(_, from, to)| Arc { from, to }).collect();
        let back = leading_back(levels[level].items.len(), &arcs);
        for (&(edge, from, to), &is_up) in meets[level].iter().zip(&back) {
            let (from, to) = if is_up { (to, from) } else { (from, to) };
            levels[level].parts.push(Part { edge, from, to, is_up, has_label: true });
            for (end, leaves) in
                [(graph.edges[edge].source, true), (graph.edges[edge].target, false)]
            {
                for (inner, item) in chain(end).into_iter().take_while(|&(inner, _)| inner != level)
                {
                    let is_top = leaves == is_up;
                    let inner = &mut levels[inner];
                    let port = inner.items.len();
                    inner.items.push(Content::Port(edge, is_top));
                    let (from, to) = if is_top { (port, item) } else { (item, port) };
                    inner.parts.push(Part { edge, from, to, is_up, has_label: false });
                }
            }
        }
    }
    levels
}

/// The layers of a level's items: ports at the top are in the first, those at the bottom in the last.
fn layers_of(level: &Level) -> Vec<usize> {
    let arcs: Vec<Arc> = level.parts.iter().map(|p| Arc { from: p.from, to: p.to }).collect();
    let mut layer = layers(level.items.len(), &arcs);
    let last = layer.iter().copied().max().unwrap_or(0);
    for (item, content) in level.items.iter().enumerate() {
        if let Content::Port(_, is_top) = content {
            layer[item] = if *is_top { 0 } else { last };
        }
    }
    layer
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
