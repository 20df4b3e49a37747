"""Callback managers for quiet calls, which become what langchain-core would have made when used.

A tool or a model may look into the manager of its run, or give it on. Few do. So a run (`Run`) only
notes what its managers would be made from, and they fill themselves in from it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
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

__all__ = ("AsyncChild", "AsyncModelRun", "AsyncToolRun", "Child", "ModelRun", "Run", "ToolRun")

_STATE = frozenset(
    (
        "run_id",
        "parent_run_id",
        "tags",
        "inheritable_tags",
        "metadata",
        "inheritable_metadata",
        "handlers",
        "inheritable_handlers",
    )
)


class Run:
    """A call as its callback managers see it.

    Args:
        is_async: Whether the managers are the async ones.
        config: The merged config of the call, which may have a `run_id`.
        owner: The tool or model, with tags and metadata of its own.
        more_metadata: Returns what the model adds to the config's metadata.
    """

    __slots__ = ("__dict__", "_config", "_is_async", "_more_metadata", "_native_id", "_owner")

    def __init__(
        self,
        is_async: bool,
        config: dict[str, Any],
        owner: Any,
        more_metadata: Callable[[], Any] | None = None,
    ) -> None:
        self._is_async = is_async
        self._config = config
        self._owner = owner
        self._more_metadata = more_metadata
        self._native_id = None if config.get("run_id") else uuid_utils.uuid7()

    @property
    def id_text(self) -> str:
        """The run's id as text."""
        return str(self._native_id or self._config["run_id"])

    @cached_property
    def id(self) -> UUID:
        """The run's id."""
        return UUID(int=self._native_id.int) if self._native_id else self._config["run_id"]

    @cached_property
    def _manager(self) -> Any:
        cls = AsyncCallbackManager if self._is_async else CallbackManager
        config, owner = self._config, self._owner
        metadata = config.get("metadata")
        if self._more_metadata is not None:
            metadata = {**(metadata or {}), **self._more_metadata()}
        manager = cls.configure(
            config.get("callbacks"),
            None,
            False,
            config.get("tags"),
            owner.tags,
            metadata,
            owner.metadata,
        )
        # Who began to listen since then was not there when the run began.
        manager.handlers = []
        manager.inheritable_handlers = []
        return manager

    def state(self) -> dict[str, Any]:
        """Return what the manager of the run itself holds."""
        manager = self._manager
        return {
            "run_id": self.id,
            "handlers": [],
            "inheritable_handlers": [],
            "parent_run_id": manager.parent_run_id,
            "tags": manager.tags,
            "inheritable_tags": manager.inheritable_tags,
            "metadata": manager.metadata,
            "inheritable_metadata": manager.inheritable_metadata,
        }

    def child_state(self) -> dict[str, Any]:
        """Return what a manager for runs within holds; of a tool's run, which passes on its own."""
        manager = self._manager
        return {
            "handlers": [],
            "inheritable_handlers": [],
            "parent_run_id": self.id,
            "tags": manager.inheritable_tags.copy(),
            "inheritable_tags": manager.inheritable_tags.copy(),
            "metadata": manager.inheritable_metadata.copy(),
            "inheritable_metadata": manager.inheritable_metadata.copy(),
        }


class _Of:
    """Is made for a run, and asks it for whatever it does not have yet."""

    if TYPE_CHECKING:
        _quiet: Run

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        # The `__init__` of langchain-core is for those who make a copy with a full state.
        return object.__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if len(args) == 1 and type(args[0]) is Run and not kwargs:
            self.__dict__["_quiet"] = args[0]
        else:
            super().__init__(*args, **kwargs)


class _OfChild(_Of):
    def __getattr__(self, name: str) -> Any:
        run = self.__dict__.get("_quiet")
        if run is None or name not in _STATE or name == "run_id":
            return super().__getattr__(name)  # type: ignore[misc]
        del self.__dict__["_quiet"]
        self.__dict__.update(run.child_state())
        return self.__dict__[name]


class Child(_OfChild, SilentCallbackManager):
    """The manager for what a sync tool calls."""


class AsyncChild(_OfChild, SilentAsyncCallbackManager):
    """The manager for what an async tool calls."""


class _OfRun(_Of):
    def __getattr__(self, name: str) -> Any:
        run = self.__dict__.get("_quiet")
        if run is None or name not in _STATE:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        for key, value in run.state().items():
            self.__dict__.setdefault(key, value)
        return self.__dict__[name]


class _OfModel(_OfRun):
    handlers: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Asked for with each token.
        self.__dict__.setdefault("handlers", [])


class ToolRun(_OfRun, CallbackManagerForToolRun):
    """The manager of a sync tool's run."""


class AsyncToolRun(_OfRun, AsyncCallbackManagerForToolRun):
    """The manager of an async tool's run."""


class ModelRun(_OfModel, CallbackManagerForLLMRun):
    """The manager of a model's run."""


class AsyncModelRun(_OfModel, AsyncCallbackManagerForLLMRun):
    """The manager of a model's async run."""

    def get_sync(self) -> CallbackManagerForLLMRun:
        """Return the manager for the same run, for sync code."""
        run = self.__dict__.get("_quiet")
        return ModelRun(run) if run is not None else super().get_sync()
