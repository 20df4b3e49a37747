"""`langgraph_rust.pregel._streams.tools` under upstream's name."""

import sys

from langgraph_rust.pregel._streams import tools

sys.modules[__name__] = tools
