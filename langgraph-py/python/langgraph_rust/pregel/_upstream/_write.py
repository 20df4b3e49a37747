"""`langgraph_rust.pregel._build.write` under upstream's name."""

import sys

from langgraph_rust.pregel._build import write

sys.modules[__name__] = write
