"""Agents of many kinds, and what they do, as text: run as a program, with `ours` or `theirs`.

Both sides are drop-in mode on this engine; `theirs` keeps the sibling distribution's
`langgraph.prebuilt`. So whatever differs is of this package's.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import langgraph_rust

SIDE = sys.argv[1] if __name__ == "__main__" else "ours"
if __name__ == "__main__":
    langgraph_rust.install(keep=["langgraph.prebuilt"] if SIDE == "theirs" else [])

from langchain_core.callbacks import BaseCallbackHandler  # noqa: E402
from langchain_core.language_models import BaseChatModel  # noqa: E402
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage  # noqa: E402
from langchain_core.outputs import ChatGeneration, ChatResult  # noqa: E402
from langchain_core.runnables import RunnableConfig, RunnableLambda  # noqa: E402
from langchain_core.tools import tool  # noqa: E402
from pydantic import BaseModel  # noqa: E402


class Answer(BaseModel):
    x: int


class Scripted(BaseChatModel):
    """Calls `keys` twice in one message, then `late` in one, then answers."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        named = [{"type": "function", "function": {"name": t.name}} for t in tools]
        return self.bind(tools=named)

    def with_structured_output(self, schema: Any, **kwargs: Any) -> Any:
        def answer(messages: Any) -> Any:
            return schema(x=len(messages))

        return RunnableLambda(answer, name="structured")

    def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> ChatResult:
        done = sum(m.type == "tool" for m in messages)
        calls = {0: [("keys", "a"), ("keys", "b")], 2: [("late", "c")]}.get(done, [])
        message = AIMessage(
            "".join(m.type[0] for m in messages),
            id=f"said-{done}",
            tool_calls=[{"name": name, "args": {"x": done}, "id": id} for name, id in calls],
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


@tool
def keys(x: int, config: RunnableConfig) -> str:
    """Tell what is in the config."""
    return f"{x} {sorted(config)} {sorted(config['metadata'])}"


@tool
def late(x: int) -> str:
    """Do little."""
    return str(x)


@tool("late")
async def alate(x: int) -> str:
    """Do little."""
    return str(x)


@tool("late", return_direct=True)
def last(x: int) -> str:
    """Have the last word."""
    return str(x)


def prompted(state: Any, config: RunnableConfig) -> Any:
    return [HumanMessage(str(sorted(state))), *state["messages"]]


async def aprompted(state: Any) -> Any:
    return state["messages"]


def chosen(state: Any, runtime: Any) -> Any:
    return Scripted().bind_tools([keys, late])


async def achosen(state: Any, runtime: Any) -> Any:
    return Scripted().bind_tools([keys, alate])


def hooked(state: Any) -> Any:
    return {"llm_input_messages": state["messages"][-3:]}


def passed(state: Any) -> Any:
    return {}


def messages_of(state: Any) -> Any:
    return state["messages"]


MESSAGES = RunnableLambda(messages_of, name="messages")


class Recorder(BaseCallbackHandler):
    """Notes what runs there are, of what, within what, and how they end."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self._names: dict[Any, Any] = {}

    def _start(self, kind: str, serialized: Any, given: Any, **kwargs: Any) -> None:
        run_id, parent = kwargs["run_id"], kwargs.get("parent_run_id")
        self._names[run_id] = name = kwargs.get("name") or (serialized or {}).get("name")
        tags, metadata = sorted(kwargs.get("tags") or ()), sorted(kwargs.get("metadata") or ())
        self.events.append(f"{kind} {name} in {self._names.get(parent)} {tags} {metadata} {given}")

    def _end(self, what: Any, *, run_id: Any, **kwargs: Any) -> None:
        ended = repr(what) if isinstance(what, Exception) else type(what).__name__
        self.events.append(f"end {self._names.get(run_id)} {ended}")

    def on_chain_start(self, serialized: Any, inputs: Any, **kwargs: Any) -> None:
        self._start("chain", serialized, type(inputs).__name__, **kwargs)

    def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self._start("model", serialized, [m.type for m in messages[0]], **kwargs)

    def on_tool_start(self, serialized: Any, input_str: str, **kwargs: Any) -> None:
        given = f"{input_str} {kwargs.get('inputs')} {kwargs.get('tool_call_id')}"
        self._start("tool", serialized, given, **kwargs)

    def on_chain_end(self, outputs: Any, **kwargs: Any) -> None:
        self._end(outputs, **kwargs)

    def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self._end(response, **kwargs)

    def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        self._end(output, **kwargs)

    def on_chain_error(self, error: BaseException, **kwargs: Any) -> None:
        self._end(error, **kwargs)

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self._end(error, **kwargs)

    def on_tool_error(self, error: BaseException, **kwargs: Any) -> None:
        self._end(error, **kwargs)


OWN = Recorder()
"""For models that have a handler whoever runs them."""


def said(message: Any) -> Any:
    return message


KINDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "text": {"prompt": "be brief"},
    "function": {"prompt": prompted},
    "runnable": {"prompt": MESSAGES},
    "sequence": {"prompt": MESSAGES | RunnableLambda(lambda messages: messages)},
    "chosen": {"model": chosen, "prompt": "be brief"},
    "before": {"pre_model_hook": hooked},
    "after": {"post_model_hook": passed},
    "answer": {"response_format": Answer},
    "answer after": {"response_format": Answer, "post_model_hook": passed},
    "answer of chosen": {"response_format": ("now", Answer), "model": chosen, "name": "me"},
    "direct": {"tools": [keys, last]},
    "no tools": {"tools": [], "response_format": Answer, "pre_model_hook": passed},
    "async": {"prompt": aprompted, "model": achosen},
    "handler of the model's": {"model": Scripted(callbacks=[OWN])},
    "handler bound to the model": {
        "model": Scripted().bind_tools([keys, late]).with_config(callbacks=[OWN])
    },
    "model in a sequence": {"model": Scripted().bind_tools([keys, late]) | said},
    "cannot be": {"prompt": 1},
    "no runnable": {"model": lambda state, runtime: 1},
}


def shown(value: Any) -> Any:
    """Messages as what they say, everything else as it prints, without random ids."""
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [shown(item) for item in value]
    if isinstance(value, BaseMessage):
        calls, answers = getattr(value, "tool_calls", None), getattr(value, "tool_call_id", None)
        return [value.type, value.content, value.name, calls, answers]
    return re.sub(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", "ID", repr(value))


def runs(kind: str, options: dict[str, Any]) -> Iterator[Any]:
    from langgraph.prebuilt import create_react_agent

    def agent(**more: Any) -> Any:
        return create_react_agent(**{"model": Scripted(), "tools": [keys, late], **more, **options})

    def results(graph: Any, config: Any) -> Iterator[Any]:
        given = {"messages": [HumanMessage("hi", id="h")]}
        config = {**config, "max_concurrency": 1}

        async def chunks() -> Any:
            return [chunk async for chunk in graph.astream(given, config, stream_mode="updates")]

        async def events() -> Any:
            seen = [event async for event in graph.astream_events(given, config, version="v2")]
            # Sorted, since in async runs tools run side by side, and which is first is chance.
            return sorted((event["event"], event["name"], event["tags"]) for event in seen)

        for run in (
            lambda: graph.invoke(given, config),
            lambda: list(graph.stream(given, config, stream_mode=["updates", "tasks"])),
            lambda: asyncio.run(graph.ainvoke(given, config)),
            lambda: asyncio.run(chunks()),
            lambda: list(graph.stream(given, config, stream_mode="messages")),
            lambda: asyncio.run(events()),
        ):
            try:
                yield run()
            except Exception as error:
                yield error

    try:
        graph = agent()
    except Exception as error:
        yield error
        return
    yield graph.get_graph().to_json()
    yield graph.get_input_jsonschema(), graph.get_output_jsonschema()
    # With a hook after the model, the first version calls tools past it, which fails.
    for version in ("v1", "v2"):
        yield from results(agent(version=version), {})
        recorder = Recorder()
        yield from results(agent(version=version), {"callbacks": [recorder]})
        yield sorted(recorder.events)
    yield from results(agent(), {"recursion_limit": 3})
    yield sorted(OWN.events)
    OWN.events.clear()


def main() -> None:
    import langgraph.prebuilt

    assert langgraph.prebuilt.__name__.startswith("langgraph_rust") == (SIDE == "ours")
    warnings.simplefilter("ignore")
    for kind, options in KINDS.items():
        for result in runs(kind, options):
            print(kind, json.dumps(shown(result)))


if __name__ == "__main__":
    main()
