"""Embedding functions behind LangChain's interface, and the texts to embed of a stored value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

EmbeddingsFunc = Callable[[Sequence[str]], list[list[float]]]
"""Function from texts to vectors, one each, all of the same length."""

AEmbeddingsFunc = Callable[[Sequence[str]], Awaitable[list[list[float]]]]
"""Asynchronous function from texts to vectors, one each, all of the same length."""


def ensure_embeddings(
    embed: Embeddings | EmbeddingsFunc | AEmbeddingsFunc | str | None,
) -> Embeddings:
    """Return `embed` as an `Embeddings` object.

    Args:
        embed: An `Embeddings`, returned as it is; a function from texts to vectors, asynchronous or
            not; or a name such as `"openai:text-embedding-3-small"`, which langchain loads.

    Raises:
        ValueError: `embed` is `None`, or a name while langchain is missing or too old.
    """
    if embed is None:
        raise ValueError("embed must be provided")
    if isinstance(embed, str):
        init_embeddings = _get_init_embeddings()
        if init_embeddings is None:
            raise ValueError(
                f"Could not load embeddings from string '{embed}'. {_langchain_state()} "
                "loading embeddings by provider:identifier string requires langchain>=0.3.9 "
                "as well as the provider-specific package. "
                "Install LangChain with: pip install 'langchain>=0.3.9' "
                "and the provider-specific package (e.g., 'langchain-openai>=0.3.0'). "
                "Alternatively, specify 'embed' as a compatible Embeddings object "
                "or python function."
            )
        return init_embeddings(embed)
    from langchain_core.embeddings import Embeddings

    return embed if isinstance(embed, Embeddings) else _embeddings_lambda()(embed)


def get_text_at_path(obj: Any, path: str | list[str]) -> list[str]:
    """Return the texts found in `obj` under a path; none if it leads nowhere.

    Numbers and booleans become text, dictionaries and lists become JSON with sorted keys.

    Args:
        obj: What to look in, usually a stored value.
        path: A path as `tokenize_path` takes it, or its result. An empty path or `"$"` is the
            whole of `obj` as JSON.
    """
    if isinstance(obj, Mapping) and not isinstance(obj, dict):
        obj = dict(obj)
    if not path or path == "$":
        return [_json(obj)]
    tokens = tokenize_path(path) if isinstance(path, str) else path
    return [text for found in _follow(obj, tokens) for text in _as_text(found)]


def tokenize_path(path: str) -> list[str]:
    """Split a path into its steps.

    A step is the name of a field, `*` for all fields or entries, an index `[0]`, `[-1]` or `[*]`,
    or a choice of fields `{a,b.c}`. Dots separate steps; brackets and braces may nest.
    """
    tokens: list[str] = []
    position = start = 0
    while position < len(path):
        character = path[position]
        if character not in ".[{":
            position += 1
            continue
        if start < position:
            tokens.append(path[start:position])
        if character == ".":
            position += 1
        else:
            end = _closing(path, position)
            tokens.append(path[position:end])
            position = end
        start = position
    if start < position:
        tokens.append(path[start:position])
    return tokens


_CLOSERS = {"[": "]", "{": "}"}


def _closing(path: str, start: int) -> int:
    """Return the position after the bracket that closes the one at `start`, or the path's end."""
    opener, closer = path[start], _CLOSERS[path[start]]
    depth = 0
    for position in range(start, len(path)):
        if path[position] == opener:
            depth += 1
        elif path[position] == closer:
            depth -= 1
            if depth == 0:
                return position + 1
    return len(path)


def _follow(obj: Any, tokens: Sequence[str]) -> Iterator[Any]:
    """Yield every value that the steps lead to."""
    if not tokens:
        yield obj
        return
    token, rest = tokens[0], tokens[1:]
    if token.startswith("{") and token.endswith("}"):
        # A choice ends the path: whatever follows it is not looked at.
        yield from _choice(obj, token[1:-1])
        return
    for child in _children(obj, token):
        yield from _follow(child, rest)


