"""From measurements to rows: ratios per round, their median and range."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from benches.compare.cases import all_cases
from benches.compare.rounds import Measured, Results


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
        }
        return {**self.__dict__, **per_step}


def make_rows(cases: tuple[str, ...], results: Results) -> list[Row]:
    """A row for each ``name:mode``."""
    known = all_cases()
    rows = []
    for label in cases:
        name, _, mode = label.partition(":")
        sides = {side: results[label, side] for side in ("ours", "upstream", "floor")}
        rows.append(_row(known[name].steps, known[name].unit, name, mode, sides))
    return rows


def _row(steps: int, unit: str, name: str, mode: str, sides: dict[str, Measured]) -> Row:
    ours, upstream, floor = sides["ours"], sides["upstream"], sides["floor"]
    ratios = _ratios(upstream, ours)
    over_floor = _ratios(ours, floor)
    both = ours.did is not None and upstream.did is not None
    return Row(
        case=name,
        mode=mode,
        steps=steps,
        unit=unit,
        ours=_middle(ours),
        upstream=_middle(upstream),
        floor=_middle(floor),
        speedup=(median(ratios), min(ratios), max(ratios)) if ratios else None,
        over_floor=median(over_floor) if over_floor else None,
        same_result=ours.did == upstream.did if both else None,
        errors={side: m.error for side, m in sides.items() if m.error is not None},
    )


def _ratios(above: Measured, below: Measured) -> list[float]:
    """Round by round; machines drift, the two sides of a round drift together."""
    return [a / b for a, b in zip(above.medians, below.medians, strict=False)]


def _middle(measured: Measured) -> float | None:
    return median(measured.medians) if measured.medians else None
