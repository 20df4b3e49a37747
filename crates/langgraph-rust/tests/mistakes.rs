//! Mistakes that are easily made, and what is said of them.

use std::error::Error as _;

use langgraph_rust::prelude::*;
use langgraph_rust::Error;

#[derive(Clone, Debug, Default, PartialEq, State)]
struct Order {
    item: String,
    #[reducer(append)]
    log: Vec<String>,
}

#[derive(Input)]
struct Misspelt {
    itme: String,
}

async fn buy(_: &Order, runtime: &Runtime) -> NodeResult<OrderUpdate> {
    let price: u32 = runtime.interrupt_for("what may it cost?")?;
    Ok(Order::update().log([format!("bought for {price}")]))
}

fn asking() -> Graph<Order> {
    let graph = StateGraph::<Order>::new().node("buy", buy).edge(START, "buy");
    graph.compile().unwrap().with_saver(Memory::new())
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_not_kept() {
    let (graph, thread) = (asking(), Config::thread("1"));
    graph.invoke(Order::update(), &thread).await.unwrap();
    let error = graph.invoke(Command::resume("many"), &thread).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the node 'buy' failed: the answer \"many\" to \"what may it cost?\" does not fit: invalid \
         type: string \"many\", expected u32"
    );
    let done = graph.invoke(Command::resume(3), &thread).await.unwrap();
    assert_eq!(done.state.log, ["bought for 3"]);
}

#[tokio::test]
async fn a_graph_with_a_saver_needs_a_thread() {
    let graph = asking();
    let error = graph.invoke(Order::update(), &Config::default()).await.unwrap_err();
    assert!(matches!(error, Error::NoThread), "{error}");
    assert!(error.to_string().contains("Config::thread"));
}

#[tokio::test]
async fn resuming_needs_a_saver_and_a_thread_that_has_begun() {
    let graph = StateGraph::<Order>::new().node("buy", buy).edge(START, "buy").compile().unwrap();
    let error = graph.invoke(Command::resume(3), &Config::thread("1")).await.unwrap_err();
    assert!(error.to_string().contains("with_saver"), "{error}");
    let error = asking().invoke(Command::resume(3), &Config::thread("7")).await.unwrap_err();
    assert!(error.to_string().contains("the thread '7'"), "{error}");
}

#[tokio::test]
async fn a_field_that_the_state_lacks_is_no_default() {
    let graph = StateGraph::<Order>::new()
        .node("buy", |misspelt: &Misspelt| Ok(Order::update().log([misspelt.itme.clone()])))
        .edge(START, "buy")
        .compile()
        .unwrap();
    let error = graph.invoke(Order::update(), &Config::default()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the node 'buy' failed: the graph has no field 'itme'; it has item, log"
    );
}

#[tokio::test]
async fn two_writes_to_one_field_are_told_what_to_do_in_rust() {
    let write = |_: &Order| Ok(Order::update().item("crab"));
    let graph = StateGraph::<Order>::new()
        .node("a", write)
        .node("b", write)
        .edge(START, "a")
        .edge(START, "b")
        .compile()
        .unwrap();
    let error = graph.invoke(Order::update(), &Config::default()).await.unwrap_err().to_string();
    assert!(error.contains("'item'") && error.contains("#[reducer(..)]"), "{error}");
}

#[tokio::test]
async fn errors_of_ones_own_come_back_as_what_they_are() {
    #[derive(Debug)]
    struct OutOfStock(u32);
    impl std::fmt::Display for OutOfStock {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{} crabs are left", self.0)
        }
    }
    impl std::error::Error for OutOfStock {}

    let plain = |_: &Order| -> NodeResult<()> { Err(OutOfStock(0).into()) };
    let boxed = |_: &Order| -> NodeResult<()> {
        let error: Box<dyn std::error::Error + Send + Sync> = Box::new(OutOfStock(0));
        Err(NodeError::from_boxed(error))
    };
    for graph in [
        StateGraph::<Order>::new().node("buy", plain),
        StateGraph::<Order>::new().node("buy", boxed),
    ] {
        let graph = graph.edge(START, "buy").compile().unwrap();
        let error = graph.invoke(Order::update(), &Config::default()).await.unwrap_err();
        assert_eq!(error.to_string(), "the node 'buy' failed: 0 crabs are left");
        assert_eq!(error.failure::<OutOfStock>().unwrap().0, 0);
        assert!(error.source().unwrap().is::<OutOfStock>());
    }
}

#[test]
fn places_to_go_are_said_in_many_ways() {
    let go = |to: langgraph_rust::Gotos| to.0.len();
    assert_eq!(go(["a", "b"].into()), 2);
    assert_eq!(go([Goto::node("a"), Goto::send("b", 1)].into()), 2);
    assert_eq!(go(Some("a").into()), 1);
    assert_eq!(go(None::<&str>.into()), 0);
    assert_eq!(go(String::from("a").into()), 1);
    let command = Command::from((Order::update().item("crab"), END));
    assert_eq!(format!("{:?}", Update::from(Order::update().item("crab"))), "{\"item\": \"crab\"}");
    assert_ne!(command, Command::new());
    assert!(Update::try_from(serde_json::json!([1])).is_err());
}