def _children(obj: Any, token: str) -> Sequence[Any]:
    if token.startswith("[") and token.endswith("]"):
        return _entries(obj, token[1:-1]) if isinstance(obj, list) else ()
    if token == "*":
        if isinstance(obj, dict):
            return list(obj.values())
        return obj if isinstance(obj, list) else ()
    return (obj[token],) if isinstance(obj, dict) and token in obj else ()


def _entries(obj: list[Any], index: str) -> Sequence[Any]:
    if index == "*":
        return obj
    try:
        return (obj[int(index)],)
    except (ValueError, IndexError):
        return ()


def _choice(obj: Any, fields: str) -> Iterator[Any]:
    for field in fields.split(","):
        found = obj
        steps = tokenize_path(field.strip())
        for step in steps:
            found = found[step] if isinstance(found, dict) and step in found else None
        if steps and isinstance(obj, dict):
            yield found


def _as_text(value: Any) -> list[str]:
    if isinstance(value, (str, int, float)):
        return [str(value)]
    return [_json(value)] if isinstance(value, (list, dict)) else []


def _json(value: Any) -> str:
    import json

    return json.dumps(value, sort_keys=True, ensure_ascii=False)


@lru_cache(maxsize=1)
def _get_init_embeddings() -> Callable[[str], Embeddings] | None:
    try:
        from langchain.embeddings import init_embeddings  # type: ignore[import-not-found]
    except ImportError:
        return None
    return init_embeddings


def _langchain_state() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"Found langchain version {version('langchain')}, but"
    except PackageNotFoundError:
        return "langchain is not installed;"


@lru_cache(maxsize=1)
def _embeddings_lambda() -> type:
    # Made on demand, because its base class comes from langchain-core.
    from langchain_core.embeddings import Embeddings

    class EmbeddingsLambda(Embeddings):
        """An `Embeddings` that calls a function.

        With an asynchronous function only the asynchronous methods work; with a synchronous one
        those run it in a thread.

        Args:
            func: Function from texts to vectors.
        """

        def __init__(self, func: EmbeddingsFunc | AEmbeddingsFunc) -> None:
            if func is None:
                raise ValueError("func must be provided")
            setattr(self, "afunc" if _is_async_callable(func) else "func", func)

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            """Return one vector for each text; raises ValueError if the function is async."""
            func = getattr(self, "func", None)
            if func is None:
                raise ValueError(
                    "EmbeddingsLambda was initialized with an async function but no sync function. "
                    "Use aembed_documents for async operation or provide a sync function."
                )
            return func(texts)

        def embed_query(self, text: str) -> list[float]:
            """Return the vector of one text; raises ValueError if the function is async."""
            return self.embed_documents([text])[0]

        async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
            """Return one vector for each text."""
            afunc = getattr(self, "afunc", None)
            return await (super().aembed_documents(texts) if afunc is None else afunc(texts))

        async def aembed_query(self, text: str) -> list[float]:
            """Return the vector of one text."""
            afunc = getattr(self, "afunc", None)
            if afunc is None:
                return await super().aembed_query(text)
            return (await afunc([text]))[0]

    EmbeddingsLambda.__module__ = __name__
    EmbeddingsLambda.__qualname__ = EmbeddingsLambda.__name__
    return EmbeddingsLambda


def _is_async_callable(func: Any) -> bool:
    from inspect import iscoroutinefunction

    return iscoroutinefunction(func) or iscoroutinefunction(getattr(func, "__call__", None))  # noqa: B004


def __getattr__(name: str) -> Any:
    if name == "EmbeddingsLambda":
        return _embeddings_lambda()
    if name == "Embeddings":
        from langchain_core.embeddings import Embeddings

        return Embeddings
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AEmbeddingsFunc",
    "EmbeddingsFunc",
    "ensure_embeddings",
]
