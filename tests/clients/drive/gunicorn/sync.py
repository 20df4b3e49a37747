"""Sync workers, which the master forks before or after it has imported the application."""

from __future__ import annotations

from asking import fan_out, gunicorn, kill_worker, leave, reload, side_by_side, stop


def main() -> None:
    for how, arguments in {"sync": (), "preload": ("--preload",)}.items():
        with gunicorn("--workers", "2", *arguments) as server:
            fan_out(server, how)
            side_by_side(server, how, 4)
            leave(server, f"{how}-left")
            kill_worker(server, how)
            if not arguments:
                reload(server, how)
            stop(server, how)


if __name__ == "__main__":
    main()
