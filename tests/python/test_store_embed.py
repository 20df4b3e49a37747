"""Paths into values, and functions as embeddings."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings

from langgraph_rust.store.base import embed
from langgraph_rust.store.base.embed import (
    EmbeddingsLambda,
    ensure_embeddings,
    get_text_at_path,
    tokenize_path,
)


@pytest.mark.parametrize(
    ("path", "tokens"),
    [
        ("", []),
        ("a", ["a"]),
        ("a.b.c", ["a", "b", "c"]),
        ("a[0].b[*]", ["a", "[0]", "b", "[*]"]),
        ("a.{b,c.d}.e", ["a", "{b,c.d}", "e"]),
        ("*.a", ["*", "a"]),
        ("[[0]]", ["[[0]]"]),
        ("..a.", ["a"]),
        ("a[0", ["a", "[0"]),
        ("a]b", ["a]b"]),
    ],
)
def test_tokens(path: str, tokens: list[str]) -> None:
    assert tokenize_path(path) == tokens


VALUE = {
    "title": "T",
    "count": 3,
    "nothing": None,
    "tags": ["x", "y"],
    "author": {"name": "N", "langs": ["en"]},
    "parts": [{"text": "p0", "n": 1}, {"text": "p1"}, {"other": "o"}],
}


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("title", ["T"]),
        ("count", ["3"]),
        ("nothing", []),
        ("missing.deeper", []),
        ("tags", ['["x", "y"]']),
        ("tags[*]", ["x", "y"]),
        ("tags[-1]", ["y"]),
        ("tags[5]", []),
        ("tags[x]", []),
        ("title[0]", []),
        ("author", ['{"langs": ["en"], "name": "N"}']),
        ("author.*", ["N", '["en"]']),
        ("parts[*].text", ["p0", "p1"]),
        ("parts[0].*", ["p0", "1"]),
        ("{title, author.name, missing, author}", ["T", "N", '{"langs": ["en"], "name": "N"}']),
        ("tags.{a}", []),
        (["author", "name"], ["N"]),
    ],
)
def test_texts(path: Any, texts: list[str]) -> None:
    assert get_text_at_path(VALUE, path) == texts
    assert get_text_at_path(MappingProxyType(VALUE), path) == texts


@pytest.mark.parametrize("path", ["", "$", []])
def test_the_whole_value(path: Any) -> None:
    assert get_text_at_path({"b": "ü", "a": 1}, path) == ['{"a": 1, "b": "ü"}']


async def test_functions() -> None:
    embeddings = ensure_embeddings(lambda texts: [[float(len(text))] for text in texts])
    assert isinstance(embeddings, EmbeddingsLambda)
    assert isinstance(embeddings, Embeddings)
    assert ensure_embeddings(embeddings) is embeddings
    assert embeddings.embed_documents(["a", "bb"]) == [[1.0], [2.0]]
    assert embeddings.embed_query("abc") == [3.0]
    assert await embeddings.aembed_documents(["a"]) == [[1.0]]
    assert await embeddings.aembed_query("ab") == [2.0]


async def test_asynchronous_functions() -> None:
    class Embed:
        async def __call__(self, texts: Any) -> list[list[float]]:
            return [[float(len(text))] for text in texts]

    for function in (Embed(), Embed().__call__):
        embeddings = ensure_embeddings(function)
        assert await embeddings.aembed_documents(["a"]) == [[1.0]]
        assert await embeddings.aembed_query("ab") == [2.0]
        with pytest.raises(ValueError, match="async function but no sync function"):
            embeddings.embed_query("a")


def test_names_need_langchain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "_get_init_embeddings", lambda: None)
    with pytest.raises(ValueError, match="Could not load embeddings from string 'x:y'"):
        ensure_embeddings("x:y")
    monkeypatch.setattr(embed, "_get_init_embeddings", lambda: lambda name: ("loaded", name))
    assert ensure_embeddings("x:y") == ("loaded", "x:y")
    with pytest.raises(ValueError, match="embed must be provided"):
        ensure_embeddings(None)
