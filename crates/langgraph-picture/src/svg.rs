//! A picture as SVG.

use std::fmt::Write;

use crate::layout::{Layout, Path};
use crate::size::Rect;
use crate::text::{cut, FAMILY, LABEL, LONGEST, SMALL};
use crate::{Drawing, DrawnNode, Shape, Visit};

/// The colours of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
    /// As whoever shows it prefers; PNGs are light.
    Either,
}

struct Colours {
    node: &'static str,
    last: &'static str,
    rim: &'static str,
    text: &'static str,
    note: &'static str,
    line: &'static str,
    cluster: &'static str,
    paper: &'static str,
    done: &'static str,
    next: &'static str,
    waiting: &'static str,
    failed: &'static str,
}

/// Those of LangGraph's own drawings.
const LIGHT: Colours = Colours {
    node: "#f2f0ff",
    last: "#bfb6fc",
    rim: "#9370db",
    text: "#1f1b2e",
    note: "#5d5775",
    line: "#4b4662",
    cluster: "#fbf9e8",
    paper: "#ffffff",
    done: "#2e8b57",
    next: "#2563c9",
    waiting: "#b7791f",
    failed: "#c53030",
};

const DARK: Colours = Colours {
    node: "#2b2640",
    last: "#51468a",
    rim: "#a28be0",
    text: "#eeebf8",
    note: "#b5aecb",
    line: "#bdb7d0",
    cluster: "#24242b",
    paper: "#17161d",
    done: "#58c48a",
    next: "#7aa8f5",
    waiting: "#e0b155",
    failed: "#f28b82",
};

/// Writes a picture.
pub fn svg(graph: &Drawing, layout: &Layout, theme: Theme) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_svg(&mut out, graph, layout, theme);
    out
}

