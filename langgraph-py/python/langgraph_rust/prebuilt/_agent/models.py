"""The model of an agent: its tools, its prompt, and the schema of its last answer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import SystemMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableSequence

from langgraph_rust._internal._lazy.listening import is_cores, needs_callbacks
from langgraph_rust._internal._runnable import RunnableCallable
from langgraph_rust.prebuilt._agent.states import StateSchema, _get_state_value
from langgraph_rust.prebuilt._calls import acall_model, as_step, call_model, in_context

if TYPE_CHECKING:
    from langchain_core.language_models import LanguageModelLike
    from langchain_core.runnables import RunnableConfig
    from langchain_core.tools import BaseTool

PROMPT_RUNNABLE_NAME = "Prompt"

Prompt = (
    SystemMessage
    | str
    | Callable[[StateSchema], LanguageModelInput]
    | Runnable[StateSchema, LanguageModelInput]
)
"""What makes the input of the model of a state: a text or message that comes first, or a function
or runnable from the state to that input."""


def _get_prompt_runnable(prompt: Any) -> Runnable[Any, Any]:
    """Return a prompt as a runnable.

    Raises:
        ValueError: It is none of the things that a prompt can be.
    """
    if _is_plain(prompt):
        return RunnableCallable(_plain_messages(prompt), name=PROMPT_RUNNABLE_NAME)
    if inspect.iscoroutinefunction(prompt):
        return RunnableCallable(None, prompt, name=PROMPT_RUNNABLE_NAME)
    if callable(prompt):
        return RunnableCallable(prompt, name=PROMPT_RUNNABLE_NAME)
    if isinstance(prompt, Runnable):
        return prompt
    raise ValueError(f"Got unexpected type for `prompt`: {type(prompt)}")


def _is_plain(prompt: Any) -> bool:
    """Whether a prompt is no code of the user's."""
    return prompt is None or isinstance(prompt, str | SystemMessage)


def _plain_messages(prompt: Any) -> Callable[[Any], Any]:
    """Return a function from a state to the messages for the model."""
    if prompt is None:
        return lambda state: _get_state_value(state, "messages")
    first = [SystemMessage(content=prompt) if isinstance(prompt, str) else prompt]
    return lambda state: first + _get_state_value(state, "messages")


class Prompter:
    """A prompt, made ready once, to be put before models.

    When nobody listens, prompt and model are called one after the other. Otherwise they are run as
    the sequence that they are to langchain-core, whose runs listeners expect.

    Raises:
        ValueError: The prompt is none of the things that a prompt can be.
    """

    def __init__(self, prompt: Any) -> None:
        self.runnable = _get_prompt_runnable(prompt)
        self.is_put_before_as_usual = type(self.runnable).__or__ in _USUAL_ORS
        plain = self.runnable.func if isinstance(self.runnable, RunnableCallable) else None
        self._plain = plain if _is_plain(prompt) else None

    def messages(self, state: Any, config: RunnableConfig) -> Any:
        """Return the input of the model for a state."""
        if self._plain is not None:
            return self._plain(state)
        return self.runnable.invoke(state, config)

    async def amessages(self, state: Any, config: RunnableConfig) -> Any:
        """Do what `messages` does, on an event loop."""
        if self._plain is not None:
            return self._plain(state)
        return await self.runnable.ainvoke(state, config)


class Prompted:
    """A model with a prompt before it.

    Args:
        prompter: The prompt.
        model: The model; anything that langchain-core makes a runnable of.
    """

    def __init__(self, prompter: Prompter, model: Any) -> None:
        self._prompter = prompter
        self._model = model
        self._is_usual = prompter.is_put_before_as_usual and isinstance(model, Runnable)

    @cached_property
    def sequence(self) -> Any:
        """Both as one runnable.

        Raises:
            TypeError: The model is nothing that can be run.
        """
        return self._prompter.runnable | self._model

    def ask(self, state: Any, config: RunnableConfig) -> Any:
        """Return what the model says to a state."""
        if not self._goes_unseen("invoke", config):
            return self.sequence.invoke(state, config)
        config, context = as_step(config)
        messages = context.run(self._prompter.messages, state, config)
        return context.run(call_model, self._model, messages, config)

    async def aask(self, state: Any, config: RunnableConfig) -> Any:
        """Do what `ask` does, on an event loop."""
        if not self._goes_unseen("ainvoke", config):
            return await self.sequence.ainvoke(state, config)
        config, context = as_step(config)
        messages = await in_context(context, self._prompter.amessages, state, config)
        return await in_context(context, acall_model, self._model, messages, config)

    def _goes_unseen(self, name: str, config: RunnableConfig) -> bool:
        """Whether nobody would notice that the sequence's steps are called and it is not."""
        return (
            self._is_usual
            and _runs_as_defined(name)
            and not needs_callbacks(config)
            and not _has_listeners(self._model)
        )


_USUAL_ORS = (Runnable.__or__, RunnableSequence.__or__)
"""What makes a sequence of a prompt and a model, unless somebody overrides it."""

_seen: dict[str, tuple[Any, bool]] = {}


def _runs_as_defined(name: str) -> bool:
    """Whether sequences run as langchain-core defines it, whoever came first."""
    run = getattr(RunnableSequence, name)
    seen, is_own = _seen.get(name, (None, False))
    # By identity: what wraps a function may say that it is equal to it.
    if seen is not run:
        is_own = is_cores(run)
        _seen[name] = run, is_own
    return is_own


