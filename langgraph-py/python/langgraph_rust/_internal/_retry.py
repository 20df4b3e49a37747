"""Which exceptions are worth another attempt."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langgraph_rust.types import RetryPolicy

# Mistakes in the program or its data: another attempt would fail the same way.
_PERMANENT = (
    ValueError,
    TypeError,
    ArithmeticError,
    ImportError,
    LookupError,
    NameError,
    SyntaxError,
    RuntimeError,
    ReferenceError,
    StopIteration,
    StopAsyncIteration,
    OSError,
)


def default_retry_on(exc: Exception) -> bool:
    """Tell whether to retry after `exc`.

    Lost connections, HTTP 5xx answers (of httpx and requests) and exceptions of unknown kinds are
    retried. Programming errors, other HTTP errors and other operating system errors are not.
    """
    if isinstance(exc, ConnectionError):
        return True
    response: Any = getattr(exc, "response", None)
    # An exception of a library that nobody imported cannot occur, so neither is imported here.
    httpx = sys.modules.get("httpx")
    if httpx is not None and isinstance(exc, httpx.HTTPStatusError):
        return _is_server_error(response)
    requests = sys.modules.get("requests")
    if requests is not None and isinstance(exc, requests.HTTPError):
        # A requests response is falsy for every 4xx and 5xx status, so this also retries those;
        # that is how the reference behaves.
        return _is_server_error(response) if response else True
    return not isinstance(exc, _PERMANENT)


def _is_server_error(response: Any) -> bool:
    return 500 <= response.status_code < 600


def matching_policy(
    policies: RetryPolicy | Sequence[RetryPolicy] | None, exc: Exception
) -> RetryPolicy | None:
    """Return the first policy that wants another attempt after `exc`, `None` if there is none.

    Raises:
        TypeError: A policy's `retry_on` is none of the things it can be.
    """
    # One policy alone is a named tuple, and would pass for a sequence of them.
    several: Any = (policies,) if hasattr(policies, "retry_on") else policies or ()
    return next((policy for policy in several if _should_retry_on(policy, exc)), None)


def _should_retry_on(retry_policy: RetryPolicy, exc: Exception) -> bool:
    """Tell whether a policy wants another attempt after `exc`."""
    retry_on: Any = retry_policy.retry_on
    if isinstance(retry_on, Sequence):
        return isinstance(exc, tuple(retry_on))
    if isinstance(retry_on, type) and issubclass(retry_on, Exception):
        return isinstance(exc, retry_on)
    if callable(retry_on):
        return retry_on(exc)  # type: ignore[return-value]
    raise TypeError(
        "retry_on must be an Exception class, a list or tuple of Exception classes, or a callable"
    )
