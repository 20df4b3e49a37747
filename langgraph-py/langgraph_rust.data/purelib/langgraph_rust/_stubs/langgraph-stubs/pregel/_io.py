# Written by `make places`.
from langgraph_rust.pregel._build.io import map_command as map_command
from langgraph_rust.pregel._build.io import map_input as map_input
from langgraph_rust.pregel._build.io import read_channel as read_channel
from langgraph_rust.pregel._build.io import read_channels as read_channels
