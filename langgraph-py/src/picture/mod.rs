//! Pictures of graphs.
//!
//! In come lists that say what is drawn; out goes SVG or PNG. It knows no other room, and no graph that
//! runs.

use langgraph_rust_picture::{
    lay_out, png, svg, Cluster, Drawing, DrawnEdge, DrawnNode, Shape, Theme, Visit,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// A node: its label, the lines below it, what it is drawn as, what became of it, its box.
type NodeGiven = (String, Vec<String>, String, String, Option<usize>);

/// An edge: source, target, label, whether it is only taken sometimes.
type EdgeGiven = (usize, usize, Option<String>, bool);

/// Draws a graph: as SVG, or with a `scale` as PNG.
#[pyfunction]
#[pyo3(name = "_draw", signature = (nodes, edges, clusters, theme, scale=None))]
pub fn draw(
    py: Python<'_>,
    nodes: Vec<NodeGiven>,
    edges: Vec<EdgeGiven>,
    clusters: Vec<(String, Option<usize>)>,
    theme: &str,
    scale: Option<f32>,
) -> PyResult<Py<PyAny>> {
    let graph = graph(nodes, edges, clusters)?;
    let theme = match theme {
        "light" => Theme::Light,
        "dark" => Theme::Dark,
        "auto" => Theme::Either,
        other => {
            let known = "there are 'light', 'dark' and 'auto'";
            return Err(PyValueError::new_err(format!("no theme is called {other:?}; {known}")));
        }
    };
    let layout = lay_out(&graph);
    let Some(scale) = scale else {
        return Ok(PyString::new(py, &svg(&graph, &layout, theme)).into_any().unbind());
    };
    if !(scale > 0.0 && scale.is_finite()) {
        return Err(PyValueError::new_err(format!("the scale must be above 0, not {scale}")));
    }
    let pixels = png(&graph, &layout, theme, scale);
    let pixels = pixels.map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(PyBytes::new(py, &pixels).into_any().unbind())
}

fn graph(
    nodes: Vec<NodeGiven>,
    edges: Vec<EdgeGiven>,
    clusters: Vec<(String, Option<usize>)>,
) -> PyResult<Drawing> {
    let wrong = |what: &str| PyValueError::new_err(format!("a picture cannot have {what}"));
    let mut graph = Drawing::default();
    for (label, parent) in clusters {
        if parent.is_some_and(|parent| parent >= graph.clusters.len()) {
            return Err(wrong("a box in one that comes later"));
        }
        graph.add_cluster(Cluster { label, parent });
    }
    for (label, notes, kind, visit, cluster) in nodes {
        let kind = match kind.as_str() {
            "first" => Shape::First,
            "last" => Shape::Last,
            _ => Shape::Plain,
        };
        let visit = match visit.as_str() {
            "done" => Visit::Done,
            "next" => Visit::Next,
            "waiting" => Visit::Waiting,
            "failed" => Visit::Failed,
            "untouched" => Visit::Untouched,
            _ => Visit::Unknown,
        };
        if cluster.is_some_and(|cluster| cluster >= graph.clusters.len()) {
            return Err(wrong("a node in no box"));
        }
        graph.add_node(DrawnNode { label, notes, kind, cluster, visit });
    }
    for (source, target, label, is_dashed) in edges {
        if source.max(target) >= graph.nodes.len() {
            return Err(wrong("an edge of no node"));
        }
        graph.add_edge(DrawnEdge { source, target, label, is_dashed });
    }
    Ok(graph)
}
