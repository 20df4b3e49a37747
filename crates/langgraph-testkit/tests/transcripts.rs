//! The transcripts under `tests/transcripts`, run by the scripted driver.

use std::path::Path;

use langgraph_rust_testkit::{check_directory, Transcript};

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
