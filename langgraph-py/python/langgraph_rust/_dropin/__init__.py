"""Drop-in mode: `langgraph` is this package, in the whole process and in those that it starts.

A finder at the head of `sys.meta_path` answers every import of `langgraph[.x]`:

- `langgraph_rust[.x]` exists: the name is bound to that very module, so that a class has one
  identity however it was imported.
- It does not, and `x` lies in a namespace that upstream shares with other distributions
  (`langgraph.checkpoint.redis`, ...): it is loaded from wherever it is installed, under its own
  name.
- Otherwise there is no such module. A piece of upstream's core never gets mixed with this one.

What comes in is options, and the environment's: `LANGGRAPH_RUST` and what it travels with. A
process begins here before anything else runs (`_start`), so nothing here imports more than it needs
to find modules: no typing, langchain-core, pydantic, and no engine.
"""

from __future__ import annotations

import os
import sys

from langgraph_rust._dropin._finder import OURS, THEIRS, AliasFinder, MissingFinder, kept_modules
from langgraph_rust._internal._lazy.import_hooks import when_imported
from langgraph_rust._internal._switches import is_on, what_is_said

TYPE_CHECKING = False  # not typing's, see above
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

__all__ = ("install", "is_installed", "is_off", "is_strict", "uninstall")

SWITCH = "LANGGRAPH_RUST"

# Classes whose full names show up in what programs store or compare: drawn graphs as JSON, and what
# is told of exceptions, in tracebacks and by packages that trace programs or count their errors.
_SHOWN = {
    "_internal._runnable": ("RunnableCallable", "RunnableSeq"),
    "checkpoint.base": ("EmptyChannelError",),
    "checkpoint.serde.jsonplus": ("InvalidModuleError",),
    "errors": (
        "EmptyInputError",
        "GraphBubbleUp",
        "GraphDrained",
        "GraphInterrupt",
        "GraphRecursionError",
        "InvalidUpdateError",
        "NodeCancelledError",
        "NodeInterrupt",
        "NodeTimeoutError",
        "ParentCommand",
        "TaskNotFound",
        "UnknownInterruptError",
    ),
    "graph._compiled": ("CompiledStateGraph",),
    "prebuilt.tool_node": ("ToolInvocationError", "ToolNode"),
    "prebuilt.tool_validator": ("ValidationNode",),
    "pregel._build.read": ("_DefaultBound",),
    "pregel.main": ("Pregel",),
    "pregel.remote": ("RemoteException",),
    "store.base": ("InvalidNamespaceError",),
}


_is_strict = False


def install(
    keep: Iterable[str] | None = None,
    strict: bool | None = None,
    accelerate: bool | None = None,
    children: bool = False,
) -> None:
    """Make `import langgraph` mean this package; see `langgraph_rust.install`."""
    global _is_strict
    if is_off():
        _stay_off()
        return
    if keep is None:
        keep = os.environ.get("LANGGRAPH_RUST_KEEP", "").split(",")
    kept = kept_modules(keep)
    if strict is None:
        strict = is_on("LANGGRAPH_RUST_STRICT")
    if accelerate is None:
        accelerate = is_on("LANGGRAPH_RUST_ACCELERATE")
    if is_installed():
        if strict and not _is_strict:
            raise RuntimeError(
                f"{OURS}.install() was called before, without strict=True: serializers may exist "
                "that are not strict. Call it with strict=True the first time, or set "
                "LANGGRAPH_RUST_STRICT=true"
            )
    else:
        _refuse_if_late()
        _is_strict = strict
        _have_mistakes_raised(strict)
        sys.meta_path.insert(0, AliasFinder(kept))
        for module in _SHOWN:
            when_imported(f"{OURS}.{module}", _show_as_theirs)
    if accelerate:
        from langgraph_rust._internal._quiet import accelerate as accelerate_calls

        accelerate_calls()
    if children:
        from langgraph_rust._dropin import _children

        _children.tell(kept, _is_strict, accelerate)


def _have_mistakes_raised(strict: bool | None) -> None:
    """Have mistakes raised or not; `None` leaves it to the variable, which needs no import."""
    said = is_on("LANGGRAPH_RUST_STRICT")
    if strict not in (None, said) or f"{OURS}._internal._mistakes" in sys.modules:
        from langgraph_rust._internal._mistakes import set_strict

        set_strict(strict)


def uninstall() -> None:
    """Undo `install()`; see `langgraph_rust.uninstall`."""
    global _is_strict
    if not is_installed():
        return
    if present := imported():
        from langgraph_rust._dropin._late import list_some

        raise RuntimeError(
            f"{OURS}.uninstall() cannot take back what is imported:{list_some(present)}\n"
            "Whoever holds these modules and their classes would go on with them beside "
            f"LangGraph's own. Start the process with {SWITCH}=0 instead."
        )
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, AliasFinder)]
    _is_strict = False
    _have_mistakes_raised(None)
    for module in _SHOWN:
        if (loaded := sys.modules.get(f"{OURS}.{module}")) is not None:
            _rename(loaded, THEIRS, OURS)
    if (children := sys.modules.get(f"{__name__}._children")) is not None:
        children.take_back()


def imported() -> list[str]:
    """The modules named `langgraph[.x]` that are loaded, in the order in which they were."""
    return [name for name in sys.modules if name.partition(".")[0] == THEIRS]


def is_installed() -> bool:
    """Whether drop-in mode is on."""
    return any(isinstance(finder, AliasFinder) for finder in sys.meta_path)


def is_strict() -> bool:
    """Whether drop-in mode, if on, reads what is stored as under the own name."""
    return _is_strict


def is_off() -> bool:
    """Whether the environment says off, whatever a program asks for.

    Raises:
        ValueError: `LANGGRAPH_RUST` says neither on nor off.
    """
    return what_is_said(SWITCH) is False


def say(text: str) -> None:
    """Tell whoever looks after the process; its output is the program's."""
    if sys.stderr is not None:
        print(f"{OURS}: {text}", file=sys.stderr, flush=True)


def _refuse_if_late() -> None:
    if present := imported():
        from langgraph_rust._dropin._late import list_some

        raise RuntimeError(
            f"{OURS}.install() must be called before `{THEIRS}` is imported, but it is already:"
            f"{list_some(present)}\nCall it first thing in the program, start the program with "
            f"`python -m {OURS}`, or set {SWITCH}=1."
        )


def _stay_off() -> None:
    """Leave `langgraph` what it is, and say so once."""
    if any(isinstance(finder, MissingFinder) for finder in sys.meta_path):
        return
    sys.meta_path.append(MissingFinder())
    value = os.environ[SWITCH]
    say(f"{SWITCH}={value} switches it off: `import {THEIRS}` is LangGraph as installed")


def _show_as_theirs(module: ModuleType) -> None:
    if is_installed():
        _rename(module, OURS, THEIRS)


def _rename(module: ModuleType, old: str, new: str) -> None:
    for name in _SHOWN[module.__name__.removeprefix(f"{OURS}.")]:
        cls = getattr(module, name)
        package, dot, rest = cls.__module__.partition(".")
        if package == old:
            cls.__module__ = f"{new}{dot}{rest}"
