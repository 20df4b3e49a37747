"""`langgraph_rust.pregel._run.call` under upstream's name."""

import sys

from langgraph_rust.pregel._run import call

sys.modules[__name__] = call
