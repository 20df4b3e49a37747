"""Callback managers for quiet calls, which become what langchain-core would have made when used.

A tool or a model may look into the manager of its run, or give it on. Few do. So a run only notes
what its managers would be made from, and they fill themselves in from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import uuid_utils
from langchain_core.callbacks.manager import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    AsyncCallbackManagerForToolRun,
    CallbackManager,
    CallbackManagerForLLMRun,
    CallbackManagerForToolRun,
)

from langgraph_rust._internal._lazy.callbacks import (
    SilentAsyncCallbackManager,
    SilentCallbackManager,
)
from langgraph_rust._internal._quiet._contexts import bound, merged

__all__ = (
    "AsyncModelManager",
    "AsyncToolManager",
    "ModelManager",
    "ModelRun",
    "Run",
    "ToolManager",
    "child_of",
    "manager_of",
)


# --- Runs ----------------------------------------------------------------------------------------


class Run:
    """A call as its callback managers see it.

    Args:
        is_async: Whether the managers are the async ones.
        config: The merged config of the call, which may have a `run_id`.
        owner: The tool or model, with tags and metadata of its own.
    """

    __slots__ = ("_config", "_id", "_is_async", "_made", "_owner")

    def __init__(self, is_async: bool, config: dict[str, Any], owner: Any) -> None:
        self._is_async = is_async
        self._config = config
        self._owner = owner
        self._id: Any = config.get("run_id")
        self._made: Any = None

    def id_text(self) -> str:
        """Return the run's id as text."""
        if self._id is None:
            # A native one: half of the time goes into making it one of Python's.
            self._id = uuid_utils.uuid7()
        return str(self._id)

    def id(self) -> UUID:
        """Return the run's id."""
        if type(self._id) is not UUID:
            if self._id is None or isinstance(self._id, uuid_utils.UUID):
                self._id = UUID(self.id_text())
        return self._id

    def state(self) -> dict[str, Any]:
        """Return what the manager of the run itself holds."""
        manager = self._manager()
        return {
            "run_id": self.id(),
            "handlers": [],
            "inheritable_handlers": [],
            "parent_run_id": manager.parent_run_id,
            "tags": manager.tags,
            "inheritable_tags": manager.inheritable_tags,
            "metadata": manager.metadata,
            "inheritable_metadata": manager.inheritable_metadata,
        }

    def child_state(self) -> dict[str, Any]:
        """Return what a manager holds for what is called within."""
        manager = self._manager()
        return {
            "handlers": [],
            "inheritable_handlers": [],
            "parent_run_id": self.id(),
            "tags": manager.inheritable_tags.copy(),
            "inheritable_tags": manager.inheritable_tags.copy(),
            "metadata": manager.inheritable_metadata.copy(),
            "inheritable_metadata": manager.inheritable_metadata.copy(),
        }

    def _metadata(self) -> Any:
        return self._config.get("metadata")

    def _manager(self) -> Any:
        """Return a manager of which those of the run are made; its handlers do not count.

        Who began to listen since then was not there when the run began.
        """
        if self._made is None:
            cls = AsyncCallbackManager if self._is_async else CallbackManager
            config, owner = self._config, self._owner
            callbacks, tags = config.get("callbacks"), config.get("tags")
            self._made = cls.configure(
                callbacks, None, False, tags, owner.tags, self._metadata(), owner.metadata
            )
        return self._made


class ModelRun(Run):
    """A call of a model.

    Args:
        arguments: What the model is called with besides messages, for its description.
    """

    __slots__ = ("_arguments", "_bindings")

    def __init__(
        self, is_async: bool, config: dict[str, Any], owner: Any, arguments: dict[str, Any]
    ) -> None:
        super().__init__(is_async, config, owner)
        self._arguments = arguments
        self._bindings: Any = None

    def merges(self, config: dict[str, Any] | None, bindings: list[Any]) -> None:
        """Note that the config is really what these bound arguments make of another one.

        Of which only managers have something.
        """
        self._bindings = config, bindings

    def _manager(self) -> Any:
        if self._bindings is not None:
            (config, bindings), self._bindings = self._bindings, None
            self._config = merged(bound(config, bindings))
        return super()._manager()

    def _metadata(self) -> Any:
        further = {name: value for name, value in self._arguments.items() if name != "stop"}
        stop = self._arguments.get("stop")
        described = self._owner._get_ls_params_with_defaults(stop=stop, **further)
        return {**(self._config.get("metadata") or {}), **described}


# --- Managers ------------------------------------------------------------------------------------

_STATE = frozenset(
    (
        "parent_run_id",
        "tags",
        "inheritable_tags",
        "metadata",
        "inheritable_metadata",
        "handlers",
        "inheritable_handlers",
    )
)
_STATE_OF_RUN = _STATE | {"run_id"}


def child_of(run: Run, is_async: bool) -> Any:
    """Return a manager for what a tool calls in its run."""
    made: Any = object.__new__(_AsyncChild if is_async else _Child)
    made.__dict__["_quiet"] = run
    return made


def manager_of(run: Run, cls: Any) -> Any:
    """Return a run's own manager, of one of the classes below."""
    made = object.__new__(cls)
    # Asked for with each token.
    made.__dict__ = {"_quiet": run, "handlers": []}
    return made


class _OfChild:
    def __getattr__(self, name: str) -> Any:
        run = self.__dict__.get("_quiet")
        if run is None or name not in _STATE:
            return super().__getattr__(name)  # type: ignore[misc]
        del self.__dict__["_quiet"]
        self.__dict__.update(run.child_state())
        return self.__dict__[name]


class _Child(_OfChild, SilentCallbackManager):
    """Is filled in from the run that calls."""


class _AsyncChild(_OfChild, SilentAsyncCallbackManager):
    """Is filled in from the run that calls."""


class _OfRun:
    if TYPE_CHECKING:
        _quiet: Run

    def __getattr__(self, name: str) -> Any:
        run = self.__dict__.get("_quiet")
        if run is None or name not in _STATE_OF_RUN:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        for key, value in run.state().items():
            self.__dict__.setdefault(key, value)
        return self.__dict__[name]


class ToolManager(_OfRun, CallbackManagerForToolRun):
    """The manager of a sync tool's run."""


class AsyncToolManager(_OfRun, AsyncCallbackManagerForToolRun):
    """The manager of an async tool's run."""


class ModelManager(_OfRun, CallbackManagerForLLMRun):
    """The manager of a model's run."""


class AsyncModelManager(_OfRun, AsyncCallbackManagerForLLMRun):
    """The manager of a model's async run."""

    def get_sync(self) -> CallbackManagerForLLMRun:
        """Return the manager of the same run, for sync code."""
        run = self.__dict__.get("_quiet")
        return super().get_sync() if run is None else manager_of(run, ModelManager)
