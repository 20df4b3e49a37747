"""Mistakes that go through in silence: each is named in a warning, or is an error if that is asked.

Whoever finds one calls `report`: where a lookup has failed, or something is being checked anyway.
Nothing here is on the way of a program without mistakes.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, partial
from inspect import unwrap
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeVar

from langgraph_rust._internal import _log
from langgraph_rust._internal._switches import is_on
from langgraph_rust.warnings import LangGraphMistakeWarning

if TYPE_CHECKING:
    from types import FrameType

ErrorT = TypeVar("ErrorT", bound=BaseException)

_OURS = __name__.partition(".")[0]
_START, _ROOT, _BRANCH = "__start__", "__root__", "branch:to:"

# Between the line that a user wrote and this module.
_PASSED = frozenset((_OURS, "langchain_core", "asyncio", "concurrent", "threading", "contextlib"))

_MOST_NAMES = 12
_MOST_WARNINGS = 1000

_asked: bool | None = None


def set_strict(on: bool | None) -> None:
    """Have mistakes raised, or warned of; with `None`, as `LANGGRAPH_RUST_STRICT` says."""
    global _asked
    _asked = on


def is_strict() -> bool:
    """Whether mistakes are errors."""
    return is_on("LANGGRAPH_RUST_STRICT") if _asked is None else _asked


def report(message: str, place: Any = None) -> None:
    """Name a mistake.

    Args:
        message: What was written, what becomes of it, and the way out.
        place: The function in which it was made; by default the line of the user's code that runs.

    Raises:
        LangGraphMistakeWarning: Mistakes are errors, or Python raises such warnings.
    """
    if is_strict():
        raise LangGraphMistakeWarning(message)
    filename, line, module, registry = _function(place) or _line()
    if len(registry) > _MOST_WARNINGS:
        # Messages have names in them that programs may make up without end.
        registry.clear()
    warnings.warn_explicit(message, LangGraphMistakeWarning, filename, line, module, registry)


def add_note(error: BaseException, note: str) -> None:
    """Add a note to an exception; before Python 3.11, where tools find it that show notes."""
    if hasattr(error, "add_note"):
        error.add_note(note)  # pyright: ignore[reportAttributeAccessIssue] - of 3.11
    else:
        error.__notes__ = [*getattr(error, "__notes__", ()), note]  # type: ignore[attr-defined]


def explained(error: ErrorT, name: object, names: Iterable[object], what: str) -> ErrorT:
    """Return an error about a name that there is not, with what there is; see `choices`."""
    add_note(error, choices(name, names, what))
    return error


def choices(name: object, names: Iterable[object], what: str) -> str:
    """Say what there is instead of `name`: the nearest, if one is near, and all.

    Args:
        name: What was written.
        names: What there is.
        what: What these are: `"The nodes"`.
    """
    known = [text for text in names if isinstance(text, str)]
    near = nearest(name, known, cutoff=0.6)
    asked = "" if near is None else f"Did you mean {near!r}? "
    shown = ", ".join(map(repr, known[:_MOST_NAMES])) or "none"
    more = f" and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
    return f"{asked}{what} are {shown}{more}"


def nearest(name: object, names: Sequence[str], *, cutoff: float) -> str | None:
    """Return the one of `names` that `name` may be a misspelling of: alike from `cutoff` to 1."""
    return _nearest(name, tuple(names), cutoff) if isinstance(name, str) else None


@lru_cache(maxsize=256)
def _nearest(name: str, names: tuple[str, ...], cutoff: float) -> str | None:
    # What only those load who need it.
    from difflib import get_close_matches

    folded = {known.lower(): known for known in names}
    matches = get_close_matches(name.lower(), folded, n=1, cutoff=cutoff)
    return folded[matches[0]] if matches else None


# --- what the engine finds ---


def unknown_channel(
    task: str,
    path: tuple[Any, ...],
    channel: str,
    nodes: Sequence[str],
    channels: Sequence[str],
    place: Any,
) -> None:
    """Name a write to a channel that the graph does not have, as a `goto` is.

    Args:
        task: The name of the task that wrote it.
        path: Its path.
        channel: Where it was written to.
        nodes: The graph's nodes.
        channels: The graph's channels.
        place: The node's function, if it is one.
    """
    _log.unknown_channel(task, path, channel)
    if channel.startswith(_BRANCH):
        name = channel[len(_BRANCH) :]
        report(
            f"{_subject(task)} goes to {name!r}, which is no node of the graph: nothing runs "
            f"there. {choices(name, visible(nodes), 'The nodes')}; to stop, go to END",
            place,
        )
    elif channel == _ROOT:
        report(
            f"The update of {_subject(task, within=True)} is no dict, and the state has keys: "
            f"nothing is updated. {choices(None, visible(channels), 'The keys')}",
            place,
        )
    else:
        report(
            f"{_subject(task)} writes to {channel!r}, which is no channel of the graph: it is "
            f"lost. {choices(channel, visible(channels), 'The channels')}",
            place,
        )


def unknown_node(task: str, name: str, nodes: Sequence[str], place: Any) -> None:
    """Name a packet for a node that the graph does not have; see `unknown_channel`."""
    _log.unknown_node(name)
    report(
        f"{_subject(task)} sends a packet to {name!r}, which is no node of the graph: it is lost. "
        f"{choices(name, visible(nodes), 'The nodes')}",
        place,
    )


def no_packet(task: str, value: Any, place: Any) -> None:
    """Name something among packets that is none; see `unknown_channel`."""
    _log.no_packet(value)
    report(
        f"{_subject(task)} sends {_shown(value)}, which is no packet: it is lost. "
        "Send a Send(node, argument)",
        place,
    )


def no_target(node: str, target: Any, place: Any) -> None:
    """Name something in the `goto` of a command that is no destination."""
    report(
        f"{_subject(node)} goes to {_shown(target)}, which is neither the name of a node nor a "
        "Send: nothing runs there",
        place,
    )


def unknown_keys(
    node: str, result: Any, keys: Sequence[Any], known: Sequence[str], kept: bool, place: Any
) -> bool:
    """Name the keys of a node's result, or of the input, that the state does not have.

    Nodes may well return more than is wanted, such as what another graph returned. A mistake it is
    if nothing else is returned, and if the node's own code spells the key. An input may have more
    as well; there it is a mistake if a key is like one that the input should have.

    Args:
        node: The node's name.
        result: What it returned.
        keys: The keys.
        known: The keys that there are.
        kept: Whether anything else is in the result.
        place: The node's function, if it is one.

    Returns:
        Whether these keys are none, whenever the node returns them beside others.
    """
    if node == _START and not isinstance(result, dict):
        # A command, which is a run's input but for its updates, and those have been seen.
        return False
    if _ROOT in keys:
        what = getattr(result, "update", result)
        report(
            f"The update of node {node!r} is {_shown(what)}, no dict, and the state has keys: "
            f"nothing is updated. {choices(None, known, 'The keys')}",
            place,
        )
        return False
    if not kept or is_strict():
        wrong = list(keys)
    elif node == _START:
        wrong = [key for key in keys if _misses(key, result, known)]
    else:
        spelled = _spelled(place)
        wrong = [key for key in keys if key in spelled]
    what, kind = (
        ("The input has", "input") if node == _START else (f"Node {node!r} returns", "state")
    )
    for key in wrong:
        report(
            f"{what} {key!r}, which is no key of the graph's {kind}: its value is lost. "
            f"{choices(key, known, f'The keys of the {kind}')}",
            place,
        )
    return not wrong and node != _START


def unknown_input(name: Any, channels: Sequence[str], nested: bool = False) -> None:
    """Name what is given to a channel that takes no input; a graph within may be given more."""
    _log.logger.warning(f"Input channel {name} not found in {channels}")
    if not nested:
        report(
            f"The input has {name!r}, which is no input channel of the graph: its value is lost. "
            f"{choices(name, channels, 'The input channels')}"
        )


def _misses(key: Any, given: Any, known: Sequence[str]) -> bool:
    """Whether an unknown key is like one that there is, and that is not given."""
    near = nearest(key, known, cutoff=0.8)
    return near is not None and near not in given


def visible(names: Iterable[str]) -> list[str]:
    """Leave out the names that are not the user's."""
    return [name for name in names if not name.startswith(("__", _BRANCH, "join:"))]


