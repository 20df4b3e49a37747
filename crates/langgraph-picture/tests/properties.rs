//! Whatever the graph, its picture can be read: nothing lies on something else.

use langgraph_rust_picture::{
    lay_out, svg, Cluster, Drawing, DrawnEdge, DrawnNode, Layout, Path, Rect, Theme,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Plan {
    /// The boxes' parents, none or one before, and how long their labels are.
    clusters: Vec<(Option<usize>, usize)>,
    /// How long a node's label is, its notes, and its box.
    nodes: Vec<(usize, usize, Option<usize>)>,
    /// Source, target, label, dashed.
    edges: Vec<(usize, usize, Option<usize>, bool)>,
}

fn plans(most: usize) -> impl Strategy<Value = Plan> {
    (0..4_usize, 1..most).prop_flat_map(move |(clusters, nodes)| {
        let parents = (0..clusters)
            .map(|number| (proptest::option::of(0..number.max(1)), 1..60_usize).boxed())
            .collect::<Vec<_>>();
        let within = proptest::option::of(0..clusters.max(1));
        let node = (1..30_usize, 0..3_usize, within);
        let edge = (0..nodes, 0..nodes, proptest::option::of(1..20_usize), any::<bool>());
        let nodes = proptest::collection::vec(node, nodes);
        let edges = proptest::collection::vec(edge, 0..most * 2);
        (parents, nodes, edges).prop_map(move |(parents, nodes, edges)| Plan {
            clusters: parents
                .into_iter()
                .enumerate()
                .map(|(at, (parent, label))| (parent.filter(|&p| p < at), label))
                .collect(),
            nodes: nodes
                .into_iter()
                .map(|(label, notes, within)| (label, notes, within.filter(|&c| c < clusters)))
                .collect(),
            edges,
        })
    })
}

fn graph(plan: &Plan, letter: char) -> Drawing {
    let word = |length: usize| letter.to_string().repeat(length);
    let mut graph = Drawing::default();
    for &(parent, label) in &plan.clusters {
        graph.add_cluster(Cluster { label: word(label), parent });
    }
    for &(label, notes, cluster) in &plan.nodes {
        let notes = vec![word(12); notes];
        graph.add_node(DrawnNode { notes, cluster, ..DrawnNode::new(word(label)) });
    }
    for &(source, target, label, is_dashed) in &plan.edges {
        graph.add_edge(DrawnEdge { source, target, label: label.map(word), is_dashed });
    }
    graph
}

fn overlap(one: &Rect, other: &Rect) -> bool {
    let apart =
        |a: f64, a_size: f64, b: f64, b_size: f64| a + a_size <= b + 0.01 || b + b_size <= a + 0.01;
    !apart(one.x, one.width, other.x, other.width)
        && !apart(one.y, one.height, other.y, other.height)
}

fn within(inner: &Rect, outer: &Rect) -> bool {
    inner.x >= outer.x - 0.01
        && inner.y >= outer.y - 0.01
        && inner.x + inner.width <= outer.x + outer.width + 0.01
        && inner.y + inner.height <= outer.y + outer.height + 0.01
}

/// Points all along the course, as the SVG draws it.
fn drawn(path: &Path) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    for pair in path.points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let middle = f64::midpoint(y0, y1);
        for step in 0..=10 {
            let t = f64::from(step) / 10.0;
            let bezier = |a: f64, b: f64, c: f64, d: f64| {
                let u = 1.0 - t;
                a * u * u * u + 3.0 * b * u * u * t + 3.0 * c * u * t * t + d * t * t * t
            };
            points.push((bezier(x0, x0, x1, x1), bezier(y0, middle, middle, y1)));
        }
    }
    points
}

fn is_in(graph: &Drawing, node: usize, cluster: usize) -> bool {
    let mut at = graph.nodes[node].cluster;
    while let Some(number) = at {
        if number == cluster {
            return true;
        }
        at = graph.clusters[number].parent;
    }
    false
}

