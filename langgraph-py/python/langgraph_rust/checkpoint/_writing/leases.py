"""What becomes of a thread's lease: decided here, stored by savers within a transaction."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, NamedTuple

TTL = 30.0
"""Seconds that a lease is good for unless it is renewed."""

_PATIENCE = 2.0
"""Seconds after which somebody who waits and is not heard of is gone."""

_NAPS = 0.002, 0.05
"""Seconds between looks: of whoever is next, at first; of everybody, at most."""


class Held(NamedTuple):
    """A thread's lease."""

    holder: str | None = None
    token: int = 0
    expires: float = 0.0
    """In the seconds of the saver's clock."""
    waiting: tuple[tuple[str, float], ...] = ()
    """Who waits for it, in order, and when each counts as gone."""

    def is_free(self, now: float) -> bool:
        """Whether nobody has it."""
        return self.holder is None or self.expires <= now


NOBODY = Held()

Change = Callable[[Held, float], tuple[Held, Any]]
"""Makes of a lease, at a time, what it is then; and says something about that."""


def queue_text(held: Held) -> str:
    """Encode who waits."""
    return json.dumps(held.waiting)


def queue_of(text: str) -> tuple[tuple[str, float], ...]:
    """Decode who waits."""
    return tuple((who, until) for who, until in json.loads(text))


# --- changes ---


def _take(
    held: Held, now: float, holder: str, ttl: float, steal: bool, who: str, stays: bool
) -> tuple[Held, int | None]:
    """Take it if it is free and nobody is before, or get in line; tells the token."""
    alive = tuple(one for one in held.waiting if one[1] > now)
    others = tuple(one for one in alive if one[0] != who)
    is_next = not alive or alive[0][0] == who
    if steal or (held.is_free(now) and is_next):
        return Held(holder, held.token + 1, now + ttl, others), held.token + 1
    if not stays:
        return held._replace(waiting=others), None
    if len(others) == len(alive):
        return held._replace(waiting=(*others, (who, now + _PATIENCE))), None
    fresh = tuple((one, now + _PATIENCE if one == who else until) for one, until in alive)
    return held._replace(waiting=fresh), None


def renew(held: Held, now: float, token: int, ttl: float) -> tuple[Held, bool]:
    """Make it last; tells whether that lease still counts."""
    if held.token != token or held.holder is None:
        return held, False
    return held._replace(expires=now + ttl), True


def release(held: Held, _: float, token: int) -> tuple[Held, bool]:
    """Give it back; tells whether it was held. Its token is never given out again."""
    if held.token != token or held.holder is None:
        return held, False
    return held._replace(holder=None, expires=0.0), True


# --- taking ---


class Changed(NamedTuple):
    """Have the lease changed; the answer is what the change says."""

    change: Change


class Look(NamedTuple):
    """Read the lease; the answer is the lease, and the time."""


class Nap(NamedTuple):
    """Wait for so many seconds."""

    seconds: float


Asked = Changed | Look | Nap


class Taking:
    """Somebody's way to a lease, through the line of those who wait for it.

    Whoever has waited longest is next; who gives it back and wants it again goes to the end.

    Args:
        holder: Who takes it.
        ttl: Seconds that it is good for.
        steal: Whether it is taken from whoever has it.
        wait: Seconds to wait for it.
    """

    def __init__(self, holder: str, ttl: float, steal: bool, wait: float) -> None:
        self._who, self._until = os.urandom(12).hex(), time.monotonic() + wait
        self._take = partial(_take, holder=holder, ttl=ttl, steal=steal, who=self._who)
        self._token: int | None = None

    def _try(self, held: Held, now: float, stays: bool) -> tuple[Held, int | None]:
        after, token = self._take(held, now, stays=stays)
        # It may be stored without anybody hearing of it.
        self._token = token
        return after, token

    def leave(self, held: Held, now: float) -> tuple[Held, None]:
        """Get out of the line, and give back what was taken unheard; a change."""
        waiting = tuple(one for one in held.waiting if one[0] != self._who and one[1] > now)
        if self._token is not None:
            held, _ = release(held, now, self._token)
        return held._replace(waiting=waiting), None

    def steps(self) -> Generator[Asked, Any, int | Held]:
        """Take it; returns its token, or the lease as another has it when the time is over."""
        while True:
            stays = time.monotonic() < self._until
            token = yield Changed(partial(self._try, stays=stays))
            if token is not None:
                return token
            if not stays:
                held, _ = yield Look()
                return held
            yield from self._watch()

    def _watch(self) -> Generator[Asked, Any, None]:
        """Wait until there is something to change: looking keeps nobody from storing."""
        nap, longest = _NAPS
        while time.monotonic() < self._until:
            yield Nap(nap)
            held, now = yield Look()
            alive = [one for one in held.waiting if one[1] > now]
            is_next = not alive or alive[0][0] == self._who
            if is_next and held.is_free(now):
                return
            if not any(who == self._who and until > now + _PATIENCE / 2 for who, until in alive):
                return
            nap = min(nap * 1.5, longest)
