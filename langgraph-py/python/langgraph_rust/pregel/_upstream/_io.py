"""`langgraph_rust.pregel._build.io` under upstream's name."""

import sys

from langgraph_rust.pregel._build import io

sys.modules[__name__] = io
