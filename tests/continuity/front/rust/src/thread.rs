//! One thread and its graph, and what is seen of both.

use std::sync::Arc;

use langgraph_rust_core::{CheckpointId, Durability};
use langgraph_rust_runtime::saver::Saver;
use langgraph_rust_runtime::{
    BoxFuture, Config, Error, Graph, GraphInput, Interrupt, Output, Snapshot, State, StateUpdate,
    Stops, Update, Value,
};
use serde_json::{json, Map as JsonMap, Value as Json};

use crate::graphs::{self, Kit};

/// A graph, whatever the type of its state.
pub(crate) trait AnyState {
    fn invoke<'a>(
        &'a self,
        input: GraphInput,
        config: &'a Config,
    ) -> BoxFuture<'a, Result<(Json, Vec<Interrupt>), Error>>;

    fn state<'a>(&'a self, config: &'a Config) -> BoxFuture<'a, Result<Option<Snapshot>, Error>>;

    fn history<'a>(&'a self, config: &'a Config) -> BoxFuture<'a, Result<Vec<Snapshot>, Error>>;

    fn update<'a>(
        &'a self,
        config: &'a Config,
        supersteps: Vec<Vec<StateUpdate>>,
    ) -> BoxFuture<'a, Result<Config, Error>>;
}

impl<S: State> AnyState for Graph<S> {
    fn invoke<'a>(
        &'a self,
        input: GraphInput,
        config: &'a Config,
    ) -> BoxFuture<'a, Result<(Json, Vec<Interrupt>), Error>> {
        Box::pin(async move {
            let output: Output<S> = Graph::invoke(self, input, config).await?;
            let interrupts = output.interrupts().to_vec();
            Ok((written(&output.state.into_update()), interrupts))
        })
    }

    fn state<'a>(&'a self, config: &'a Config) -> BoxFuture<'a, Result<Option<Snapshot>, Error>> {
        Box::pin(Graph::state_with_subgraphs(self, config))
    }

    fn history<'a>(&'a self, config: &'a Config) -> BoxFuture<'a, Result<Vec<Snapshot>, Error>> {
        Box::pin(Graph::history(self, config))
    }

    fn update<'a>(
        &'a self,
        config: &'a Config,
        supersteps: Vec<Vec<StateUpdate>>,
    ) -> BoxFuture<'a, Result<Config, Error>> {
        Box::pin(self.bulk_update_state(config, supersteps))
    }
}

/// How a turn invokes a graph, where it is not as usual.
#[derive(Clone, Debug, Default)]
pub(crate) struct How {
    pub(crate) healthy: bool,
    pub(crate) limit: Option<u64>,
    pub(crate) before: Stops,
    pub(crate) after: Stops,
    pub(crate) at: Option<CheckpointId>,
}

/// One thread and its graph; its methods write down what they see in `said`.
pub(crate) struct Thread {
    kit: Kit,
    graph: Box<dyn AnyState>,
    config: Config,
    pub(crate) said: Vec<Json>,
}

impl Thread {
    pub(crate) fn new(
        case: &str,
        scenario: &str,
        durability: Durability,
        saver: Arc<dyn Saver>,
    ) -> Result<Self, Error> {
        let kit = Kit::new(saver);
        let graph = graphs::of(scenario, &kit)?;
        let config = Config::thread(case)
            .durability(durability)
            .metadata("release", 3)
            .metadata("beta", true);
        Ok(Self { kit, graph, config, said: Vec::new() })
    }

