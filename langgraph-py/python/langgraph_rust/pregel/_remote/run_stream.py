"""The handles that `RemoteGraph.stream_events(version="v3")` returns.

They show a run on a server, as the client streams it, with the surface of `GraphRunStream`.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._log import remote_stream_logger
from langgraph_rust.types import Command

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph_sdk._async.stream import AsyncThreadStream
    from langgraph_sdk._sync.stream import SyncThreadStream
    from langgraph_sdk.client import LangGraphClient, SyncLangGraphClient


def _translate_command_input(input: Any) -> Any:
    """Return what to send as input: of a command its answer.

    The server tells by the thread whether a run is started or resumed, and takes the input for the
    answer in the latter case.

    Raises:
        NotImplementedError: A command does something else than resume.
    """
    if not isinstance(input, Command):
        return input
    if input.goto or input.update:
        raise NotImplementedError(
            "RemoteGraph v3 streaming supports `Command(resume=...)` only; "
            "`goto` / `update` are not supported by the v3 `run.start` path."
        )
    return input.resume


class _ChannelProjection:
    """The payloads of one channel for which the client has no projection."""

    def __init__(self, sdk: AsyncThreadStream | SyncThreadStream, channel: str) -> None:
        self._sdk: Any = sdk
        self._channel = channel

    def __iter__(self) -> Iterator[Any]:
        decoder = self._decoder()
        for event in self._sdk.subscribe([self._channel]):
            yield from decoder.feed(event)

    async def __aiter__(self) -> AsyncIterator[Any]:
        decoder = self._decoder()
        async for event in self._sdk.subscribe([self._channel]):
            for item in decoder.feed(event):
                yield item

    def _decoder(self) -> Any:
        from langgraph_sdk.stream.decoders import DataDecoder

        return DataDecoder(self._channel)


class _ProjectionRegistry(Mapping[str, Any]):
    """The projections of a run by name.

    Names that are not listed are those of channels that the graph itself made. There is no
    `lifecycle`: what servers send under this name is something else than what `GraphRunStream` has.
    """

    _TYPED = ("values", "messages", "tool_calls", "subgraphs")
    """Those of the client."""
    _DECODED = ("updates", "checkpoints", "tasks", "custom")
    """Those made here."""
    _NATIVE = _TYPED + _DECODED

    def __init__(self, sdk: AsyncThreadStream | SyncThreadStream) -> None:
        self._sdk = sdk

    def __getitem__(self, name: str) -> Any:
        if name in self._TYPED:
            return getattr(self._sdk, name)
        if name in self._DECODED:
            return _ChannelProjection(self._sdk, name)
        return self._sdk.extensions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._NATIVE)

    def __len__(self) -> int:
        return len(self._NATIVE)


class _RemoteRun:
    """What sync and async handles have in common."""

    def __init__(
        self,
        client: Any,
        sdk_thread: Any,
        input: Any,
        config: RunnableConfig | None,
        metadata: dict[str, Any] | None,
    ) -> None:
        self._client = client
        self._sdk = sdk_thread
        self._start_kwargs: dict[str, Any] = {
            "input": _translate_command_input(input),
            "config": config,
            "metadata": metadata,
        }
        self._run_id: str | None = None
        self._closed = False
        self._log: Any = None

    @property
    def values(self) -> Any:
        """The states."""
        return self._sdk.values

    @property
    def messages(self) -> Any:
        """The messages of chat models."""
        return self._sdk.messages

    @property
    def subgraphs(self) -> Any:
        """Handles of subgraphs."""
        return self._sdk.subgraphs

    @property
    def tool_calls(self) -> Any:
        """The executions of tools."""
        return self._sdk.tool_calls

    @property
    def extensions(self) -> Mapping[str, Any]:
        """All projections by name."""
        return _ProjectionRegistry(self._sdk)

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError(f"{type(self).__name__} already closed")

    def _close(self) -> bool:
        """Note that the handle is closed; tell whether it was open."""
        was_open, self._closed = not self._closed, True
        return was_open


class _RemoteGraphRunStream(_RemoteRun):
    """A sync run on a server; it starts when the handle is entered."""

    def __init__(
        self,
        *,
        sync_client: SyncLangGraphClient,
        sdk_thread: SyncThreadStream,
        input: Any,
        config: RunnableConfig | None,
        metadata: dict[str, Any] | None,
    ) -> None:
        super().__init__(sync_client, sdk_thread, input, config, metadata)

    def __enter__(self) -> _RemoteGraphRunStream:
        self._check_open()
        self._sdk.__enter__()
        try:
            self._run_id = self._sdk.run.start(**self._start_kwargs)["run_id"]
        except BaseException:
            self._sdk.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._close():
            self._sdk.__exit__(exc_type, exc, tb)

    @property
    def output(self) -> Any:
        """The last state; waits for the end of the run."""
        return self._sdk.output

    @property
    def interrupted(self) -> bool:
        """Whether the run waits for answers, as far as is known; does not wait for its end."""
        return self._sdk.interrupted

    @property
    def interrupts(self) -> list[Any]:
        """The questions asked, as far as they are known; does not wait for the run's end."""
        return list(self._sdk.interrupts)

    def abort(self) -> None:
        """Cancel the run and close the handle. Repeatable."""
        if not self._close():
            return
        if self._run_id is not None:
            try:
                self._client.runs.cancel(self._sdk.thread_id, self._run_id, wait=False)
            except Exception:
                remote_stream_logger.debug("abort: runs.cancel failed", exc_info=True)
        try:
            self._sdk.close()
        except Exception:
            remote_stream_logger.debug("abort: sdk.close failed", exc_info=True)

    def __iter__(self) -> Iterator[Any]:
        """Read the run's events; always the same iterator."""
        if self._log is None:
            self._log = iter(self._sdk.events)
        return self._log

    def interleave(self, *names: str) -> Iterator[tuple[str, Any]]:
        """Read several projections as one stream of `(name, item)`."""
        yield from self._sdk.interleave_projections(list(names))


