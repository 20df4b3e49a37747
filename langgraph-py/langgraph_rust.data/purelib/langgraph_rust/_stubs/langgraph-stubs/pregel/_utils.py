# Written by `make places`.
from langgraph_rust.pregel._build.utils import at_home as at_home
from langgraph_rust.pregel._build.utils import called_on_loop as called_on_loop
from langgraph_rust.pregel._build.utils import find_subgraph_pregel as find_subgraph_pregel
from langgraph_rust.pregel._build.utils import get_function_nonlocals as get_function_nonlocals
from langgraph_rust.pregel._build.utils import get_new_channel_versions as get_new_channel_versions
from langgraph_rust.pregel._build.utils import is_xxh3_128_hexdigest as is_xxh3_128_hexdigest
from langgraph_rust.pregel._build.utils import runs_in_executor as runs_in_executor
from langgraph_rust.pregel._build.utils import validate_timeout_supported as validate_timeout_supported
