"""`langgraph_rust.pregel._streams.messages` under upstream's name."""

import sys

from langgraph_rust.pregel._streams import messages

sys.modules[__name__] = messages
