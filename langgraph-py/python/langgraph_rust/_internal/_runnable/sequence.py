"""A node and what handles its output, one after the other."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import ensure_config
from langgraph_rust._internal._lazy.listening import watch_nodes
from langgraph_rust._internal._lazy.runnable import LazyRunnable
from langgraph_rust._internal._runnable.chain_run import astart_run, start_run
from langgraph_rust._internal._runnable.contexts import ambient, await_in
from langgraph_rust._internal._runnable.function import RunnableLike, coerce_to_runnable
from langgraph_rust.types import TracePolicy

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable, RunnableConfig


class RunnableSeq(LazyRunnable):
    """A node followed by what handles its output; each step's output is the next one's input.

    Only the first step runs in a context of its own.

    Args:
        *steps: At least two; nested sequences are flattened.
        name: Name in traces.
        trace_inputs: Maps the input to what all callback handlers are told.
        trace_policy: What tracers record instead of that and of the output.

    Raises:
        ValueError: There are less than two steps.
    """

    def __init__(
        self,
        *steps: RunnableLike,
        name: str | None = None,
        trace_inputs: Callable[[Any], Any] | None = None,
        trace_policy: TracePolicy | None = None,
    ) -> None:
        flat: list[Any] = []
        for step in steps:
            if _is_sequence(step):
                flat.extend(step.steps)  # type: ignore[attr-defined]
            else:
                flat.append(coerce_to_runnable(step, name=None, trace=True))
        if len(flat) < 2:
            raise ValueError(f"RunnableSeq must have at least 2 steps, got {len(flat)}")
        self.steps = flat
        self.name = name
        self.trace_inputs = trace_inputs
        self.trace_policy = trace_policy or TracePolicy()

    def __or__(self, other: Any) -> Runnable:  # type: ignore[override]
        name = self.name or (other.name if _is_sequence(other) else None)
        return RunnableSeq(*self.steps, other, name=name)

    def __ror__(self, other: Any) -> Runnable:  # type: ignore[override]
        if isinstance(other, RunnableSeq):
            return RunnableSeq(*other.steps, *self.steps, name=other.name or self.name)
        from langchain_core.runnables.base import RunnableSequence

        if isinstance(other, RunnableSequence):
            return RunnableSequence(*other.steps, *self.steps, name=other.name or self.name)
        first = coerce_to_runnable(other, name=None, trace=True)
        return RunnableSequence(first, *self.steps, name=self.name)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run all steps; `kwargs` go to the first."""
        if config is None:
            config = ensure_config()
        run = start_run(self.get_name(), config, input, **self._recording())
        try:
            for number, step in enumerate(self.steps, 1):
                config = run.child_config(config, f"seq:step:{number}")
                if number == 1:
                    context = run.context(config)
                    input = context.run(step.invoke, input, config, **kwargs)
                else:
                    with ambient(config):
                        input = step.invoke(input, config)
        except BaseException as error:
            run.error(error)
            raise
        run.end(input)
        return input

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Run all steps; `kwargs` go to the first."""
        if config is None:
            config = ensure_config()
        run = await astart_run(self.get_name(), config, input, **self._recording())
        try:
            for number, step in enumerate(self.steps, 1):
                config = run.child_config(config, f"seq:step:{number}")
                if number == 1:
                    first = step.ainvoke(input, config, **kwargs)
                    input = await await_in(run.context(config), first)
                else:
                    with ambient(config):
                        input = await step.ainvoke(input, config)
        except BaseException as error:
            await run.aerror(error)
            raise
        await run.aend(input)
        return input

    def stream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        """Run all steps as a pipeline of streams; yields a single `None` when they are done."""
        if config is None:
            config = ensure_config()
        run = start_run(self.get_name(), config, input, **self._recording())
        config = run.child_config(config, "seq:step:1")
        context = run.context(config)
        try:
            chunks = self.steps[0].stream(input, config, **kwargs)
            for number, step in enumerate(self.steps[1:], 2):
                config = run.child_config(config, f"seq:step:{number}")
                chunks = step.transform(chunks, config)
            output = context.run(_last, run.tap(chunks, "tap_output_iter"))
            yield
        except BaseException as error:
            run.error(error)
            raise
        run.end(output)

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Run all steps as a pipeline of streams; yields a single `None` when they are done."""
        if config is None:
            config = ensure_config()
        run = await astart_run(self.get_name(), config, input, **self._recording())
        config = run.child_config(config, "seq:step:1")
        context = run.context(config)
        try:
            async with AsyncExitStack() as stack:
                chunks = self.steps[0].astream(input, config, **kwargs)
                _close_with(stack, chunks)
                for number, step in enumerate(self.steps[1:], 2):
                    config = run.child_config(config, f"seq:step:{number}")
                    chunks = step.atransform(chunks, config)
                    _close_with(stack, chunks)
                output = await await_in(context, _alast(run.tap(chunks, "tap_output_aiter")))
                yield
        except BaseException as error:
            await run.aerror(error)
            raise
        await run.aend(output)

    def _recording(self) -> dict[str, Any]:
        return {"shown": self.trace_inputs, "policy": self.trace_policy}


watch_nodes(RunnableSeq)


def _is_sequence(thing: object) -> bool:
    if isinstance(thing, RunnableSeq):
        return True
    # No instance of a class can exist before its module does.
    sequence = getattr(sys.modules.get("langchain_core.runnables.base"), "RunnableSequence", None)
    return sequence is not None and isinstance(thing, sequence)


def _close_with(stack: AsyncExitStack, chunks: Any) -> None:
    if hasattr(chunks, "aclose"):
        stack.push_async_callback(chunks.aclose)


def _last(chunks: Iterator[Any]) -> Any:
    last = None
    for last in chunks:  # noqa: B007
        pass
    return last


async def _alast(chunks: AsyncIterator[Any]) -> Any:
    last = None
    async for last in chunks:  # noqa: B007
        pass
    return last
