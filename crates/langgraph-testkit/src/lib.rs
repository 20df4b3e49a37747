//! Test tools: graphs described in a few lines of text, a driver that does what a script says,
//! transcripts, random graphs, and runs that crash at a chosen effect.
//!
//! The text is documented in `tests/transcripts/README.md`; other drivers read the same files.
//!
//! ```
//! use langgraph_rust_testkit::{Described, Script};
//! use langgraph_rust_runtime::{Config, Update};
//!
//! let graph = Described::parse("state log append\nnode a\n  write log [\"a\"]\nedge START a")
//!     .unwrap()
//!     .build()
//!     .unwrap();
//! let end = Script::default().run(&graph, Update::new(), &Config::default(), &mut |_| {});
//! assert_eq!(end.output().unwrap().get("log").to_string(), r#"["a"]"#);
//! ```

mod crash;
mod described;
mod expression;
mod printed;
mod random;
mod savers;
mod script;
pub mod stores;
mod transcript;
mod waiting;

pub use crash::{answers, converse, cut_and_recover, CutReport};
pub use described::{Described, ParseError};
pub use expression::from_json;
pub use random::{random_graph, Contents, Random};
pub use savers::check as check_saver;
pub use script::{dump, Cut, Line, Order, Script, ScriptEnd, Storing};
pub use transcript::{check_directory, Driver, Transcript};
pub use waiting::Unhurried;
