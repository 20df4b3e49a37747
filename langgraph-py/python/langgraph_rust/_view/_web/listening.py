"""Where the viewer listens, and what it may be called there."""

from __future__ import annotations

import ipaddress
import socket

_EVERYWHERE = ("0.0.0.0", "::")


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Args:
        host: An address of this machine, or a name of one.
        port: 0 for any that is free.

    Raises:
        OSError: that is not to be had.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    # Asyncio has answers leave at once only if the protocol is named.
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen()
    except BaseException:
        made.close()
        raise
    return made


def names(host: str, listening: socket.socket) -> list[str]:
    """Return what requests may call us, each with the port; the first is for the address.

    Whoever listens everywhere cannot know all its names: then there is a `*`.
    """
    port = listening.getsockname()[1]
    found = [] if host in _EVERYWHERE else [_spelled(host)]
    if _is_local(host):
        found += ["127.0.0.1", "localhost", "[::1]"]
    else:
        found.append(socket.gethostname())
    called = [f"{name}:{port}" for name in dict.fromkeys(found)]
    return [*called, "*"] if host in _EVERYWHERE else called


def _spelled(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_local(host: str) -> bool:
    if host == "localhost" or host in _EVERYWHERE:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
