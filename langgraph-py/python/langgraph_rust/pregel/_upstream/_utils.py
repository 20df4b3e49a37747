"""`langgraph_rust.pregel._build.utils` under upstream's name."""

import sys

from langgraph_rust.pregel._build import utils

sys.modules[__name__] = utils
