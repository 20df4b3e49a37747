"""Write down what LangGraph stores of a graph: `python generate.py > upstream.txt`, with LangGraph.

The graph is that of `../rows.rs`. Ids, times and the fractions of versions are left out. The order
of names in a set is Python's, which `PYTHONHASHSEED` decides: one is looked for that has them in
the order of the alphabet.
"""

import operator
import os
import re
import subprocess
import sys
from typing import Annotated, TypedDict

SEED = "PYTHONHASHSEED"


def fold(state, writes):
    """Append."""
    for write in writes:
        state = (state or []) + write
    return state


def main():
    """Run the graph and print its rows."""
    from langgraph.channels.delta import DeltaChannel
    from langgraph.checkpoint.sqlite import SqliteSaver
    from langgraph.graph import StateGraph
    from langgraph.types import Command, Overwrite, Send, interrupt

    class State(TypedDict):
        a: Annotated[list, operator.add]
        b: str
        d: Annotated[list, DeltaChannel(fold, snapshot_frequency=2)]

    builder = StateGraph(State)
    builder.add_node("n1", lambda state: {"a": [1, -200], "b": "ü", "d": [1]})
    builder.add_node("n2", lambda state: {"a": [2.5], "d": [{"k": None}]})
    builder.add_node(
        "n3",
        lambda state: Command(
            update={"a": Overwrite([9])}, goto=[Send("n4", {"k": "x", "n": 1.5})]
        ),
    )
    builder.add_node("n4", lambda state: {"b": interrupt({"q": "?"})})
    builder.add_node("late", lambda state: {"a": [7], "d": ["late"]}, defer=True)
    builder.add_edge("__start__", "n1")
    builder.add_edge("__start__", "n2")
    builder.add_edge(["n1", "n2"], "n3")
    builder.add_edge("n3", "late")
    with SqliteSaver.from_conn_string(":memory:") as saver:
        graph = builder.compile(checkpointer=saver)
        config = {"configurable": {"thread_id": "1"}, "metadata": {"user": "é", "score": 1e-5}}
        graph.invoke({"a": [], "b": "i"}, config)
        graph.invoke(Command(resume="fine"), config)
        rows = saver.conn.execute(
            "SELECT type, checkpoint, metadata FROM checkpoints ORDER BY checkpoint_id"
        )
        for kind, checkpoint, metadata in rows:
            print(kind, shown(checkpoint))
            print(" ", shown(metadata))
        rows = saver.conn.execute(
            "SELECT task_path, idx, channel, type, value FROM writes "
            "ORDER BY checkpoint_id, task_path, idx"
        )
        for path, place, channel, kind, value in rows:
            print(path, place, channel, kind, shown(value))


def shown(value):
    """Show bytes without what differs from run to run."""
    text = "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in value)
    text = re.sub(r"\\xd9.0{20,}(\d+)\.[0-9.e-]{3,}?(?=\\|$)", r"<version \1>", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<id>", text)
    text = re.sub(r" [0-9a-f]{32}", "<interrupt>", text)
    return re.sub(r"\d+-\d+-\d+T[0-9:.]+\+00:00", "<ts>", text)


if __name__ == "__main__":
    if SEED in os.environ:
        main()
        sys.exit()
    for seed in range(100):
        environment = {**os.environ, SEED: str(seed)}
        found = subprocess.run(
            [sys.executable, __file__], env=environment, check=True, capture_output=True, text=True
        )
        in_order = re.search(r"x92\\xa2n1\\xa2n2.*branch:to:n1<.*branch:to:n2<", found.stdout)
        if in_order:
            sys.stdout.write(found.stdout)
            break
    else:
        sys.exit("no seed has the names in order")
