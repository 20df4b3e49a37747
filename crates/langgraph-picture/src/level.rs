//! The levels of a graph: the whole, and each box of its own; an edge between two has a part in each.

use crate::layers::{layers, leading_back, Arc};
use crate::Drawing;

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

/// The levels: the whole, and then each box.
pub(crate) fn levels(graph: &Drawing) -> Vec<Level> {
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
pub(crate) fn layers_of(level: &Level) -> Vec<usize> {
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
