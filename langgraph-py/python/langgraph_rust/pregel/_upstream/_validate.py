"""`langgraph_rust.pregel._build.validate` under upstream's name."""

import sys

from langgraph_rust.pregel._build import validate

sys.modules[__name__] = validate
