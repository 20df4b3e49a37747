"""`langgraph_rust.pregel._executor.checkpoint` under upstream's name."""

import sys

from langgraph_rust.pregel._executor import checkpoint

sys.modules[__name__] = checkpoint