fn write_svg(out: &mut String, graph: &Drawing, layout: &Layout, theme: Theme) -> std::fmt::Result {
    let (width, height) = (layout.width.ceil(), layout.height.ceil());
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{}">"#,
        escaped(&description(graph))
    )?;
    write_style(out, theme)?;
    writeln!(out, r#"<rect class="paper" width="{width}" height="{height}"/>"#)?;
    for rect in &layout.clusters {
        writeln!(out, r#"<rect class="cluster" {} rx="6"/>"#, attributes(rect))?;
    }
    for (edge, path) in graph.edges.iter().zip(&layout.edges) {
        let dashed = if edge.is_dashed { " dashed" } else { "" };
        writeln!(out, r#"<path class="edge{dashed}" d="{}"/>"#, course(path))?;
        writeln!(out, r#"<path class="head" d="{}"/>"#, head(path))?;
    }
    for (cluster, rect) in graph.clusters.iter().zip(&layout.titles) {
        write_plate(out, "title inner", &cluster.label, rect)?;
    }
    for (edge, path) in graph.edges.iter().zip(&layout.edges) {
        if let (Some(label), Some(rect)) = (&edge.label, &path.label) {
            let is_inner = layout.clusters.iter().any(|around| around.holds(rect));
            write_plate(out, if is_inner { "label inner" } else { "label" }, label, rect)?;
        }
    }
    for (node, rect) in graph.nodes.iter().zip(&layout.nodes) {
        write_node(out, node, rect)?;
    }
    writeln!(out, "</svg>")
}

/// A small text, and what hides the edges behind it.
fn write_plate(out: &mut String, class: &str, label: &str, rect: &Rect) -> std::fmt::Result {
    writeln!(out, r#"<rect class="{class}" {} rx="4"/>"#, attributes(rect))?;
    let (x, y) = (rect.x + rect.width / 2.0, rect.y + rect.height - 5.0);
    let label = escaped(&cut(label, LONGEST));
    writeln!(out, r#"<text class="note middle" x="{x:.1}" y="{y:.1}">{label}</text>"#)
}

fn write_node(out: &mut String, node: &DrawnNode, rect: &Rect) -> std::fmt::Result {
    let kind = match node.kind {
        Shape::Plain => "node",
        Shape::First => "node first",
        Shape::Last => "node last",
    };
    let visit = match node.visit {
        Visit::Unknown => "",
        Visit::Done => " done",
        Visit::Next => " next",
        Visit::Waiting => " waiting",
        Visit::Failed => " failed",
        Visit::Untouched => " untouched",
    };
    let round = if node.kind == Shape::Plain { 6.0 } else { rect.height / 2.0 };
    writeln!(out, r#"<g class="{kind}{visit}">"#)?;
    writeln!(out, r#"<rect {} rx="{round:.1}"/>"#, attributes(rect))?;
    let x = rect.x + rect.width / 2.0;
    let label = escaped(&cut(&node.label, LONGEST));
    writeln!(out, r#"<text class="middle" x="{x:.1}" y="{:.1}">{label}</text>"#, rect.y + 22.0)?;
    for (number, note) in node.notes.iter().enumerate() {
        let y = rect.y + 23.0 + (number as f64 + 1.0) * (SMALL + 4.0);
        let note = escaped(&cut(note, LONGEST));
        writeln!(out, r#"<text class="note middle" x="{x:.1}" y="{y:.1}">{note}</text>"#)?;
    }
    writeln!(out, "</g>")
}

fn write_style(out: &mut String, theme: Theme) -> std::fmt::Result {
    let own = if theme == Theme::Dark { &DARK } else { &LIGHT };
    writeln!(out, "<style>")?;
    writeln!(out, "text {{ font: {LABEL}px {FAMILY} }}")?;
    writeln!(out, "text.note {{ font-size: {SMALL}px }}")?;
    writeln!(out, "text.middle {{ text-anchor: middle }}")?;
    writeln!(out, ".edge {{ fill: none; stroke-width: 1.4 }}")?;
    writeln!(out, ".dashed {{ stroke-dasharray: 5 4 }}")?;
    writeln!(out, ".first rect {{ fill-opacity: 0 }}")?;
    writeln!(out, ".untouched {{ opacity: 0.45 }}")?;
    write_colours(out, own)?;
    if theme == Theme::Either {
        writeln!(out, "@media (prefers-color-scheme: dark) {{")?;
        write_colours(out, &DARK)?;
        writeln!(out, "}}")?;
    }
    writeln!(out, "</style>")
}

fn write_colours(out: &mut String, colours: &Colours) -> std::fmt::Result {
    let Colours { node, last, rim, text, note, line, cluster, paper, done, next, waiting, failed } =
        colours;
    writeln!(out, ".paper, .label {{ fill: {paper} }}")?;
    writeln!(out, "text {{ fill: {text} }} text.note {{ fill: {note} }}")?;
    writeln!(out, ".node rect {{ fill: {node}; stroke: {rim} }} .last rect {{ fill: {last} }}")?;
    writeln!(out, ".cluster, .inner {{ fill: {cluster} }}")?;
    writeln!(out, ".cluster {{ stroke: {rim}; stroke-opacity: 0.5 }}")?;
    writeln!(out, ".edge {{ stroke: {line} }} .head {{ fill: {line} }}")?;
    for (class, colour) in
        [("done", done), ("next", next), ("waiting", waiting), ("failed", failed)]
    {
        writeln!(out, ".{class} rect {{ stroke: {colour}; stroke-width: 2.5 }}")?;
    }
    Ok(())
}

/// What somebody hears who does not see it.
fn description(graph: &Drawing) -> String {
    let names: Vec<_> = graph.nodes.iter().take(20).map(|node| node.label.as_str()).collect();
    let rest = if graph.nodes.len() > names.len() { ", …" } else { "" };
    format!("A graph of {} nodes: {}{rest}", graph.nodes.len(), names.join(", "))
}

fn attributes(rect: &Rect) -> String {
    let Rect { x, y, width, height } = rect;
    format!(r#"x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}""#)
}

fn course(path: &Path) -> String {
    let mut out = String::new();
    let Some(&(x, y)) = path.points.first() else { return out };
    let _ = write!(out, "M{x:.1} {y:.1}");
    if let (true, &[_, (far, _), (end, top)]) = (path.is_loop, path.points.as_slice()) {
        // The middle of a curve is three quarters of the way to what pulls it.
        let pull = x + (far - x) * 4.0 / 3.0;
        let _ = write!(out, "C{pull:.1} {y:.1} {pull:.1} {top:.1} {end:.1} {top:.1}");
        return out;
    }
    let mut last = (x, y);
    for &(x, y) in &path.points[1..] {
        if (x - last.0).abs() < 0.05 {
            let _ = write!(out, "V{y:.1}");
        } else {
            let middle = f64::midpoint(last.1, y);
            let _ = write!(out, "C{:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}", last.0);
        }
        last = (x, y);
    }
    out
}

/// The head of the arrow, where the course ends.
fn head(path: &Path) -> String {
    let Some(&(x, y)) = path.points.last() else { return String::new() };
    if path.is_loop {
        return format!("M{x:.1} {y:.1}l8 -4v8z");
    }
    let before =
        path.points.iter().rev().map(|point| point.1).find(|other| (other - y).abs() > 0.05);
    match before {
        Some(before) if before > y => format!("M{x:.1} {y:.1}l-4 8h8z"),
        _ => format!("M{x:.1} {y:.1}l-4 -8h8z"),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no way to write these.
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                out.push(' ')
            }
            letter => out.push(letter),
        }
    }
    out
}
