//! A graph as text, read and built.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

use langgraph_rust_runtime::{
    Command, Dynamic, Error, Field, Goto, Graph, Node, NodeResult, Reducer, RetryPolicy, Runtime,
    StateGraph, Value, END, START,
};
use serde_json::Value as Json;

use crate::expression::{resolve, Comparison, Condition};
use crate::waiting::give_way;
use crate::Random;

/// A graph as its description says.
#[derive(Clone, Debug, Default)]
pub struct Described {
    fields: Vec<(String, String)>,
    nodes: Vec<DescribedNode>,
    edges: Vec<DescribedEdge>,
    /// The node whose error handler is being described, if that is what is being described.
    handled: Option<usize>,
}

#[derive(Clone, Debug)]
struct DescribedNode {
    name: String,
    deferred: bool,
    attempts: Option<u32>,
    statements: Vec<Statement>,
    handler: Option<Vec<Statement>>,
}

/// What a node does, one thing after another.
#[derive(Clone, Debug)]
enum Statement {
    Write {
        field: String,
        value: Json,
    },
    Ask {
        question: Json,
    },
    Goto {
        node: String,
    },
    Send {
        node: String,
        value: Json,
    },
    /// Fails this many times in all; `None`: always.
    Fail {
        times: Option<u32>,
        message: String,
    },
}

#[derive(Clone, Debug)]
enum DescribedEdge {
    One { from: String, to: String },
    Join { from: Vec<String>, to: String },
    If { from: String, condition: Condition, then: String, otherwise: String },
    To { from: String, field: String },
    Each { from: String, field: String, node: String },
}

/// What is wrong with a description, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line.
    pub line: String,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.problem, self.line)
    }
}

impl std::error::Error for ParseError {}

impl Described {
    /// Reads a description: see `tests/transcripts/README.md`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut graph = Self::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let problem = match line.starts_with(' ') {
                true => graph.statement(line.trim()),
                false => graph.declaration(line.trim()),
            };
            problem.map_err(|problem| ParseError { line: line.into(), problem })?;
        }
        Ok(graph)
    }

    fn declaration(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        self.handled = None;
        match words.as_slice() {
            ["state", name, kind] => {
                self.fields.push((name.to_string(), kind.to_string()));
            }
            ["node", name, options @ ..] => self.nodes.push(described_node(name, options)?),
            ["handler", name] => {
                let position = self.nodes.iter().position(|node| node.name == *name);
                self.handled = Some(position.ok_or("a handler of an unknown node")?);
            }
            ["edge", from, to] => {
                self.edges.push(DescribedEdge::One { from: place(from), to: place(to) });
            }
            ["join", from @ .., "->", to] => self.edges.push(DescribedEdge::Join {
                from: from.iter().map(|name| place(name)).collect(),
                to: place(to),
            }),
            ["branch", from, "if", field, comparison, constant, "then", then, "else", other] => {
                let comparison = match *comparison {
                    "<" => Comparison::Less,
                    "==" => Comparison::Equal,
                    other => return Err(format!("unknown comparison {other}")),
                };
                let condition =
                    Condition { field: field.to_string(), comparison, constant: json(constant)? };
                let (then, otherwise) = (place(then), place(other));
                self.edges.push(DescribedEdge::If {
                    from: place(from),
                    condition,
                    then,
                    otherwise,
                });
            }
            ["branch", from, "to", field] => {
                self.edges.push(DescribedEdge::To { from: place(from), field: field.to_string() });
            }
            ["branch", from, "each", field, "send", node] => {
                let (field, node) = (field.to_string(), node.to_string());
                self.edges.push(DescribedEdge::Each { from: place(from), field, node });
            }
            _ => return Err("unknown declaration".into()),
        }
        Ok(())
    }

    fn statement(&mut self, line: &str) -> Result<(), String> {
        let statements = match self.handled {
            Some(position) => self.nodes[position].handler.get_or_insert_default(),
            None => &mut self.nodes.last_mut().ok_or("a statement outside a node")?.statements,
        };
        let (verb, rest) = line.split_once(' ').ok_or("a statement needs an argument")?;
        let two = || rest.split_once(' ').ok_or("two arguments are needed");
        statements.push(match verb {
            "write" => {
                let (field, value) = two()?;
                Statement::Write { field: field.into(), value: json(value)? }
            }
            "ask" => Statement::Ask { question: json(rest)? },
            "goto" => Statement::Goto { node: place(rest) },
            "send" => {
                let (name, value) = two()?;
                Statement::Send { node: name.into(), value: json(value)? }
            }
            "fail" => {
                let (times, message) = two()?;
                let times = match times {
                    "always" => None,
                    times => Some(times.parse().map_err(|_| "how often?")?),
                };
                Statement::Fail { times, message: message.into() }
            }
            _ => return Err("unknown statement".into()),
        });
        Ok(())
    }

    /// The graph, built anew: nodes that fail a number of times begin counting.
    pub fn build(&self) -> Result<Graph, Error> {
        self.build_with(Pace::AtOnce)
    }

    /// The same with nodes that are async and wait: as often as the seed has it, before and after
    /// what they do.
    pub fn build_waiting(&self, seed: u64) -> Result<Graph, Error> {
        self.build_with(Pace::Waiting(seed))
    }

    fn build_with(&self, pace: Pace) -> Result<Graph, Error> {
        let mut graph = StateGraph::new();
        for (name, kind) in &self.fields {
            graph = graph.field(name, field(kind)?);
        }
        for node in &self.nodes {
            graph = graph.add_node(node.build(pace));
        }
        for edge in &self.edges {
            graph = edge.add_to(graph);
        }
        graph.compile()
    }
}

