//! A domain for tests: values are texts, and every channel without a reducer is known.

use std::borrow::Cow;
use std::sync::Arc;

use langgraph_rust_channels::{Channel, Ephemeral};
use langgraph_rust_core::{
    ChannelIndex, CheckpointId, Domain, Fault, ForeignChannel, Version, Write,
};

use crate::{
    ChannelSpec, Engine, Env, Loaded, NodeSpec, Options, Plan, RunInput, Start, Surroundings,
};

pub(crate) struct Toy;

impl Domain for Toy {
    type Value = String;
    type Cx<'a> = ();
    type Error = String;
    type Reducer = ();
    type Foreign = NoForeign;

    fn copy((): (), value: &String) -> String {
        value.clone()
    }

    fn initial((): (), (): &()) -> Option<String> {
        Some(String::new())
    }

    fn reduce((): (), (): &(), left: String, writes: Vec<String>) -> Result<String, String> {
        Ok(left + &writes.concat())
    }

    fn overwrite((): (), _value: &String) -> Option<String> {
        None
    }

    fn label<'v>((): (), value: &'v String) -> Option<Cow<'v, str>> {
        Some(Cow::Borrowed(value))
    }

    fn show((): (), value: &String) -> String {
        value.clone()
    }

    fn unit((): ()) -> String {
        String::new()
    }

    fn name((): (), name: &str) -> String {
        name.into()
    }

    fn list((): (), values: Vec<String>) -> String {
        values.concat()
    }

    fn items((): (), _value: &String) -> Option<Vec<String>> {
        None
    }
}

pub(crate) enum NoForeign {}

impl ForeignChannel<Toy> for NoForeign {
    fn get(&self, (): ()) -> Result<Option<String>, String> {
        match *self {}
    }

    fn is_available(&self, (): ()) -> Result<bool, String> {
        match *self {}
    }

    fn update(&mut self, (): (), _values: Vec<String>) -> Result<bool, Fault<Toy>> {
        match *self {}
    }

    fn consume(&mut self, (): ()) -> Result<bool, String> {
        match *self {}
    }

    fn finish(&mut self, (): ()) -> Result<bool, String> {
        match *self {}
    }

    fn checkpoint(&self, (): ()) -> Result<Option<String>, String> {
        match *self {}
    }

    fn restore(&self, (): (), _stored: Option<String>) -> Result<Self, String> {
        match *self {}
    }

    fn duplicate(&self, (): ()) -> Result<Self, String> {
        match *self {}
    }
}

/// Counts everything.
pub(crate) struct Counter(pub(crate) i64);

impl Env<Toy> for Counter {
    fn next_version(&mut self, _current: Option<&Version>) -> Result<Version, String> {
        self.0 += 1;
        Ok(Version::Int(self.0))
    }

    fn checkpoint_id(&mut self, _step: i64) -> CheckpointId {
        self.0 += 1;
        CheckpointId::from_bits(self.0 as u128)
    }

    fn now(&mut self) -> Arc<str> {
        "now".into()
    }
}

/// A run of nodes that are all started at once, given out up to where it waits for them.
pub(crate) fn begun(nodes: &[&str]) -> (Engine<Toy>, Counter) {
    let start = || ChannelSpec {
        name: "start".into(),
        pattern: Channel::Ephemeral(Ephemeral::new(None, false)),
    };
    let start_index = ChannelIndex::new(0);
    let nodes = nodes.iter().map(|name| NodeSpec::new(*name, vec![start_index])).collect();
    let Ok(plan) = Plan::new(vec![start()], nodes) else { panic!("no sound plan") };
    let mut env = Counter(0);
    let input = RunInput::Writes(vec![Write::channel(start_index, String::new())]);
    let start = Start {
        plan: Arc::new(plan),
        options: Options::default(),
        loaded: Loaded::unbegun(env.checkpoint_id(-2)),
        input,
        surroundings: Surroundings::default(),
    };
    let begun = Engine::start((), &mut env, start);
    let Ok((mut engine, _)) = begun else { panic!("the run does not begin") };
    while !matches!(engine.poll((), &mut env), crate::Effect::Wait(_)) {}
    (engine, env)
}
