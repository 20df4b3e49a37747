"""`langgraph_rust.pregel._executor.algo` under upstream's name."""

import sys

from langgraph_rust.pregel._executor import algo

sys.modules[__name__] = algo
