"""Noticing that something is not what it was: many names, asked about in every call.

The checks are unrolled, which takes a third of the time of a loop. Classes of pydantic are looked
at by their dicts: looking an attribute up takes three times as long where a metaclass has a say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any
from weakref import ref

__all__ = ("Place", "class_unchanged_since_now", "unchanged_since_now")

Place = tuple[Any, str]
"""A module or class, and a name in it or in a base of it."""


def unchanged_since_now(places: Iterable[Place]) -> Callable[[], bool]:
    """Return a function that tells whether all names still stand for what they do now."""
    checks = _Checks()
    for holder, name in places:
        owner = next(owner for owner in _mro(holder) if name in vars(owner))
        if isinstance(vars(owner)[name], (FunctionType, type)):
            checks.same_attribute(holder, name)
        else:
            checks.same(vars(owner), name)  # as an attribute, it may be a new object each time
    return checks.compiled()


def _mro(holder: Any) -> tuple[Any, ...]:
    return holder.__mro__ if isinstance(holder, type) else (holder,)


def class_unchanged_since_now(
    cls: type[Any], names: Iterable[str]
) -> Callable[[tuple[type[Any], ...]], bool]:
    """Return the same for many names of one class, of which bases have most.

    The function is given the class's `__mro__`; it keeps no class alive that may ever be gone.
    """
    checks = _Checks()
    mro = cls.__mro__
    last = 0
    for name in names:
        index = next(n for n, base in enumerate(mro) if name in vars(base))
        if _stays(mro[index]):
            checks.same(vars(mro[index]), name)
        else:
            checks.same_while_alive(f"mro[{index}].__dict__", vars(mro[index]), name)
        last = max(last, index)
    for index, base in enumerate(mro[:last]):
        # Whoever gives a class what its base had makes the class larger.
        if _stays(base):
            checks.as_large(vars(base))
        else:
            checks.as_large(vars(base), f"mro[{index}].__dict__")
    return checks.compiled()


def _stays(cls: type[Any]) -> bool:
    return cls.__module__.partition(".")[0] in ("abc", "builtins", "langchain_core", "pydantic")


_UNCHANGED = """
def unchanged(mro=(), {}):
    try:
        return {}
    except KeyError:
        return False
"""


class _Checks:
    """Comparisons, as source text and what they refer to."""

    def __init__(self) -> None:
        self._scope: dict[str, Any] = {}
        self._texts: list[str] = []

    def same(self, namespace: Any, name: str) -> None:
        """Check that a name in a namespace stands for the same object.

        By identity, since the wrappers of some packages are equal to what they wrap.
        """
        was = self._name(namespace[name])
        self._texts.append(f"{self._name(namespace)}[{name!r}] is {was}")

    def same_attribute(self, holder: Any, name: str) -> None:
        """Check the same of an attribute, which may be a base's."""
        was = self._name(getattr(holder, name))
        self._texts.append(f"{self._name(holder)}.{name} is {was}")

    def same_while_alive(self, namespace: str, now: Any, name: str) -> None:
        """Check the same where the object may be gone, given how to get at the namespace."""
        try:
            was = f"{self._name(ref(now[name]))}()"
        except TypeError:
            was = self._name(now[name])
        self._texts.append(f"{namespace}[{name!r}] is {was}")

    def as_large(self, namespace: Any, source: str | None = None) -> None:
        """Check that there are as many names, given how to get at the namespace."""
        self._texts.append(f"len({source or self._name(namespace)}) == {len(namespace)}")

    def compiled(self) -> Callable[..., bool]:
        """Return a function that makes them all."""
        # As defaults, since these are looked up faster than globals.
        defaults = ", ".join(f"{name}={name}" for name in self._scope)
        scope = self._scope.copy()
        exec(_UNCHANGED.format(defaults, " and ".join(self._texts)), scope)
        return scope["unchanged"]

    def _name(self, value: Any) -> str:
        name = f"v{len(self._scope)}"
        self._scope[name] = value
        return name
