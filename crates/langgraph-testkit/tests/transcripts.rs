//! The transcripts under `tests/transcripts`, run by the scripted driver and by the runtime's.

use std::path::Path;

use langgraph_rust_testkit::{check_directory, Driver, Transcript};

#[test]
fn transcripts_print_what_they_say() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts");
    let differences = check_directory(&directory).unwrap();
    assert!(
        differences.is_empty(),
        "{}\n\nIf this is as it should be: UPDATE_EXPECT=1 cargo test -p langgraph-rust-testkit",
        differences.join("\n\n")
    );
}

#[test]
fn rewriting_keeps_comments_and_blank_lines() {
    let text = "# one\n\n\ngraph\nstate n last\n----\nwrong\n\n# two\nstate\n----\nwrong\n";
    let printed = Transcript::parse(text).run();
    let expected = text.replacen(
        "wrong",
        "problem: Graph must have an entrypoint: add at least \
                                 one edge from START to another node",
        1,
    );
    assert_eq!(printed, expected.replacen("wrong", "problem: no graph", 1));
}

#[test]
fn the_driver_of_the_runtime_prints_the_same_but_for_effects() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts");
    let without_effects = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("| ")).map(String::from).collect()
    };
    let mut seen = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let written = std::fs::read_to_string(&path).unwrap();
            let printed = Transcript::parse(&written).run_with(Driver::Runtime);
            assert_eq!(without_effects(&printed), without_effects(&written), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "the transcripts are not where they were");
}
