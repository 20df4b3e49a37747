"""The failing line is in the traceback, and no retry policy hides a node's error."""

from __future__ import annotations

import asyncio
import math
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from _async_graphs import yields
from _driver_graphs import PATIENCE, State, chain, fan_out, thread

from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.errors import NodeError
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph
from langgraph_rust.types import RetryPolicy


def culprit() -> None:
    raise KeyError("here")


def fails(_: Any) -> Any:
    culprit()


async def afails(_: Any) -> Any:
    culprit()


async def fails_later(_: Any) -> Any:
    await asyncio.sleep(0)
    culprit()


def done(_: Any) -> State:
    return {"log": ["done"]}


def leads_to_the_line(error: BaseException) -> bool:
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    return names.count("culprit") == 1 and names[-1] == "culprit"


def routed(router: Any) -> Any:
    builder = StateGraph(State).add_node("node", done).add_node("next", done)
    return builder.add_edge(START, "node").add_conditional_edges("node", router, ["next"]).compile()


def called(function: Any, is_async: bool = False) -> Any:
    work = task(function)

    @entrypoint()
    def flow(state: Any) -> Any:
        return work(state).result()

    @entrypoint()
    async def aflow(state: Any) -> Any:
        return await work(state)

    return aflow if is_async else flow


def one(function: Any, **options: Any) -> Any:
    builder = StateGraph(State).add_node("node", function, **options)
    return builder.add_edge(START, "node")


again = RetryPolicy(initial_interval=0, jitter=False, max_attempts=3, retry_on=KeyError)


def calls_inner(_: Any) -> Any:
    return chain([fails]).invoke({})


async def acalls_inner(_: Any) -> Any:
    return await chain([fails_later]).ainvoke({})


SYNC: dict[str, Callable[[], Any]] = {
    "alone": lambda: chain([fails]),
    "beside": lambda: fan_out([fails, done, done]),
    "last": lambda: fan_out([done, done, fails]),
    "nested": lambda: chain([chain([fails])]),
    "nested, beside": lambda: fan_out([fan_out([fails, done]), done]),
    "called graph": lambda: fan_out([calls_inner, done]),
    "router": lambda: routed(fails),
    "called": lambda: called(fails),
    "retried": lambda: one(fails, retry_policy=again).compile(),
    "retried, nested": lambda: chain([one(fails, retry_policy=again).compile()]),
}

ASYNC: dict[str, Callable[[], Any]] = {
    "at once": lambda: chain([afails]),
    "later": lambda: chain([fails_later]),
    "at once, beside": lambda: fan_out([afails, yields]),
    "later, beside": lambda: fan_out([fails_later, yields]),
    "nested": lambda: chain([chain([fails_later])]),
    "nested, beside": lambda: fan_out([fan_out([fails_later, yields]), yields]),
    "called graph": lambda: fan_out([acalls_inner, yields]),
    "router": lambda: routed(fails_later),
    "called": lambda: called(fails_later, is_async=True),
    "retried": lambda: one(fails_later, retry_policy=again).compile(),
    "retried, beside": lambda: (
        one(fails_later, retry_policy=again)
        .add_node("beside", yields)
        .add_edge(START, "beside")
        .compile()
    ),
    "sync": lambda: chain([fails]),
    "sync, beside": lambda: fan_out([fails, done]),
    "sync, nested": lambda: chain([chain([fails])]),
    "sync router": lambda: routed(fails),
    "sync, called": lambda: called(fails, is_async=True),
    "sync, retried": lambda: one(fails, retry_policy=again).compile(),
}


class TestWhereItIsRaised:
    @pytest.mark.parametrize("stream", [False, True], ids=["invoke", "stream"])
    @pytest.mark.parametrize("way", SYNC)
    def test_sync(self, way: str, stream: bool) -> None:
        graph = SYNC[way]()
        for _ in range(5):
            with pytest.raises(KeyError) as caught:
                list(graph.stream({})) if stream else graph.invoke({})
            assert leads_to_the_line(caught.value)

    @pytest.mark.parametrize("stream", [False, True], ids=["ainvoke", "astream"])
    @pytest.mark.parametrize("way", ASYNC)
    async def test_async(self, way: str, stream: bool) -> None:
        graph = ASYNC[way]()
        for _ in range(5):
            with pytest.raises(KeyError) as caught:
                if stream:
                    [chunk async for chunk in graph.astream({})]
                else:
                    await graph.ainvoke({})
            assert leads_to_the_line(caught.value)

    @pytest.mark.parametrize("function", [fails, afails, fails_later])
    @pytest.mark.parametrize("beside", [False, True])
    @pytest.mark.parametrize("retry", [None, again])
    async def test_error_handlers(self, function: Any, beside: bool, retry: Any) -> None:
        seen = []

        def handler(_: State, error: NodeError) -> State:
            seen.append(error.error)
            return {}

        builder = one(function, error_handler=handler, retry_policy=retry)
        if beside:
            builder.add_node("beside", done).add_edge(START, "beside")
        await builder.compile().ainvoke({})
        if function is fails:
            builder.compile().invoke({})
        assert seen and all(map(leads_to_the_line, seen))

    def test_retry_policies_see_it(self) -> None:
        seen: list[Any] = []
        policy = RetryPolicy(retry_on=lambda error: seen.append(error) is not None)
        for function in (fails, fails_later):
            with pytest.raises(KeyError):
                asyncio.run(one(function, retry_policy=policy).compile().ainvoke({}))
        assert len(seen) == 2 and all(map(leads_to_the_line, seen))

    @pytest.mark.parametrize("beside", [False, True])
    def test_the_state_says_what_was_raised(self, beside: bool) -> None:
        graph = (fan_out([fails, done]) if beside else chain([fails])).copy(
            {"checkpointer": InMemorySaver()}
        )
        with pytest.raises(KeyError):
            graph.invoke({"value": 1}, thread())
        assert graph.get_state(thread()).tasks[0].error == repr(KeyError("here"))

    def test_the_same_exception_raised_again_and_again(self) -> None:
        """Its traceback does not grow from run to run beyond what raising adds."""
        error = KeyError("one for all")

        def raises(_: Any) -> Any:
            raise error.with_traceback(None)

        lengths = set()
        for _ in range(5):
            with pytest.raises(KeyError) as caught:
                chain([raises]).invoke({})
            lengths.add(len(traceback.extract_tb(caught.value.__traceback__)))
        assert len(lengths) == 1


