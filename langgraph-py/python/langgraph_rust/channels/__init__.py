"""The channels a graph's state is made of.

A channel holds one value between supersteps and decides what several writes of one step become.
All kinds are native classes of the engine; subclass `BaseChannel` to add one in Python.
"""

from __future__ import annotations

from langgraph_rust.channels.any_value import AnyValue
from langgraph_rust.channels.base import BaseChannel
from langgraph_rust.channels.binop import BinaryOperatorAggregate
from langgraph_rust.channels.delta import DeltaChannel
from langgraph_rust.channels.ephemeral_value import EphemeralValue
from langgraph_rust.channels.last_value import LastValue, LastValueAfterFinish
from langgraph_rust.channels.named_barrier_value import (
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
)
from langgraph_rust.channels.topic import Topic
from langgraph_rust.channels.untracked_value import UntrackedValue

__all__ = (
    "AnyValue",
    "BaseChannel",
    "BinaryOperatorAggregate",
    "DeltaChannel",
    "EphemeralValue",
    "LastValue",
    "LastValueAfterFinish",
    "NamedBarrierValue",
    "NamedBarrierValueAfterFinish",
    "Topic",
    "UntrackedValue",
)
