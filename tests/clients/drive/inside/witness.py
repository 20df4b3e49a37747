"""Which engine a process runs on; programs that run graphs import this."""

from __future__ import annotations

import os
import sys

import langgraph.pregel


def witness() -> None:
    """Note this process, and whose LangGraph it has imported."""
    package = sys.modules[langgraph.pregel.__name__].__name__.partition(".")[0]
    with open(os.environ["CLIENTS_WITNESSES"], "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {package}\n")


witness()
