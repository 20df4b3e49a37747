"""A server that listens: for a command that does nothing else, or beside a program."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import uvicorn

from langgraph_rust._view._web.guard import Guard
from langgraph_rust._view._web.listening import listen, names

_PATIENCE = 10.0
"""Seconds that a server beside a program has to begin, and to end."""

Make = Callable[[Sequence[str], Callable[[], bool]], Guard]
"""Makes the application, given what requests may call it and whether it is being stopped."""


class _Quiet(uvicorn.Config):
    """Leaves logging as the program has set it up."""

    def configure_logging(self) -> None:
        """Do nothing."""


class Serving:
    """Serves an application.

    Args:
        host: Where it listens.
        port: On which port; 0 for any that is free.
        make: Makes the application.

    Raises:
        OSError: the address is not to be had.
    """

    def __init__(self, host: str, port: int, make: Make) -> None:
        self._socket = listen(host, port)
        hosts = names(host, self._socket)
        app = make(hosts, lambda: self._server.should_exit)
        # The address has the token, which is of no use to a log.
        config = _Quiet(
            app,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None
        self.address = f"http://{hosts[0]}/?token={app.token}"
        """Where it is, with the token."""

    def run(self) -> None:
        """Serve until a signal ends it."""
        try:
            self._server.run([self._socket])
        except KeyboardInterrupt:
            pass
        finally:
            self._socket.close()

    def start(self) -> None:
        """Serve on a thread of its own, which does not keep the process."""
        self._thread = threading.Thread(target=self.run, name="viewer", daemon=True)
        self._thread.start()

    def forget(self) -> None:
        """Let go of the port, which another process serves."""
        self._socket.close()

    def stop(self) -> None:
        """End what `start` began."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_PATIENCE)
