//! A drawing as text for Mermaid.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use indexmap::IndexMap;

use super::drawing::{Drawing, DrawnEdge, DrawnNode};

const HEAD: &str = "---\nconfig:\n  flowchart:\n    curve: linear\n---\ngraph TD;\n";
const STYLES: &str = "\tclassDef default fill:#f2f0ff,line-height:1.2\n\
    \tclassDef first fill-opacity:0\n\
    \tclassDef last fill:#bfb6fc\n";

/// After how many words a label goes on in another line.
const WORDS: usize = 9;

pub(super) struct Drawn {
    pub(super) text: String,
    /// A graph that is drawn in two places, which Mermaid cannot show.
    pub(super) twice: Option<String>,
}

/// The whole text.
pub(super) fn text(drawing: &Drawing) -> Drawn {
    let mut writer = Writer {
        drawing,
        first: drawing.first(None),
        last: drawing.last(None),
        groups: groups(drawing),
        seen: BTreeSet::new(),
        drawn: Drawn { text: HEAD.to_owned(), twice: None },
    };
    writer.whole();
    writer.drawn.text.push_str(STYLES);
    writer.drawn
}

struct Writer<'a> {
    drawing: &'a Drawing,
    first: Option<&'a str>,
    last: Option<&'a str>,
    /// Edges by the opened graph that they are within.
    groups: IndexMap<String, Vec<&'a DrawnEdge>>,
    /// The opened graphs that have been drawn.
    seen: BTreeSet<String>,
    drawn: Drawn,
}

/// Edges by what the names of their ends have in common.
fn groups(drawing: &Drawing) -> IndexMap<String, Vec<&DrawnEdge>> {
    let mut groups: IndexMap<String, Vec<&DrawnEdge>> = IndexMap::new();
    for edge in &drawing.edges {
        let parts = edge.from.split(':').zip(edge.to.split(':'));
        let common: Vec<&str> = parts.filter(|(a, b)| a == b).map(|(a, _)| a).collect();
        groups.entry(common.join(":")).or_default().push(edge);
    }
    groups
}

impl<'a> Writer<'a> {
    fn whole(&mut self) {
        let drawing = self.drawing;
        for (id, node) in drawing.nodes.iter().filter(|(id, _)| !id.contains(':')) {
            self.node(id, node);
        }
        self.group("");
        let prefixes: Vec<String> = self.groups.keys().cloned().collect();
        for prefix in prefixes.iter().filter(|prefix| !prefix.is_empty() && !prefix.contains(':')) {
            self.group(prefix);
            self.seen.insert(prefix.clone());
        }
        // Graphs without any edge.
        let prefixes: Vec<&str> = drawing.nodes.keys().filter_map(|id| prefix(id)).collect();
        for prefix in prefixes {
            if !prefix.contains(':') && self.seen.insert(prefix.to_owned()) {
                self.push(&format!("\tsubgraph {prefix}\n"));
                self.nodes_in(prefix);
                self.push("\tend\n");
            }
        }
    }

    fn push(&mut self, text: &str) {
        self.drawn.text.push_str(text);
    }

    /// An opened graph, and those within it.
    fn group(&mut self, prefix: &str) {
        let edges = self.groups.get(prefix).cloned().unwrap_or_default();
        let is_loop = edges.len() == 1 && edges[0].from == edges[0].to;
        let is_graph = !prefix.is_empty() && !is_loop;
        if is_graph {
            let name = prefix.rsplit(':').next().unwrap_or(prefix);
            if !self.seen.insert(name.to_owned()) {
                self.drawn.twice.get_or_insert_with(|| name.to_owned());
            }
            self.push(&format!("\tsubgraph {name}\n"));
            self.nodes_in(prefix);
        }
        for edge in edges {
            let line = format!("\t{}{}{};\n", safe(&edge.from), arrow(edge), safe(&edge.to));
            self.push(&line);
        }
        let within = |other: &&String| {
            let rest = other.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(':'));
            rest.is_some_and(|rest| !rest.contains(':'))
        };
        let nested: Vec<String> = self.groups.keys().filter(within).cloned().collect();
        for other in nested {
            self.group(&other);
        }
        if is_graph {
            self.push("\tend\n");
        }
    }

    fn nodes_in(&mut self, graph: &str) {
        let drawing = self.drawing;
        for (id, node) in drawing.nodes.iter().filter(|(id, _)| prefix(id) == Some(graph)) {
            self.node(id, node);
        }
    }

    fn node(&mut self, id: &str, node: &DrawnNode) {
        const SPECIAL: [char; 3] = ['*', '_', '`'];
        let name = &*node.name;
        let mut label = match name.starts_with(SPECIAL) && name.ends_with(SPECIAL) {
            true => format!("<p>{name}</p>"),
            false => name.to_owned(),
        };
        if node.is_deferred {
            label.push_str("<hr/><small><em>defer = True</em></small>");
        }
        let id_text = safe(id);
        let line = if self.last == Some(id) {
            format!("\t{id_text}([{label}]):::last\n")
        } else if self.first == Some(id) {
            format!("\t{id_text}([{label}]):::first\n")
        } else {
            format!("\t{id_text}({label})\n")
        };
        self.push(&line);
    }
}

/// The opened graph that a node is in.
fn prefix(id: &str) -> Option<&str> {
    id.rsplit_once(':').map(|(prefix, _)| prefix)
}

fn arrow(edge: &DrawnEdge) -> String {
    let Some(label) = &edge.label else {
        return if edge.is_choice { " -.-> " } else { " --> " }.to_owned();
    };
    let words: Vec<&str> = label.split_whitespace().collect();
    let label = match words.len() > WORDS {
        true => words
            .chunks(WORDS)
            .map(|line| line.join(" "))
            .collect::<Vec<_>>()
            .join("&nbsp<br>&nbsp"),
        false => label.to_string(),
    };
    match edge.is_choice {
        true => format!(" -. &nbsp;{label}&nbsp; .-> "),
        false => format!(" -- &nbsp;{label}&nbsp; --> "),
    }
}

/// A name as Mermaid takes it for an id: what it might not take as the number of the character.
fn safe(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => text.push(c),
            other => drop(write!(text, "\\{:x}", other as u32)),
        }
    }
    text
}
