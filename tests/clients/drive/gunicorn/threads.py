"""Workers with threads."""

from __future__ import annotations

from asking import fan_out, gunicorn, leave, side_by_side, stop
from transcript import step


def main() -> None:
    options = ["--worker-class", "gthread", "--workers", "2", "--threads", "8"]
    with gunicorn(*options) as server:
        fan_out(server, "threads")
        took = side_by_side(server, "threads", 12)
        step("one after the other", took > 12 * 0.8)
        leave(server, "threads-left")
        stop(server, "threads")


if __name__ == "__main__":
    main()
