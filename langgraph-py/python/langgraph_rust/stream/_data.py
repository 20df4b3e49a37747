"""Transformers that offer one stream mode's payloads as they are."""

from __future__ import annotations

from typing import Any, ClassVar

from langgraph_rust.stream._types import ProtocolEvent, StreamTransformer
from langgraph_rust.stream.stream_channel import StreamChannel


class PayloadTransformer(StreamTransformer):
    """Offers the payloads of events of one stream mode, of graphs at the scope itself.

    Subgraphs' payloads are on the subgraphs' handles.
    """

    _native = True

    mode: ClassVar[str]
    """The stream mode, and the name of the projection."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.required_stream_modes = (cls.mode,)

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        super().__init__(scope)
        self._log: StreamChannel[Any] = StreamChannel()
        # Events have lists.
        self._namespace = list(scope)

    def init(self) -> dict[str, Any]:
        """Return the one projection."""
        return {self.mode: self._log}

    def process(self, event: ProtocolEvent) -> bool:
        """Pass on the payload, if it is of the mode and the scope."""
        params = event["params"]
        if event["method"] == self.mode and params["namespace"] == self._namespace:
            self._log.push(params["data"])
        return True


class ValuesTransformer(PayloadTransformer):
    """Offers the states after each step, as `run.values`."""

    mode = "values"

    def __init__(self, scope: tuple[str, ...] = ()) -> None:
        super().__init__(scope)
        self._latest: dict[str, Any] | None = None
        self._interrupts: list[Any] = []

    @property
    def error(self) -> BaseException | None:
        """The exception that the run ended with, `None` if it has not."""
        return self._log._error

    @property
    def _interrupted(self) -> bool:
        return bool(self._interrupts)

    def process(self, event: ProtocolEvent) -> bool:
        """Pass on the state, and remember it."""
        params = event["params"]
        if event["method"] == "values" and params["namespace"] == self._namespace:
            self._latest = params["data"]
            self._interrupts.extend(params.get("interrupts", ()))
        return super().process(event)


class UpdatesTransformer(PayloadTransformer):
    """Offers what each node returned, `{node: update}`, as `run.updates`."""

    mode = "updates"


class CustomTransformer(PayloadTransformer):
    """Offers what nodes wrote with their stream writer, as `run.custom`."""

    mode = "custom"


class CheckpointsTransformer(PayloadTransformer):
    """Offers the checkpoints made, as `run.checkpoints`; none without a checkpointer."""

    mode = "checkpoints"


class DebugTransformer(PayloadTransformer):
    """Offers checkpoints and tasks with step and time, as `run.debug`."""

    mode = "debug"


class TasksTransformer(PayloadTransformer):
    """Offers the starts and results of tasks, as `run.tasks`."""

    mode = "tasks"