    pub(crate) async fn invoke(&mut self, input: GraphInput, how: How) -> Result<(), Error> {
        let mut config = self
            .config
            .clone()
            .recursion_limit(how.limit.unwrap_or(25))
            .interrupt_before(how.before)
            .interrupt_after(how.after);
        config.checkpoint = how.at;
        self.kit.set_healthy(how.healthy);
        let said = match self.graph.invoke(input, &config).await {
            Ok((state, interrupts)) => {
                json!({ "state": state, "interrupts": questions(&interrupts) })
            }
            Err(Error::Node { source, .. }) if graphs::is_trouble(&source) => {
                json!({ "raised": "trouble" })
            }
            Err(Error::EmptyInput { .. }) => json!({ "raised": "no input" }),
            Err(Error::RecursionLimit(_)) => json!({ "raised": "too many steps" }),
            Err(error) => return Err(error),
        };
        self.said.push(said);
        self.said.push(json!({ "ran": self.kit.take_ran() }));
        Ok(())
    }

    /// Where the thread stands.
    pub(crate) fn now(&self) -> Config {
        self.config.clone()
    }

    /// Where the thread stood at a checkpoint, and nothing else.
    pub(crate) fn at(&self, id: &CheckpointId) -> Config {
        Config::thread(&self.config.thread).checkpoint(id)
    }

    /// Updates the state, and gives the checkpoint that this made.
    pub(crate) async fn update(
        &mut self,
        config: &Config,
        update: GraphInput,
        as_node: Option<&str>,
    ) -> Result<Option<CheckpointId>, Error> {
        self.updates(config, vec![vec![StateUpdate::new(update, as_node)]]).await
    }

    /// The same, for several supersteps.
    pub(crate) async fn updates(
        &mut self,
        config: &Config,
        supersteps: Vec<Vec<StateUpdate>>,
    ) -> Result<Option<CheckpointId>, Error> {
        let made = self.graph.update(config, supersteps).await?.checkpoint;
        self.said.push(json!({ "made": made.as_ref().map(CheckpointId::as_str) }));
        Ok(made)
    }

    pub(crate) async fn state(&self) -> Result<Snapshot, Error> {
        let found = self.graph.state(&self.config).await?;
        found.ok_or_else(|| Error::message("the thread has not begun"))
    }

    /// The checkpoints, newest first.
    pub(crate) async fn history(&self) -> Result<Vec<Snapshot>, Error> {
        self.graph.history(&self.config).await
    }

    /// What is to be seen of this thread.
    pub(crate) async fn view(&self) -> Result<Vec<Json>, Error> {
        let newest = self.graph.state(&self.config).await?;
        Ok(newest.iter().chain(&self.history().await?).map(shown).collect())
    }
}

fn shown(snapshot: &Snapshot) -> Json {
    let tasks = snapshot.tasks.iter().map(|task| {
        json!({
            "id": task.id.as_str(),
            "name": &*task.name,
            "error": task.error.as_ref().map(Json::from),
            "interrupts": questions(&task.interrupts),
            "result": task.result.as_ref().map(written),
            "state": task.state.as_deref().map(shown),
        })
    });
    json!({
        "id": snapshot.id.as_str(),
        "parent": snapshot.parent.as_ref().map(CheckpointId::as_str),
        "metadata": Json::from(Value::from(snapshot.metadata.to_map())),
        "values": object(snapshot.values.iter().map(|(name, value)| (&**name, value.into()))),
        "next": snapshot.next.iter().map(|name| &**name).collect::<Vec<_>>(),
        "tasks": tasks.collect::<Vec<_>>(),
    })
}

fn written(update: &Update) -> Json {
    object(update.writes().map(|(name, value)| (name, Json::from(value))))
}

/// The fields that have a value.
fn object<'a>(fields: impl Iterator<Item = (&'a str, Json)>) -> Json {
    let fields = fields.filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| (name.to_owned(), value)).collect::<JsonMap<_, _>>().into()
}

/// Nodes that run side by side ask in any order.
fn questions(interrupts: &[Interrupt]) -> Json {
    let mut shown: Vec<Json> = interrupts
        .iter()
        .map(|asked| json!({ "id": &*asked.id, "value": Json::from(&asked.value) }))
        .collect();
    shown.sort_by_key(|asked| asked["value"].to_string());
    shown.into()
}
