"""What a database's threads take, and what they would take as changes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from langgraph_rust._storage.database import REST, Database, Space
from langgraph_rust._storage.decide import decide
from langgraph_rust._storage.judge import judge


@dataclass
class Use:
    """What a channel takes in a namespace of a thread, in bytes and rows."""

    thread: str
    namespace: str
    channel: str
    values: int = 0
    """How many values of it are stored; for `REST`, how many checkpoints there are."""
    value_bytes: int = 0
    writes: int = 0
    write_bytes: int = 0
    linear_bytes: int = 0
    """What both would be after `compact`."""
    sealed: dict[str, int] = field(default_factory=dict)
    """For `REST`, why checkpoints could not be looked into, and how many."""

    @property
    def bytes(self) -> int:
        return self.value_bytes + self.write_bytes


def uses(database: Database, threads: Sequence[str]) -> Iterator[Use]:
    """Yield what each channel of each namespace of these threads takes, and the rest of each."""
    for thread in threads:
        with database.looking():
            yield from list(_of_thread(database, thread))


def _of_thread(database: Database, thread: str) -> Iterator[Use]:
    found: dict[tuple[str, str], Use] = {}

    def use(namespace: str, channel: str) -> Use:
        return found.setdefault((namespace, channel), Use(thread, namespace, channel))

    for size in database.sizes(thread):
        own = use(size.namespace, size.channel)
        own.values += size.values
        own.value_bytes += size.value_bytes
        own.writes += size.writes
        own.write_bytes += size.write_bytes
    for tree in database.trees(thread):
        judged = judge(database, tree)
        use(tree.namespace, REST).sealed = {why: len(some) for why, some in judged.sealed.items()}
        for channel, saving in decide(judged).savings.items():
            use(tree.namespace, channel).linear_bytes -= saving.taken
    for own in found.values():
        own.linear_bytes += own.bytes
        yield own


def as_data(found: Sequence[Use], space: Space) -> dict[str, Any]:
    """Return the report for machines: all sizes in bytes.

    Args:
        found: What there is.
        space: What the database takes where it is kept.
    """
    total, linear = sum(use.bytes for use in found), sum(use.linear_bytes for use in found)
    return {
        "file_bytes": space.total,
        "free_bytes": space.free,
        "row_bytes": total,
        "rows_are_compressed_later": space.compresses,
        "index_and_page_bytes": max(space.total - space.free - total, 0),
        "linear_row_bytes": linear,
        "channels": [asdict(use) for use in sorted(found, key=lambda use: -use.bytes)],
    }


def as_table(found: Sequence[Use], space: Space, limit: int) -> str:
    """Return the report for people, the largest first; of no more than `limit` channels, if any."""
    ordered = sorted(found, key=lambda use: -use.bytes)
    shown = ordered[: limit or None]
    lines: list[tuple[str, ...]] = [
        ("thread", "namespace", "channel", "values", "", "writes", "", "total", "linear")
    ]
    lines += map(_line, shown)
    if len(shown) < len(ordered):
        lines.append(_summed(f"{len(ordered) - len(shown)} more", ordered[len(shown) :]))
    lines.append(_summed("all", ordered))
    widths = [max(len(line[column]) for line in lines) for column in range(9)]
    left = 3
    table = [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    total = sum(use.bytes for use in found)
    table.append("")
    for why, count in _sealed(found).items():
        table.append(f"{count} checkpoints are {why}: nobody knows what they would take as changes")
    how = ", as they are before the server compresses them" if space.compresses else ""
    table.append(
        f"{spell(space.total)} in files: {spell(total)} in rows{how}, {spell(space.free)} free, "
        f"{spell(max(space.total - space.free - total, 0))} indexes and pages"
    )
    return "\n".join(table)


def _sealed(found: Sequence[Use]) -> dict[str, int]:
    """Return why checkpoints could not be looked into, and how many."""
    total = Counter[str]()
    for use in found:
        total.update(use.sealed)
    return dict(total.most_common())


def _line(use: Use) -> tuple[str, ...]:
    names = (_short(use.thread), _short(use.namespace), _short(use.channel) or "(rest)")
    return (*names, *_numbers([use]))


def _summed(name: str, some: Sequence[Use]) -> tuple[str, ...]:
    return (name, "", "", *_numbers(some))


def _numbers(some: Sequence[Use]) -> tuple[str, ...]:
    sums: defaultdict[str, int] = defaultdict(int)
    for use in some:
        for name in ("value_bytes", "writes", "write_bytes", "bytes", "linear_bytes"):
            sums[name] += getattr(use, name)
        sums["values"] += use.values if use.channel != REST or len(some) == 1 else 0
    return (
        str(sums["values"]),
        spell(sums["value_bytes"]),
        str(sums["writes"]),
        spell(sums["write_bytes"]),
        spell(sums["bytes"]),
        spell(sums["linear_bytes"]),
    )


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:24]}…{name[-15:]}"


def spell(size: int) -> str:
    """Return a number of bytes for people."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(amount) < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{size} B" if unit == "B" else f"{amount:.1f} {unit}"
