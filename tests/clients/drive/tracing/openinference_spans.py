"""OpenInference's spans."""

from __future__ import annotations

from openinference.instrumentation.langchain import LangChainInstrumentor
from spans import provider, records
from traced import trace

if __name__ == "__main__":
    LangChainInstrumentor().instrument(tracer_provider=provider)
    trace(records)
