"""Random state schemas, and random values for their keys."""

from __future__ import annotations

from random import Random
from typing import Any

KINDS = {
    "x": "last",
    "y": "last",
    "log": "add",
    "total": "sum",
    "bag": "merge",
    "msgs": "messages",
    "eph": "ephemeral",
    "unt": "untracked",
    "any": "any",
    "top": "topic",
    "fin": "after_finish",
}
"""Each key's channel; a key has the same kind in a graph and in its subgraphs."""

COMMON = ("x", "log", "total", "bag", "msgs")
MESSAGE_IDS = ("m0", "m1", "m2", "m3")


def schema(random: Random, keep: list[str] | None = None) -> dict[str, Any]:
    """A state schema: its form, its keys, and the keys of its input and output if those differ.

    Args:
        random: where choices come from.
        keep: keys of a parent graph, some of which the schema is to share.
    """
    keys = {key for key in COMMON if random.random() < 0.6}
    keys |= {key for key in KINDS if random.random() < 0.15}
    keys |= {key for key in keep or [] if random.random() < 0.5}
    if random.random() < 0.85 or not keys:
        keys.add("log")
    ordered = [key for key in KINDS if key in keys]
    random.shuffle(ordered)
    return {
        "form": _weighted(random, {"typeddict": 14, "dataclass": 2, "pydantic": 2}),
        "keys": ordered,
        "managed": random.random() < 0.08,
        "input": _some(random, ordered) if random.random() < 0.15 else None,
        "output": _some(random, ordered) if random.random() < 0.15 else None,
    }


def update(random: Random, keys: list[str], name: str, most: int = 3) -> dict[str, Any]:
    """Expressions for some of `keys`, as a node named `name` or a caller may write them."""
    if not keys:
        return {}
    chosen = random.sample(keys, min(len(keys), random.choice((0, 1, 1, 1, 2, 2, most))))
    written = {key: value(random, KINDS.get(key, "last"), keys, name) for key in chosen}
    if random.random() < 0.02:
        written["unknown"] = {"literal": 1}
    return written


def value(random: Random, kind: str, keys: list[str], name: str) -> Any:
    """An expression for one value; `nodes.evaluate` says what it means."""
    if random.random() < 0.01:
        return {"literal": random.choice((None, 3, "text", [], {}))}
    made = _value(random, kind, keys, name)
    if kind in ("add", "sum", "merge", "messages") and random.random() < 0.03:
        return {"overwrite": made}
    return made


def _value(random: Random, kind: str, keys: list[str], name: str) -> Any:
    if kind == "add":
        return random.choice(
            ({"list": [{"tag": name}]}, {"list": [{"literal": random.randint(0, 9)}]})
        )
    if kind == "sum":
        return {"literal": random.randint(-3, 9)}
    if kind == "merge":
        return {"dict": {random.choice("abc"): {"tag": name}}}
    if kind == "messages":
        messages = [_message(random, name) for _ in range(random.choice((0, 1, 1, 2)))]
        return messages[0] if len(messages) == 1 and random.random() < 0.3 else {"list": messages}
    if kind == "topic":
        return random.choice(({"tag": name}, {"list": [{"tag": name}, {"literal": 1}]}))
    return random.choice(
        (
            {"tag": name},
            {"tag": name},
            {"literal": random.choice((None, 0, 1, "s", [1], {"k": 1}, True, 1.5))},
            {"key": random.choice(keys)} if keys else {"tag": name},
        )
    )


def _message(random: Random, name: str) -> Any:
    # Always with an id: the reducer gives one to a message that has none, in place, and whether
    # upstream's savers store it before or after is chance.
    identity = random.choice(MESSAGE_IDS)
    form = _weighted(random, {"ai": 5, "human": 3, "system": 1, "tuple": 1, "dict": 1, "remove": 1})
    if form == "remove":
        identity = random.choice((*MESSAGE_IDS, "__remove_all__"))
    return {"message": form, "content": f"{name}-{random.randint(0, 99)}", "id": identity}


def _some(random: Random, keys: list[str]) -> list[str]:
    return [key for key in keys if random.random() < 0.6] or keys[:1]


def _weighted(random: Random, weights: dict[str, int]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]
