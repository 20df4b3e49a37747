"""`langgraph_rust.pregel._executor.runner` under upstream's name."""

import sys

from langgraph_rust.pregel._executor import runner

sys.modules[__name__] = runner
