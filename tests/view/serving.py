"""The viewer as users start it, and a page of a browser that is shown what it prints."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request

_HERE = Path(__file__).parent


def serving(python: str, *arguments: str) -> AbstractContextManager[str]:
    """Start `langgraph-rust view`, and give the address that it prints."""
    return printing([python, "-m", "langgraph_rust", "view", *arguments])


@contextmanager
def printing(command: list[str]) -> Iterator[str]:
    """Start a program, give the address that it prints, and end it."""
    environment = {**os.environ, "LANGGRAPH_RUST": "1"}
    with subprocess.Popen(
        command,
        cwd=_HERE,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if "token=" in line:
                    yield line.split()[-1]
                    break
            else:
                raise AssertionError(f"no address is printed: {command}")
        finally:
            process.terminate()
            process.wait(10)


class Watched:
    """A page whose requests and errors are remembered."""

    def __init__(self, browser: Browser, *, scheme: str = "light") -> None:
        self._context = browser.new_context(
            viewport={"width": 1280, "height": 760},
            color_scheme=scheme,  # pyright: ignore[reportArgumentType]
            accept_downloads=True,
        )
        self.page: Page = self._context.new_page()
        self.hosts: set[str] = set()
        self.errors: list[str] = []
        self.page.on("request", self._asked)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type == "error" else None,
        )

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob"):
            self.hosts.add(parts.hostname or parts.scheme)

    def close(self) -> None:
        """Close it; nothing may have gone wrong, and nobody else have been asked."""
        self._context.close()
        assert self.errors == [], self.errors
        assert self.hosts <= {"127.0.0.1", "file"}, self.hosts


@contextmanager
def watched(browser: Browser, address: str, *, scheme: str = "light") -> Iterator[Page]:
    """Open an address; see `Watched`."""
    made = Watched(browser, scheme=scheme)
    made.page.goto(address)
    try:
        yield made.page
    except BaseException:
        picture = Path(tempfile.gettempdir()) / "view-failed.png"
        made.page.screenshot(path=picture)
        print(f"view: what was shown then: {picture}; errors: {made.errors}")
        raise
    made.close()
