"""The public value types: commands, sends, interrupts, policies, snapshots."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_type_hints

import pytest

from langgraph_rust import types
from langgraph_rust._internal._config import run_in_config_context
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
    RESUME,
)
from langgraph_rust._internal._scratchpad import PregelScratchpad
from langgraph_rust.checkpoint.base import BaseCheckpointSaver
from langgraph_rust.errors import GraphInterrupt, is_invalid_resume
from langgraph_rust.types import (
    CachePolicy,
    Command,
    GraphOutput,
    Interrupt,
    Overwrite,
    RetryPolicy,
    Send,
    TimeoutPolicy,
    ensure_valid_checkpointer,
    interrupt,
)
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10, LangGraphDeprecatedSinceV11


class TestCommand:
    def test_repr_shows_only_what_is_set(self) -> None:
        assert repr(Command()) == "Command()"
        assert repr(Command(goto="a", update={"x": 1})) == "Command(update={'x': 1}, goto='a')"

    def test_is_a_tool_output_to_langchain(self) -> None:
        before = Command(goto="a")
        from langchain_core.messages.tool import ToolOutputMixin

        assert isinstance(before, ToolOutputMixin)
        assert isinstance(Command(), ToolOutputMixin)

    def test_survives_pickling(self) -> None:
        command = Command(goto=[Send("a", 1)], update={"x": 1})
        assert pickle.loads(pickle.dumps(command)) == command

    @pytest.mark.parametrize(
        ("update", "pairs"),
        [
            (None, []),
            ({"a": 1, "b": 2}, [("a", 1), ("b", 2)]),
            ([("a", 1), ("a", 2)], [("a", 1), ("a", 2)]),
            ("text", [("__root__", "text")]),
            ([1], [("__root__", [1])]),
        ],
    )
    def test_update_as_pairs(self, update: Any, pairs: list[tuple[str, Any]]) -> None:
        assert Command(update=update)._update_as_tuples() == pairs

    def test_update_by_an_object_with_annotated_fields(self) -> None:
        @dataclass
        class State:
            a: int
            b: int | None = None

        assert Command(update=State(1))._update_as_tuples() == [("a", 1), ("b", None)]


class TestSend:
    def test_equality_and_hash_regard_all_fields(self) -> None:
        assert Send("a", 1) == Send("a", 1) != Send("a", 1, timeout=2)
        assert len({Send("a", 1), Send("a", 1), Send("b", 1)}) == 2

    def test_repr_shows_a_timeout_only_if_there_is_one(self) -> None:
        assert repr(Send("a", 1)) == "Send(node='a', arg=1)"
        assert "timeout=TimeoutPolicy(run_timeout=2.0" in repr(Send("a", 1, timeout=2))


class TestTimeoutPolicy:
    def test_numbers_and_timedeltas_limit_the_attempt(self) -> None:
        assert TimeoutPolicy.coerce(2) == TimeoutPolicy(run_timeout=2.0)
        assert TimeoutPolicy.coerce(timedelta(minutes=1)) == TimeoutPolicy(run_timeout=60.0)

    def test_no_limit_is_no_policy(self) -> None:
        assert TimeoutPolicy.coerce(None) is None
        assert TimeoutPolicy.coerce(TimeoutPolicy()) is None

    def test_a_finished_policy_is_not_copied(self) -> None:
        policy = TimeoutPolicy(run_timeout=1.0, idle_timeout=0.5)
        assert TimeoutPolicy.coerce(policy) is policy

    @pytest.mark.parametrize("seconds", [0, -1, timedelta(0)])
    def test_limits_must_be_positive(self, seconds: Any) -> None:
        with pytest.raises(ValueError, match="idle_timeout must be greater than 0"):
            TimeoutPolicy.coerce(TimeoutPolicy(idle_timeout=seconds))

    def test_refresh_on_is_checked(self) -> None:
        with pytest.raises(ValueError, match="refresh_on must be"):
            TimeoutPolicy.coerce(TimeoutPolicy(run_timeout=1, refresh_on="x"))  # type: ignore[arg-type]


class TestInterrupt:
    def test_id_is_the_hash_of_the_namespace(self) -> None:
        made = Interrupt.from_ns("v", "a:b|c:d")
        assert made.id == Interrupt("v", ns=["a:b", "c:d"]).id  # type: ignore[call-arg]
        assert len(made.id) == 32

    def test_an_explicit_id_wins_over_the_old_argument(self) -> None:
        assert Interrupt("v", "mine", ns=["a"]).id == "mine"  # type: ignore[call-arg]

    def test_the_old_property_warns(self) -> None:
        with pytest.warns(LangGraphDeprecatedSinceV10, match="`interrupt_id` is deprecated"):
            assert Interrupt("v", "i").interrupt_id == "i"


def test_graph_output_reads_like_a_dict_with_a_warning() -> None:
    asked = (Interrupt("q", "i"),)
    output = GraphOutput({"a": 1}, asked)
    with pytest.warns(LangGraphDeprecatedSinceV11, match=r"`result\[key\]`"):
        assert (output["a"], output["__interrupt__"]) == (1, asked)
    with pytest.warns(LangGraphDeprecatedSinceV11, match="`key in result`"):
        assert "a" in output and "__interrupt__" in output and "b" not in output
    with pytest.warns(LangGraphDeprecatedSinceV11), pytest.raises(KeyError):
        GraphOutput(1)["a"]


def test_defaults_of_policies() -> None:
    assert RetryPolicy()[:5] == (0.5, 2.0, 128.0, 3, True)
    assert CachePolicy().ttl is None
    assert Overwrite([1]).type == "__overwrite__"


def test_checkpointer_argument_is_checked() -> None:
    saver = BaseCheckpointSaver()
    assert [ensure_valid_checkpointer(c) for c in (None, True, False, saver)] == [
        None,
        True,
        False,
        saver,
    ]
    with pytest.raises(TypeError, match="Received str"):
        ensure_valid_checkpointer("memory")  # type: ignore[arg-type]


def test_annotations_resolve_to_langchain_types_once_loaded() -> None:
    from langchain_core.runnables import RunnableConfig

    assert get_type_hints(types.CheckpointPayload)["config"] == RunnableConfig | None


class _Task:
    """A task that calls `interrupt()`, and the writes it makes."""

    def __init__(self, *answers: Any, null_resume: Any = None) -> None:
        self.writes: list[Any] = []
        self.null_resume = null_resume
        self.answers = list(answers)
        self.config: Any = {
            CONF: {
                CONFIG_KEY_SCRATCHPAD: PregelScratchpad(
                    step=0,
                    stop=1,
                    call_counter=lambda: 0,
                    interrupt_counter=iter(range(9)).__next__,
                    get_null_resume=self._take_null_resume,
                    resume=self.answers,
                    subgraph_counter=lambda: 0,
                ),
                CONFIG_KEY_SEND: self.writes.extend,
                CONFIG_KEY_CHECKPOINT_NS: "node:1",
            }
        }

    def _take_null_resume(self, consume: bool) -> Any:
        taken, self.null_resume = self.null_resume, None
        return taken

    def run(self, *questions: Any, **kwargs: Any) -> list[Any]:
        def node() -> list[Any]:
            return [interrupt(question, **kwargs) for question in questions]

        return run_in_config_context(self.config, node)


class TestInterruptCall:
    def test_asks_when_there_is_no_answer(self) -> None:
        with pytest.raises(GraphInterrupt) as raised:
            _Task().run("name?")
        assert raised.value.args == ((Interrupt.from_ns("name?", "node:1"),),)

    def test_answers_are_matched_by_order_and_written(self) -> None:
        task = _Task("a", "b")
        assert task.run("1?", "2?") == ["a", "b"]
        assert task.writes == [(RESUME, ["a"]), (RESUME, ["a", "b"])]

    def test_an_unaddressed_answer_goes_to_the_first_open_question(self) -> None:
        task = _Task("a", null_resume="b")
        assert task.run("1?", "2?") == ["a", "b"]
        assert task.answers == ["a", "b"]

    def test_each_question_of_a_task_has_its_own_id(self) -> None:
        with pytest.raises(GraphInterrupt) as raised:
            _Task("a").run("1?", "2?")
        ((question,),) = raised.value.args
        assert question.value == "2?" and question.id != Interrupt.from_ns("", "node:1").id

    def test_a_type_validates_the_answer(self) -> None:
        assert _Task("3").run("how many?", response_schema=int) == [3]

    def test_an_invalid_answer_is_marked_and_not_stored(self) -> None:
        task = _Task(null_resume="many")
        with pytest.raises(ValueError) as raised:
            task.run("how many?", response_schema=int)
        assert is_invalid_resume(raised.value)
        assert (task.answers, task.writes) == ([], [])

    def test_the_caller_gets_a_json_schema(self) -> None:
        with pytest.raises(GraphInterrupt) as raised:
            _Task().run("how many?", response_schema=int)
        assert raised.value.args[0][0].response_schema == {"type": "integer"}

    def test_outside_of_a_node(self) -> None:
        with pytest.raises(RuntimeError, match="outside of a runnable context"):
            interrupt("anyone?")
