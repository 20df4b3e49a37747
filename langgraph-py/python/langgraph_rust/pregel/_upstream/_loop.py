"""`langgraph_rust.pregel._executor.loop` under upstream's name."""

import sys

from langgraph_rust.pregel._executor import loop

sys.modules[__name__] = loop
