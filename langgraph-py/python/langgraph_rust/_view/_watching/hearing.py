"""What callback handlers hear of a run: models, attempts at tasks, its beginning and its end.

They change nothing of what they hear, neither messages nor metadata.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Protocol, TypeVar
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult
from langchain_core.tracers._streaming import _StreamingCallbackHandler

from langgraph_rust.pregel._streams.messages import MessagePusher, graph_namespace

T = TypeVar("T")


class Told(Protocol):
    """Who is told."""

    def spoke(self, namespace: tuple[str, ...], node: Any, run: UUID, message: Any) -> None: ...

    def failed(self, node: str, attempt: int, error: BaseException) -> None: ...

    def ended(self, error: BaseException | None) -> None: ...


class Hearing(BaseCallbackHandler, MessagePusher):
    """Hears of one run, and tells.

    Args:
        told: Who is told.
        begun: Called when the run has begun.
        whole: Whether messages that are streamed are told when they are whole.
    """

    # In the thread of the node, so that events keep their order.
    run_inline = True

    def __init__(self, told: Told, begun: Callable[[], object], *, whole: bool = False) -> None:
        self._told = told
        self._whole = whole
        self._begun = begun
        self._root: UUID | None = None
        self._attempts: dict[str, int] = {}
        self._going: dict[UUID, tuple[str, str]] = {}
        self._speaking: dict[UUID, dict[str, Any]] = {}
        self._streaming: set[UUID] = set()

    # --- the run and its tasks ---

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """Remember an attempt at a task."""
        if self._root is None:
            self._root = run_id
            self._begun()
        node = (metadata or {}).get("langgraph_node")
        # What runs within a node may have its name.
        is_own = parent_run_id not in self._going
        if metadata and node is not None and node == more.get("name") and is_own:
            place = metadata.get("langgraph_checkpoint_ns", "")
            self._attempts[place] = self._attempts.get(place, 0) + 1
            self._going[run_id] = node, place

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **more: Any) -> None:
        """Tell that the run is over, if it is the run itself."""
        self._going.pop(run_id, None)
        if run_id == self._root:
            self._told.ended(None)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **more: Any) -> None:
        """Tell of a failure."""
        if run_id == self._root:
            self._told.ended(error)
        elif attempt := self._going.pop(run_id, None):
            node, place = attempt
            self._told.failed(node, self._attempts[place], error)

    # --- models ---

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """Remember where a model runs."""
        if metadata and "langgraph_checkpoint_ns" in metadata:
            self._speaking[run_id] = metadata

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, run_id: UUID, **more: Any) -> None:
        """Tell of a part of a message."""
        if self._whole:
            return
        if isinstance(chunk, ChatGenerationChunk) and (metadata := self._speaking.get(run_id)):
            self._streaming.add(run_id)
            self._tell(metadata, run_id, chunk.message)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **more: Any) -> None:
        """Tell of the whole message of a model that did not stream it."""
        metadata = self._speaking.pop(run_id, None)
        if run_id in self._streaming:
            self._streaming.discard(run_id)
        elif metadata is not None and response.generations and response.generations[0]:
            said = response.generations[0][0]
            if isinstance(said, ChatGeneration):
                self._tell(metadata, run_id, said.message)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **more: Any) -> None:
        """Forget the model's run."""
        self._speaking.pop(run_id, None)
        self._streaming.discard(run_id)

    def push(self, metadata: dict[str, Any], message: BaseMessage) -> None:
        """Tell of a message that a node has pushed."""
        self._tell(metadata, message.id, message)

    def _tell(self, metadata: dict[str, Any], own: Any, message: BaseMessage) -> None:
        if message.text:
            node = metadata.get("langgraph_node")
            self._told.spoke(graph_namespace(metadata), node, own, message)


class TokenHearing(Hearing, _StreamingCallbackHandler):
    """The same; chat models that are called while it listens stream, if they can."""

    def tap_output_iter(self, run_id: UUID, output: Iterator[T]) -> Iterator[T]:
        """Leave a runnable's output as it is."""
        return output

    def tap_output_aiter(self, run_id: UUID, output: AsyncIterator[T]) -> AsyncIterator[T]:
        """Leave a runnable's output as it is."""
        return output
