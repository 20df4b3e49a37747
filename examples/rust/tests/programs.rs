//! The examples, run as processes, and what they print.

use std::path::Path;
use std::process::{Command, Output};

/// What a program prints that ends well.
fn printed(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program} does not start: {error}"));
    let Output { status, stdout, stderr } = output;
    let stderr = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{program} {arguments:?} ended with {status}: {stderr}");
    String::from_utf8(stdout).expect("what it prints is text")
}

#[test]
fn agent() {
    assert_eq!(printed(env!("CARGO_BIN_EXE_agent"), &[]), include_str!("../outputs/agent.txt"));
}

#[test]
fn map_reduce() {
    let printed = printed(env!("CARGO_BIN_EXE_map_reduce"), &[]);
    // What is streamed comes in the order in which it happens.
    let (mut streamed, rest): (Vec<_>, Vec<_>) =
        printed.lines().partition(|line| line.starts_with('*'));
    streamed.sort();
    let found = [streamed, rest].concat().join("\n");
    assert_eq!(found, include_str!("../outputs/map_reduce.txt").trim_end());
}

#[test]
fn subgraphs() {
    let expected = include_str!("../outputs/subgraphs.txt");
    assert_eq!(printed(env!("CARGO_BIN_EXE_subgraphs"), &[]), expected);
}

#[test]
fn approval_by_another_process() {
    let program = env!("CARGO_BIN_EXE_approval");
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("threads.db");
    let approval = |arguments: &[&str]| {
        let path = path.to_str().expect("its name is text");
        printed(program, &[&[path], arguments].concat())
    };
    let asked = approval(&["start", "7"]);
    assert_eq!(asked, "waiting for an answer: publish 7?\nso far: built 7\n");
    assert_eq!(approval(&["status"]), "approve waits: publish 7?\nso far: built 7\n");
    let done = approval(&["answer", "yes"]);
    assert_eq!(done, "so far: built 7, Ada said yes, published 7\n");
    assert_eq!(approval(&["status"]), done);
}

#[test]
fn approval_refused() {
    let program = env!("CARGO_BIN_EXE_approval");
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("threads.db");
    let path = path.to_str().expect("its name is text");
    printed(program, &[path, "start", "8"]);
    assert_eq!(printed(program, &[path, "answer", "no"]), "so far: built 8, Ada said no\n");
}

/// Needs a Python with this repository's package: that of the variable `LANGGRAPH_RUST_PYTHON`.
#[test]
fn from_python() {
    let Ok(python) = std::env::var("LANGGRAPH_RUST_PYTHON") else {
        println!("SKIPPED: LANGGRAPH_RUST_PYTHON names no Python with langgraph-rust");
        return;
    };
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("from_python.py");
    let program = program.to_str().expect("its name is text");
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("threads.db");
    let path = path.to_str().expect("its name is text");
    let in_python = |command| printed(&python, &["-m", "langgraph_rust", program, path, command]);
    let begun = in_python("begin");
    let gone_on = printed(env!("CARGO_BIN_EXE_from_python"), &[path, "yes"]);
    let found = [begun, gone_on, in_python("show")].concat();
    assert_eq!(found, include_str!("../outputs/from_python.txt"));
}
