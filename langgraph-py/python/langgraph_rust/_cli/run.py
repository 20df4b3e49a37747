"""Running a program as `python` itself does: as `__main__`, with its own path and name.

What is in `sys.modules["__main__"]` is what pickles, `multiprocessing` and debuggers look into, to
the end of the process. So the program gets a module of its own there, and what began as `__main__`
(the command, or a profiler that runs it) goes on beside it.
"""

from __future__ import annotations

import builtins
import os
import pkgutil
import runpy
import sys
from collections.abc import Callable
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from types import ModuleType, TracebackType
from typing import Any

__all__ = ("run",)

# What `python -m` itself calls; there is no public way into `__main__`.
_run_as_main: Callable[..., None] = vars(runpy)["_run_module_as_main"]

_replaced: list[ModuleType] = []
"""What was `__main__` before: its code still runs, and is not to lose its names."""


def run(program: list[str]) -> None:
    """Run a program.

    Args:
        program: What follows `python` on a command line: a script (or a folder or archive with a
            `__main__`), `-m` and a module, `-c` and code, or `-` for standard input; then its
            arguments.

    Raises:
        SystemExit: the program ended so, or there is none to run.
        BaseException: whatever it raises. The interpreter shows it without what is here.
    """
    first, rest = program[0], program[1:]
    option, attached = first[:2], first[2:]
    if option in ("-m", "-c"):
        text, *rest = [attached, *rest] if attached else rest
        if option == "-m":
            _run_module(text, rest)
        else:
            _run_text(text, "-c", rest, "<string>")
    elif first == "-":
        _run_text(sys.stdin.buffer.read(), "-", rest, "<stdin>", **_of_file("<stdin>"))
    elif pkgutil.get_importer(first) is not None:
        _run_folder(first, rest)
    else:
        _run_script(first, rest)


def _run_module(name: str, arguments: list[str]) -> None:
    _set_path(os.getcwd())
    _new_main()
    sys.argv[:] = ["-m", *arguments]
    _leave_to(_run_as_main, name)


def _run_folder(path: str, arguments: list[str]) -> None:
    # Here Python goes without `-P`, too: what the program is lies there.
    _set_path(os.path.abspath(path), is_program=True)
    _new_main()
    sys.argv[:] = [path, *arguments]
    _leave_to(_run_as_main, "__main__", False)


def _run_text(
    text: str | bytes, name: str, arguments: list[str], file: str, **entries: Any
) -> None:
    _set_path("")
    namespace = _new_main(__loader__=BuiltinImporter, **entries)
    sys.argv[:] = [name, *arguments]
    code = _leave_to(compile, text, file, "exec", 0, True)
    _leave_to(exec, code, namespace)


def _run_script(script: str, arguments: list[str]) -> None:
    path = os.path.abspath(script)
    try:
        with open(path, "rb") as file:
            code = pkgutil.read_code(file)
            text = b"" if code else _read(file)
    except OSError as error:
        print(
            f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}",
            file=sys.stderr,
        )
        sys.exit(2)
    _set_path(os.path.dirname(os.path.realpath(script)))
    loader = SourcelessFileLoader if code else SourceFileLoader
    namespace = _new_main(__loader__=loader("__main__", path), **_of_file(path))
    sys.argv[:] = [script, *arguments]
    if code is None:
        code = _leave_to(compile, text, path, "exec", 0, True)
    _leave_to(exec, code, namespace)


def _read(file: Any) -> bytes:
    file.seek(0)
    return file.read()


def _set_path(entry: str, *, is_program: bool = False) -> None:
    """Put first in `sys.path` what `python` would put there, in place of what led to here."""
    is_safe = sys.flags.isolated or getattr(sys.flags, "safe_path", False)
    if not is_safe:
        sys.path[0] = entry
    elif is_program:
        sys.path.insert(0, entry)


def _new_main(**entries: Any) -> dict[str, Any]:
    """Make a `__main__` and return its namespace, with what Python puts there and `entries`."""
    module = ModuleType("__main__")
    namespace = vars(module)
    namespace["__builtins__"] = builtins
    if sys.version_info < (3, 14):
        namespace["__annotations__"] = {}
    namespace.update(entries)
    _replaced.append(sys.modules["__main__"])
    sys.modules["__main__"] = module
    return namespace


def _of_file(path: str) -> dict[str, Any]:
    """What a program's namespace says of the file that it comes from."""
    return {"__file__": path} | ({"__cached__": None} if sys.version_info < (3, 15) else {})


def _leave_to(function: Callable[..., Any], *args: Any) -> Any:
    """Call the function; what it raises is shown as if nobody had called it."""
    try:
        return function(*args)
    except SystemExit:
        raise
    except BaseException as error:
        assert error.__traceback__ is not None
        _show_from(error.__traceback__.tb_next)
        raise


def _show_from(begin: TracebackType | None) -> None:
    """Have the exception that ends the process shown from a place on, by whoever shows it.

    On its way out it collects the frames that lead to here, so that can only be done at the end;
    the program, which might look for hooks, is over.
    """
    hook = sys.excepthook

    def show(kind: type[BaseException], value: BaseException, traceback: Any) -> None:
        sys.last_traceback = begin
        hook(kind, value.with_traceback(begin), begin)

    sys.excepthook = show
