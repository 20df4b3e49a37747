//! Pictures of graphs: nodes in layers, edges around them, subgraphs in boxes.
//!
//! A [`Drawing`] says what is to be drawn, [`lay_out`] where it goes, and [`svg`] writes it down;
//! with the feature `png`, [`png`] makes pixels of it. The same graph gives the same picture.
//!
//! ```
//! use langgraph_rust_picture::{lay_out, svg, DrawnEdge, Drawing, DrawnNode, Theme};
//!
//! let mut graph = Drawing::default();
//! let agent = graph.add_node(DrawnNode::new("agent"));
//! let tools = graph.add_node(DrawnNode::new("tools"));
//! graph.add_edge(DrawnEdge::new(agent, tools).labelled("asks").dashed());
//! graph.add_edge(DrawnEdge::new(tools, agent));
//! let picture = svg(&graph, &lay_out(&graph), Theme::Light);
//! assert!(picture.contains("asks"));
//! ```

mod drawing;
mod layers;
mod layout;
mod level;
mod order;
mod place;
#[cfg(feature = "png")]
mod png;
mod route;
mod size;
mod straight;
mod svg;
mod text;

pub use drawing::{Cluster, Drawing, DrawnEdge, DrawnNode, Shape, Visit};
pub use layout::{lay_out, Layout, Path};
#[cfg(feature = "png")]
pub use png::{png, PngError};
pub use size::Rect;
pub use svg::{svg, Theme};
