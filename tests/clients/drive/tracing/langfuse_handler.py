"""Langfuse's observations, by its callback handler."""

from __future__ import annotations

from collections.abc import Iterable

import spans
from langfuse import Langfuse
from langfuse.langchain import CallbackHandler
from traced import Record, trace

if __name__ == "__main__":
    keys = {"public_key": "pk-lf-of-nobody", "secret_key": "sk-lf-of-nobody"}
    client = Langfuse(**keys, base_url="http://127.0.0.1:9", span_exporter=spans.exporter)

    def records() -> Iterable[Record]:
        client.flush()
        return spans.records()

    trace(records, {"callbacks": [CallbackHandler(public_key=keys["public_key"])]})
