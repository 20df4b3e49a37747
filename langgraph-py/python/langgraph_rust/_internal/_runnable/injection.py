"""Which parameters of a function are filled in for it, and with what."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ForwardRef, NamedTuple, Optional

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_NODE_ERROR, CONFIG_KEY_RUNTIME
from langgraph_rust._internal._typing import MISSING
from langgraph_rust.errors import NodeError
from langgraph_rust.types import StreamWriter

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

EMPTY = inspect.Parameter.empty
"""Stands for a default or an annotation that is not there."""


class _Injectable(NamedTuple):
    """A parameter that a node function gets if it declares it by this name and annotation."""

    name: str
    accepts: Callable[[Any], bool]
    """Whether an annotation asks for it."""
    runtime_key: str
    """Attribute of `Runtime` that holds the value; `N/A` if it comes from elsewhere."""
    default: Any
    """Value when there is none; without a default, that is an error."""


def _anything(annotation: Any) -> bool:
    return True


def _is_config(annotation: Any) -> bool:
    if annotation is EMPTY or annotation in ("RunnableConfig", "Optional[RunnableConfig]"):
        return True
    # While this module is not loaded, no annotation can be an object of it.
    module = sys.modules.get("langchain_core.runnables.config")
    config_class = getattr(module, "RunnableConfig", None)
    return config_class is not None and (
        annotation == config_class or annotation == Optional[config_class]  # noqa: UP045
    )


def _is_writer(annotation: Any) -> bool:
    return annotation is EMPTY or annotation in ("StreamWriter", StreamWriter)


def _is_store(annotation: Any) -> bool:
    if annotation is EMPTY or annotation == "BaseStore":
        return True
    return any(annotation == store for store in _store_classes())


def _is_optional_store(annotation: Any) -> bool:
    if annotation == "Optional[BaseStore]":
        return True
    return any(annotation == Optional[store] for store in _store_classes())  # noqa: UP045


def _store_classes() -> Iterator[Any]:
    """Yield the loaded `BaseStore` classes: ours, and upstream's if both are in use."""
    for name in ("langgraph_rust.store.base", "langgraph.store.base"):
        if store := getattr(sys.modules.get(name), "BaseStore", None):
            yield store


def _is_node_error(annotation: Any) -> bool:
    return annotation in ("NodeError", NodeError)


def _no_op_writer(_: Any) -> None:
    """Drop a chunk."""


KWARGS_CONFIG_KEYS: tuple[_Injectable, ...] = (
    _Injectable("config", _is_config, "N/A", EMPTY),
    _Injectable("writer", _is_writer, "stream_writer", _no_op_writer),
    _Injectable("store", _is_store, "store", EMPTY),
    _Injectable("store", _is_optional_store, "store", None),
    _Injectable("previous", _anything, "previous", EMPTY),
    _Injectable("runtime", _anything, "N/A", EMPTY),
    # Any node may have a parameter of this type; only error handlers always get a value.
    _Injectable("error", _is_node_error, "N/A", None),
)
"""All parameters that can be injected."""

VALID_KINDS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
"""Kinds of parameters that can be passed by name."""


def injected_parameters(func: Callable[..., Any]) -> dict[str, tuple[str, Any]]:
    """Return name -> `(runtime key, default)` of the parameters to inject into `func`."""
    declared = _parameters(func)
    accepted: dict[str, tuple[str, Any]] = {}
    for name, accepts, runtime_key, default in KWARGS_CONFIG_KEYS:
        parameter = declared.get(name)
        if parameter is None or parameter.kind not in VALID_KINDS:
            continue
        annotation = parameter.annotation
        if isinstance(annotation, ForwardRef):
            annotation = annotation.__forward_arg__
        if accepts(annotation):
            accepted[name] = (runtime_key, default)
        elif name == "config":
            warnings.warn(
                "The 'config' parameter should be typed as 'RunnableConfig' or "
                f"'RunnableConfig | None', not '{annotation}'. ",
                UserWarning,
                stacklevel=5,
            )
    return accepted


def _parameters(func: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        # Names that only exist for type checkers must not be evaluated.
        return inspect.signature(func, annotation_format=Format.FORWARDREF).parameters
    return inspect.signature(func).parameters


def injected_value(name: str, runtime_key: str, config: RunnableConfig) -> Any:
    """Return the value of an injected parameter; `MISSING` if the config has none."""
    if name == "config":
        return config
    conf = config.get(CONF, {})
    if name == "error":
        return conf.get(CONFIG_KEY_NODE_ERROR, MISSING)
    runtime = conf.get(CONFIG_KEY_RUNTIME)
    if not runtime:
        return MISSING
    if name == "runtime":
        return runtime
    # Servers may put an object of their own there.
    return getattr(runtime, runtime_key, MISSING)
