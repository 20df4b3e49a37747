//! House rules that no compiler knows: length of files, whitespace, words, module docs.

use std::path::{Path, PathBuf};

/// Lines that a Rust file may have, its tests aside.
const LIMIT: usize = 400;

/// Files that are longer for a reason; the number only shrinks.
const LONG: [(&str, usize); 0] = [];

/// Words that say that something is not done, and paths of somebody's machine; spelled so that this
/// file does not contain them.
const FORBIDDEN: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("/tm", "p/"),
    concat!("/hom", "e/"),
];

/// The Rust sources of the engine crates, with their paths from `crates/`.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        (name, std::fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(read).collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                collect(&path, paths);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    paths.sort();
}

/// The problems that `check` finds, file by file.
fn assert_none(check: impl Fn(&str, &str) -> Vec<String>) {
    let problems: Vec<String> = sources()
        .iter()
        .flat_map(|(name, text)| {
            check(name, text).into_iter().map(move |problem| format!("{name}: {problem}"))
        })
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn files_are_short() {
    assert_none(|name, text| {
        let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
        let longer = LONG.iter().find(|(known, _)| *known == name);
        let limit = longer.map_or(LIMIT, |(_, limit)| *limit);
        match lines > limit {
            true => vec![format!("{lines} lines, {limit} are allowed")],
            false => Vec::new(),
        }
    });
}

#[test]
fn lines_are_clean() {
    assert_none(|_, text| {
        let dirty = |line: &str| line.ends_with(' ') || line.contains('\t');
        let mut problems: Vec<String> = text
            .lines()
            .enumerate()
            .filter(|(_, line)| dirty(line))
            .map(|(number, _)| format!("line {}: stray whitespace", number + 1))
            .collect();
        if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
            problems.push("the file does not end with one line break".into());
        }
        problems
    });
}

#[test]
fn nothing_is_left_undone() {
    assert_none(|_, text| {
        let found = FORBIDDEN.iter().filter(|word| text.contains(**word));
        found.map(|word| format!("contains {word}")).collect()
    });
}

#[test]
fn crates_and_tests_say_what_they_are() {
    assert_none(|name, text| {
        let is_root = name.ends_with("src/lib.rs")
            || name.contains("/tests/")
            || name.contains("/examples/")
            || name.contains("/benches/");
        // A crate's front page may be its README.
        let says = text.starts_with("//! ")
            || text.starts_with("#![doc")
            || text.starts_with("#![cfg_attr");
        match is_root && !says {
            true => vec!["begins without module docs".into()],
            false => Vec::new(),
        }
    });
}

/// The names of the public types that a source declares.
fn public_types(text: &str) -> impl Iterator<Item = &str> {
    let kinds = ["pub struct ", "pub enum ", "pub trait ", "pub type "];
    let declared =
        move |line: &'_ str| kinds.iter().find_map(|kind| Some(line.strip_prefix(kind)?.len()));
    text.lines().filter_map(move |line| {
        let rest = &line[line.len() - declared(line)?..];
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
    })
}

#[test]
fn no_two_public_types_have_one_name() {
    let sources = sources();
    let mut owners = std::collections::BTreeMap::new();
    for (name, text) in sources.iter().filter(|(name, _)| !name.contains("/tests/")) {
        for declared in public_types(text) {
            let other = owners.insert(declared, name);
            assert!(other.is_none(), "{declared} is in {name} and in {other:?}");
        }
    }
    assert!(owners.contains_key("ThreadState") && owners.contains_key("State"));
}

#[test]
fn modules_are_documented_or_hold_one_documented_type() {
    assert_none(|_, text| {
        let is_documented =
            text.starts_with("//! ") || text.contains("\n/// ") || text.starts_with("/// ");
        match text.is_empty() || is_documented {
            true => Vec::new(),
            false => vec!["has no docs at all".into()],
        }
    });
}
