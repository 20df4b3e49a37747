"""OpenLLMetry's spans."""

from __future__ import annotations

from opentelemetry.instrumentation.langchain import LangchainInstrumentor
from spans import provider, records
from traced import trace

if __name__ == "__main__":
    LangchainInstrumentor().instrument(tracer_provider=provider)
    trace(records)
