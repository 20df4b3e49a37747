"""The switch, as long as the wheel has none of its own: `LANGGRAPH_RUST=1` for every process."""

from __future__ import annotations

from pathlib import Path

from sync.environments import Environment

LINE = (
    'import os; os.environ.get("LANGGRAPH_RUST") == "1" '
    'and __import__("langgraph_rust").install()\n'
)


def put_switch(environment: Environment) -> None:
    """Let an environment's processes look at the variable when they start."""
    folder = next(environment.path.glob("lib/python*/site-packages"))
    Path(folder, "langgraph_rust_clients.pth").write_text(LINE, encoding="utf-8")
