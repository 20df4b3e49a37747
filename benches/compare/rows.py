"""From measurements to rows: ratios per round, their median and range."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from benches.compare.cases import all_cases
from benches.compare.cases.base import Case
from benches.compare.rounds import Measured, Results
from benches.compare.sides import BASE, SIDES


@dataclass(frozen=True)
class Row:
    """A case in one mode. Times are seconds per run, `None` where a side has no result."""

    case: str
    mode: str
    steps: int
    unit: str
    ours: float | None
    upstream: float | None
    floor: float | None
    speedup: tuple[float, float, float] | None
    """Upstream's time by ours: median of the rounds, lowest, highest."""
    over_floor: float | None
    """Our time by the floor's."""
    processor: float | None
    """Processor time of ours."""
    processor_speedup: float | None
    """`speedup` in processor time."""
    processor_over_floor: float | None
    """`over_floor` in processor time."""
    others: dict[str, float]
    """What the case's other sides took, in seconds per run."""
    same_result: bool | None
    """Whether ours streamed what upstream streamed."""
    errors: dict[str, str]

    def per_step(self, seconds: float | None) -> float | None:
        """Microseconds per superstep (or what `unit` says)."""
        return None if seconds is None else seconds / self.steps * 1e6

    def to_json(self) -> dict[str, Any]:
        """The row with its microseconds per step."""
        per_step = {
            "us_per_step": self.per_step(self.ours),
            "us_per_step_upstream": self.per_step(self.upstream),
            "us_per_step_floor": self.per_step(self.floor),
            "us_per_step_processor": self.per_step(self.processor),
            "us_per_step_others": {k: self.per_step(v) for k, v in self.others.items()},
        }
        return {**self.__dict__, **per_step}


def make_rows(cases: tuple[str, ...], results: Results) -> list[Row]:
    """A row for each ``name:mode``."""
    known = all_cases()
    rows = []
    for label in cases:
        name, _, mode = label.partition(":")
        sides = {s: results[label, s] for s in SIDES if (label, s) in results}
        rows.append(_row(known[name], mode, sides))
    return rows


def _row(case: Case, mode: str, sides: dict[str, Measured]) -> Row:
    ours, upstream, floor = (sides[side] for side in BASE)
    ratios = _ratios(upstream.medians, ours.medians)
    over_floor = _ratios(ours.medians, floor.medians)
    processor = _ratios(upstream.processor, ours.processor)
    others = {side: _middle(m.medians) for side, m in sides.items() if side not in BASE}
    both = ours.did is not None and upstream.did is not None
    return Row(
        case=case.name,
        mode=mode,
        steps=case.steps,
        unit=case.unit,
        ours=_middle(ours.medians),
        upstream=_middle(upstream.medians),
        floor=_middle(floor.medians),
        speedup=(median(ratios), min(ratios), max(ratios)) if ratios else None,
        over_floor=_middle(over_floor),
        processor=_middle(ours.processor),
        processor_speedup=_middle(processor),
        processor_over_floor=_middle(_ratios(ours.processor, floor.processor)),
        others={side: took for side, took in others.items() if took is not None},
        same_result=ours.did == upstream.did if both else None,
        errors={side: m.error for side, m in sides.items() if m.error is not None},
    )


def _ratios(above: list[float], below: list[float]) -> list[float]:
    """Round by round; machines drift, the two sides of a round drift together."""
    return [a / b for a, b in zip(above, below, strict=False) if b]


def _middle(values: list[float]) -> float | None:
    return median(values) if values else None
