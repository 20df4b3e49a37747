"""The command line: which word means what."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

__all__ = ("main",)

_DESCRIPTION = """\
Runs a LangGraph program, unchanged, on langgraph-rust, and the Python processes that it starts.
A script that has the name of a command comes first.
"""

_Act = Callable[[argparse.Namespace], int]

_PROGRAM = "SCRIPT | -m MODULE | -c CODE | -"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says.

    Args:
        arguments: Without the name of the command; by default the process's own.

    Returns:
        The process's exit status. A program that it runs ends the process as it likes.
    """
    line = list(sys.argv[1:] if arguments is None else arguments)
    if _is_program(line):
        return _run(line)
    if line[:1] == ["storage"]:
        # It has a parser of its own, which is told everything, `--help` included.
        return _storage(line[1:])
    if line[:1] == ["worker"]:
        return _worker(line[1:])
    if line[:1] == ["draw"]:
        return _draw(line[1:])
    if line[:1] == ["view"]:
        return _view(line[1:])
    if line[:1] == ["run"] and (_is_program(line[1:]) or _is_word(line[1:])):
        return _run(line[1:])
    parser = _parser()
    if line[:1] in (["-m"], ["-c"]):
        parser.error(f"argument expected for {line[0]}")
    if line and line[0][:2] in _OF_PYTHON:
        parser.error(
            f"{line[0]} is for Python itself: python {' '.join(line[:-1])} -m langgraph_rust "
            f"{line[-1]}, or LANGGRAPH_RUST=1 python {' '.join(line)}"
        )
    if _is_word(line) and line[0] not in _COMMANDS:
        parser.error(f"{line[0]} is neither a file nor a command ({', '.join(_COMMANDS)})")
    options = parser.parse_args(line)
    if not hasattr(options, "act"):
        parser.print_usage(sys.stderr)
        return 2
    return options.act(options)


def _is_program(line: Sequence[str]) -> bool:
    first = line[0] if line else ""
    if first in ("-m", "-c"):
        return len(line) > 1
    return first == "-" or first[:2] in ("-m", "-c") or _is_script(first)


def _is_word(line: Sequence[str]) -> bool:
    return bool(line) and not line[0].startswith("-")


def _is_script(path: str) -> bool:
    # A directory is a program as well, if it says what to run.
    return os.path.isfile(path) or os.path.isfile(os.path.join(path, "__main__.py"))


def _program() -> str:
    by_module = os.path.basename(sys.argv[0]) == "__main__.py"
    return "python -m langgraph_rust" if by_module else "langgraph-rust"


def _parser() -> argparse.ArgumentParser:
    name = _program()
    run_usage = f"{name} [run] {_PROGRAM} [argument ...]"
    parser = argparse.ArgumentParser(
        prog=name,
        usage=f"{run_usage}\n       {name} {{status,doctor,storage,worker,draw,view}} ...",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, help="this package's version and LangGraph's")
    commands = parser.add_subparsers(metavar="COMMAND", prog=name)

    def add(command: str, help: str, act: _Act) -> argparse.ArgumentParser:
        made = commands.add_parser(command, help=help, description=f"{help[0].upper()}{help[1:]}.")
        made.set_defaults(act=act)
        return made

    run = add("run", "run a program in which `langgraph` is this package", _run_nothing)
    run.usage = run_usage
    status = add("status", "say which engine runs, why, and where modules come from", _status)
    doctor = add("doctor", "look for what keeps it from being switched on", _doctor)
    doctor.add_argument("script", nargs="*", help="scripts whose imports are looked at, too")
    for command in (status, doctor):
        command.add_argument("--json", action="store_true", help="for machines")
    add("storage", "show what a database of checkpoints takes, and make it smaller", _run_nothing)
    add("worker", "take runs from a database and run them", _run_nothing)
    add("draw", "draw a graph as SVG or PNG", _run_nothing)
    add("view", "show the threads of a database in a browser", _run_nothing)
    return parser


class _Version(argparse.Action):
    """Tells the versions when it is met, and no sooner: that is slow."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from langgraph_rust import __version__
        from langgraph_rust.version import __version__ as upstream

        print(f"langgraph-rust {__version__ or 'from a source tree'} (LangGraph {upstream})")
        parser.exit()


def _run(program: list[str]) -> int:
    from langgraph_rust import install
    from langgraph_rust._cli.run import run

    try:
        install(children=True)
    except (RuntimeError, ValueError) as error:
        print(f"langgraph_rust: {error}", file=sys.stderr)
        return 1
    run(program)
    return 0


def _run_nothing(_: argparse.Namespace | None = None) -> int:
    print(f"run: which program? {_PROGRAM}", file=sys.stderr)
    return 2


def _storage(arguments: list[str]) -> int:
    from langgraph_rust._storage.command import main as storage

    return storage(arguments)


def _worker(arguments: list[str]) -> int:
    from langgraph_rust._cli.worker import main as worker

    return worker(arguments, _program())


def _draw(arguments: list[str]) -> int:
    from langgraph_rust._cli.draw import main as draw

    return draw(arguments, _program())


def _view(arguments: list[str]) -> int:
    from langgraph_rust._view.command import main as view

    return view(arguments, _program())


def _status(options: argparse.Namespace) -> int:
    from langgraph_rust._cli.status import as_text, status

    print(_as_json(status()) if options.json else as_text(status()))
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from langgraph_rust._cli.doctor import as_text, examine

    found = examine(options.script)
    print(_as_json(found) if options.json else as_text(found))
    return 1 if any(one["is_trouble"] for one in found) else 0


def _as_json(value: object) -> str:
    import json

    return json.dumps(value, indent=2)


_COMMANDS = ("run", "status", "doctor", "storage", "worker", "draw", "view")

# Options that programs are started with, and that this command does not take.
_OF_PYTHON = tuple(f"-{letter}" for letter in "BEIOPRSWXbdiquvsx")
