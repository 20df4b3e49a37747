//! Transcripts: text files of commands with what they print underneath.

use std::path::Path;

use langgraph_rust_core::Durability;
use langgraph_rust_runtime::{
    Clock, Command, Config, Error, Goto, Graph, GraphInput, Map, Memory, Mode, Output, Stops,
    Update, Value,
};
use serde_json::Value as Json;

use crate::printed::{ended, failure, headline, print_snapshot, shown, sorted};
use crate::{from_json, Described, Line, Script, ScriptEnd, Storing};

/// Runs every transcript in a directory and compares; with the environment variable
/// `UPDATE_EXPECT` set, rewrites them instead. Returns what differs, file by file.
pub fn check_directory(directory: &Path) -> std::io::Result<Vec<String>> {
    let entries = std::fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    let mut differences = Vec::new();
    for path in paths {
        let written = std::fs::read_to_string(&path)?;
        let printed = Transcript::parse(&written).run();
        if printed == written {
            continue;
        }
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, printed)?;
        } else {
            differences.push(format!("{}\n{}", path.display(), difference(&written, &printed)));
        }
    }
    Ok(differences)
}

fn difference(written: &str, printed: &str) -> String {
    let lines = written.lines().zip(printed.lines()).enumerate();
    let first = lines.into_iter().find(|(_, (a, b))| a != b).map_or(0, |(position, _)| position);
    let from = first.saturating_sub(3);
    let part = |text: &str| text.lines().skip(from).take(12).collect::<Vec<_>>().join("\n");
    format!("line {}, expected:\n{}\n\nprinted:\n{}", first + 1, part(written), part(printed))
}

/// A transcript.
pub struct Transcript {
    parts: Vec<Part>,
}

enum Part {
    /// Comments and blank lines.
    Verbatim(String),
    /// A command, and what it printed when the transcript was made.
    Command { lines: Vec<String> },
}

/// Separates a command from what it prints.
const RULE: &str = "----";

impl Transcript {
    /// Reads a transcript; what commands print is left out.
    pub fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line.is_empty() || line.starts_with('#') {
                parts.push(Part::Verbatim(line.into()));
                continue;
            }
            let mut command = vec![line.to_string()];
            command.extend(lines.by_ref().take_while(|line| *line != RULE).map(String::from));
            parts.push(Part::Command { lines: command });
            let printed = lines.by_ref().take_while(|line| !line.is_empty());
            if printed.count() > 0 || lines.clone().next().is_some() {
                parts.push(Part::Verbatim(String::new()));
            }
        }
        while matches!(parts.last(), Some(Part::Verbatim(line)) if line.is_empty()) {
            parts.pop();
        }
        Self { parts }
    }

    /// Runs the commands; returns the transcript with what they print.
    pub fn run(&self) -> String {
        self.run_with(Driver::Scripted)
    }

    /// The same under another driver.
    pub fn run_with(&self, driver: Driver) -> String {
        let mut session = Session { driver, ..Session::default() };
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Verbatim(line) => text.push_str(line),
                Part::Command { lines } => {
                    let mut out = lines.clone();
                    out.push(RULE.into());
                    session.perform(lines, &mut out);
                    text.push_str(&out.join("\n"));
                }
            }
            text.push('\n');
        }
        text
    }
}

/// What runs the graphs of a transcript.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Driver {
    /// The scripted driver, which says the engine's effects where it is asked.
    #[default]
    Scripted,
    /// The driver of the runtime, which does not.
    Runtime,
}

/// The graph that the commands are about.
#[derive(Default)]
struct Session {
    driver: Driver,
    graph: Option<Graph>,
    last: Option<Output<Map>>,
}

/// What a command says before its argument.
struct Options {
    config: Config,
    shows_effects: bool,
    storing: Storing,
}

impl Session {
    fn perform(&mut self, lines: &[String], out: &mut Vec<String>) {
        let (verb, rest) = lines[0].split_once(' ').unwrap_or((&lines[0], ""));
        let result = match verb {
            "graph" => self.describe(rest, &lines[1..].join("\n"), out),
            "state" => self.state(rest, out),
            "history" => self.history(rest, out),
            verb => self.run(verb, rest, out),
        };
        if let Err(problem) = result {
            out.push(format!("problem: {problem}"));
        }
    }

    fn describe(&mut self, rest: &str, text: &str, out: &mut Vec<String>) -> Result<(), String> {
        let described = Described::parse(text).map_err(|error| error.to_string())?;
        let graph = described.build().map_err(|error| error.to_string())?;
        let graph = graph.with_clock(Clock::counter());
        self.graph = Some(match rest {
            "saver=none" => graph,
            _ => graph.with_saver(Memory::new()),
        });
        out.push("ok".into());
        Ok(())
    }

    fn graph(&self) -> Result<&Graph, String> {
        self.graph.as_ref().ok_or_else(|| "no graph".into())
    }

    fn state(&self, rest: &str, out: &mut Vec<String>) -> Result<(), String> {
        let graph = self.graph()?;
        let (options, _) = options(graph, rest)?;
        match graph.blocking().state(&options.config) {
            Ok(None) => out.push("nothing".into()),
            Ok(Some(snapshot)) => print_snapshot(&snapshot, out),
            Err(error) => out.push(failure(&error)),
        }
        Ok(())
    }