def _subject(task: str, *, within: bool = False) -> str:
    if task == "__input__":
        return "the Command given as input" if within else "The Command given as input"
    if task == _START:
        return "the input" if within else "A conditional edge from START"
    return f"node {task!r}" if within else f"Node {task!r}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


# --- places ---

_Place = tuple[str, int, str, dict[Any, Any]]


def _function(place: Any) -> _Place | None:
    """Where a function begins, unless it is none of the user's."""
    function = _plain(place)
    code = getattr(function, "__code__", None)
    scope = getattr(function, "__globals__", None)
    if not isinstance(code, CodeType) or scope is None:
        return None
    module = scope.get("__name__", "<unknown>")
    if module.partition(".")[0] in _PASSED:
        return None
    return code.co_filename, code.co_firstlineno, module, _registry(scope)


def _line() -> _Place:
    """Where the user's code stands: the nearest line on the way here that is in none of ours."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "<unknown>")
        if module.partition(".")[0] not in _PASSED:
            return frame.f_code.co_filename, frame.f_lineno, module, _registry(frame.f_globals)
        frame = frame.f_back
    return "<unknown>", 1, _OURS, _registry(globals())


def _registry(scope: dict[str, Any]) -> dict[Any, Any]:
    return scope.setdefault("__warningregistry__", {})


def _plain(place: Any) -> Any:
    """Return the function that a callable comes down to."""
    while isinstance(place, partial):
        place = place.func
    place = getattr(place, "__func__", place)
    if not hasattr(place, "__code__") and not hasattr(place, "__wrapped__"):
        place = type(place).__call__
    return unwrap(place)


def _spelled(place: Any) -> frozenset[str]:
    """Return the texts that a function's code has in it."""
    code = getattr(_plain(place), "__code__", None)
    return _texts(code) if isinstance(code, CodeType) else frozenset()


@lru_cache(maxsize=128)
def _texts(code: CodeType) -> frozenset[str]:
    def texts(constants: Iterable[Any]) -> Iterator[str]:
        for constant in constants:
            if isinstance(constant, str):
                yield constant
            elif isinstance(constant, (tuple, frozenset)):
                yield from texts(constant)
            elif isinstance(constant, CodeType):
                yield from texts(constant.co_consts)

    return frozenset(texts(code.co_consts))
