"""langchain's agents on the graph: `create_agent`, its middleware, and a supervisor of three."""

from __future__ import annotations

import asyncio
from typing import Any

from benches.compare.cases.base import Case, Mode, Run
from benches.compare.cases.byhand import Functions, Prepared, agent_loop
from benches.compare.cases.scripted import question, scripted_model, two_calls, two_tools
from benches.compare.sides import ACCELERATED, LANGCHAIN_CORE

AGENTS = 200
"""How many run at the same time."""

TEAM = ("reader", "counter", "writer")


def agent_cases() -> list[Case]:
    """One agent, one with middleware, three with a supervisor, and many at once."""
    return [Agent(), MiddlewareAgent(), Supervisor(), ManyAgents()]


class Agent(Case):
    """A model that calls one tool, then another, and then answers."""

    name = "create_agent"
    steps = 1
    unit = "turn"
    beside = "langchain"

    def graph(self, mode: Mode) -> Run:
        from langchain.agents import create_agent

        tools, middleware = two_tools(), self._middleware()
        graph = create_agent(scripted_model(two_calls()), tools, middleware=middleware)
        return _said_by(self.invoke_run(graph, {"messages": question()}, mode), mode)

    def floor(self, mode: Mode) -> Run:
        return self._by_hand(Functions(scripted_model(two_calls()), two_tools()), mode)

    def others(self, mode: Mode) -> tuple[str, ...]:
        return (ACCELERATED, LANGCHAIN_CORE)

    def other(self, side: str, mode: Mode) -> Run:
        return self._by_hand(Prepared(scripted_model(two_calls()), two_tools()), mode)

    def _by_hand(self, calls: Functions | Prepared, mode: Mode) -> Run:
        return agent_loop(calls, question, mode)

    def _middleware(self) -> list[Any]:
        return []


class MiddlewareAgent(Agent):
    """The same with three middleware: before and after the model, around it, around the tools."""

    name = "create_agent_3_middleware"

    def _middleware(self) -> list[Any]:
        from langchain.agents.middleware import AgentMiddleware

        class Beside(AgentMiddleware):
            """Looks at the state before and after each call of the model."""

            seen = 0

            def before_model(self, state: Any, runtime: Any) -> None:
                self.seen += len(state["messages"])

            def after_model(self, state: Any, runtime: Any) -> None:
                self.seen += len(state["messages"])

            async def abefore_model(self, state: Any, runtime: Any) -> None:
                self.before_model(state, runtime)

            async def aafter_model(self, state: Any, runtime: Any) -> None:
                self.after_model(state, runtime)

        class AroundModel(AgentMiddleware):
            """Calls the model."""

            def wrap_model_call(self, request: Any, handler: Any) -> Any:
                return handler(request)

            async def awrap_model_call(self, request: Any, handler: Any) -> Any:
                return await handler(request)

        class AroundTools(AgentMiddleware):
            """Calls the tools."""

            def wrap_tool_call(self, request: Any, handler: Any) -> Any:
                return handler(request)

            async def awrap_tool_call(self, request: Any, handler: Any) -> Any:
                return await handler(request)

        return [Beside(), AroundModel(), AroundTools()]


class Supervisor(Agent):
    """A supervisor that asks each of three agents once; these answer without tools."""

    name = "supervisor_3_agents"

    def graph(self, mode: Mode) -> Run:
        from langchain.agents import create_agent
        from langgraph.graph import START, MessagesState, StateGraph
        from langgraph.types import Command

        model = scripted_model(_orders())

        def decided(reply: Any) -> Any:
            goto = reply.content if reply.content in TEAM else "__end__"
            return Command(goto=goto, update={"messages": [reply]})

        def supervise(state: Any) -> Any:
            return decided(model.invoke(_asked(state["messages"])))

        async def asupervise(state: Any) -> Any:
            return decided(await model.ainvoke(_asked(state["messages"])))

        builder = StateGraph(MessagesState)
        node: Any = supervise if mode == "sync" else asupervise
        builder.add_node("supervisor", node, destinations=(*TEAM, "__end__"))
        builder.add_edge(START, "supervisor")
        for name in TEAM:
            builder.add_node(name, create_agent(scripted_model(_answer(name)), [], name=name))
            builder.add_edge(name, "supervisor")
        return _said_by(self.invoke_run(builder.compile(), {"messages": question()}, mode), mode)

    def floor(self, mode: Mode) -> Run:
        return self._team(Functions, mode)

    def other(self, side: str, mode: Mode) -> Run:
        return self._team(Prepared, mode)

    def _team(self, calls: Any, mode: Mode) -> Run:
        supervisor = calls(scripted_model(_orders()), ())
        agents = {name: calls(scripted_model(_answer(name)), ()) for name in TEAM}

        def run() -> dict[str, Any]:
            messages = question()
            while True:
                reply = supervisor.ask(_asked(messages))
                messages = [*messages, reply]
                if reply.content not in TEAM:
                    return {"messages": messages}
                messages = [*messages, agents[reply.content].ask(messages)]

        async def arun() -> dict[str, Any]:
            messages = question()
            while True:
                reply = await supervisor.aask(_asked(messages))
                messages = [*messages, reply]
                if reply.content not in TEAM:
                    return {"messages": messages}
                messages = [*messages, await agents[reply.content].aask(messages)]

        return run if mode == "sync" else arun


class ManyAgents(Agent):
    """Many runs of one agent on one event loop."""

    name = f"concurrent_agents_{AGENTS}"
    modes = ("async",)
    steps = AGENTS

    def graph(self, mode: Mode) -> Run:
        return _all(super().graph(mode))

    def _by_hand(self, calls: Functions | Prepared, mode: Mode) -> Run:
        return _all(super()._by_hand(calls, mode))


def _orders() -> list[Any]:
    from langchain_core.messages import AIMessage

    return [*(AIMessage(name) for name in TEAM), AIMessage("That is all.")]


def _answer(name: str) -> list[Any]:
    from langchain_core.messages import AIMessage

    return [AIMessage(f"What the {name} knows. " * 10, name=name)]


def _asked(messages: list[Any]) -> list[Any]:
    """What the supervisor is shown: the question, and its own orders."""
    return [message for message in messages if not message.name]


def _said_by(run: Any, mode: Mode) -> Run:
    """The contents of the messages, which do not depend on random ids."""

    def said(result: Any) -> dict[str, Any]:
        return {"said": [message.content for message in result["messages"]]}

    async def arun() -> Any:
        return said(await run())

    return (lambda: said(run())) if mode == "sync" else arun


def _all(run: Any) -> Run:
    async def arun() -> Any:
        return (await asyncio.gather(*(run() for _ in range(AGENTS))))[-1]

    return arun
