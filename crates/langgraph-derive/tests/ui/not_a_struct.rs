//! What is no struct with named fields.

use langgraph_rust::prelude::*;

#[derive(Clone, State)]
enum Choice {
    One,
    Other,
}

#[derive(Clone, State)]
struct Pair(i64, i64);

#[derive(Clone, State)]
struct Nothing;

#[derive(Input)]
struct Job(i64);

#[derive(Clone, State)]
struct Generic<T> {
    value: T,
}

#[derive(Clone, State)]
struct Borrowing<'a> {
    value: &'a str,
}

fn main() {}
