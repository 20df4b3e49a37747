"""`langgraph_rust.pregel._remote.run_stream` under upstream's name."""

import sys

from langgraph_rust.pregel._remote import run_stream

sys.modules[__name__] = run_stream
