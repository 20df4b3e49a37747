# Written by `make places`.
from langgraph_rust.warnings import LangGraphDeprecatedSinceV05 as LangGraphDeprecatedSinceV05
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10 as LangGraphDeprecatedSinceV10
from langgraph_rust.warnings import LangGraphDeprecatedSinceV11 as LangGraphDeprecatedSinceV11
from langgraph_rust.warnings import LangGraphDeprecationWarning as LangGraphDeprecationWarning
from langgraph_rust.warnings import LangGraphMistakeWarning as LangGraphMistakeWarning

__all__ = [
    "LangGraphDeprecatedSinceV05",
    "LangGraphDeprecatedSinceV10",
    "LangGraphDeprecatedSinceV11",
    "LangGraphDeprecationWarning",
    "LangGraphMistakeWarning",
]
