"""`@task` functions that a node has with it: called in a worker, they run at home.

What travels is a number, by which home finds the very function: a copy would change copies of what
it shares with the program. Within a graph that runs in the worker, the copy is what is called.
"""

from __future__ import annotations

from itertools import count
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_CALL
from langgraph_rust.config import get_config
from langgraph_rust.executors._here import is_worker

__all__ = ("RemoteTaskFunction", "is_task", "of_number", "reduce_task")

_numbers: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
_known: WeakValueDictionary[int, Any] = WeakValueDictionary()
_count = count()


def is_task(value: Any) -> bool:
    """Tell whether `value` was made by `@task`, here or in the process that it comes from."""
    kind = type(value)
    return kind is RemoteTaskFunction or (
        kind.__name__ == "_TaskFunction" and kind.__module__ == "langgraph_rust.func"
    )


def reduce_task(task: Any) -> tuple[Any, ...]:
    """Return what a task function is pickled as."""
    if isinstance(task, RemoteTaskFunction):
        return _back_home, (task.number, task.kind, task.state)
    number = _numbers.get(task)
    if number is None:
        number = _numbers[task] = next(_count)
        _known[number] = task
    return _in_worker, (number, type(task), task.__getstate__())


def of_number(number: int) -> Any:
    """Return the function that was sent as this number.

    Raises:
        LookupError: It is no more.
    """
    found = _known.get(number)
    if found is None:
        raise LookupError("The task function that a node calls is no more")
    return found


class RemoteTaskFunction:
    """A task function in a worker."""

    def __init__(self, number: int, kind: type[Any], state: dict[str, Any]) -> None:
        self.number = number
        self.kind = kind
        self.state = state
        self.__wrapped__ = state["func"]
        self.__name__ = state.get("__name__", "task")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Start the task, as a task of the superstep that the node is in."""
        call = get_config()[CONF][CONFIG_KEY_CALL]
        if getattr(call, "leads_home", False):
            return call(self, (args, kwargs))
        return _made(self.kind, self.state)(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(_made(self.kind, self.state), name)


def _in_worker(number: int, kind: type[Any], state: dict[str, Any]) -> Any:
    return RemoteTaskFunction(number, kind, state)


def _back_home(number: int, kind: type[Any], state: dict[str, Any]) -> Any:
    if is_worker():
        return RemoteTaskFunction(number, kind, state)
    found = _known.get(number)
    return _made(kind, state) if found is None else found


def _made(kind: type[Any], state: dict[str, Any]) -> Any:
    task: Any = object.__new__(kind)
    vars(task).update(state)
    return task
