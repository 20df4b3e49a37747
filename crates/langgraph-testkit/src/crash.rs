//! Runs that crash or are made to end, and what becomes of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use langgraph_rust_runtime::{
    Command, Config, Error, Graph, GraphInput, Interrupt, Map, Output, Update, Value,
};

use crate::{Cut, Script, ScriptEnd};

/// What a cut and the recovery from it came to.
#[derive(Clone, Debug, PartialEq)]
pub enum CutReport {
    /// The conversation has no such turn.
    NoSuchTurn,
    /// The turn came to its own end before, or had come to it already.
    NoSuchEffect,
    /// The run was cut short; this is how the recovered one ended.
    Recovered(Result<Map, String>),
}

/// Runs the graph to its end, resuming from every interrupt with its text and `!`.
pub fn converse(graph: &Graph, config: &Config, script: &Script) -> Result<Map, String> {
    go_on(graph, config, script, Update::new().into())
}

/// Cuts the `turn`-th run of a conversation short, and recovers from what was stored.
pub fn cut_and_recover(
    graph: &Graph,
    config: &Config,
    script: &Script,
    turn: usize,
    cut: Cut,
) -> CutReport {
    let mut input = GraphInput::from(Update::new());
    for _ in 0..turn {
        let end = script.run(graph, input, config, &mut |_| {});
        match end.output().as_ref().and_then(answers) {
            Some(answers) => input = answers.into(),
            None => return CutReport::NoSuchTurn,
        }
    }
    let dying = Script { cut: Some(cut), ..script.clone() };
    match dying.run(graph, input, config, &mut |_| {}) {
        ScriptEnd::Finished(Ok(_)) => CutReport::NoSuchEffect,
        ScriptEnd::Crashed | ScriptEnd::Finished(Err(_)) => {
            CutReport::Recovered(recover(graph, config, script))
        }
    }
}

/// Goes on from what is stored, or from the beginning if nothing is.
fn recover(graph: &Graph, config: &Config, script: &Script) -> Result<Map, String> {
    // A run that stores at its end may have got as far as the state before its beginning.
    let begun = graph
        .blocking()
        .state(config)
        .map_err(|error: Error| error.to_string())?
        .filter(|state| state.metadata.step > -2);
    match begun {
        None => converse(graph, config, script),
        Some(_) => go_on(graph, config, script, GraphInput::Nothing),
    }
}

fn go_on(
    graph: &Graph,
    config: &Config,
    script: &Script,
    mut input: GraphInput,
) -> Result<Map, String> {
    loop {
        let end = script.run(graph, input, config, &mut |_| {});
        let ScriptEnd::Finished(output) = end else { return Err("crashed".into()) };
        let output = output.map_err(|error| error.to_string())?;
        match answers(&output) {
            None => return Ok(output.state),
            Some(answers) => input = answers.into(),
        }
    }
}

/// The answer to whatever is asked: its text and `!`. `None` if nothing is.
pub fn answers<S>(output: &Output<S>) -> Option<Command> {
    let answer = |interrupt: &Interrupt| {
        let text = interrupt.value.text().unwrap_or_default();
        (interrupt.id.clone(), Value::from(format!("{text}!")))
    };
    let answers: BTreeMap<Arc<str>, Value> = output.interrupts().iter().map(answer).collect();
    (!answers.is_empty()).then(|| Command::resume_by_id(answers))
}
