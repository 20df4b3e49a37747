"""One process of `tests.fuzz.guided`: libFuzzer, whose arguments it takes, has it decode inputs."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["langgraph_rust.checkpoint.serde"]):
    import langgraph_rust.checkpoint.serde.jsonplus  # noqa: F401

from tests.fuzz.decoder import Decoder, limit_memory
from tests.fuzz.inputs import BODIES

LIMIT = 1 << 30
"""Bytes; libFuzzer itself needs some, more as its corpus grows."""


def main() -> None:
    """Decode what libFuzzer gives, which begins with whole values; does not return."""
    corpus = Path(sys.argv[1])
    for number, body in enumerate(BODIES):
        (corpus / f"whole-{number}").write_bytes(body)
    decoder = Decoder()

    def decode(data: bytes) -> None:
        for fault in decoder.faults(data):
            raise AssertionError(f"an input of {len(data)} bytes {fault}")

    atheris.Setup(sys.argv, decode)
    limit_memory(LIMIT)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
