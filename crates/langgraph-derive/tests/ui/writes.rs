//! Updates with values that are not the fields'.

use langgraph_rust::prelude::*;

#[derive(Clone, State)]
struct Order {
    #[reducer(append)]
    log: Vec<String>,
    note: Option<String>,
    #[reducer(custom = max)]
    total: i64,
}

fn max(held: i64, more: String) -> i64 {
    held.max(more.len() as i64)
}

fn main() {
    let _ = Order::update().log(5);
    let _ = Order::update().note(5);
    let _ = Order::update().totals(5);
}
