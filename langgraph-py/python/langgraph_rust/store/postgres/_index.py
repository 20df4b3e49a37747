"""What a store is told about connections and semantic search, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

from psycopg.rows import dict_row

from langgraph_rust.store.base import IndexConfig, ensure_embeddings, tokenize_path

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings


class PoolConfig(TypedDict, total=False):
    """How `from_conn_string` makes a pool; entries not listed here go to the pool, too."""

    min_size: int
    """Connections that are kept open; 1 if missing."""
    max_size: int | None
    """Connections at most; `None`, or missing, for as many as `min_size`."""
    kwargs: dict
    """Arguments for each connection, besides `autocommit=True` and `prepare_threshold=0`.

    Behind PgBouncer, `prepare_threshold` may have to be `None`.
    """


class ANNIndexConfig(TypedDict, total=False):
    """The index that vectors are looked up in."""

    kind: Literal["hnsw", "ivfflat", "flat"]
    """Type of the index; `"hnsw"` if missing. `"flat"` is none: every vector is compared."""
    vector_type: Literal["vector", "halfvec"]
    """Type of the column: 4 bytes a number, or 2. `"vector"` if missing."""


class HNSWConfig(ANNIndexConfig, total=False):
    """A graph of neighbours: quick to search and good at finding, slower to build."""

    kind: Literal["hnsw"]  # type: ignore[misc]
    m: int
    """Neighbours at most in each layer; pgvector's default is 16."""
    ef_construction: int
    """Candidates while the graph is built; pgvector's default is 64."""


class IVFFlatConfig(ANNIndexConfig, total=False):
    """Lists of vectors that lie together: quicker to build, worse at finding.

    Best made when the table has rows: the lists are chosen from what is there.
    """

    kind: Literal["ivfflat"]  # type: ignore[misc]
    nlist: int
    """How many lists; about a thousandth of the number of rows, or its root above a million."""


class PostgresIndexConfig(IndexConfig, total=False):
    """How a store embeds items for semantic search, and how pgvector keeps the vectors."""

    ann_index_config: ANNIndexConfig
    """The index, an `HNSWConfig` or an `IVFFlatConfig`."""
    distance_type: Literal["l2", "inner_product", "cosine"]
    """What makes vectors similar; `"cosine"` if missing."""


_OPERATORS = {
    "l2": ("l2_ops", "<->", "-scored.neg_score"),
    "inner_product": ("ip_ops", "<#>", "-scored.neg_score"),
    "cosine": ("cosine_ops", "<=>", "1 - scored.neg_score"),
}
"""For each distance pgvector's operator class and operator, and the score made of its result."""

_PARAMETERS = {
    "hnsw": {"m": "m", "ef_construction": "ef_construction"},
    "ivfflat": {"lists": "lists", "nlist": "lists"},
    "flat": {},
}
"""For each kind of index what may be set, and pgvector's name for it."""


def vector_type(store: Any) -> str:
    """Return the type of the column of vectors.

    Raises:
        ValueError: pgvector has no such type, or the store cannot use it.
    """
    asked = str(_ann(store).get("vector_type", "vector"))
    return _one_of("vector_type", asked, ("vector", "halfvec"))


def dimensions(store: Any) -> int:
    """Return the length of the vectors.

    Raises:
        ValueError: it is missing, or no number.
    """
    try:
        return int(store.index_config["dims"])
    except (KeyError, TypeError, ValueError) as error:
        given = store.index_config.get("dims")
        raise ValueError(
            f"Invalid dims for vector index: {given}. Pass the length of the vectors that `embed` "
            "returns."
        ) from error


def get_distance_operator(store: Any) -> tuple[str, str]:
    """Return the expressions of the distance to a vector, and of the score made of it.

    The first has two `%s`, for the vector and its type; the less it is, the more similar. The
    second calls it `scored.neg_score`; the more, the more similar.

    Raises:
        ValueError: the store has no index, or pgvector has no such distance.
    """
    if not store.index_config:
        raise ValueError(
            "Embedding configuration is required for vector operations (for semantic search). "
            f"Please provide an `index` when initializing the {type(store).__name__}."
        )
    _, operator, score = _OPERATORS[_distance_type(store)]
    return f"sv.embedding {operator} %s::%s", score


def operator_class(store: Any) -> str:
    """Return pgvector's name for what the index compares by.

    Raises:
        ValueError: pgvector has no such type or distance.
    """
    return f"{vector_type(store)}_{_OPERATORS[_distance_type(store)][0]}"


def index_kind(store: Any) -> str:
    """Return the kind of the index.

    Raises:
        ValueError: pgvector has no such index.
    """
    return _one_of("index kind", str(_ann(store).get("kind", "hnsw")), tuple(_PARAMETERS))


def index_options(store: Any) -> str:
    """Return the clause that sets the index's parameters, or nothing.

    Raises:
        ValueError: one of them is no number.
    """
    known = _PARAMETERS[index_kind(store)]
    settings = []
    for name, value in _ann(store).items():
        if name not in known:
            continue
        try:
            number = int(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"Invalid index parameter value for {name}: {value}") from error
        if number > 0:
            settings.append(f"{known[name]}={number}")
    return f" WITH ({', '.join(settings)})" if settings else ""


def ensure_index_config(
    index_config: PostgresIndexConfig,
) -> tuple[Embeddings | None, PostgresIndexConfig]:
    """Return what embeds, and a copy of the config with its paths split.

    Raises:
        ValueError: `embed` cannot be used, or `fields` is no list.
    """
    completed: Any = index_config.copy()
    fields = completed.get("fields") or ["$"]
    if isinstance(fields, str):
        fields = [fields]
    if not isinstance(fields, list):
        raise ValueError(f"Text fields must be a list or a string. Got {fields}")
    split = [(path, path if path == "$" else tokenize_path(path)) for path in fields]
    completed["__tokenized_fields"] = split
    completed["__estimated_num_vectors"] = sum(len(steps) for _, steps in split)
    return ensure_embeddings(completed.get("embed")), completed


def pool_arguments(pool_config: PoolConfig) -> dict[str, Any]:
    """Return the arguments that make a pool."""
    kwargs = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    kwargs |= pool_config.get("kwargs") or {}
    return {"min_size": 1, "max_size": None, "open": False, **pool_config, "kwargs": kwargs}


def _ann(store: Any) -> Any:
    return store.index_config.get("ann_index_config") or {}


def _distance_type(store: Any) -> str:
    asked = str(store.index_config.get("distance_type", "cosine"))
    return _one_of("distance_type", asked, tuple(_OPERATORS))


def _one_of(what: str, asked: str, known: tuple[str, ...]) -> str:
    # These become part of SQL, which has no parameters in their places.
    if asked not in known:
        raise ValueError(f"Invalid {what} for pgvector: {asked}. Pass one of {', '.join(known)}.")
    return asked
