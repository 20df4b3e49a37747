"""A process that ends, or forks, while somebody is in a run."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import Any

import pytest

TRIES = 3

BEGIN = """
import asyncio, os, sys, threading, time
from typing import Annotated
from typing_extensions import TypedDict
from _driver_graphs import Meeting, PATIENCE, State, chain, fan_out
from langgraph_rust.checkpoint.memory import InMemorySaver
from langgraph_rust.func import entrypoint, task
from langgraph_rust.graph import START, StateGraph

inside = threading.Event()
config = {"configurable": {"thread_id": "1"}}

def pause(_=None, *, sleep=time.sleep, inside=inside):
    inside.set()
    sleep(0.002)

def node(_, pause=pause):
    pause()
    return {"log": [1]}

def quick(_):
    return {"log": [1]}

async def anode(_, pause=pause):
    pause()
    await asyncio.sleep(0)
    return {"log": [1]}
"""

WORKS = {
    "node": "work = lambda: chain([node]).invoke({})",
    "nodes": "work = lambda: fan_out([node] * 3).invoke({})",
    "stream": "work = lambda: list(fan_out([node] * 3).stream({}))",
    "consumer": """
        def work():
            for _ in chain([quick] * 3).stream({}, stream_mode="values"):
                pause()
        """,
    "saver": """
        class Slow(InMemorySaver):
            def put(self, *given):
                pause()
                return super().put(*given)
            def put_writes(self, *given):
                pause()
                return super().put_writes(*given)
        graph = fan_out([quick] * 2, checkpointer=Slow())
        work = lambda: graph.invoke({"log": []}, config)
        """,
    "reducer": """
        def reducer(old, new):
            pause()
            return new
        Own = TypedDict("Own", {"log": Annotated[list, reducer]})
        graph = StateGraph(Own).add_node("n", quick).add_edge(START, "n").compile()
        work = lambda: graph.invoke({"log": []})
        """,
    "router": """
        def route(_):
            pause()
            return "__end__"
        builder = StateGraph(State).add_node("n", quick).add_edge(START, "n")
        graph = builder.add_conditional_edges("n", route).compile()
        work = lambda: graph.invoke({})
        """,
    "called": """
        slow = task(node, name="slow")
        flow = entrypoint()(lambda _: [each.result() for each in [slow({}) for _ in range(3)]])
        work = lambda: flow.invoke(1)
        """,
    "nested": "work = lambda: chain([fan_out([node, quick])]).invoke({})",
    "async": "work = lambda: asyncio.run(fan_out([anode] * 2).ainvoke({}))",
    "async, sync node": "work = lambda: asyncio.run(chain([node]).ainvoke({}))",
    "async, sync nodes": "work = lambda: asyncio.run(fan_out([node] * 2).ainvoke({}))",
    "async stream": """
        async def consume():
            async for _ in fan_out([node, anode]).astream({}):
                pause()
        work = lambda: asyncio.run(consume())
        """,
}
"""What a thread does again and again."""


def start(code: str) -> subprocess.Popen[str]:
    path = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def outcomes(*programs: str) -> list[tuple[int, str, str]]:
    """Run programs side by side; return how each ended and what it said."""
    running = [start(BEGIN + textwrap.dedent(program)) for program in programs]
    said = [one.communicate(timeout=60) for one in running]
    return [(one.returncode, *out) for one, out in zip(running, said, strict=True)]


GROUPS = {
    "nodes": ["node", "nodes", "nested", "called"],
    "streams": ["stream", "consumer", "async stream"],
    "callbacks": ["saver", "reducer", "router"],
    "async": ["async", "async, sync node", "async, sync nodes"],
}
"""Together in one process, since each process takes a while to begin."""


@pytest.mark.parametrize("group", GROUPS)
def test_the_process_ends_while_daemon_threads_are_in_runs(group: str) -> None:
    begin = """
        def start(work):
            warm = threading.Event()
            def again():
                while True:
                    work()
                    warm.set()
            threading.Thread(target=again, daemon=True).start()
            assert warm.wait(PATIENCE)
        """
    works = [textwrap.dedent(WORKS[what]) + "\nstart(work)\n" for what in GROUPS[group]]
    program = textwrap.dedent(begin) + "".join(works) + 'print("end", flush=True)'
    assert outcomes(*[program] * TRIES) == [(0, "end\n", "")] * TRIES


def test_a_thread_that_is_no_daemon_ends_its_run_first() -> None:
    program = """
        leaving = threading.Event()
        def waits(_):
            inside.set()
            leaving.wait(PATIENCE)
            return {"log": ["done"]}
        def work():
            sync = fan_out([waits, waits]).invoke({})["log"]
            print(sync, asyncio.run(fan_out([waits, anode]).ainvoke({}))["log"], flush=True)
        threading.Thread(target=work).start()
        assert inside.wait(PATIENCE)
        leaving.set()
        """
    assert outcomes(program) == [(0, "['done', 'done'] ['done', 1]\n", "")]


def test_sys_exit_in_a_node_while_another_runs() -> None:
    program = """
        def exits(_):
            sys.exit(3)
        fan_out([exits, node, node]).invoke({})
        """
    ((status, _, said),) = outcomes(program)
    assert (status, said) == (3, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform cannot fork")
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_child_forked_in_a_run_runs_graphs_of_its_own(is_async: bool) -> None:
    program = f"""
        import warnings
        warnings.simplefilter("ignore")
        is_async = {is_async}
        slow = task(node, name="slow")
        flow = entrypoint()(lambda _: len([each.result() for each in [slow({{}})] * 3]))
        def forks(_):
            child = os.fork()
            if child == 0:
                total = len(fan_out([Meeting(4)] * 4).invoke({{}})["log"])
                total += len(list(fan_out([Meeting(3)] * 3).stream({{}})))
                total += flow.invoke(1)
                os._exit(total)
            return {{"log": [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]}}
        fan_out([Meeting(4)] * 4).invoke({{}})
        for graph in (chain([forks]), fan_out([forks, node]), chain([fan_out([node, forks])])):
            run = asyncio.run(graph.ainvoke({{}})) if is_async else graph.invoke({{}})
            print(sorted(run["log"]), flush=True)
            fan_out([Meeting(4)] * 4).invoke({{}})
        """
    assert outcomes(program) == [(0, "[10]\n[1, 10]\n[1, 10]\n", "")]


def test_a_run_goes_on_in_a_thread_after_asyncio_has_ended(run_program: Any) -> None:
    """The loop is closed while a sync node of its run is still at work."""
    done = run_program(
        BEGIN
        + textwrap.dedent("""
        release, ended = threading.Event(), threading.Event()
        def stays(_):
            inside.set()
            release.wait(PATIENCE)
            ended.set()
            return {}
        async def main():
            run = asyncio.ensure_future(fan_out([stays, stays]).ainvoke({}))
            await asyncio.to_thread(inside.wait)
            run.cancel()
        asyncio.run(main())
        release.set()
        assert ended.wait(PATIENCE)
        fan_out([Meeting(3)] * 3).invoke({})
        """)
    )
    assert not done.stderr
