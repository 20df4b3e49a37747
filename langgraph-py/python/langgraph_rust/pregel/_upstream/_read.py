"""`langgraph_rust.pregel._build.read` under upstream's name."""

import sys

from langgraph_rust.pregel._build import read

sys.modules[__name__] = read
