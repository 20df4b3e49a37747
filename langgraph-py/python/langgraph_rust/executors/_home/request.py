"""What a worker is told of a call."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_DURABILITY,
    CONFIG_KEY_NODE_ERROR,
    CONFIG_KEY_READ_STATE,
    CONFIG_KEY_REPLAY_STATE,
    CONFIG_KEY_RESUME_MAP,
    CONFIG_KEY_RESUMING,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_STREAM,
    CONFIG_KEY_STREAM_MESSAGES_V2,
    CONFIG_KEY_STRICT_RESUME,
    CONFIG_KEY_TASK_ID,
    CONFIG_KEY_WRITER,
)
from langgraph_rust._internal._lazy.listening import needs_callbacks
from langgraph_rust.executors._travel.pickling import LARGE, WHOLE, dumps, dumps_named, variable
from langgraph_rust.executors.base import NotPortableError

if TYPE_CHECKING:
    from langgraph_rust.executors._spec import Spec
    from langgraph_rust.runtime import Runtime

_PLAIN = frozenset(
    (
        CONFIG_KEY_TASK_ID,
        CONFIG_KEY_RESUMING,
        CONFIG_KEY_REPLAY_STATE,
        CONFIG_KEY_DURABILITY,
        CONFIG_KEY_RESUME_MAP,
        CONFIG_KEY_STRICT_RESUME,
        CONFIG_KEY_STREAM_MESSAGES_V2,
        CONFIG_KEY_NODE_ERROR,
    )
)
"""The engine's entries of a config that are data."""

_CONFIG = ("tags", "metadata", "run_name", "max_concurrency", "recursion_limit", "run_id")


def make_request(
    name: str,
    input: Any,
    config: Mapping[str, Any],
    spec: Spec,
    *,
    is_async: bool,
    leaves_out: bool,
) -> tuple[bytes, dict[str, bytes]]:
    """Return what a worker is told, and the large fields of the input, which travel apart.

    With `leaves_out`, entries of the config that cannot be sent are left out: they may be for other
    nodes.

    Raises:
        NotPortableError: The input, the context or a context variable cannot be sent; the message
            names the node and the field.
    """
    conf = config.get(CONF) or {}
    request: dict[str, Any] = {
        "name": name,
        "is_async": is_async,
        "config": {key: config[key] for key in _CONFIG if key in config},
        "conf": {key: value for key, value in conf.items() if _is_data(key)},
        "task": _task(conf),
        "saver": _saver(conf.get(CONFIG_KEY_CHECKPOINTER)),
        "modes": getattr(conf.get(CONFIG_KEY_STREAM), "modes", None),
        "runtime": _runtime(conf.get(CONFIG_KEY_RUNTIME), name),
        "callbacks": _callbacks(config),
        "context": {path: dumps_named(_variable(path), f"'{path}'", name) for path in spec.context},
        "trace": _trace(),
        "beat": None if spec.heartbeat_timeout is None else spec.heartbeat_timeout / 3,
    }
    try:
        whole = dumps({**request, "input": input})
    except NotPortableError:
        if not leaves_out:
            raise
        request |= {part: _portable(request[part]) for part in ("config", "conf")}
        try:
            whole = dumps({**request, "input": input})
        except NotPortableError:
            _name_culprit(input, name)
            raise
    if len(whole) < LARGE:
        return whole, {}
    values, rest = _apart(input)
    return dumps({**request, "input": rest}), values


def _apart(input: Any) -> tuple[dict[str, bytes], Any]:
    """Large fields of the input, and the input without them."""
    if type(input) is not dict:
        return {WHOLE: dumps(input)}, None
    pickled = {field: dumps(value) for field, value in input.items()}
    large = {field: body for field, body in pickled.items() if len(body) >= LARGE}
    return large, {field: None if field in large else value for field, value in input.items()}


def _name_culprit(input: Any, name: str) -> None:
    fields = input.items() if isinstance(input, Mapping) else getattr(input, "__dict__", {}).items()
    for field, value in fields:
        dumps_named(value, f"'{field}' of the state", name)
    dumps_named(input, "The input", name)


def _is_data(key: str) -> bool:
    return key in _PLAIN or not (key.startswith("__pregel_") or key == CONFIG_KEY_WRITER)


def _portable(entries: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entries.items() if _can_travel(value)}


def _can_travel(value: Any) -> bool:
    try:
        dumps(value)
    except NotPortableError:
        return False
    return True


def _task(conf: Mapping[str, Any]) -> dict[str, Any] | None:
    task = conf.get(CONFIG_KEY_SCRATCHPAD)
    if task is None:
        return None
    return {
        "step": task.step,
        "stop": task.stop,
        "resume": list(task.resume),
        "reads_state": conf.get(CONFIG_KEY_READ_STATE) is not None,
    }


def _saver(saver: Any) -> str | bool | None:
    return saver if saver is None or isinstance(saver, bool) else "saver"


def _runtime(runtime: Runtime[Any] | None, name: str) -> dict[str, Any] | None:
    if runtime is None:
        return None
    store = runtime.store
    for what in ("context", "previous", "server_info"):
        value = getattr(runtime, what)
        if value is not None:
            dumps_named(value, f"'{what}' of the runtime", name)
    return {
        "context": runtime.context,
        "store": None if store is None else {"supports_ttl": store.supports_ttl},
        "previous": runtime.previous,
        "execution_info": runtime.execution_info,
        "server_info": runtime.server_info,
        "control": runtime.control is not None,
    }


def _callbacks(config: Mapping[str, Any]) -> dict[str, Any] | None:
    if not needs_callbacks(config):  # type: ignore[arg-type]
        return None
    from langgraph_rust.executors._home.callbacks import describe

    return describe(config)


def _variable(path: str) -> Any:
    try:
        return variable(path).get()
    except LookupError:
        raise LookupError(f"The context variable {path} has no value") from None


def _trace() -> dict[str, str] | None:
    """The span around the call, as W3C headers, if the process traces with OpenTelemetry."""
    propagate = sys.modules.get("opentelemetry.propagate")
    if propagate is None and "opentelemetry.trace" in sys.modules:
        from opentelemetry import propagate  # pyright: ignore[reportMissingImports]
    if propagate is None:
        return None
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier or None
