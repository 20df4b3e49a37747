use langgraph_rust_core::{Control, Write};
use langgraph_rust_pregel as pregel;

use crate::command::Resume;
use crate::{Command, Error, Goto, Graph, Map, Native, Update, Value, END};

/// What a run is given.
#[derive(Clone, Debug, Default)]
pub enum Input {
    /// Nothing: go on from where the thread stands.
    #[default]
    Nothing,
    /// Values for fields.
    Update(Update),
    /// Values for fields, places to go, resume values: for where the thread stands.
    Command(Command),
}

impl From<Update> for Input {
    fn from(update: Update) -> Self {
        Input::Update(update)
    }
}

impl From<Map> for Input {
    fn from(map: Map) -> Self {
        Input::Update(map.into())
    }
}

impl From<Command> for Input {
    fn from(command: Command) -> Self {
        Input::Command(command)
    }
}

impl From<()> for Input {
    fn from((): ()) -> Self {
        Input::Nothing
    }
}

impl Graph {
    /// Where a write that leads to `goto` goes; nowhere for the end.
    pub(crate) fn goto(&self, goto: Goto) -> Result<Option<Write<Native>>, Error> {
        Ok(match goto {
            Goto::Node(name) if &*name == END => None,
            Goto::Node(name) => {
                let entry = self.entries[self.node(&name)?.get()];
                Some(Write::channel(entry, Value::Null))
            }
            Goto::Send { node, value } => {
                self.node(&node)?;
                Some(Write::packet(self.plan.packet_target(&node), value))
            }
        })
    }

    /// What the engine is given for an input.
    pub(crate) fn engine_input(&self, input: Input) -> Result<pregel::RunInput<Native>, Error> {
        Ok(match input {
            Input::Nothing => pregel::RunInput::Nothing,
            Input::Update(update) => {
                let map: Map = update.writes.into_iter().collect();
                pregel::RunInput::Writes(vec![Write::channel(self.start, map.into())])
            }
            Input::Command(command) => {
                let mut writes = Vec::new();
                for goto in command.goto {
                    writes.extend(self.goto(goto)?);
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
                    let field = self.field(&name);
                    let index = field.ok_or_else(|| Error::UnknownField(name.to_string()))?;
                    writes.push(Write::channel(index, value));
                }
                pregel::RunInput::Command { writes, resumes, input: Vec::new() }
            }
        })
    }
}
