"""A base class that becomes a langchain-core `Runnable` the moment langchain-core is loaded.

`LazyRunnable` starts with an empty placeholder as its only base. When
`langchain_core.runnables.base` has been executed by anybody, the placeholder is joined by the real
`Runnable`, so every subclass and every existing instance is one from then on: `isinstance`, `|`,
`batch`, `with_retry`, `astream_events`, ... Python that only builds and runs graphs never pays for
that import.

Until then, an attribute that only `Runnable` defines, and the `|` operator, load it on demand.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from types import ModuleType
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._lazy.import_hooks import when_imported

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable
    from typing_extensions import TypeIs

__all__ = ("LazyRunnable", "is_runnable", "load_runnable_class")

_RUNNABLE_MODULE = "langchain_core.runnables.base"
_PACKAGE = __name__.partition(".")[0]


class _Placeholder:
    """Keeps `LazyRunnable.__bases__` assignable, as it is not for children of `object`."""


if TYPE_CHECKING:
    _Base = Runnable[Any, Any]
else:
    _Base = _Placeholder


class LazyRunnable(_Base, metaclass=ABCMeta):
    """Base of everything here that is a `Runnable` to langchain-core.

    Subclasses set `name` (`str | None`) and define `invoke` and, if they can, `ainvoke`.
    """

    # Generic's bookkeeping: without this, subclasses would inherit Runnable's two type parameters.
    __parameters__ = ()

    name: str | None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # A subclass from elsewhere may call `super().stream(...)` and the like, and `super()` does
        # not consult `__getattr__`: it needs the real base from the start.
        if not cls.__module__.startswith(f"{_PACKAGE}."):
            load_runnable_class()
        super().__init_subclass__(**kwargs)

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """Return the name for traces: `name`, or the object's own, or that of its class.

        Args:
            suffix: Appended, in the style (`CamelCase` or `snake_case`) of the name.
            name: Used instead of the object's own name.
        """
        base = name or getattr(self, "name", None) or type(self).__name__
        if not suffix:
            return base
        return base + suffix.title() if base[0].isupper() else f"{base}_{suffix.lower()}"

    if not TYPE_CHECKING:

        def __getattr__(self, attr: str) -> Any:
            # Only reached before the graft, which removes this method.
            if not _is_protocol_name(attr) and hasattr(load_runnable_class(), attr):
                return getattr(self, attr)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {attr!r}")

        def __or__(self, other: Any) -> Any:
            load_runnable_class()
            return self | other

        def __ror__(self, other: Any) -> Any:
            load_runnable_class()
            return other | self


def is_runnable(value: object) -> TypeIs[Runnable]:
    """Tell whether `value` is a langchain-core `Runnable`, without importing langchain-core."""
    if isinstance(value, LazyRunnable):
        return True
    module = sys.modules.get(_RUNNABLE_MODULE)
    # While the module does not exist, or has not defined the class yet, nothing can be one.
    runnable = getattr(module, "Runnable", None)
    return runnable is not None and isinstance(value, runnable)


def load_runnable_class() -> type[Runnable]:
    """Import langchain-core's `Runnable` and make sure that `LazyRunnable` derives from it."""
    from langchain_core.runnables.base import Runnable

    if Runnable not in LazyRunnable.__bases__:
        _graft(sys.modules[_RUNNABLE_MODULE])
    return Runnable


def _is_protocol_name(attr: str) -> bool:
    # copy, pickle, inspect and notebooks probe for names of this shape on any object.
    return attr.startswith("_") and attr.endswith("_")


def _graft(module: ModuleType) -> None:
    if module.Runnable in LazyRunnable.__bases__:
        return
    LazyRunnable.__bases__ = (_Placeholder, module.Runnable)
    for stand_in in ("__getattr__", "__or__", "__ror__"):
        if stand_in in LazyRunnable.__dict__:
            delattr(LazyRunnable, stand_in)


when_imported(_RUNNABLE_MODULE, _graft)
