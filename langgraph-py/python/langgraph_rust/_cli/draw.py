"""`langgraph-rust draw`: a picture of a graph, or of a stored run on it."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from langgraph_rust._storage.database import Unusable, open_database

__all__ = ("main",)

_DESCRIPTION = """\
Draws a graph as SVG or, if the file's name ends in .png, as PNG. A graph is `module:attribute`: a
compiled graph, a builder, or a function that makes one. Modules are looked for in the current
directory, too. If they import `langgraph`, say LANGGRAPH_RUST=1.

With --thread, what a thread ran is drawn as well: what is done, failed, waits for an answer or is
next. The database is a file of SQLite, or one of Postgres (postgresql://user:password@host/name),
written by this package or by LangGraph, and is only read.
"""


def main(arguments: Sequence[str], program: str) -> int:
    """Do what the command line says; return the process's exit status.

    Args:
        arguments: Without `draw`.
        program: What the command is called.
    """
    parser = _parser(program)
    options = parser.parse_args(arguments)
    if options.database is not None and options.thread is None:
        parser.error("--database takes --thread ID")
    sys.path.insert(0, os.getcwd())
    try:
        graph = _graph(options.graph)
        run = None if options.thread is None else _history(graph, options)
        _draw(graph.get_graph(xray=options.xray), run, options)
    except (AttributeError, ImportError, OSError, ValueError, Unusable) as error:
        print(f"draw: {error}", file=sys.stderr)
        return 1
    return 0


def _draw(drawn: Any, run: Any, options: argparse.Namespace) -> None:
    if not hasattr(drawn, "draw_svg"):
        raise ValueError(f"{options.graph} is LangGraph's: say LANGGRAPH_RUST=1")
    path, theme = options.output, options.theme
    if path is None:
        sys.stdout.write(drawn.draw_svg(theme=theme, run=run))
    elif path.endswith(".png"):
        theme = "light" if theme == "auto" else theme
        drawn.draw_png(path, theme=theme, scale=options.scale, run=run)
    elif path.endswith(".svg"):
        drawn.draw_svg(path, theme=theme, run=run)
    else:
        raise ValueError(f"SVG or PNG? {path} should end in .svg or .png")


def _history(graph: Any, options: argparse.Namespace) -> list[Any]:
    """Return what is stored of a thread, newest first.

    Raises:
        Unusable: the database cannot be read.
        ValueError: there is no such thread, it cannot be read, or it is not said where it is.
    """
    config = {"configurable": {"thread_id": options.thread}}
    if options.database is None:
        if getattr(graph, "checkpointer", graph) is None:
            raise ValueError("which --database? The graph has no saver of its own")
        history = list(graph.get_state_history(config))
    else:
        with _saver(options.database) as saver:
            own = graph.copy(update={"checkpointer": saver})
            history = list(own.get_state_history(config))
    if not history:
        place = "the database" if options.database else "the graph's own saver"
        raise ValueError(f"there is no thread {options.thread!r} in {place}")
    return history


@contextmanager
def _saver(name: str) -> Iterator[Any]:
    """Give a saver for reading a database, for as long as a `with` block lasts.

    Raises:
        Unusable: it is not there, cannot be read, holds no checkpoints, or breaks off.
    """
    # Savers make what is not there.
    database = open_database(name)
    database.close()
    try:
        if "://" in name:
            from langgraph_rust.checkpoint.postgres import PostgresSaver

            with PostgresSaver.from_conn_string(name) as saver:
                yield saver
        else:
            import sqlite3
            from contextlib import closing
            from pathlib import Path

            from langgraph_rust.checkpoint.sqlite import SqliteSaver

            uri = f"{Path(name).absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                yield SqliteSaver(connection)
    except database.trouble as error:
        raise Unusable(f"the database cannot be read: {error}") from error


def _graph(path: str) -> Any:
    module, _, attribute = path.partition(":")
    if not module or not attribute:
        raise ValueError(f"which graph? Name it as module:attribute, not {path!r}")
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    if not hasattr(found, "get_graph") and not hasattr(found, "compile"):
        found = found()
    return found if hasattr(found, "get_graph") else found.compile()


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{program} draw",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("graph", metavar="MODULE:ATTRIBUTE", help="the graph")
    parser.add_argument("-o", "--output", help="a file; without it SVG goes to standard output")
    parser.add_argument("--xray", action="store_true", help="draw what is in subgraphs, too")
    parser.add_argument("--thread", metavar="ID", help="draw what this thread ran, too")
    parser.add_argument("--database", metavar="DATABASE",
        help="where the thread is: path of a file of SQLite, or URL of a Postgres database; "
             "without it, in the graph's own saver")  # fmt: skip
    parser.add_argument("--theme", choices=("light", "dark", "auto"), default="auto")
    parser.add_argument("--scale", type=float, default=2.0, help="PNG: pixels for one of SVG's")
    return parser
