//! The rooms of the Python side's native code: what may know what, how large things are, and what
//! happens in one room only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The rooms from the lowest up: each may know itself and those before it.
const ROOMS: [&str; 10] =
    ["host", "values", "codec", "picture", "plan", "store", "show", "run", "task", "drive"];

/// Entries that a room may have, its `mod.rs` aside.
const ENTRIES: usize = 13;

/// Lines that a file may have.
const FILE: usize = 400;

/// Lines that a function may have.
const FUNCTION: usize = 60;

/// Functions that are longer, each with its reason.
const LONG: [(&str, &str, &str); 1] = [(
    "drive/graph_run.rs",
    "new",
    "takes the keywords of one call, which are named once here and once where it is made",
)];

/// What is done in one room, and how it looks in code. In the others it would be done past what
/// that room sees to.
const ONLY_IN: [(&str, &str, &[&str]); 2] = [
    // A thread that loses the interpreter at exit is parked there, see host/call.rs.
    ("host", "calls Python past host::call", &[".call(", ".call0(", ".call1(", ".call_method"]),
    ("host", "is unsafe", &["unsafe {", "unsafe impl", "unsafe fn"]),
];

/// What looks like a call of Python and is not.
const HARMLESS: [&str; 2] = ["visit.call(", "self.call("];

fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../langgraph-py/src");
    let mut sources = BTreeMap::new();
    collect(&root, &root, &mut sources);
    assert!(sources.len() > 40, "the sources are not where they were");
    sources
}

fn collect(root: &Path, directory: &Path, sources: &mut BTreeMap<String, String>) {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    for path in paths {
        if path.is_dir() {
            collect(root, &path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
            sources.insert(name, std::fs::read_to_string(path).unwrap());
        }
    }
}

fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or_default()
}

fn rank(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

/// The rooms that a file names.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

fn assert_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_file_is_in_a_room() {
    let outside = sources().into_keys().filter(|file| file != "lib.rs");
    assert_none(outside.filter(|file| rank(room(file)).is_none()).collect());
}

#[test]
fn no_room_knows_one_above_it() {
    let mut problems = Vec::new();
    for (file, text) in sources() {
        let Some(own) = rank(room(&file)) else { continue };
        for other in named(&text) {
            if rank(other).is_some_and(|other| other > own) {
                problems.push(format!("{file} knows {other}, which is above it"));
            }
        }
    }
    assert_none(problems);
}

#[test]
fn rooms_say_what_they_are_and_are_not_crowded() {
    let sources = sources();
    let mut problems = Vec::new();
    for room in ROOMS {
        let front = &sources[&format!("{room}/mod.rs")];
        if front.lines().take_while(|line| line.starts_with("//!")).count() < 3 {
            problems.push(format!("{room}/mod.rs does not say what the room is"));
        }
        let entries = sources.keys().filter_map(|file| file.strip_prefix(&format!("{room}/")));
        let mut entries: Vec<&str> =
            entries.map(|rest| rest.split('/').next().unwrap_or_default()).collect();
        entries.dedup();
        let count = entries.iter().filter(|entry| **entry != "mod.rs").count();
        if count > ENTRIES {
            problems.push(format!("{room} has {count} entries"));
        }
    }
    assert_none(problems);
}

#[test]
fn files_and_functions_are_short() {
    let mut problems = Vec::new();
    for (file, text) in sources() {
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > FILE {
            problems.push(format!("{file} has {} lines", lines.len()));
        }
        for (name, length) in functions(&lines) {
            let has_reason =
                LONG.iter().any(|(known, function, _)| (*known, *function) == (&file, name));
            if length > FUNCTION && !has_reason {
                problems.push(format!("{file}: {name} has {length} lines"));
            }
        }
    }
    assert_none(problems);
}

/// The functions of a formatted file, and how many lines each has.
fn functions<'a>(lines: &[&'a str]) -> Vec<(&'a str, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some((head, rest)) = line.split_once("fn ") else { continue };
        if !head.trim().split(' ').all(|word| word.is_empty() || word.starts_with("pub")) {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let end = format!("{}}}", " ".repeat(indent));
        let length = lines[start..].iter().position(|line| *line == end).unwrap_or(0) + 1;
        let name = rest.split(['(', '<']).next().unwrap_or_default();
        found.push((name, length));
    }
    found
}

#[test]
fn some_things_happen_in_one_room_only() {
    let mut problems = Vec::new();
    for (file, text) in sources() {
        for (home, what, signs) in ONLY_IN {
            if room(&file) == home {
                continue;
            }
            for (number, line) in text.lines().enumerate() {
                let mut code = line.split("//").next().unwrap_or_default().to_owned();
                for harmless in HARMLESS {
                    code = code.replace(harmless, "");
                }
                if signs.iter().any(|sign| code.contains(sign)) {
                    problems.push(format!("{file}:{}: {what}", number + 1));
                }
            }
        }
    }
    assert_none(problems);
}
