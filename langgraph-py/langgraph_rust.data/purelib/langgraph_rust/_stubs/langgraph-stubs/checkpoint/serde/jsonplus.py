# Written by `make places`.
from langgraph_rust.checkpoint.serde.jsonplus import EMPTY_BYTES as EMPTY_BYTES
from langgraph_rust.checkpoint.serde.jsonplus import EXT_CONSTRUCTOR_KW_ARGS as EXT_CONSTRUCTOR_KW_ARGS
from langgraph_rust.checkpoint.serde.jsonplus import EXT_CONSTRUCTOR_POS_ARGS as EXT_CONSTRUCTOR_POS_ARGS
from langgraph_rust.checkpoint.serde.jsonplus import EXT_CONSTRUCTOR_SINGLE_ARG as EXT_CONSTRUCTOR_SINGLE_ARG
from langgraph_rust.checkpoint.serde.jsonplus import EXT_DELTA_SNAPSHOT as EXT_DELTA_SNAPSHOT
from langgraph_rust.checkpoint.serde.jsonplus import EXT_METHOD_SINGLE_ARG as EXT_METHOD_SINGLE_ARG
from langgraph_rust.checkpoint.serde.jsonplus import EXT_NUMPY_ARRAY as EXT_NUMPY_ARRAY
from langgraph_rust.checkpoint.serde.jsonplus import EXT_PYDANTIC_V1 as EXT_PYDANTIC_V1
from langgraph_rust.checkpoint.serde.jsonplus import EXT_PYDANTIC_V2 as EXT_PYDANTIC_V2
from langgraph_rust.checkpoint.serde.jsonplus import InvalidModuleError as InvalidModuleError
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer as JsonPlusSerializer
