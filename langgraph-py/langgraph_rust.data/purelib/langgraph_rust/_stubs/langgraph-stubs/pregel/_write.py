# Written by `make places`.
from langgraph_rust.pregel._build.write import ChannelWrite as ChannelWrite
from langgraph_rust.pregel._build.write import ChannelWriteEntry as ChannelWriteEntry
from langgraph_rust.pregel._build.write import ChannelWriteTupleEntry as ChannelWriteTupleEntry
from langgraph_rust.pregel._build.write import PASSTHROUGH as PASSTHROUGH
from langgraph_rust.pregel._build.write import R as R
from langgraph_rust.pregel._build.write import SKIP_WRITE as SKIP_WRITE
from langgraph_rust.pregel._build.write import TYPE_SEND as TYPE_SEND
from langgraph_rust.pregel._build.write import WriteEntry as WriteEntry
