# Written by `make places`.
from langgraph_rust.store.base.embed import AEmbeddingsFunc as AEmbeddingsFunc
from langgraph_rust.store.base.embed import EmbeddingsFunc as EmbeddingsFunc
from langgraph_rust.store.base.embed import ensure_embeddings as ensure_embeddings
from langgraph_rust.store.base.embed import get_text_at_path as get_text_at_path
from langgraph_rust.store.base.embed import tokenize_path as tokenize_path

__all__ = [
    "AEmbeddingsFunc",
    "EmbeddingsFunc",
    "ensure_embeddings",
]
