#![doc = include_str!("../README.md")]

mod attributes;
mod fields;
mod input;
mod names;
mod reducer;
mod state;
mod update;

use proc_macro::TokenStream;
use syn::{parse_macro_input, DeriveInput};

/// Makes a struct the state of a graph: each field is a channel.
///
/// Generates `State` and `Input` for the struct `S`, the type `SUpdate` of what nodes write, and
/// `S::update()`, from which an update is built field by field. `S` and its update are an input of a
/// graph, and what a node returns; `S` is also a value that can be sent to a node.
///
/// The struct has named fields and no generics, and is `Clone`; a field's type is `Serialize`,
/// `DeserializeOwned`, `Clone`, `Send`, `Sync` and `'static`.
///
/// # On the struct
///
/// - `#[state(version = 2)]`: the version of what is stored, raised when threads of older versions have
///   to be migrated.
/// - `#[state(migrate_from = Old)]`: the state of the version before, a type with `#[derive(State)]` for
///   which there is `From<Old>`. Threads of still older versions are read by what `Old` says of them.
/// - `#[state(crate = path)]`: where the crate `langgraph_rust` is, or `langgraph_rust_runtime`.
/// - `#[serde(rename_all = "..")]`: how fields become names of channels.
///
/// # On a field
///
/// - `#[reducer(..)]`: what becomes of writes, instead of the last one replacing what there is: one of
///   `append`, `sum`, `max`, `min`, `set`, `merge` and `add_messages`, or `custom = path` with a function
///   of what the field holds and what is written, to what it holds then or to a `Result` of that.
/// - `#[delta]` or `#[delta(frequency = 50)]`: writes are stored instead of the value, and the value
///   only after so many updates. For fields with a reducer whose values grow; folding writes one after
///   another must give the same as folding any of them first.
/// - `#[untracked]`: never stored.
/// - `#[ephemeral]`: holds a value for one superstep.
/// - `#[state(default = expression)]`: what the field holds before it is written; otherwise the
///   default of its type.
/// - `#[serde(rename = "..")]`: the channel's name. Other serde attributes are those of the type's own
///   `Serialize`, if it has one, and say nothing to the graph.
#[proc_macro_derive(State, attributes(state, reducer, delta, untracked, ephemeral, serde))]
pub fn derive_state(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    state::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a struct what a node takes: the fields of the state that it names, or what was sent to it.
///
/// Generates `Input` for the struct, and makes it a value that can be sent, so that
/// `Goto::send("node", Job { .. })` gives the node its `Job`. The struct has named fields and no
/// generics; its fields are as those of a state.
///
/// `#[state(crate = path)]`, `#[state(default = expression)]` and serde's names are as for `State`.
#[proc_macro_derive(Input, attributes(state, serde))]
pub fn derive_input(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    input::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