fn check(graph: &Drawing, layout: &Layout) -> Result<(), TestCaseError> {
    let whole = Rect { x: 0.0, y: 0.0, width: layout.width, height: layout.height };
    for (at, rect) in layout.nodes.iter().enumerate() {
        prop_assert!(within(rect, &whole), "node {at} is outside of the picture");
        for (other, beside) in layout.nodes.iter().enumerate().skip(at + 1) {
            prop_assert!(!overlap(rect, beside), "nodes {at} and {other} overlap");
        }
        for (cluster, around) in layout.clusters.iter().enumerate() {
            match is_in(graph, at, cluster) {
                true => prop_assert!(within(rect, around), "node {at} is not in its box {cluster}"),
                false => {
                    prop_assert!(!overlap(rect, around), "node {at} lies on the box {cluster}")
                }
            }
        }
    }
    for (at, (title, around)) in layout.titles.iter().zip(&layout.clusters).enumerate() {
        prop_assert!(within(title, around), "the label of box {at} is not in it");
        for (node, rect) in layout.nodes.iter().enumerate() {
            prop_assert!(!overlap(title, rect), "the label of box {at} lies on node {node}");
        }
        for (box_, other) in layout.clusters.iter().enumerate() {
            let is_around = within(around, other);
            prop_assert!(is_around || !overlap(title, other), "and that of {at} on box {box_}");
        }
    }
    let mut labels = Vec::new();
    for (number, (edge, path)) in graph.edges.iter().zip(&layout.edges).enumerate() {
        let (source, target) = (layout.nodes[edge.source], layout.nodes[edge.target]);
        let (first, last) = (path.points.first().unwrap(), path.points.last().unwrap());
        let touches = |rect: &Rect, &(x, y): &(f64, f64)| {
            let near = |value: f64, from: f64, size: f64| {
                value >= from - 0.01 && value <= from + size + 0.01
            };
            near(x, rect.x, rect.width) && near(y, rect.y, rect.height)
        };
        prop_assert!(touches(&source, first), "edge {number} does not begin at its source");
        prop_assert!(touches(&target, last), "edge {number} does not end at its target");
        for (x, y) in drawn(path) {
            prop_assert!(touches(&whole, &(x, y)), "edge {number} leaves the picture");
            for (node, rect) in layout.nodes.iter().enumerate() {
                let is_inside = x > rect.x + 0.1
                    && x < rect.x + rect.width - 0.1
                    && y > rect.y + 0.1
                    && y < rect.y + rect.height - 0.1;
                prop_assert!(!is_inside, "edge {number} crosses node {node}");
            }
        }
        prop_assert_eq!(edge.label.is_some(), path.label.is_some(), "the label of edge {}", number);
        if let Some(label) = path.label {
            prop_assert!(within(&label, &whole), "the label of edge {number} is outside");
            for (node, rect) in layout.nodes.iter().enumerate() {
                prop_assert!(
                    !overlap(&label, rect),
                    "the label of edge {number} lies on node {node}"
                );
            }
            for (other, beside) in &labels {
                prop_assert!(!overlap(&label, beside), "labels of {number} and {other} overlap");
            }
            labels.push((number, label));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_lies_on_something_else(plan in plans(24)) {
        let graph = graph(&plan, 'n');
        check(&graph, &lay_out(&graph))?;
    }

    #[test]
    fn names_of_the_same_length_change_nothing(plan in plans(16)) {
        // Of these two, the font's letters are equally wide.
        let (one, other) = (graph(&plan, 'n'), graph(&plan, 'h'));
        let (one, other) = (lay_out(&one), lay_out(&other));
        prop_assert_eq!(one.nodes, other.nodes);
        prop_assert_eq!(one.clusters, other.clusters);
    }

    #[test]
    fn a_picture_is_the_same_each_time(plan in plans(16)) {
        let graph = graph(&plan, 'n');
        let draw = || svg(&graph, &lay_out(&graph), Theme::Either);
        prop_assert_eq!(draw(), draw());
    }
}

#[test]
fn a_graph_of_nothing_has_a_picture() {
    let graph = Drawing::default();
    assert!(svg(&graph, &lay_out(&graph), Theme::Light).contains("</svg>"));
}

#[test]
fn what_xml_has_a_meaning_for_is_escaped() {
    let mut graph = Drawing::default();
    let node = graph.add_node(DrawnNode::new("<a> & \"b\"\u{1}"));
    graph.add_edge(DrawnEdge::new(node, node).labelled("x < y"));
    let picture = svg(&graph, &lay_out(&graph), Theme::Light);
    assert!(picture.contains("&lt;a&gt; &amp; &quot;b&quot; <"), "{picture}");
    assert!(picture.contains("x &lt; y"));
}

#[test]
fn the_label_of_a_box_is_beside_the_edge_that_comes_in() {
    let mut graph = Drawing::default();
    let cluster = Some(graph.add_cluster(Cluster { label: "box".to_owned(), parent: None }));
    let outer = graph.add_node(DrawnNode::new("outer"));
    let inner = graph.add_node(DrawnNode { cluster, ..DrawnNode::new("a wide node") });
    graph.add_edge(DrawnEdge::new(outer, inner));
    let layout = lay_out(&graph);
    let (title, x) = (layout.titles[0], layout.edges[0].points[0].0);
    assert!(x < title.x || x > title.x + title.width, "{x} {title:?}");
    assert!(layout.edges[0].points.iter().all(|point| point.0 == x), "it is straight");
}

#[test]
fn two_nodes_that_lead_to_each_other_have_two_edges() {
    let mut graph = Drawing::default();
    let (one, other) =
        (graph.add_node(DrawnNode::new("one")), graph.add_node(DrawnNode::new("other")));
    graph.add_edge(DrawnEdge::new(one, other));
    graph.add_edge(DrawnEdge::new(other, one));
    let layout = lay_out(&graph);
    let [there, back] = &layout.edges[..] else { panic!("two edges") };
    assert!((there.points[0].0 - back.points.last().unwrap().0).abs() > 5.0);
    assert!(there.points[0].1 < there.points.last().unwrap().1);
    assert!(back.points[0].1 > back.points.last().unwrap().1);
}

#[cfg(feature = "png")]
#[test]
fn pixels_are_made_unless_there_are_too_many() {
    use langgraph_rust_picture::{png, PngError};

    let mut graph = Drawing::default();
    graph.add_node(DrawnNode::new("node"));
    let layout = lay_out(&graph);
    assert!(png(&graph, &layout, Theme::Light, 2.0).unwrap().starts_with(b"\x89PNG"));
    let error = png(&graph, &layout, Theme::Light, 1_000.0).unwrap_err();
    assert!(matches!(error, PngError::TooLarge { .. }), "{error}");
}

#[test]
fn a_thousand_nodes_are_no_trouble() {
    let mut graph = Drawing::default();
    let nodes: Vec<_> =
        (0..1_000).map(|n| graph.add_node(DrawnNode::new(format!("node {n}")))).collect();
    for n in 1..nodes.len() {
        graph.add_edge(DrawnEdge::new(
            nodes[n * 7 % n.clamp(1, 12) + n.saturating_sub(12)],
            nodes[n],
        ));
        if n % 4 == 0 {
            graph.add_edge(
                DrawnEdge::new(nodes[n], nodes[n * 31 % nodes.len()]).labelled("back").dashed(),
            );
        }
    }
    assert_eq!(lay_out(&graph).nodes.len(), 1_000);
}