ODD = [sys.maxsize, math.inf, math.nan, 2**70, -1, 0.5, 0, 1e300, -math.inf, True]
FIELDS = ["max_attempts", "initial_interval", "backoff_factor", "max_interval"]


class TestOddPolicies:
    @pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
    @pytest.mark.parametrize("field", FIELDS)
    @pytest.mark.parametrize("number", ODD)
    def test_numbers_hide_no_error(self, number: Any, field: str, is_async: bool) -> None:
        """One attempt more than the first, and the second error is not retried."""
        calls = []

        def node(_: Any) -> Any:
            calls.append(1)
            raise (ConnectionError if len(calls) == 1 else KeyError)("own")

        # Whatever the first interval is, no attempt waits longer than the longest.
        given: Any = {"initial_interval": 0, "max_interval": 0, "jitter": False}
        given |= {"retry_on": ConnectionError, field: number}
        graph = one(node, retry_policy=RetryPolicy(**given)).compile()
        with pytest.raises((ConnectionError, KeyError), match="own"):
            if is_async:
                asyncio.run(asyncio.wait_for(graph.ainvoke({}), PATIENCE))
            else:
                graph.invoke({})
        assert len(calls) <= 2

    @pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
    @pytest.mark.parametrize("number", [sys.maxsize, math.inf, 2**70, 1e300])
    def test_very_many_attempts_are_no_limit(self, number: Any, is_async: bool) -> None:
        calls = []

        def node(_: Any) -> Any:
            calls.append(1)
            if len(calls) < 20:
                raise ConnectionError
            return {"log": [len(calls)]}

        policy = RetryPolicy(max_attempts=number, initial_interval=0, jitter=False)
        graph = one(node, retry_policy=policy).compile()
        result = asyncio.run(graph.ainvoke({})) if is_async else graph.invoke({})
        assert result["log"] == [20]

    @pytest.mark.parametrize("jitter", [False, True])
    @pytest.mark.parametrize("interval", [sys.maxsize, math.inf, 1e300, 2**70])
    async def test_very_long_waits_are_waits(self, interval: Any, jitter: bool) -> None:
        policy = RetryPolicy(
            initial_interval=interval, max_interval=interval, jitter=jitter, retry_on=KeyError
        )
        run = asyncio.ensure_future(one(fails_later, retry_policy=policy).compile().ainvoke({}))
        for _ in range(20):
            await asyncio.sleep(0)
        assert run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    @pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
    def test_a_fraction_of_an_attempt_is_an_attempt(self, is_async: bool) -> None:
        calls = []

        def node(_: Any) -> Any:
            calls.append(1)
            if len(calls) < 3:
                raise ConnectionError
            return {"log": [len(calls)]}

        attempts: Any = 2.5
        policy = RetryPolicy(max_attempts=attempts, initial_interval=0, jitter=False)
        graph = one(node, retry_policy=policy).compile()
        assert (asyncio.run(graph.ainvoke({})) if is_async else graph.invoke({}))["log"] == [3]

    @pytest.mark.parametrize("width", [1, 2])
    @pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
    def test_a_policy_that_raises_has_the_last_word(self, is_async: bool, width: int) -> None:
        def judge(error: Exception) -> bool:
            raise OSError("judge")

        builder = one(fails_later if is_async else fails, retry_policy=RetryPolicy(retry_on=judge))
        if width > 1:
            builder.add_node("beside", done).add_edge(START, "beside")
        graph = builder.compile()
        with pytest.raises(OSError, match="judge") as caught:
            asyncio.run(graph.ainvoke({})) if is_async else graph.invoke({})
        assert isinstance(caught.value.__context__, KeyError)
        assert leads_to_the_line(caught.value.__context__)

    @pytest.mark.parametrize("retry_on", ["no class", 7, None, [7], (KeyError, "no class")])
    def test_a_retry_on_that_is_none(self, retry_on: Any) -> None:
        policy = RetryPolicy(retry_on=retry_on, initial_interval=0, jitter=False)
        with pytest.raises((TypeError, KeyError)) as caught:
            one(fails, retry_policy=policy).compile().invoke({})
        error = caught.value
        assert isinstance(error, KeyError) or isinstance(error.__context__, KeyError)
