"""A notebook that is executed as nbclient does it, cell by cell."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from transcript import step

CELLS = {
    "graph": """
import asyncio, operator, time
from typing import Annotated
import witness
from typing_extensions import TypedDict
from langgraph.graph import START, StateGraph
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, Send, interrupt

class State(TypedDict, total=False):
    name: str
    said: Annotated[list, operator.add]

def side(state: State) -> State:
    if len(state["name"]) == 1:
        print("side", state["name"])
    return {"said": [state["name"]]}

async def later(state: State) -> State:
    await asyncio.sleep(0.01)
    return {"said": ["later"]}

def ask(state: State) -> State:
    return {"said": [interrupt("which?")]}

builder = StateGraph(State).add_sequence([side, later]).add_edge(START, "side")
graph = builder.compile()
asking = StateGraph(State).add_node(ask).add_edge(START, "ask").compile(InMemorySaver())
""",
    "await": "await graph.ainvoke({'name': 'a'})",
    "async for": "async for each in graph.astream({'name': 'b'}): print(each)",
    "gather": "await asyncio.gather(*(graph.ainvoke({'name': n}) for n in ('both', 'too')))",
    "invoke": "asking.invoke({}, {'configurable': {'thread_id': '1'}})",
    "state": "asking.get_state({'configurable': {'thread_id': '1'}}).tasks",
    "resume": "asking.invoke(Command(resume='that'), {'configurable': {'thread_id': '1'}})",
    "drawing": "print(graph.get_graph().draw_mermaid())",
    "repr": "[type(graph).__module__, type(graph).__name__, graph.get_graph().to_json()]",
    "display": "import langgraph.graph as g; g.END, g.START, State.__annotations__['name']",
    "error": "await graph.ainvoke({})",
    "sync node fails": "asking.invoke({'said': 5}, {'configurable': {'thread_id': '2'}})",
    "no asyncio.run": """
running = graph.ainvoke({'name': 'e'})
try:
    asyncio.run(running)
finally:
    running.close()
""",
    "completes": "[n for n in dir(graph) if n in ('invoke', 'astream', 'get_state', 'nodes')]",
    "help": "import inspect; inspect.signature(graph.invoke), graph.invoke.__doc__ is not None",
    "interrupted": """
def forever(state: State) -> State:
    print("begins", flush=True)
    while True:
        time.sleep(0.05)
StateGraph(State).add_node(forever).add_edge(START, "forever").compile().invoke({})
""",
    "cancelled": """
async def long(state: State) -> State:
    await asyncio.sleep(600)
running = StateGraph(State).add_node(long).add_edge(START, "long").compile().ainvoke({})
await asyncio.wait_for(running, 0.3)
""",
    "goes on": "await graph.ainvoke({'name': 'last'})",
}


def shown(output: Any) -> Any:
    """An output, and of a traceback what was raised and which of the cell's lines it names."""
    if output.output_type == "error":
        text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
        cells = re.findall(r"(?:Cell )?In\[(\d+)\], line (\d+)", text)
        return ["error", output.ename, output.evalue, cells]
    if output.output_type == "stream":
        return [output.name, output.text]
    return [output.output_type, dict(output.get("data", {}))]


def main() -> None:
    notebook = new_notebook(cells=[new_code_cell(source.strip()) for source in CELLS.values()])
    client = NotebookClient(notebook, timeout=60, allow_errors=True, kernel_name="python3")
    with client.setup_kernel():
        for number, (name, cell) in enumerate(zip(CELLS, notebook.cells, strict=True)):
            if name == "interrupted":
                threading.Thread(target=interrupt, args=(client, cell), daemon=True).start()
            client.execute_cell(cell, number)
            step(name, [shown(output) for output in cell.outputs])
    nbformat.validate(notebook)


def interrupt(client: NotebookClient, cell: Any) -> None:
    """Interrupt the kernel when a cell has said that it begins."""
    for _ in range(600):
        time.sleep(0.1)
        if any("begins" in output.get("text", "") for output in cell.outputs):
            break
    time.sleep(0.5)
    # The manager of a kernel is asyncio's, and its loop is at work in another thread.
    os.kill(client.km.provisioner.pid, signal.SIGINT)


if __name__ == "__main__":
    main()