    fn history(&self, rest: &str, out: &mut Vec<String>) -> Result<(), String> {
        let graph = self.graph()?;
        let (options, _) = options(graph, rest)?;
        let snapshots =
            graph.blocking().history(&options.config).map_err(|error| error.to_string())?;
        out.extend(
            snapshots.iter().map(|snapshot| {
                format!("{} values {}", headline(snapshot), sorted(&snapshot.values))
            }),
        );
        Ok(())
    }

    fn run(&mut self, verb: &str, rest: &str, out: &mut Vec<String>) -> Result<(), String> {
        let graph = self.graph()?;
        let (options, argument) = options(graph, rest)?;
        let json: Json = serde_json::from_str(&argument).map_err(|error| error.to_string())?;
        let input = self.input(verb, &json)?;
        if self.driver == Driver::Runtime {
            let modes = [Mode::Values, Mode::Updates, Mode::Tasks];
            let mut stream = graph.blocking().stream(input, &options.config, modes);
            out.extend(stream.by_ref().filter_map(Result::ok).map(|chunk| shown(&chunk.event)));
            let output = stream.output().map(|output| match output.state.value() {
                Value::Map(map) => Output { state: (*map).clone(), status: output.status },
                _ => Output { state: Map::new(), status: output.status },
            });
            return self.end(output, out);
        }
        let script = Script { storing: options.storing, ..Script::default() };
        let end = script.run(graph, input, &options.config, &mut |line| match line {
            Line::Effect(words) if options.shows_effects => out.push(format!("| {words}")),
            Line::Effect(_) => {}
            Line::Shown(event) => out.push(shown(&event)),
        });
        let ScriptEnd::Finished(output) = end else { return Err("crashed".into()) };
        self.end(output, out)
    }

    fn end(
        &mut self,
        output: Result<Output<Map>, Error>,
        out: &mut Vec<String>,
    ) -> Result<(), String> {
        out.push(ended(&output));
        if let Ok(output) = output {
            self.last = Some(output);
        }
        Ok(())
    }

    fn input(&self, verb: &str, json: &Json) -> Result<GraphInput, String> {
        Ok(match verb {
            "invoke" if json.is_null() => GraphInput::Nothing,
            "invoke" => update(json).into(),
            "resume" => Command::resume(from_json(json)).into(),
            "answer" => self.answers(json)?.into(),
            "command" => command(json).into(),
            verb => return Err(format!("unknown command {verb}")),
        })
    }

    /// Answers by node: the k-th answer that a node is given is for its k-th question.
    fn answers(&self, json: &Json) -> Result<Command, String> {
        let graph = self.graph()?;
        let asked = self.last.as_ref().map(Output::interrupts).unwrap_or_default();
        let snapshot =
            graph.blocking().state(&Config::thread("1")).map_err(|error| error.to_string())?;
        let tasks = snapshot.map(|snapshot| snapshot.tasks).unwrap_or_default();
        let answer = |interrupt: &langgraph_rust_runtime::Interrupt| {
            let mut tasks = tasks.iter();
            let task = tasks.find(|task| task.interrupts.contains(interrupt))?;
            Some((interrupt.id.clone(), from_json(json.get(&*task.name)?)))
        };
        Ok(Command::resume_by_id(asked.iter().filter_map(answer)))
    }
}

/// Reads `name=value` words and flags up to the argument.
fn options(graph: &Graph, rest: &str) -> Result<(Options, String), String> {
    let mut options = Options {
        config: Config::thread("1").durability(Durability::Sync).joins(false),
        shows_effects: false,
        storing: Storing::AtOnce,
    };
    let mut rest = rest.trim();
    loop {
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        match word.split_once('=') {
            None if word == "effects" => options.shows_effects = true,
            None if word == "late" => options.storing = Storing::Late,
            Some((name, value)) if name.chars().all(char::is_alphabetic) => {
                set(&mut options.config, graph, name, value)?;
            }
            _ => return Ok((options, rest.into())),
        }
        rest = after.trim();
    }
}

fn set(config: &mut Config, graph: &Graph, name: &str, value: &str) -> Result<(), String> {
    let stops = || match value {
        "*" => Stops::Everywhere,
        names => Stops::Nodes(names.split(',').map(String::from).collect()),
    };
    match name {
        "durability" => {
            config.durability = match value {
                "sync" => Durability::Sync,
                "async" => Durability::Async,
                "exit" => Durability::Exit,
                other => return Err(format!("unknown durability {other}")),
            }
        }
        "limit" => config.recursion_limit = value.parse().map_err(|_| "what limit?")?,
        "before" => config.interrupt_before = stops(),
        "after" => config.interrupt_after = stops(),
        "at" => {
            let position: usize = value.parse().map_err(|_| "which checkpoint?")?;
            let history = graph.blocking().history(config).map_err(|error| error.to_string())?;
            let snapshot = history.get(position).ok_or("no such checkpoint")?;
            config.checkpoint = Some(snapshot.id.clone());
        }
        other => return Err(format!("unknown option {other}")),
    }
    Ok(())
}

fn update(json: &Json) -> Update {
    let entries = json.as_object().into_iter().flatten();
    entries.fold(Update::new(), |update, (name, value)| update.set(name, from_json(value)))
}

fn command(json: &Json) -> Command {
    let mut command = Command::new();
    for (name, value) in json.get("update").and_then(Json::as_object).into_iter().flatten() {
        command = command.set(name, from_json(value));
    }
    for node in json.get("goto").and_then(Json::as_array).into_iter().flatten() {
        command = command.goto(Goto::from(node.as_str().unwrap_or_default()));
    }
    command
}
