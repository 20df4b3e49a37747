//! Which crate may know which: the directions of dependency, held against `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value as Json;

/// For each crate, the crates of the workspace that it may depend on, tests aside.
const ALLOWED: &[(&str, &[&str])] = &[
    ("langgraph-rust-core", &[]),
    ("langgraph-rust-channels", &["langgraph-rust-core"]),
    ("langgraph-rust-checkpoint", &["langgraph-rust-core", "langgraph-rust-channels"]),
    (
        "langgraph-rust-pregel",
        &["langgraph-rust-core", "langgraph-rust-channels", "langgraph-rust-checkpoint"],
    ),
    (
        "langgraph-rust-runtime",
        &[
            "langgraph-rust-core",
            "langgraph-rust-channels",
            "langgraph-rust-checkpoint",
            "langgraph-rust-pregel",
        ],
    ),
    ("langgraph-rust-postgres", &["langgraph-rust-core", "langgraph-rust-runtime"]),
    ("langgraph-rust-derive", &[]),
    ("langgraph-rust-picture", &[]),
    (
        "langgraph-rust",
        &[
            "langgraph-rust-runtime",
            "langgraph-rust-derive",
            "langgraph-rust-sqlite",
            "langgraph-rust-postgres",
        ],
    ),
    ("langgraph-rust-sqlite", &["langgraph-rust-core", "langgraph-rust-runtime"]),
    (
        "langgraph-rust-testkit",
        &[
            "langgraph-rust-core",
            "langgraph-rust-channels",
            "langgraph-rust-checkpoint",
            "langgraph-rust-pregel",
            "langgraph-rust-runtime",
        ],
    ),
];

/// The engine: what decides, and does nothing.
const ENGINE: [&str; 4] = [
    "langgraph-rust-core",
    "langgraph-rust-channels",
    "langgraph-rust-checkpoint",
    "langgraph-rust-pregel",
];

/// What engine crates may not name, directly.
const FOREIGN: [&str; 4] = ["pyo3", "tokio", "async-std", "rayon"];

fn packages() -> BTreeMap<String, Json> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Json = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages are a list").iter();
    packages.map(|package| (text(&package["name"]), package.clone())).collect()
}

fn text(json: &Json) -> String {
    json.as_str().unwrap_or_default().to_string()
}

/// The names that a package depends on, without those of its tests.
fn dependencies(package: &Json) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().expect("dependencies are a list").iter();
    all.filter(|dependency| dependency["kind"] != "dev")
        .map(|dependency| text(&dependency["name"]))
        .collect()
}

#[test]
fn crates_depend_downwards() {
    let packages = packages();
    for (name, allowed) in ALLOWED {
        for dependency in dependencies(&packages[*name]) {
            let is_ours = packages.contains_key(&dependency);
            let is_allowed = allowed.contains(&&*dependency);
            assert!(!is_ours || is_allowed, "{name} may not depend on {dependency}");
        }
    }
}

#[test]
fn the_engine_knows_neither_python_nor_a_runtime() {
    let packages = packages();
    for name in ENGINE {
        for dependency in dependencies(&packages[name]) {
            let is_foreign = FOREIGN.iter().any(|foreign| dependency.starts_with(foreign));
            assert!(!is_foreign, "{name} may not depend on {dependency}");
        }
    }
}

#[test]
fn the_wheel_contains_neither_the_rust_front_nor_a_runtime() {
    let packages = packages();
    let Some(wheel) = packages.values().find(|package| {
        let path = text(&package["manifest_path"]);
        path.replace('\\', "/").ends_with("langgraph-py/Cargo.toml")
    }) else {
        return;
    };
    let found = dependencies(wheel);
    for banned in
        ["langgraph-rust-runtime", "langgraph-rust-sqlite", "langgraph-rust-testkit", "tokio"]
    {
        assert!(!found.contains(banned), "the wheel may not depend on {banned}");
    }
}

#[test]
fn every_crate_is_listed() {
    for (name, package) in packages() {
        let path = text(&package["manifest_path"]).replace('\\', "/");
        let is_listed = ALLOWED.iter().any(|(known, _)| *known == name);
        assert!(!path.contains("/crates/") || is_listed, "{name} is not in ALLOWED");
    }
}
