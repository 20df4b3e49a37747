"""`langgraph_rust.pregel._executor.retry` under upstream's name."""

import sys

from langgraph_rust.pregel._executor import retry

sys.modules[__name__] = retry
