use langgraph_rust::prelude::*;
#[derive(Clone, Debug, PartialEq, State)]
struct Count {
    #[reducer(append)]
    log: Vec<String>,
    n: i64,
    name: Option<String>,
}
async fn step(state: &Count) -> NodeResult<CountUpdate> {
    Ok(Count::update().n(state.n + 1).log(["a"]).name("x"))
}
#[tokio::test]
async fn runs() {
    let graph =
        StateGraph::<Count>::new().node("step", step).edge(START, "step").compile().unwrap();
    let done = graph.invoke(Count::update().n(1), &Config::default()).await.unwrap();
    assert_eq!(done.state, Count { log: vec!["a".into()], n: 2, name: Some("x".into()) });
}
