"""Forms of questions to a person and of the answers, for `interrupt`."""

from typing import Literal

from typing_extensions import TypedDict, deprecated

from langgraph_rust.warnings import LangGraphDeprecatedSinceV10

__all__ = ("ActionRequest", "HumanInterrupt", "HumanInterruptConfig", "HumanResponse")


@deprecated(
    "HumanInterruptConfig has been moved to `langchain.agents.interrupt`. Please update your "
    "import to `from langchain.agents.interrupt import HumanInterruptConfig`.",
    category=LangGraphDeprecatedSinceV10,
)
class HumanInterruptConfig(TypedDict):
    """What a person may do about a request."""

    allow_ignore: bool
    """Skip it."""
    allow_respond: bool
    """Answer with a text."""
    allow_edit: bool
    """Change it."""
    allow_accept: bool
    """Approve it as it is."""


@deprecated(
    "ActionRequest has been moved to `langchain.agents.interrupt`. Please update your import "
    "to `from langchain.agents.interrupt import ActionRequest`.",
    category=LangGraphDeprecatedSinceV10,
)
class ActionRequest(TypedDict):
    """What a graph would like to do."""

    action: str
    """What kind of thing."""
    args: dict
    """With which arguments."""


@deprecated(
    "HumanInterrupt has been moved to `langchain.agents.interrupt`. Please update your import "
    "to `from langchain.agents.interrupt import HumanInterrupt`.",
    category=LangGraphDeprecatedSinceV10,
)
class HumanInterrupt(TypedDict):
    """A question to a person, to be given to `interrupt` in a list of one."""

    action_request: ActionRequest
    """What it is about."""
    config: HumanInterruptConfig
    """What the person may do."""
    description: str | None
    """What the person is told."""


class HumanResponse(TypedDict):
    """A person's answer."""

    type: Literal["accept", "ignore", "response", "edit"]
    """What the person did."""
    args: str | ActionRequest | None
    """A text for `response`, the changed request for `edit`, otherwise nothing."""
