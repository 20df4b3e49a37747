"""What a whole run found, and whether it passes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.differential.known import KNOWN, Known
from tests.differential.verdict import Difference, Incomparable, Outcome

INCOMPARABLE_PERCENT = 4
"""How many programs may be without anything to compare with. Of 0:2000 it is 2.2 %."""

INCOMPARABLE_ANYWAY = 2
"""So many may be in any case: a run of a few programs says nothing about shares."""


@dataclass
class Tally:
    """The programs of a run by what came of them."""

    compared: set[int] = field(default_factory=set)
    """Seeds of programs that were run, whatever came of them, but for the incomparable."""
    unknown: list[Difference] = field(default_factory=list)
    """Differences that no entries explain."""
    unlisted: dict[Known, list[Difference]] = field(default_factory=dict)
    """Differences that entries would explain, not all of which list the program."""
    known: dict[Known, list[Difference]] = field(default_factory=dict)
    """Differences that are explained; one may need several entries."""
    incomparable: dict[str, list[int]] = field(default_factory=dict)
    """Seeds by why there was nothing to compare with."""

    @property
    def programs(self) -> int:
        """How many programs were run."""
        return len(self.compared) + self.without_answer

    @property
    def without_answer(self) -> int:
        """How many programs could not be compared."""
        return sum(map(len, self.incomparable.values()))

    @property
    def too_many_incomparable(self) -> bool:
        """Whether so many could not be compared that the run says too little."""
        allowed = max(INCOMPARABLE_ANYWAY, self.programs * INCOMPARABLE_PERCENT / 100)
        return self.without_answer > allowed

    def stale(self) -> dict[Known, list[int]]:
        """Programs that an entry lists, and that were compared without showing it."""
        found: dict[Known, list[int]] = {}
        for known in KNOWN:
            if gone := sorted((known.seeds & self.compared) - self._showing(known)):
                found[known] = gone
        return found

    def passes(self) -> bool:
        """Whether nothing is wrong."""
        wrong = self.unknown or self.unlisted or self.stale() or self.too_many_incomparable
        return not wrong

    def seeds_by_entry(self) -> dict[Known, list[int]]:
        """What each entry should list: what was found now, and what it lists of other programs."""
        return {
            known: sorted(self._showing(known) | (known.seeds - self.compared)) for known in KNOWN
        }

    def _showing(self, known: Known) -> set[int]:
        items = [*self.known.get(known, []), *self.unlisted.get(known, [])]
        return {item.program["seed"] for item in items}


def tally(outcomes: Iterable[tuple[int, Outcome]]) -> Tally:
    """Count what came of each program, by its seed."""
    counted = Tally()
    for seed, outcome in sorted(outcomes, key=lambda item: item[0]):
        if isinstance(outcome, Incomparable):
            counted.incomparable.setdefault(outcome.reason, []).append(seed)
            continue
        counted.compared.add(seed)
        if outcome is None:
            continue
        known, like = outcome.known(), outcome.resembles()
        for entry in known or like:
            (counted.known if known else counted.unlisted).setdefault(entry, []).append(outcome)
        if not like:
            counted.unknown.append(outcome)
    return counted
