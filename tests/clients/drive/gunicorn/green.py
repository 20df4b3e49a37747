"""Workers whose clients are greenlets of one thread."""

from __future__ import annotations

from asking import fan_out, gunicorn, kill_worker, leave, side_by_side, stop
from transcript import step


def main() -> None:
    with gunicorn("--worker-class", "gevent", "--workers", "1") as server:
        fan_out(server, "green")
        took = side_by_side(server, "green", 20)
        step("one after the other", took > 20 * 0.8)
        leave(server, "green-left")
        kill_worker(server, "green")
        stop(server, "green")


if __name__ == "__main__":
    main()
