"""Run a callback right after some other module is first executed.

The package never imports langchain-core, pydantic or an SDK by itself at import time, yet its
classes must fit theirs once they are there. `when_imported` bridges that: the callback runs at once
if the module is loaded already, otherwise as soon as anybody loads it, before any importer sees it.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # not typing's: this is loaded when a Python process starts switched on
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType
    from typing import Any

    Callback = Callable[[ModuleType], None]

__all__ = ("fill_when_imported", "when_imported")

_pending: dict[str, list[Callback]] = {}


def when_imported(name: str, callback: Callback) -> None:
    """Call `callback(module)` once module `name` has been executed.

    Args:
        name: Absolute module name, such as `"langchain_core.runnables.base"`.
        callback: Called exactly once, with the module. It must not raise.
    """
    module = sys.modules.get(name)
    if module is not None and not _is_initializing(module):
        callback(module)
        return
    _pending.setdefault(name, []).append(callback)
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


def fill_when_imported(namespace: dict[str, Any], sources: Mapping[str, str]) -> None:
    """Bind names in `namespace` to attributes of modules that may be imported later.

    Lets annotations written as strings resolve to the real types once those exist.

    Args:
        namespace: A module's `globals()`.
        sources: Name to bind -> module that defines it, not one that re-exports it.
    """
    for name, module_name in sources.items():
        when_imported(module_name, _Binding(namespace, name))


class _Binding:
    """Copies one attribute of a module into a namespace."""

    __slots__ = ("name", "namespace")

    def __init__(self, namespace: dict[str, Any], name: str) -> None:
        self.namespace = namespace
        self.name = name

    def __call__(self, module: ModuleType) -> None:
        # Never by `getattr`: a package that loads its names on demand is not ready for that yet.
        if self.name in vars(module):
            self.namespace[self.name] = vars(module)[self.name]


def _is_initializing(module: ModuleType) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


class _PostImportFinder:
    """Finds a watched module with the other finders, and wraps its loader."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> Any:
        """Return the module's ordinary spec, with a loader that runs the callbacks."""
        if name not in _pending:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _PostImportLoader(spec.loader)
                return spec
        return None


class _PostImportLoader:
    """Stands in for a loader until the module has been executed."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> ModuleType | None:
        """Let the real loader create the module."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, put its own loader back, then run the callbacks."""
        spec = module.__spec__
        assert spec is not None
        spec.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        for callback in _pending.pop(spec.name, ()):
            callback(module)
        if not _pending and _FINDER in sys.meta_path:
            sys.meta_path.remove(_FINDER)


_FINDER = _PostImportFinder()
