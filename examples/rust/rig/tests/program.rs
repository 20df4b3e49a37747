//! The example, run as a process, and what it prints.

use std::process::Command;

#[test]
fn an_agent_of_rigs_is_a_node() {
    let output = Command::new(env!("CARGO_BIN_EXE_langgraph-rust-example-rig")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = "approve? 7 is twice as fast\n\
                    approve? 7 IS TWICE AS FAST!\n\
                    announced: 7 IS TWICE AS FAST!, after 6 messages\n";
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
}
