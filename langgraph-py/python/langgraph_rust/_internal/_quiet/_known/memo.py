"""What was found out about an object, as long as the object lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import ref

__all__ = ("Memo",)

K = TypeVar("K")
V = TypeVar("V")


class Memo(Generic[K, V]):
    """Answers of a function, remembered for the very object it was asked about.

    Args:
        make: Called with a key that has no answer yet.

    Objects are told apart by identity, whatever their `__eq__` says; they need not be hashable. Of
    those that cannot be referenced weakly nothing is remembered.
    """

    __slots__ = ("_known", "_make")

    def __init__(self, make: Callable[[K], V]) -> None:
        self._make = make
        self._known: dict[int, tuple[ref[Any], V]] = {}

    def __call__(self, key: K) -> V:
        """Return what `make` says about `key`."""
        found = self._known.get(id(key))
        if found is not None and found[0]() is key:
            return found[1]
        value = self._make(key)
        number = id(key)
        known = self._known

        def forget(gone: ref[Any]) -> None:
            # By now another object may have the number.
            if number in known and known[number][0] is gone:
                del known[number]

        try:
            known[number] = (ref(key, forget), value)
        except TypeError:
            pass
        return value

    def forget(self, key: K) -> None:
        """Ask again the next time."""
        self._known.pop(id(key), None)
