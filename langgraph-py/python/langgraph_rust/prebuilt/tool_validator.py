"""`ValidationNode`: checks tool calls against schemas, without running anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, create_schema_from_function
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel, ValidationError
from pydantic.v1 import BaseModel as BaseModelV1
from pydantic.v1 import ValidationError as ValidationErrorV1
from typing_extensions import deprecated

from langgraph_rust._internal._runnable import RunnableCallable
from langgraph_rust.prebuilt._side_by_side import side_by_side
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10

if TYPE_CHECKING:
    from langchain_core.messages import AnyMessage, ToolCall

    FormatError = Callable[[BaseException, ToolCall, type[BaseModel]], str]

__all__ = ("ValidationNode",)


def _default_format_error(
    error: BaseException, call: ToolCall, schema: type[BaseModel] | type[BaseModelV1]
) -> str:
    return f"{error!r}\n\nRespond after fixing all validation errors."


@deprecated(
    "ValidationNode is deprecated. Please use `create_agent` from `langchain.agents` "
    "with custom tool error handling.",
    category=LangGraphDeprecatedSinceV10,
)
class ValidationNode(RunnableCallable):
    """A node that checks the tool calls of the last message, and answers each with a message.

    A call that fits is answered with its arguments as JSON, as its schema completes them; one that
    does not, with the error, and `additional_kwargs={"is_error": True}`. The input is a list of
    messages or a state with `messages`; so is the output.

    Args:
        schemas: What calls are checked against: pydantic models, tools, or functions, each under
            its name.
        format_error: A function `(error, call, schema)` that returns what the model is told; by
            default what the error prints as.
        name: The name of the node.
        tags: Tags of its runs.

    Raises:
        ValueError: Something among the schemas is none of these, or a tool without a pydantic
            model; when it runs, that the last message is not a model's.
    """

    def __init__(
        self,
        schemas: Sequence[BaseTool | type[BaseModel] | Callable],
        *,
        format_error: FormatError | None = None,
        name: str = "validation",
        tags: list[str] | None = None,
    ) -> None:
        super().__init__(self._func, None, name=name, tags=tags, trace=False)
        self._format_error: Any = format_error or _default_format_error
        self.schemas_by_name: dict[str, type[BaseModel]] = dict(map(_named, schemas))

    def _get_message(self, input: list[AnyMessage] | dict[str, Any]) -> tuple[str, AIMessage]:
        """Return the form of the input, and its last message.

        Raises:
            ValueError: There is none, or it is not a model's.
        """
        messages = input if isinstance(input, list) else input.get("messages")
        if not messages and not isinstance(input, list):
            raise ValueError("No message found in input")
        message = messages[-1]  # type: ignore[index]
        if not isinstance(message, AIMessage):
            raise ValueError("Last message is not an AIMessage")
        return "list" if isinstance(input, list) else "dict", message

    def _func(self, input: list[AnyMessage] | dict[str, Any], config: RunnableConfig) -> Any:
        output_type, message = self._get_message(input)
        checks = [partial(self._answer, call) for call in message.tool_calls]
        outputs = side_by_side(checks, config.get("max_concurrency"))
        return outputs if output_type == "list" else {"messages": outputs}

    def _answer(self, call: ToolCall) -> ToolMessage:
        schema = self.schemas_by_name[call["name"]]
        extra: dict[str, Any] = {}
        try:
            content = _validated(schema, call["args"])
        except (ValidationError, ValidationErrorV1) as error:
            content = self._format_error(error, call, schema)
            extra = {"additional_kwargs": {"is_error": True}}
        return ToolMessage(content=content, name=call["name"], tool_call_id=call["id"], **extra)


def _validated(schema: type[Any], arguments: dict[str, Any]) -> str:
    """Return arguments as the JSON of the model that they make."""
    if issubclass(schema, BaseModel):
        return schema.model_validate(arguments).model_dump_json()
    if issubclass(schema, BaseModelV1):
        return schema.validate(arguments).json()
    raise ValueError(f"Unsupported schema type: {type(schema)}. Expected BaseModel or BaseModelV1.")


def _named(schema: Any) -> tuple[str, Any]:
    """Return what a schema is called by, and the model it comes to."""
    if isinstance(schema, BaseTool):
        model: Any = schema.args_schema
        if model is None:
            raise ValueError(f"Tool {schema.name} does not have an args_schema defined.")
        if not isinstance(model, type) or not is_basemodel_subclass(model):
            raise ValueError(
                "Validation node only works with tools that have a pydantic BaseModel args_schema. "
                f"Got {schema.name} with args_schema: {model}."
            )
        return schema.name, model
    if isinstance(schema, type) and issubclass(schema, BaseModel | BaseModelV1):
        return schema.__name__, schema
    if callable(schema):
        return schema.__name__, create_schema_from_function("Validation", schema)
    raise ValueError(
        "Unsupported input to ValidationNode. Expected BaseModel, tool or function. "
        f"Got: {type(schema)}."
    )
