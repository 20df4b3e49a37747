# Written by `make places`.
from langgraph_rust.checkpoint.serde.types import C as C
from langgraph_rust.checkpoint.serde.types import ChannelProtocol as ChannelProtocol
from langgraph_rust.checkpoint.serde.types import ERROR as ERROR
from langgraph_rust.checkpoint.serde.types import INTERRUPT as INTERRUPT
from langgraph_rust.checkpoint.serde.types import RESUME as RESUME
from langgraph_rust.checkpoint.serde.types import SCHEDULED as SCHEDULED
from langgraph_rust.checkpoint.serde.types import SendProtocol as SendProtocol
from langgraph_rust.checkpoint.serde.types import TASKS as TASKS
from langgraph_rust.checkpoint.serde.types import Update as Update
from langgraph_rust.checkpoint.serde.types import Value as Value
