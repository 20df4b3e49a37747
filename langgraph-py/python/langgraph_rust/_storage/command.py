"""`python -m langgraph_rust storage`: the command line."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import closing

from langgraph_rust._storage.compact import compact, reasons
from langgraph_rust._storage.database import Database, Unusable, open_database
from langgraph_rust._storage.report import as_data, as_table, spell, uses

_DESCRIPTION = """\
Shows what the threads of a database of checkpoints take, by thread, namespace and channel, and what
they would take with `linear_storage`: lists stored as what was written to them. The database is a
file of SQLite, or one of Postgres (postgresql://user:password@host/name).

`compact` stores them so, in place, while others may use the database. It does that to lists with
the reducers `operator.add` and `add_messages`. No database says which reducer a channel has: a
value is taken out where the stored writes give exactly its bytes, and a channel is left alone if
some step of its thread contradicts both. A `Topic(..., accumulate=True)`, or a channel class of
your own, that is only given lists looks the same, but cannot be rebuilt: so name the channels with
--channel, or say --all if no graph has such a one. To read the result takes LangGraph 1.2.24 or
newer, or this package; to fork from old checkpoints in Postgres, this package: see
docs/trust/durability.md.
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
        # What is only looked at may be no more than readable.
        database = open_database(options.database, writable=is_compact and not options.dry_run)
        try:
            with closing(database):
                _run(database, options)
        except database.trouble as error:
            print(f"storage: {error}; run it again to go on", file=sys.stderr)
            return 1
    except Unusable as error:
        print(f"storage: {error}", file=sys.stderr)
        return 1
    return 0


def _run(database: Database, options: argparse.Namespace) -> None:
    threads = database.threads()
    if options.thread is not None:
        if options.thread not in threads:
            raise Unusable(f"there is no thread {options.thread!r}")
        threads = [options.thread]
    (_compact if options.action == "compact" else _report)(database, threads, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m langgraph_rust storage",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("database", help="path of a file of SQLite, or URL of a Postgres database")
    add("action", nargs="?", choices=("compact",), help="store lists as changes; else report")
    add("--thread", metavar="ID", help="only this thread")
    add("--json", action="store_true", help="for machines; sizes in bytes")
    add("--limit", type=int, default=40, metavar="N", help="lines to show, 0 for all (default: 40)")
    add("--dry-run", action="store_true", help="only say what would be done")
    add("--channel", nargs="+", metavar="NAME", help="only these channels")
    add("--all", action="store_true", help="all channels that look like lists with a reducer")
    add("--no-vacuum", action="store_true", help="leave the file as large as it is")
    return parser


def _report(database: Database, threads: Sequence[str], options: argparse.Namespace) -> None:
    found = list(uses(database, threads))
    space = database.space()
    if options.json:
        print(json.dumps(as_data(found, space), indent=2))
    else:
        print(as_table(found, space, options.limit))


def _tell(text: str) -> None:
    """Say how far it is, to somebody who waits; others take what is on stderr for a failure."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


def _compact(database: Database, threads: Sequence[str], options: argparse.Namespace) -> None:
    began, before = time.monotonic(), database.space().total
    outcome = compact(
        database,
        threads,
        options.channel,
        is_dry=options.dry_run,
        tell=_tell,
    )
    trouble = None
    if not options.dry_run and not options.no_vacuum:
        # Also what an earlier run that did not get here has made free.
        if outcome.values or database.space().free > before / 20:
            _tell("vacuum")
            trouble = database.shrink()
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
            "file_bytes": database.space().total,
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
        print(f"{spell(before)} before, {spell(database.space().total)} now, {seconds:.1f} s")
