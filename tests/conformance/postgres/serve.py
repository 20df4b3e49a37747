"""Serve PostgreSQL until standard input ends: ``serve.py FOLDER PORT``.

It runs in the environment that has `pgserver`, so it imports nothing else of this repository.
Prints ``ready`` when the server listens on the port.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pgserver


def main() -> None:
    """Make the data folder, start the server, wait, stop it."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    for family, _, _, _, address in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(address) == 0:
                sys.exit("something else listens there")
    # `pgserver` starts a server that listens on a socket of its own only.
    server = pgserver.get_server(folder, cleanup_mode=None)

    def control(*arguments: str) -> None:
        pgserver.pg_ctl(["-w", *arguments], pgdata=folder, user=server.system_user)

    try:
        # -F: what is written need not survive a crash.
        options = f"-h localhost -p {port} -k {folder} -F"
        control("-o", options, "-l", str(folder / "log"), "restart")
        print("ready", flush=True)
        sys.stdin.read()
    finally:
        control("-m", "immediate", "stop")


if __name__ == "__main__":
    main()
