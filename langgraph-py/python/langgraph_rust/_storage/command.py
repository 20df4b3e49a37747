"""`python -m langgraph_rust storage`: the command line."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing

from langgraph_rust._storage import rows
from langgraph_rust._storage.compact import compact, free_bytes, reasons, shrink
from langgraph_rust._storage.report import as_data, as_table, spell, uses
from langgraph_rust.checkpoint.sqlite._rows import set_up

_DESCRIPTION = """\
Shows what the threads of a SQLite database of checkpoints take, by thread, namespace and channel,
and what they would take with `linear_storage`: lists stored as what was written to them.

`compact` stores them so, in place, while others may use the database. It does that to lists with
the reducers `operator.add` and `add_messages`. No database says which reducer a channel has: a
value is taken out where the stored writes give exactly its bytes, and a channel is left alone if
some step of its thread contradicts both. A `Topic(..., accumulate=True)`, or a channel class of
your own, that is only given lists looks the same, but cannot be rebuilt: so name the channels with
--channel, or say --all if no graph has such a one. To read the result takes LangGraph 1.2.24 or
newer, or this package.
"""


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the process's exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    is_compact = options.action == "compact"
    for_compact = options.dry_run or options.channel or options.all or options.no_vacuum
    if not is_compact and for_compact:
        parser.error("--dry-run, --channel, --all and --no-vacuum are for `compact`")
    if is_compact and not (options.channel or options.all or options.dry_run):
        parser.error(
            "name the lists with --channel NAME ..., or say --all if no graph has a channel that "
            "only looks like one (see --help); --dry-run says what would be done"
        )
    try:
        with closing(rows.connect(options.database, writable=is_compact)) as connection:
            threads = rows.threads(connection)
            if options.thread is not None:
                if options.thread not in threads:
                    raise rows.Unusable(f"there is no thread {options.thread!r}")
                threads = [options.thread]
            if is_compact:
                _compact(connection, threads, options)
            else:
                _report(connection, threads, options)
    except rows.Unusable as error:
        print(f"storage: {error}", file=sys.stderr)
        return 1
    except sqlite3.OperationalError as error:
        print(f"storage: {error}; run it again to go on", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langgraph_rust storage",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("database", help="path of the file")
    add("action", nargs="?", choices=("compact",), help="store lists as changes; else report")
    add("--thread", metavar="ID", help="only this thread")
    add("--json", action="store_true", help="for machines; sizes in bytes")
    add("--limit", type=int, default=40, metavar="N", help="lines to show, 0 for all (default: 40)")
    add("--dry-run", action="store_true", help="only say what would be done")
    add("--channel", nargs="+", metavar="NAME", help="only these channels")
    add("--all", action="store_true", help="all channels that look like lists with a reducer")
    add("--no-vacuum", action="store_true", help="leave the file as large as it is")
    return parser


def _report(
    connection: sqlite3.Connection, threads: Sequence[str], options: argparse.Namespace
) -> None:
    found = list(uses(connection, threads))
    size, free = _size(options.database), free_bytes(connection)
    if options.json:
        print(json.dumps(as_data(found, size, free), indent=2))
    else:
        print(as_table(found, size, free, options.limit))


def _compact(
    connection: sqlite3.Connection, threads: Sequence[str], options: argparse.Namespace
) -> None:
    began, before = time.monotonic(), _size(options.database)
    if not options.dry_run:
        set_up(connection)
    outcome = compact(
        connection,
        threads,
        options.channel,
        is_dry=options.dry_run,
        tell=lambda text: print(text, file=sys.stderr, flush=True),
    )
    trouble = None
    if not options.dry_run and not options.no_vacuum:
        # Also what an earlier run that did not get here has made free.
        if outcome.values or free_bytes(connection) > before / 20:
            print("vacuum", file=sys.stderr, flush=True)
            trouble = shrink(connection)
    for name in sorted(set(options.channel or ()) - outcome.seen):
        print(f"storage: no channel {name!r} holds a list", file=sys.stderr)
    left = reasons(outcome)
    if options.json:
        said = {
            "is_dry_run": options.dry_run,
            "threads": outcome.threads,
            "values": outcome.values,
            "value_bytes": outcome.taken,
            "completed_writes": outcome.completed,
            "file_bytes_before": before,
            "file_bytes": _size(options.database),
            "left_alone": [
                {"channel": channel, "reason": reason, "count": count}
                for channel, reason, count in left
            ],
            "not_vacuumed": trouble,
        }
        print(json.dumps(said, indent=2))
        return
    verb = "would be taken" if options.dry_run else "taken"
    print(
        f"{outcome.threads} of {len(threads)} threads: {outcome.values} values "
        f"({spell(outcome.taken)}) {verb} out, {outcome.completed} writes given ids"
    )
    for channel, reason, count in left[: options.limit or None]:
        what = f"{channel} in {count} threads" if channel else f"{count} checkpoints"
        print(f"left alone: {what}: {reason}")
    if trouble:
        print(trouble)
    if not options.dry_run:
        seconds = time.monotonic() - began
        print(f"{spell(before)} before, {spell(_size(options.database))} now, {seconds:.1f} s")


def _size(database: str) -> int:
    files = (database, f"{database}-wal")
    return sum(os.path.getsize(file) for file in files if os.path.exists(file))
