"""Worker threads: when there are any, how many, and how a process with them ends."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from _driver_graphs import PATIENCE, Meeting, State, chain, fan_out

from langgraph_rust.func import entrypoint, task
from langgraph_rust.pregel import Pregel

RunProgram = Callable[..., Any]

WAYS = {
    "invoke": "lambda: graph.invoke({})",
    "stream": "lambda: list(graph.stream({}))",
}
"""Ways for a program to run its graph."""


def log_thread(_: State) -> State:
    return {"log": [threading.get_ident()]}


def workers() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name == "langgraph-worker"}


class TestConcurrency:
    @pytest.mark.parametrize("run", [Pregel.invoke, lambda *a: list(Pregel.stream(*a))])
    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_max_concurrency_is_reached_and_not_exceeded(self, run: Any, limit: int) -> None:
        meeting = Meeting(limit)
        run(fan_out([meeting] * 6), {}, {"max_concurrency": limit})
        assert meeting.most == limit

    @pytest.mark.parametrize("amount", [0, 2000], ids=["trivial", "small"])
    def test_tasks_that_compute_stay_with_the_callers_thread(self, amount: int) -> None:
        def compute(state: State) -> State:
            sum(range(amount))
            return log_thread(state)

        graph = fan_out([compute] * 24)
        own = [threading.get_ident()] * 24
        fan_out([Meeting(12)] * 12).invoke({})
        for _ in range(20):
            graph.invoke({})
        # A worker that comes to work gets to it only when the interpreter lets it.
        interval = sys.getswitchinterval()
        sys.setswitchinterval(PATIENCE)
        try:
            stayed = sum(graph.invoke({})["log"] == own for _ in range(20))
        finally:
            sys.setswitchinterval(interval)
        # One may join while the machine is busy with something else; joining is not the rule.
        assert stayed >= 15

    @pytest.mark.parametrize("wait", [0.001, 0.01])
    def test_tasks_that_wait_get_a_thread_each(self, wait: float) -> None:
        def sleep(state: State) -> State:
            time.sleep(wait)
            return log_thread(state)

        graph = fan_out([sleep] * 24)
        assert max(len(set(graph.invoke({})["log"])) for _ in range(5)) >= 12

    def test_many_more_tasks_than_threads(self) -> None:
        meeting = Meeting(32)
        assert len(fan_out([meeting] * 96).invoke({})["log"]) == 96
        assert meeting.most == 32

    def test_workers_are_used_again(self) -> None:
        graph = fan_out([Meeting(4)] * 4)
        graph.invoke({})
        for _ in range(200):
            graph.invoke({})
        before = workers()
        for _ in range(200):
            graph.invoke({})
        # A new one is made only when the others are not back from the last run yet.
        assert before <= workers()
        assert len(workers() - before) < 20


class TestNesting:
    def nested(self, depth: int, width: int) -> Pregel:
        inner = self.nested(depth - 1, width) if depth else None

        def node(_: State) -> State:
            return {"log": ["leaf"] if inner is None else inner.invoke({})["log"]}

        return fan_out([node] * width)

    @pytest.mark.parametrize("limit", [None, 1, 2])
    def test_deep_runs_within_fan_outs(self, limit: int | None) -> None:
        config = {} if limit is None else {"max_concurrency": limit}
        assert len(self.nested(4, 3).invoke({}, config)["log"]) == 3**5

    def test_wide_runs_within_fan_outs_that_all_wait(self) -> None:
        """All of 40 nodes hold their threads while each waits for a fan-out of its own."""

        def node(_: State) -> State:
            return fan_out([Meeting(3)] * 3).invoke({})

        assert len(fan_out([node] * 40).invoke({})["log"]) == 120

    def test_subgraphs_as_nodes(self) -> None:
        inner = fan_out([Meeting(3)] * 3)
        assert len(fan_out([inner] * 10).invoke({})["log"]) == 30

    @pytest.mark.parametrize("limit", [None, 1, 9])
    def test_called_tasks_that_call_tasks(self, limit: int | None) -> None:
        """Who waits for the tasks that it called has left its place to them."""
        meeting = Meeting(limit or 9)

        @task
        def leaf(number: int) -> int:
            meeting({})
            return number

        @task
        def twig(number: int) -> int:
            return sum(future.result() for future in [leaf(number) for _ in range(3)])

        @entrypoint()
        def tree(number: int) -> int:
            return sum(future.result() for future in [twig(number) for _ in range(3)])

        assert tree.invoke(2, {} if limit is None else {"max_concurrency": limit}) == 18
        assert meeting.most == (limit or 9)

    def test_async_runs_within_sync_fan_outs(self) -> None:
        async def inner(_: State) -> State:
            await asyncio.sleep(0)
            return {"log": ["inner"]}

        inner_graph = fan_out([inner] * 3)

        def node(_: State) -> State:
            return asyncio.run(inner_graph.ainvoke({}))

        assert len(fan_out([node] * 5).invoke({})["log"]) == 15


class TestProcess:
    """Each runs in a process of its own."""

    BEGIN = """
        import os, signal, sys, threading, time
        from _driver_graphs import Meeting, PATIENCE, chain, fan_out
        fan_out([Meeting(4)] * 4).invoke({})
    """

    def test_it_ends_with_idle_workers(self, run_program: RunProgram) -> None:
        done = run_program(self.BEGIN + "    print('end')")
        assert done.stdout == "end\n" and not done.stderr

    @pytest.mark.parametrize("way", WAYS)
    def test_it_ends_with_busy_workers(self, run_program: RunProgram, way: str) -> None:
        """The main thread ends while a daemon thread drives a run; its nodes are waited for."""
        program = f"""
        started = threading.Barrier(3)
        def node(_):
            started.wait()
            time.sleep(0.2)
            return {{}}
        graph = fan_out([node] * 2)
        run = {WAYS[way]}
        threading.Thread(target=run, daemon=True).start()
        started.wait()
        print("end")
        """
        done = run_program(self.BEGIN + program)
        assert done.stdout == "end\n" and not done.stderr

    def test_it_ends_when_an_async_run_left_a_sync_node_behind(
        self, run_program: RunProgram
    ) -> None:
        program = """
        import asyncio
        started, release = threading.Event(), threading.Event()
        def node(_):
            started.set()
            release.wait(PATIENCE)
            return {}
        async def main():
            run = asyncio.create_task(chain([node]).ainvoke({}))
            await asyncio.to_thread(started.wait)
            run.cancel()
            try:
                await run
            except asyncio.CancelledError:
                print("cancelled")
        asyncio.run(main())
        release.set()
        """
        done = run_program(self.BEGIN + program)
        assert done.stdout == "cancelled\n" and not done.stderr

    @pytest.mark.parametrize("way", WAYS)
    def test_it_ends_with_a_daemon_thread_inside_a_node(
        self, run_program: RunProgram, way: str
    ) -> None:
        """The thread wants the interpreter back while that is being torn down."""
        program = f"""
        class Slow:
            def __del__(self, sleep=time.sleep):
                sleep(0.2)
        slow, started = Slow(), threading.Event()
        def node(_, *, sleep=time.sleep):
            started.set()
            while True:
                sleep(0.001)
        graph = chain([node])
        run = {WAYS[way]}
        threading.Thread(target=run, daemon=True).start()
        started.wait()
        """
        run_program(self.BEGIN + program)

    @pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be blocked")
    def test_a_signal_that_is_blocked_goes_to_no_idle_worker(self, run_program: RunProgram) -> None:
        program = """
        import os, signal
        fan_out([lambda _: time.sleep(0.05) or {"log": [1]}] * 3).invoke({})
        assert len(threading.enumerate()) > 1
        time.sleep(0.5)  # until they are idle: other programs may have the processors
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
        print(signal.sigpending())
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        """
        done = run_program(self.BEGIN + program)
        assert "SIGTERM" in done.stdout

    def test_a_run_at_exit(self, run_program: RunProgram) -> None:
        """Code that runs at exit can still run a graph, though no worker helps any more."""
        program = """
        import atexit
        atexit.register(lambda: print(fan_out([lambda _: {"log": [1]}] * 3).invoke({})["log"]))
        """
        done = run_program(self.BEGIN + program)
        assert done.stdout == "[1, 1, 1]\n" and not done.stderr

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform cannot fork")
    def test_a_forked_child_has_workers_of_its_own(self, run_program: RunProgram) -> None:
        program = """
        for _ in range(5):
            child = os.fork()
            if child == 0:
                fan_out([Meeting(4)] * 4).invoke({})
                sys.exit(7)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            fan_out([Meeting(4)] * 4).invoke({})
        """
        assert not run_program(self.BEGIN + program).stderr

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform cannot fork")
    def test_a_fork_inside_a_run(self, run_program: RunProgram) -> None:
        """A child forked by a node of a fan-out, while other workers work."""
        program = """
        inside = threading.Barrier(3, timeout=PATIENCE)
        def forks(_):
            inside.wait()
            child = os.fork()
            if child == 0:
                os._exit(len(fan_out([Meeting(4)] * 4).invoke({})["log"]))
            inside.wait()
            return {"log": [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]}
        def waits(_):
            inside.wait()
            inside.wait()
            return {}
        print(fan_out([forks, waits, waits]).invoke({})["log"])
        """
        done = run_program(self.BEGIN + program)
        assert done.stdout == "[4]\n" and not done.stderr

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform cannot fork")
    def test_multiprocessing_by_fork(self, run_program: RunProgram) -> None:
        program = """
        import multiprocessing
        def work(_):
            return len(fan_out([Meeting(3)] * 3).invoke({})["log"])
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map(work, range(6)))
        """
        done = run_program(self.BEGIN + program)
        assert done.stdout == "[3, 3, 3, 3, 3, 3]\n" and not done.stderr

    def test_ctrl_c_while_the_caller_waits(self, run_program: RunProgram) -> None:
        """It comes out while a node still runs: nobody knows how long that will take."""
        program = """
        caught, in_time = threading.Event(), []
        def interrupts(_):
            os.kill(os.getpid(), signal.SIGINT)
            return {}
        def works(_):
            in_time.append(caught.wait(PATIENCE))
            ended.wait()
            return {}
        ended = threading.Barrier(3, timeout=PATIENCE)
        graph = fan_out([works, interrupts, works])
        try:
            list(graph.stream({}))
        except KeyboardInterrupt:
            caught.set()
            ended.wait()
        print(in_time)
        fan_out([Meeting(4)] * 4).invoke({})
        """
        done = run_program(self.BEGIN + program)
        assert done.stdout == "[True, True]\n" and not done.stderr

    def test_ctrl_c_during_a_fan_out_that_the_main_thread_takes_part_in(
        self, run_program: RunProgram
    ) -> None:
        program = """
        def interrupts(_):
            os.kill(os.getpid(), signal.SIGINT)
            return {}
        try:
            fan_out([interrupts] + [lambda _: {}] * 3).invoke({})
        except KeyboardInterrupt:
            print("interrupted")
        """
        done = run_program(self.BEGIN + program)
        assert done.stdout == "interrupted\n" and not done.stderr

    def test_a_signal_is_heard_while_workers_wake_up(self, run_program: RunProgram) -> None:
        """Not by them: one that waits for a processor would keep it from the main thread."""
        program = """
        missed = []
        def interrupts(_):
            os.kill(os.getpid(), signal.SIGINT)
            missed.append(threading.get_ident() == threading.main_thread().ident)
            return {}
        graph = fan_out([interrupts] + [lambda _: {}] * 3)
        for _ in range(2000):
            try:
                graph.invoke({})
                time.sleep(0.01)
            except KeyboardInterrupt:
                pass
        print(sum(missed))
        """
        done = run_program(self.BEGIN + program)
        assert done.stdout == "0\n" and not done.stderr

    def test_ctrl_c_during_a_node_on_the_main_thread(self, run_program: RunProgram) -> None:
        program = """
        def interrupts(_):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(PATIENCE)
        try:
            chain([interrupts]).invoke({})
        except KeyboardInterrupt:
            print("interrupted")
        """
        done = run_program(self.BEGIN + program)
        assert done.stdout == "interrupted\n" and not done.stderr


def test_runs_from_many_threads_at_once() -> None:
    graph, results = fan_out([Meeting(2)] * 2), []
    own = [fan_out([Meeting(3)] * 3) for _ in range(20)]

    def run(position: int) -> None:
        results.append(len(own[position].invoke({})["log"]))

    threads = [threading.Thread(target=run, args=(position,)) for position in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(PATIENCE)
    assert results == [3] * 20
    assert len(graph.invoke({})["log"]) == 2
    assert chain([log_thread]).invoke({})["log"] == [threading.get_ident()]
