# Written by `make places`.
from langgraph_rust.store.base import BaseStore as BaseStore
from langgraph_rust.store.base import Embeddings as Embeddings
from langgraph_rust.store.base import GetOp as GetOp
from langgraph_rust.store.base import IndexConfig as IndexConfig
from langgraph_rust.store.base import InvalidNamespaceError as InvalidNamespaceError
from langgraph_rust.store.base import Item as Item
from langgraph_rust.store.base import ListNamespacesOp as ListNamespacesOp
from langgraph_rust.store.base import MatchCondition as MatchCondition
from langgraph_rust.store.base import NOT_PROVIDED as NOT_PROVIDED
from langgraph_rust.store.base import NamespaceMatchType as NamespaceMatchType
from langgraph_rust.store.base import NamespacePath as NamespacePath
from langgraph_rust.store.base import NotProvided as NotProvided
from langgraph_rust.store.base import Op as Op
from langgraph_rust.store.base import PutOp as PutOp
from langgraph_rust.store.base import Result as Result
from langgraph_rust.store.base import SearchItem as SearchItem
from langgraph_rust.store.base import SearchOp as SearchOp
from langgraph_rust.store.base import TTLConfig as TTLConfig
from langgraph_rust.store.base import ensure_embeddings as ensure_embeddings
from langgraph_rust.store.base import get_text_at_path as get_text_at_path
from langgraph_rust.store.base import tokenize_path as tokenize_path
from langgraph_rust.store.base import validate_op_namespace as validate_op_namespace

__all__ = [
    "BaseStore",
    "Embeddings",
    "GetOp",
    "Item",
    "ListNamespacesOp",
    "MatchCondition",
    "NamespaceMatchType",
    "NamespacePath",
    "Op",
    "PutOp",
    "SearchOp",
    "ensure_embeddings",
    "get_text_at_path",
    "tokenize_path",
    "validate_op_namespace",
]
