"""`langgraph_rust.pregel._build.draw` under upstream's name."""

import sys

from langgraph_rust.pregel._build import draw

sys.modules[__name__] = draw
