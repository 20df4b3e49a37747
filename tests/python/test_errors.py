"""Exceptions, deprecation warnings and the retry default."""

from __future__ import annotations

import pickle
from typing import Any

import httpx
import pytest
import requests

from langgraph_rust import constants, errors
from langgraph_rust._internal._retry import default_retry_on
from langgraph_rust.errors import (
    ErrorCode,
    NodeInterrupt,
    NodeTimeoutError,
    UnknownInterruptError,
    create_error_message,
)
from langgraph_rust.types import Command, Interrupt, Send
from langgraph_rust.warnings import (
    LangGraphDeprecatedSinceV05,
    LangGraphDeprecatedSinceV10,
    LangGraphDeprecationWarning,
)


def test_message_links_to_the_documentation() -> None:
    text = create_error_message(message="Bad.", error_code=ErrorCode.GRAPH_RECURSION_LIMIT)
    assert text.startswith("Bad.\nFor troubleshooting, visit: https://")
    assert text.endswith("/errors/GRAPH_RECURSION_LIMIT")


def test_timeout_error_tells_which_limit() -> None:
    idle = NodeTimeoutError("n", 1.5, kind="idle", idle_timeout=1, run_timeout=9)
    assert str(idle) == (
        "Node 'n' exceeded its idle timeout of 1.000s without making progress (elapsed: 1.500s)."
    )
    assert (idle.timeout, idle.run_timeout, idle.idle_timeout) == (1, 9, 1)
    run = NodeTimeoutError("n", 1.5, kind="run", run_timeout=1)
    assert str(run) == "Node 'n' exceeded its run timeout of 1.000s (elapsed: 1.500s)."
    assert not isinstance(run, TimeoutError)


@pytest.mark.parametrize(
    ("kind", "message"),
    [("idle", "idle_timeout is required"), ("run", "run_timeout is required"), ("x", "kind must")],
)
def test_timeout_error_needs_its_limit(kind: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NodeTimeoutError("n", 1.0, kind=kind)


def test_node_interrupt_is_deprecated_and_still_works() -> None:
    with pytest.warns(LangGraphDeprecatedSinceV10, match="NodeInterrupt is deprecated"):
        raised = NodeInterrupt("q", "i")
    assert raised.args == ([Interrupt("q", "i")],)


def test_errors_keep_their_details() -> None:
    unknown = UnknownInterruptError("m", reason="not_pending", interrupt_ids=["a"])
    assert (unknown.reason, unknown.interrupt_ids, unknown.pending_ids) == (
        "not_pending",
        ("a",),
        (),
    )
    assert errors.GraphDrained("bye").reason == "bye"
    assert errors.ParentCommand(Command(goto="a")).args == (Command(goto="a"),)
    assert pickle.loads(pickle.dumps(errors.GraphInterrupt((Interrupt("q"),)))).args


def test_warning_text_names_versions() -> None:
    warning = LangGraphDeprecatedSinceV05("Old.")
    assert str(warning) == "Old. Deprecated in LangGraph V0.5 to be removed in V2.0."
    assert LangGraphDeprecationWarning("m", since=(1, 4)).expected_removal == (2, 0)


def test_moved_constants_warn() -> None:
    with pytest.warns(LangGraphDeprecatedSinceV10, match="Importing Send from"):
        assert constants.Send is Send
    with pytest.warns(LangGraphDeprecatedSinceV10, match="now private"):
        assert constants.PREVIOUS == "__previous__"
    with pytest.raises(AttributeError, match="no attribute 'NOPE'"):
        constants.NOPE  # noqa: B018


def _http_error(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("GET", "http://localhost")
    return httpx.HTTPStatusError("m", request=request, response=httpx.Response(status))


@pytest.mark.parametrize(
    ("error", "retried"),
    [
        (ConnectionResetError(), True),
        (_http_error(503), True),
        (_http_error(404), False),
        (requests.HTTPError(), True),
        (OSError(), False),
        (ValueError(), False),
        (KeyError(), False),
        (type("Odd", (Exception,), {})(), True),
    ],
)
def test_what_is_retried_by_default(error: Exception, retried: bool) -> None:
    assert default_retry_on(error) is retried