def _has_listeners(model: Any) -> bool:
    """Whether a model has handlers of its own: they are told of what is around it."""
    while isinstance(model, RunnableBinding):
        if model.config.get("callbacks") or model.config_factories:
            return True
        model = model.bound
    # Of anything but a chat model nobody knows.
    return not isinstance(model, BaseChatModel) or bool(model.callbacks or model.verbose)


def _should_bind_tools(
    model: LanguageModelLike, tools: Sequence[BaseTool], num_builtin: int = 0
) -> bool:
    """Whether a model has no tools yet.

    Args:
        model: The model, maybe bound to something or in a sequence.
        tools: The tools that it is to have.
        num_builtin: How many more it has that are the provider's.

    Raises:
        ValueError: It has other tools.
    """
    model = _model_in(model)
    if not isinstance(model, RunnableBinding) or "tools" not in model.kwargs:
        return True
    bound = model.kwargs["tools"]
    expected = len(bound) - num_builtin
    if len(tools) != expected:
        raise ValueError(
            "Number of tools in the model.bind_tools() and tools passed to create_react_agent "
            f"must match Got {len(tools)} tools, expected {expected}"
        )
    if missing := {tool.name for tool in tools} - set(map(_bound_name, bound)):
        raise ValueError(f"Missing tools '{missing}' in the model.bind_tools()")
    return False


def _bound_name(tool: dict[str, Any]) -> str | None:
    """The name of a tool in the form that OpenAI or Anthropic takes, `None` in any other."""
    if tool.get("type") == "function":
        return tool["function"]["name"]
    return tool.get("name") or None


def _model_in(model: Any) -> Any:
    """Return the model of a sequence; anything else as it is."""
    if not isinstance(model, RunnableSequence):
        return model
    models = (step for step in model.steps if isinstance(step, RunnableBinding | BaseChatModel))
    return next(models, model)


def _get_model(model: LanguageModelLike) -> BaseChatModel:
    """Return the chat model itself, without what it is bound to.

    Raises:
        TypeError: There is none.
    """
    found = _model_in(model)
    if isinstance(found, RunnableBinding):
        found = found.bound
    if not isinstance(found, BaseChatModel):
        raise TypeError(
            "Expected `model` to be a ChatModel or RunnableBinding "
            f"(e.g. model.bind_tools(...)), got {type(found)}"
        )
    return found


class ModelSource:
    """Where the model of a turn comes from: always the same one, or a function of the user's.

    Args:
        model: The model, or a function `(state, runtime)` that returns it.
        prompt: What comes before it.
    """

    def __init__(self, model: Any, prompt: Any) -> None:
        self._prompter = Prompter(prompt)
        self._static: Prompted | None = None
        self._choose: Callable[..., Any] = model
        if not is_dynamic(model):
            self._static = Prompted(self._prompter, model)
            _ = self._static.sequence  # raises now if it cannot be
        self._is_async = self._static is None and inspect.iscoroutinefunction(model)
        self._with_schema: Runnable[Any, Any] | None = None

    def require_sync(self) -> None:
        """Raise `RuntimeError` if the model can only be had on an event loop."""
        if self._is_async:
            raise RuntimeError(
                "Async model callable provided but agent invoked synchronously. "
                "Use agent.ainvoke() or agent.astream(), or provide a sync model callable."
            )

    def get(self, state: Any, runtime: Any) -> Prompted:
        """Return the model for a turn."""
        return self._static or Prompted(self._prompter, self._choose(state, runtime))

    async def aget(self, state: Any, runtime: Any) -> Prompted:
        """Return the model for a turn of an async run."""
        if self._static is not None:
            return self._static
        chosen: Any = self._choose(state, runtime)
        return Prompted(self._prompter, await chosen if self._is_async else chosen)

    def with_schema(self, prompted: Prompted, schema: Any) -> Runnable[Any, Any]:
        """Return the model of a turn, bound to answer in a schema.

        Raises:
            TypeError: It is no chat model.
        """
        if self._with_schema is not None:
            return self._with_schema
        bound = _get_model(prompted.sequence).with_structured_output(schema)
        if self._static is not None:
            self._with_schema = bound
        return bound


def with_tools(model: Any, tools: list[BaseTool], provided: list[dict[str, Any]]) -> Any:
    """Return a model bound to the tools of an agent; one that is chosen later as it is.

    Raises:
        ValueError: It is bound to others.
        ImportError: It is a name, and the package that knows names is missing.
    """
    if is_dynamic(model):
        return model
    if isinstance(model, str):
        model = named_model(model)
    if _should_bind_tools(model, tools, num_builtin=len(provided)) and (tools or provided):
        return model.bind_tools([*tools, *provided])
    return model


def is_dynamic(model: Any) -> bool:
    """Whether a model is a function that returns one."""
    return not isinstance(model, str | Runnable) and callable(model)


def named_model(name: str) -> Any:
    """Return the model of a name such as `"openai:gpt-4"`.

    Raises:
        ImportError: The package that knows these names is missing.
    """
    try:
        from langchain.chat_models import init_chat_model  # type: ignore[import-not-found]
    except ImportError:
        raise ImportError(
            "Please install langchain (`pip install langchain`) to "
            "use '<provider>:<model>' string syntax for `model` parameter."
        ) from None
    return init_chat_model(name)
