//! Drawing graphs: which nodes lead where, and that as text for Mermaid.

mod discover;
mod drawing;
mod mermaid;

use crate::{Error, Graph};
use drawing::Drawing;

impl<S> Graph<S> {
    /// The graph as text for [Mermaid](https://mermaid.js.org): the same text that LangGraph draws of a
    /// graph of the same shape.
    ///
    /// Where a [`branch`](crate::StateGraph::branch) leads is not known, so nothing is drawn for it:
    /// name its targets by [`branch_to`](crate::StateGraph::branch_to), and those of nodes that return
    /// a [`Command`](crate::Command) by [`Node::destinations`](crate::Node::destinations).
    pub fn mermaid(&self) -> String {
        mermaid::text(&Drawing::of(&self.any, 0)).text
    }

    /// The same, with graphs that are nodes opened: as many `levels` of them, or all with
    /// [`usize::MAX`].
    ///
    /// # Errors
    ///
    /// [`Error::Message`] if two graphs in different places are nodes of the same name, which Mermaid
    /// has no way to draw.
    pub fn mermaid_xray(&self, levels: usize) -> Result<String, Error> {
        let drawn = mermaid::text(&Drawing::of(&self.any, levels));
        match drawn.twice {
            None => Ok(drawn.text),
            Some(name) => Err(Error::message(format!(
                "two graphs are nodes named '{name}', and Mermaid tells them apart by their names: give \
                 one of them another name, or open fewer levels"
            ))),
        }
    }
}