/// Whether nodes wait.
#[derive(Clone, Copy, Debug)]
enum Pace {
    AtOnce,
    Waiting(u64),
}

impl DescribedNode {
    fn build(&self, pace: Pace) -> Node {
        let mut node = match pace {
            Pace::AtOnce => Node::new(&self.name, function(&self.statements)),
            Pace::Waiting(seed) => Node::new(&self.name, waiting(&self.statements, seed)),
        };
        if self.deferred {
            node = node.deferred();
        }
        if let Some(attempts) = self.attempts {
            node = node.retry(RetryPolicy::attempts(attempts).at_once());
        }
        match &self.handler {
            Some(handler) => node.on_error(function(handler)),
            None => node,
        }
    }
}

fn function(
    statements: &[Statement],
) -> impl Fn(&Dynamic, &Runtime) -> NodeResult<Command> + Send + Sync + 'static {
    let statements = statements.to_vec();
    let failures: Vec<AtomicU32> = statements.iter().map(|_| AtomicU32::new(0)).collect();
    move |state, runtime| perform(&statements, &failures, state, runtime)
}

fn waiting(
    statements: &[Statement],
    seed: u64,
) -> impl Fn(Arc<Dynamic>, Runtime) -> Pin<Box<dyn Future<Output = NodeResult<Command>> + Send>>
       + Send
       + Sync
       + 'static {
    let function = Arc::new(function(statements));
    let calls = AtomicU64::new(seed);
    move |state, runtime| {
        let mut random = Random::new(calls.fetch_add(1, Ordering::Relaxed));
        let (before, after) = (random.below(4), random.below(3));
        let function = function.clone();
        Box::pin(async move {
            give_way(before).await;
            let command = function(&state, &runtime)?;
            give_way(after).await;
            Ok(command)
        })
    }
}

fn perform(
    statements: &[Statement],
    failures: &[AtomicU32],
    state: &Dynamic,
    runtime: &Runtime,
) -> NodeResult<Command> {
    let mut command = Command::new();
    let mut answer = Value::Null;
    for (statement, failed) in statements.iter().zip(failures) {
        let lookup = |name: &str| match name {
            "answer" => answer.clone(),
            "error" => runtime.failure().map_or(Value::Null, |failed| {
                let text = &failed.error;
                Value::from(format!("{}: {text}", failed.node))
            }),
            field => state.get(field),
        };
        match statement {
            Statement::Write { field, value } => {
                command = command.set(field, resolve(value, &lookup));
            }
            Statement::Ask { question } => {
                answer = runtime.interrupt(resolve(question, &lookup))?
            }
            Statement::Goto { node } => command = command.goto(&**node),
            Statement::Send { node, value } => {
                command = command.goto(Goto::send(node, resolve(value, &lookup)));
            }
            Statement::Fail { times, message } => {
                let before = failed.fetch_add(1, Ordering::Relaxed);
                if times.is_none_or(|times| before < times) {
                    return Err(Error::message(message.clone()).into());
                }
            }
        }
    }
    Ok(command)
}

impl DescribedEdge {
    fn add_to(&self, graph: StateGraph) -> StateGraph {
        match self.clone() {
            DescribedEdge::One { from, to } => graph.edge(&from, &to),
            DescribedEdge::Join { from, to } => {
                let from: Vec<&str> = from.iter().map(|name| &**name).collect();
                graph.join(&from, &to)
            }
            DescribedEdge::If { from, condition, then, otherwise } => {
                graph.branch(&from, move |state: &Dynamic| {
                    let next = if condition.holds(state)? { &then } else { &otherwise };
                    Ok(Goto::from(&**next))
                })
            }
            DescribedEdge::To { from, field } => {
                graph.branch(&from, move |state| Ok(Goto::from(state.get(&field).text()?)))
            }
            DescribedEdge::Each { from, field, node } => {
                graph.branch(&from, move |state: &Dynamic| {
                    let list = state.get(&field);
                    let send = |item: &Value| Goto::send(&node, [("item", item.clone())]);
                    Ok(list.items()?.iter().map(send).collect::<Vec<_>>())
                })
            }
        }
    }
}

fn described_node(name: &str, options: &[&str]) -> Result<DescribedNode, String> {
    let mut node = DescribedNode {
        name: name.into(),
        deferred: false,
        attempts: None,
        handler: None,
        statements: Vec::new(),
    };
    for option in options {
        match option.split_once('=') {
            None if *option == "defer" => node.deferred = true,
            Some(("retry", times)) => {
                node.attempts = Some(times.parse().map_err(|_| "how many attempts?")?);
            }
            _ => return Err(format!("unknown option {option}")),
        }
    }
    Ok(node)
}

fn field(kind: &str) -> Result<Field, Error> {
    Ok(match kind {
        "last" => Field::Last,
        "append" => Field::append(),
        "sum" => Field::sum(),
        "delta" => Field::Delta(Reducer::append(), 3),
        "any" => Field::Any,
        "topic" => Field::Topic,
        "log" => Field::Log,
        "ephemeral" => Field::Ephemeral,
        "untracked" => Field::Untracked,
        other => return Err(Error::message(format!("unknown kind of field {other}"))),
    })
}

/// `START` and `END` are written without their underscores.
fn place(name: &str) -> String {
    match name {
        "START" => START.into(),
        "END" => END.into(),
        name => name.into(),
    }
}

fn json(text: &str) -> Result<Json, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))
}
