"""What a node's metadata, a run's config or the environment say about where nodes run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import TIMEOUT_MAX
from typing import Any

from langgraph_rust.checkpoint.serde._default import is_drop_in
from langgraph_rust.executors.base import Executor

KEY = "executor"
"""The entry of a node's metadata, and of a config's `configurable`."""

SWITCH = "LANGGRAPH_RUST_EXECUTOR"
"""The environment variable that names the kind for all nodes that can travel."""

HOME = "inline"
"""The kind of nodes that run where the graph runs."""


@dataclass(frozen=True)
class Spec:
    """Where a node runs."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the executor is told."""
    max_retries: int | None = None
    """How often a call is begun anew when its worker dies."""
    heartbeat_timeout: float | None = None
    """For how many seconds a worker may be silent; `None` to trust the executor."""
    context: tuple[str, ...] = ()
    """Context variables that travel, each as `module:name`."""
    graph: str | None = None
    """Where workers find the node's graph, as `module:attribute`; `None` to send the node."""

    @property
    def executor(self) -> Executor:
        """The executor of this kind."""
        return find(self.kind)


def read(value: Any, where: str) -> Spec | None:
    """Read what somebody wrote, such as `"process"` or `{"kind": "ray", "num_gpus": 1}`.

    Args:
        value: What was written; without a kind it is somebody else's, and `None` is returned.
        where: For errors: what it was written for.

    Raises:
        ValueError: The kind or an option is unknown, or has a wrong value.
    """
    if isinstance(value, str):
        value = {"kind": value}
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
        return None
    if is_drop_in() and value["kind"] not in (HOME, *_makers, *_made):
        # A program that was written for LangGraph means something of its own.
        return None
    options = dict(value)
    spec = Spec(
        kind=options.pop("kind"),
        max_retries=_count(options, "max_retries", where),
        heartbeat_timeout=_seconds(options, "heartbeat_timeout", where),
        context=_names(options, where),
        graph=_path(options.pop("graph", None), "graph", where),
        options=options,
    )
    if spec.kind == HOME:
        if options:
            raise ValueError(f"{where}: {HOME!r} has no option {next(iter(options))!r}")
        return spec
    try:
        spec.executor.check(options)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return spec


def from_environment() -> Spec | None:
    """What the environment variable says for all nodes."""
    kind = os.environ.get(SWITCH)
    return read(kind, f"The environment variable {SWITCH}") if kind else None


# --- Kinds ---------------------------------------------------------------------------------------


def _process() -> Executor:
    from langgraph_rust.executors._process.pool import ProcessExecutor

    return ProcessExecutor()


def _ray() -> Executor:
    from langgraph_rust.executors._ray.executor import RayExecutor

    return RayExecutor()


_makers: dict[str, Callable[[], Executor]] = {"process": _process, "ray": _ray}
_made: dict[str, Executor] = {}


def register(kind: str, executor: Executor) -> None:
    """Have nodes of `kind` run on an executor of your own, or on one that was made otherwise.

    Raises:
        ValueError: The kind is `"inline"`, which is where the graph runs.
    """
    if kind == HOME:
        raise ValueError(f"Nodes of the kind {HOME!r} run where their graph runs")
    _made[kind] = executor


def find(kind: str) -> Executor:
    """Return the executor of a kind, made when it is first asked for.

    Raises:
        ValueError: There is none of this kind.
    """
    executor = _made.get(kind)
    if executor is None:
        maker = _makers.get(kind)
        if maker is None:
            known = ", ".join(map(repr, sorted({HOME, *_makers, *_made})))
            raise ValueError(f"there is no executor {kind!r}; there are {known}")
        executor = _made.setdefault(kind, maker())
    return executor


# --- Options -------------------------------------------------------------------------------------


def _count(options: dict[str, Any], name: str, where: str) -> int | None:
    value = options.pop(name, None)
    if value is not None and (type(value) is not int or value < 0):
        raise ValueError(f"{where}: {name!r} must be a whole number from 0 on, not {value!r}")
    return value


def _seconds(options: dict[str, Any], name: str, where: str) -> float | None:
    value = options.pop(name, None)
    if value is None:
        return None
    # Beyond the greatest that threads can wait for; what is no number is not between either.
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not 0 < value <= TIMEOUT_MAX:
        raise ValueError(
            f"{where}: {name!r} must be a number of seconds that is greater than 0, not {value!r}"
        )
    return value


def _names(options: dict[str, Any], where: str) -> tuple[str, ...]:
    value = options.pop("context", ())
    names = (value,) if isinstance(value, str) else tuple(value)
    return tuple(str(_path(name, "context", where)) for name in names)


def _path(value: Any, name: str, where: str) -> str | None:
    if value is None:
        return None
    module, _, attribute = value.partition(":") if isinstance(value, str) else ("", "", "")
    if not module or not attribute:
        raise ValueError(f"{where}: {name!r} must be given as 'module:name', not {value!r}")
    return value
