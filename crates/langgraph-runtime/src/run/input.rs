use langgraph_rust_core::{Control, Target, Write};
use langgraph_rust_pregel as pregel;

use crate::graph::{Core, Resume};
use crate::{Command, Error, Map, Native, Update, START};

/// What a run is given.
#[derive(Clone, Debug, Default)]
pub enum GraphInput {
    /// Nothing: go on from where the thread stands.
    #[default]
    Nothing,
    /// Values for fields.
    Update(Update),
    /// Values for fields, places to go, resume values: for where the thread stands.
    Command(Command),
}

impl<U: Into<Update>> From<U> for GraphInput {
    fn from(update: U) -> Self {
        GraphInput::Update(update.into())
    }
}

impl From<Command> for GraphInput {
    fn from(command: Command) -> Self {
        GraphInput::Command(command)
    }
}

impl From<()> for GraphInput {
    fn from((): ()) -> Self {
        GraphInput::Nothing
    }
}

/// A write that leads to a node, from no node.
fn from_outside(write: Write<Native>) -> Write<Native> {
    match write.target {
        Target::Channel(_) => Write { value: START.into(), ..write },
        _ => write,
    }
}

impl Core {
    /// What the engine is given for an input.
    pub(crate) fn engine_input(
        &self,
        input: GraphInput,
    ) -> Result<pregel::RunInput<Native>, Error> {
        Ok(match input {
            GraphInput::Nothing => pregel::RunInput::Nothing,
            GraphInput::Update(update) => {
                let mut map = Map::with_capacity(update.writes.len());
                for (name, value) in update.writes {
                    let (index, value) = self.field_write(&name, value)?;
                    map.insert(self.layout.spec(index.get()).name.clone(), value);
                }
                pregel::RunInput::Writes(vec![Write::channel(self.start, map.into())])
            }
            GraphInput::Command(command) => {
                let mut writes = Vec::new();
                for goto in command.goto {
                    writes.extend(self.goto(goto)?.map(from_outside));
                }
                let resumes = match &command.resume {
                    None => pregel::Resumes::Nothing,
                    Some(Resume::Single(_)) => pregel::Resumes::Next,
                    Some(Resume::ById(_)) => pregel::Resumes::ById,
                };
                if let Some(Resume::Single(value)) = command.resume {
                    writes.push(Write::control(Control::Resume, value));
                }
                for (name, value) in command.update.writes {
                    let (index, value) = self.field_write(&name, value)?;
                    writes.push(Write::channel(index, value));
                }
                pregel::RunInput::Command { writes, resumes, input: Vec::new() }
            }
        })
    }
}
