"""Which versions to move to: the newest of upstream's distributions that go together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sync.pins import Pins, requirements
from sync.update.index import Index, Refused, normalised

_ASKED_FOR = re.compile(r"The user requested (?:\(constraint\) )?([\w.-]+)(?:\[[^]]*\])?==")


@dataclass(frozen=True)
class HeldBack:
    """A distribution that has a newer version than the one chosen."""

    distribution: str
    newest: str
    chosen: str
    why: list[str]
    """pip's words when asked for the newest together with the rest."""


@dataclass(frozen=True)
class Release:
    """A set of upstream's distributions."""

    versions: dict[str, str]
    how: str
    """How the set was found."""
    held_back: list[HeldBack]


def find_release(index: Index, pins: Pins, wanted: str | None = None) -> Release:
    """The set with the core distribution in version `wanted`, or the newest that fits.

    The core comes first, then the others in the order of the pins: each gets its newest version
    if it goes together with what those before it have. Without `wanted` nothing moves backwards.

    Raises:
        Refused: nothing fits; the exception has pip's words.
    """
    newest = index.newest(pins.distributions)
    names = list(pins.distributions)
    if wanted:
        newest[pins.sdist_name] = wanted
    others = names if wanted else [f"{n}>={v}" for n, v in pins.distributions.items()]
    fixed: list[str] = []
    refusals: dict[str, list[str]] = {}
    try:
        fixed = [f"{pins.sdist_name}=={newest[pins.sdist_name]}"]
        found = index.fit([*fixed, *others])
    except Refused as error:
        if wanted:
            raise
        refusals[pins.sdist_name], fixed = error.words, []
        found = index.fit(others)
    for name in names:
        if name not in refusals and found[name] != newest[name]:
            try:
                found = index.fit([*fixed, f"{name}=={newest[name]}", *others])
            except Refused as error:
                refusals[name] = error.words
        fixed.append(f"{name}=={found[name]}")
    held_back = [HeldBack(n, newest[n], found[n], why) for n, why in refusals.items()]
    how = (
        f"asked for, with the newest that goes with {wanted}" if wanted else "the newest that fits"
    )
    return Release({name: found[name] for name in names}, how, held_back)


def fit_the_rest(index: Index, pins: Pins, release: Release) -> dict[str, str]:
    """The versions of everything else that must change for `release`: name to version.

    What is pinned stays unless pip names it as the reason why nothing fits.

    Raises:
        Refused: nothing fits even with all of them free.
    """
    asked = dict(pins.test_dependencies)
    kept = dict(pins.constraints)
    while True:
        wanted = [*requirements(release.versions), *_lines(pins.test_dependencies, asked)]
        try:
            found = index.fit(wanted, requirements(kept))
            break
        except Refused as error:
            named = {normalised(name) for name in _ASKED_FOR.findall(str(error))}
            blamed = [n for n in (*asked, *kept) if normalised(_plain(n)) in named]
            if not blamed and not asked and not kept:
                raise
            for name in blamed or [*asked, *kept]:
                asked.pop(name, None)
                kept.pop(name, None)
    ours = release.versions
    pinned = {normalised(name): version for name, version in pins.elsewhere.items()}
    return {n: v for n, v in found.items() if n not in ours and pinned.get(n) != v}


def _lines(names: dict[str, str], exact: dict[str, str]) -> list[str]:
    return [f"{name}=={exact[name]}" if name in exact else name for name in names]


def _plain(name: str) -> str:
    """A requirement's name without extras."""
    return name.partition("[")[0]
