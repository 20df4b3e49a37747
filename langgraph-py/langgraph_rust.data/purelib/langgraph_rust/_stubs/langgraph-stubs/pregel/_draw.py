# Written by `make places`.
from langgraph_rust.pregel._build.draw import Edge as Edge
from langgraph_rust.pregel._build.draw import draw_graph as draw_graph
