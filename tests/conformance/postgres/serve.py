"""Serve a new, empty PostgreSQL on a port until standard input ends: ``serve.py PORT [durable]``.

It runs in the environment that has `pgserver`, so it imports nothing else of this repository.
Prints ``ready`` when the server listens on the port. One that is ``durable`` waits for the disk.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path

import pgserver


def main() -> None:
    """Start the server, wait, stop it; its data are gone then."""
    port = int(sys.argv[1])
    for family, _, _, _, address in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM):
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(address) == 0:
                sys.exit("something else listens there")
    with tempfile.TemporaryDirectory(prefix="conformance-postgres-") as folder:
        serve(Path(folder) / "data", port, sys.argv[2:] == ["durable"])


def serve(folder: Path, port: int, durable: bool) -> None:
    """Serve with the data in `folder`, which does not exist yet."""
    # `pgserver` starts a server that listens on a socket of its own only.
    server = pgserver.get_server(folder, cleanup_mode=None)

    def control(*arguments: str) -> None:
        pgserver.pg_ctl(["-w", *arguments], pgdata=folder, user=server.system_user)

    try:
        # -F: what is written need not survive a crash.
        options = f"-h localhost -p {port} -k {folder}" + ("" if durable else " -F")
        control("-o", options, "-l", str(folder / "log"), "restart")
        print("ready", flush=True)
        sys.stdin.read()
    finally:
        control("-m", "immediate", "stop")


if __name__ == "__main__":
    main()