class _AsyncRemoteGraphRunStream(_RemoteRun):
    """An async run on a server; it starts when the handle is entered."""

    def __init__(
        self,
        *,
        client: LangGraphClient,
        sdk_thread: AsyncThreadStream,
        input: Any,
        config: RunnableConfig | None,
        metadata: dict[str, Any] | None,
    ) -> None:
        super().__init__(client, sdk_thread, input, config, metadata)

    async def __aenter__(self) -> _AsyncRemoteGraphRunStream:
        self._check_open()
        await self._sdk.__aenter__()
        try:
            self._run_id = (await self._sdk.run.start(**self._start_kwargs))["run_id"]
        except BaseException:
            await self._sdk.__aexit__(*sys.exc_info())
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if self._close():
            await self._sdk.__aexit__(exc_type, exc, tb)

    async def output(self) -> Any:
        """Wait for the end of the run; return the last state."""
        return await self._sdk.output

    async def interrupted(self) -> bool:
        """Tell whether the run waits for answers, as far as is known; does not wait for its end."""
        return self._sdk.interrupted

    async def interrupts(self) -> list[Any]:
        """Return the questions asked, as far as they are known; does not wait for the end."""
        return list(self._sdk.interrupts)

    async def abort(self) -> None:
        """Cancel the run and close the handle. Repeatable."""
        if not self._close():
            return
        if self._run_id is not None:
            try:
                await self._client.runs.cancel(self._sdk.thread_id, self._run_id, wait=False)
            except Exception:
                remote_stream_logger.debug("abort: runs.cancel failed", exc_info=True)
        try:
            await self._sdk.close()
        except Exception:
            remote_stream_logger.debug("abort: sdk.close failed", exc_info=True)

    def __aiter__(self) -> AsyncIterator[Any]:
        """Read the run's events; always the same iterator."""
        if self._log is None:
            self._log = aiter(self._sdk.events)
        return self._log
