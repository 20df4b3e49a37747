"""What type checkers make of `import langgraph` where only this package is: see `public_api.py`.

The stubs under that name are on the path here, as they are in such an environment.
"""

from __future__ import annotations

from typing import Any

import langgraph.version
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, create_react_agent, nothing  # pyright: ignore[reportAttributeAccessIssue]
from langgraph.pregel._write import ChannelWrite
from langgraph.types import Command
from typing_extensions import assert_type

from langgraph_rust.graph.state import CompiledStateGraph as OurGraph
from langgraph_rust.pregel._build.write import ChannelWrite as OurWrite
from langgraph_rust.types import Command as OurCommand


@task
def double(value: int) -> int:
    return 2 * value


def chat(state: MessagesState) -> Command[Any]:
    return Command(goto=END, updates={})  # pyright: ignore[reportCallIssue]


graph = StateGraph(MessagesState).add_node(chat).add_edge(START, "chat").compile(InMemorySaver())
assert_type(graph, CompiledStateGraph[MessagesState, None, MessagesState, MessagesState])
assert_type(double(1).result(), int)
assert_type(langgraph.version.__version__, str)
assert_type(graph, OurGraph[MessagesState, None, MessagesState, MessagesState])
command: type[OurCommand[Any]] = Command
write: type[OurWrite] = ChannelWrite
print(ToolNode, create_react_agent, nothing)
