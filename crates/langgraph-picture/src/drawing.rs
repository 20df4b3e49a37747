//! What is to be drawn.

/// A graph to be drawn.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    /// The nodes, in an order that the picture keeps where it can.
    pub nodes: Vec<DrawnNode>,
    /// The edges.
    pub edges: Vec<DrawnEdge>,
    /// Boxes around nodes.
    pub clusters: Vec<Cluster>,
}

/// A node.
#[derive(Clone, Debug)]
pub struct DrawnNode {
    /// What is written in it.
    pub label: String,
    /// Smaller lines below that.
    pub notes: Vec<String>,
    /// What it is drawn as.
    pub kind: Shape,
    /// The box that it is in, by its position among the graph's.
    pub cluster: Option<usize>,
    /// What became of it in a run.
    pub visit: Visit,
}

/// What a node is drawn as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// A box.
    #[default]
    Plain,
    /// The first: rounded, without a fill.
    First,
    /// The last: rounded, in another colour.
    Last,
}

/// What became of a node in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visit {
    /// Nothing is known.
    #[default]
    Unknown,
    /// It has run.
    Done,
    /// It runs, or is next.
    Next,
    /// It waits for an answer.
    Waiting,
    /// It failed.
    Failed,
    /// It has not run.
    Untouched,
}

/// A way from one node to another, or to itself.
#[derive(Clone, Debug)]
pub struct DrawnEdge {
    /// Where it begins, by the node's position.
    pub source: usize,
    /// Where it ends.
    pub target: usize,
    /// What is written beside it.
    pub label: Option<String>,
    /// Whether it is only taken sometimes.
    pub is_dashed: bool,
}

/// A box around nodes and other boxes.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// What is written on it.
    pub label: String,
    /// The box that it is in; one that stands before it.
    pub parent: Option<usize>,
}

impl Drawing {
    /// Adds a node; returns its position.
    pub fn add_node(&mut self, node: DrawnNode) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Adds an edge.
    ///
    /// # Panics
    ///
    /// An end of it is no node.
    pub fn add_edge(&mut self, edge: DrawnEdge) {
        assert!(edge.source.max(edge.target) < self.nodes.len(), "an edge of no node");
        self.edges.push(edge);
    }

    /// Adds a box; returns its position.
    ///
    /// # Panics
    ///
    /// The box that it is in does not stand before it.
    pub fn add_cluster(&mut self, cluster: Cluster) -> usize {
        assert!(cluster.parent.is_none_or(|p| p < self.clusters.len()), "a box in none");
        self.clusters.push(cluster);
        self.clusters.len() - 1
    }
}

impl DrawnNode {
    /// A box with this label.
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            notes: Vec::new(),
            kind: Shape::Plain,
            cluster: None,
            visit: Visit::Unknown,
        }
    }
}

impl DrawnEdge {
    /// A plain edge.
    pub fn new(source: usize, target: usize) -> Self {
        Self { source, target, label: None, is_dashed: false }
    }

    /// The same with something written beside it.
    pub fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same, only taken sometimes.
    pub fn dashed(mut self) -> Self {
        self.is_dashed = true;
        self
    }
}
