"""Which exceptions are worth another attempt when a retry policy does not say."""

from __future__ import annotations

import sys
from typing import Any

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
