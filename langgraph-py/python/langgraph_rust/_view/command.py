"""`langgraph-rust view`: the command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from langgraph_rust._storage.database import Unusable
from langgraph_rust._view._source.opening import open_source
from langgraph_rust._view._source.source import Source
from langgraph_rust._view._value.redaction import Redaction
from langgraph_rust._view.assembling import assemble

_DESCRIPTION = """\
Shows the threads of a database of checkpoints in a browser, or writes one into a file that can be
sent to somebody. The database is a file of SQLite, or one of Postgres
(postgresql://user:password@host/name), written by this package or by LangGraph. It is only read.

The address that is printed has a token in it, without which nobody is answered; only this machine
can reach it. See docs/guides/operations/viewer.md.

With --app the page draws the graph, and with --write it answers interrupts, edits state and runs
the graph from any checkpoint. Without a database, the threads are those of the graph's own saver in
memory. If the module imports `langgraph`, say LANGGRAPH_RUST=1.
"""


def main(arguments: Sequence[str], program: str) -> int:
    """Do what the command line says; return the process's exit status.

    Args:
        arguments: Without `view`.
        program: What the command is called.
    """
    parser = _parser(program)
    options = parser.parse_args(arguments)
    if options.export and options.thread is None:
        parser.error("--export takes --thread ID")
    if not (options.database or options.app):
        parser.error("which database? or --app MODULE:GRAPH, for a graph with a saver in memory")
    if options.write and not options.app:
        parser.error("--write takes --app MODULE:GRAPH: a graph decides what is written")
    try:
        redaction = Redaction(options.redact_key, options.redact_pattern)
    except ValueError as error:
        parser.error(str(error))
    try:
        acting = _acting(options)
        opened = open_source(options.database) if options.database else None
        with closing(opened or acting.source()) as source:
            if options.export:
                return _export(source, options, redaction)
            return _serve(source, acting, options, redaction)
    except (Unusable, LookupError, OSError, ImportError, ValueError) as error:
        print(f"view: {error}", file=sys.stderr)
        return 1


def _acting(options: argparse.Namespace) -> Any:
    """Return the graph that the command line names, with its saver; `None` if it names none."""
    if not options.app:
        return None
    from langgraph_rust._view._acting.graph import Acting
    from langgraph_rust.graph._named import load

    sys.path.insert(0, os.getcwd())
    (graph,) = load([options.app]).values()
    # What is in memory is this process's own.
    return Acting(graph, options.database, is_allowed=options.write or not options.database)


def _export(source: Source, options: argparse.Namespace, redaction: Redaction) -> int:
    from langgraph_rust._view._looking.export import export

    made = export(source, options.thread, redaction, options.most)
    if options.export == "-":
        print(made)
        return 0
    with open(options.export, "w", encoding="utf-8") as file:
        file.write(made)
    print(f"{options.export}: {len(made) / 1000:.0f} kB")
    return 0


def _serve(source: Source, acting: Any, options: argparse.Namespace, redaction: Redaction) -> int:
    where = {"host": options.host, "port": options.port}
    serving = assemble(source, acting, redaction, **where, app=options.app or "").serving
    print(f"{source.name} is shown at\n\n    {serving.address}\n", flush=True)
    if options.open:
        import webbrowser

        webbrowser.open(serving.address)
    serving.run()
    return 0


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{program} view",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add: Any = parser.add_argument
    add("database", nargs="?", help="path of a file of SQLite, or URL of a Postgres database")
    add("--app", metavar="MODULE:GRAPH", help="the graph of its threads")
    add("--write", action="store_true", help="let the page run the graph and change threads")
    add("--host", default="127.0.0.1", help="where it listens (default: 127.0.0.1)")
    add("--port", type=int, default=0, metavar="N", help="its port (default: any that is free)")
    add("--open", action="store_true", help="open the address in a browser")
    add("--redact-key", action="append", default=[], metavar="NAME",
        help="no values of channels, keys and fields of that name; * is any letters")  # fmt: skip
    add("--redact-pattern", action="append", default=[], metavar="REGEX",
        help="show nothing that matches, in any text")  # fmt: skip
    add("--export", metavar="FILE", help="write a thread as an HTML document instead; - to stdout")
    add("--thread", metavar="ID", help="which thread")
    add("--most", type=int, default=200, metavar="N",
        help="checkpoints of each namespace in an export, the newest (default: 200)")  # fmt: skip
    return parser
