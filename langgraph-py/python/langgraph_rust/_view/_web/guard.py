"""Who may ask: the browser that was given the address, and no page but our own."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""What the browser may load, and from where: nothing from elsewhere."""

_HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Lets requests through to an application that come with the token.

    The token is in the address that the command prints; the first answer makes a cookie of it.
    Requests must name one of our own hosts, so that no other name can be made to mean this machine;
    those that change something must come from our own page.

    Args:
        app: The application.
        hosts: What requests may call us, with the port; `*` is anything.
        token: The token; a random one if left out.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], token: str | None = None) -> None:
        self.token = token or secrets.token_urlsafe(32)
        self._app = app
        self._hosts = frozenset(hosts)
        # Cookies do not tell ports apart: several viewers would take each other's.
        ports = sorted(host.rpartition(":")[2] for host in self._hosts if ":" in host)
        self._cookie = f"langgraph-view-{ports[0]}" if ports else "langgraph-view"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        by_address = self._is_token(asked)
        if refusal := self._refusal(scope, headers, by_address):
            await PlainTextResponse(refusal, 403, _HEADERS)(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    out[name] = value
                if by_address:
                    out.append(
                        "set-cookie",
                        f"{self._cookie}={self.token}; Path=/; HttpOnly; SameSite=Strict",
                    )
            await send(message)

        await self._app(scope, receive, send_guarded)

    def _refusal(self, scope: Scope, headers: Headers, by_address: bool) -> str | None:
        host = headers.get("host", "")
        if host not in self._hosts and "*" not in self._hosts:
            return "this is no name of the viewer's"
        if not by_address and not self._is_token(self._from_cookie(headers)):
            return "open the address that the command has printed: it has a token in it"
        origin = headers.get("origin")
        if scope["method"] not in ("GET", "HEAD") and origin != f"http://{host}":
            return "only the viewer's own page may ask for that"
        return None

    def _from_cookie(self, headers: Headers) -> str:
        # Other programs of this machine have their cookies here, too, however they are spelled.
        for one in headers.get("cookie", "").split(";"):
            name, _, value = one.strip().partition("=")
            if name == self._cookie:
                return value.strip()
        return ""

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())
