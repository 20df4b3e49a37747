"""What a driver saw, step by step, for whoever compares it with another run's."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any


def step(name: str, value: object) -> None:
    """Note what came of a step; what JSON has no word for is noted as its `repr`."""
    with open(os.environ["CLIENTS_TRANSCRIPT"], "a", encoding="utf-8") as file:
        print(json.dumps([name, value], default=repr), file=file)


def until(what: str, seconds: float, test: Callable[[], Any]) -> Any:
    """Wait until `test` returns something true, and return that.

    Raises:
        TimeoutError: it does not, in that time.
    """
    end = time.monotonic() + seconds
    while not (found := test()):
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.05)
    return found


def note(*words: str) -> None:
    """Append a line to what the processes of a client note; `noted` reads it."""
    with open("notes.txt", "a", encoding="utf-8") as file:
        file.write(" ".join(words) + "\n")


def noted(first: str) -> list[str]:
    """The second words of the lines noted so far that begin with `first`, sorted."""
    try:
        with open("notes.txt", encoding="utf-8") as file:
            lines = [line.split() for line in file]
    except FileNotFoundError:
        return []
    return sorted(words[1] for words in lines if words[0] == first)
