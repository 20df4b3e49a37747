"""Which versions to move to: the newest of upstream's distributions that go together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sync.pins import CORE, Pins, requirements
from sync.update.index import Index, Refused, normalised

_ASKED_FOR = re.compile(r"The user requested (?:\(constraint\) )?([\w.-]+)(?:\[[^]]*\])?==")


@dataclass(frozen=True)
class HeldBack:
    """A distribution that has a newer version than the one chosen."""

    distribution: str
    newest: str
    chosen: str
    why: list[str]
    """pip's words when asked for the newest, by itself or together with the rest."""


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
    if wanted:
        newest[CORE] = wanted
        how = f"asked for, with the newest that goes with {wanted}"
        return _newest_that_fits(index, pins, newest, list(newest), how, exact=True)
    floors = [f"{name}>={version}" for name, version in pins.distributions.items()]
    return _newest_that_fits(index, pins, newest, floors, "the newest that fits", exact=False)


def release_before(index: Index, pins: Pins, wanted: str, later: Release) -> Release:
    """The set with the core in version `wanted`, and none of the others newer than in `later`.

    Which of them were out with that version cannot be asked of pip.

    Raises:
        Refused: nothing fits.
    """
    newest = {**later.versions, CORE: wanted}
    ceilings = [f"{name}<={version}" for name, version in newest.items()]
    how = f"asked for, with the newest up to those of the other set that goes with {wanted}"
    return _newest_that_fits(index, pins, newest, ceilings, how, exact=True)


def _newest_that_fits(
    index: Index, pins: Pins, newest: dict[str, str], bounds: list[str], how: str, *, exact: bool
) -> Release:
    fixed = [f"{CORE}=={newest[CORE]}"]
    refusals: dict[str, list[str]] = {}
    try:
        found = index.fit([*fixed, *bounds])
    except Refused as error:
        if exact:
            raise
        refusals[CORE], fixed = error.words, []
        found = index.fit(bounds)
    for name in newest:
        if name not in refusals and found[name] != newest[name]:
            try:
                found = index.fit([*fixed, f"{name}=={newest[name]}", *bounds])
            except Refused as error:
                refusals[name] = _alone(index, f"{name}=={newest[name]}") or error.words
        fixed.append(f"{name}=={found[name]}")
    held_back = [HeldBack(n, newest[n], found[n], why) for n, why in refusals.items()]
    return Release({name: found[name] for name in pins.distributions}, how, held_back)


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


def _alone(index: Index, requirement: str) -> list[str]:
    """pip's words when the requirement cannot be met even by itself."""
    try:
        index.fit([requirement])
    except Refused as error:
        return error.words
    return []


def _lines(names: dict[str, str], exact: dict[str, str]) -> list[str]:
    return [f"{name}=={exact[name]}" if name in exact else name for name in names]


def _plain(name: str) -> str:
    """A requirement's name without extras."""
    return name.partition("[")[0]
