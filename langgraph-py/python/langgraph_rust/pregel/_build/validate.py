"""Checks that a graph's nodes, channels and breakpoints fit together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import RESERVED
from langgraph_rust._internal._mistakes import explained, visible
from langgraph_rust.pregel._build.read import PregelNode

if TYPE_CHECKING:
    from langgraph_rust.channels.base import BaseChannel
    from langgraph_rust.managed.base import ManagedValueMapping
    from langgraph_rust.types import All


def validate_graph(
    nodes: Mapping[str, PregelNode],
    channels: dict[str, BaseChannel],
    managed: ManagedValueMapping,
    input_channels: str | Sequence[str],
    output_channels: str | Sequence[str],
    stream_channels: str | Sequence[str] | None,
    interrupt_after_nodes: All | Sequence[str],
    interrupt_before_nodes: All | Sequence[str],
) -> None:
    """Raise if any name is reserved or unknown, or nothing listens to the input.

    `ValueError` names the first problem found; `TypeError` says a node is not a `PregelNode`.
    """
    _reject_reserved("Channel name", channels)
    _reject_reserved("Managed name", managed)
    subscribed = _check_nodes(nodes, channels, managed)
    for chan in subscribed:
        if chan not in channels:
            raise ValueError(f"Subscribed channel '{chan}' not in {_known(channels)}")
    _check_input(input_channels, channels, subscribed)
    for chan in {*_names(output_channels), *_names(stream_channels)}:
        if chan not in channels:
            raise ValueError(f"Output channel '{chan}' not in {_known(channels)}")
    for selected in (interrupt_after_nodes, interrupt_before_nodes):
        for name in () if selected == "*" else selected:
            if name not in nodes:
                error = ValueError(f"Node {name} not in nodes")
                raise explained(error, name, visible(nodes), "The nodes")


def validate_keys(keys: str | Sequence[str] | None, channels: Mapping[str, Any]) -> None:
    """Raise `ValueError` if any of `keys` is not a channel."""
    for chan in _names(keys):
        if chan not in channels:
            error = ValueError(f"Key {chan} not in channels")
            raise explained(error, chan, visible(channels), "The channels")


def _check_nodes(
    nodes: Mapping[str, PregelNode], channels: Collection[str], managed: Collection[str]
) -> set[str]:
    """Check what each node reads; return every channel some node is triggered by."""
    subscribed: set[str] = set()
    checked: set[int] = set()  # nodes of one schema share a list, which may be long
    for name, node in nodes.items():
        if name in RESERVED:
            raise ValueError(f"Node name '{name}' is reserved")
        if not isinstance(node, PregelNode):
            raise TypeError(f"Invalid node type {type(node)}, expected PregelNode or NodeBuilder")
        subscribed.update(node.triggers)
        if id(node.channels) in checked:
            continue
        checked.add(id(node.channels))
        single = isinstance(node.channels, str)
        for chan in _names(node.channels):
            # a managed value cannot be the whole input of a node, only a key of it
            if chan not in channels and (single or chan not in managed):
                raise ValueError(f"Node {name} reads channel '{chan}' not in {_known(channels)}")
    return subscribed


def _check_input(
    input_channels: str | Sequence[str], channels: Collection[str], subscribed: set[str]
) -> None:
    if isinstance(input_channels, str):
        if input_channels not in channels:
            raise ValueError(f"Input channel '{input_channels}' not in {_known(channels)}")
        if input_channels not in subscribed:
            raise ValueError(f"Input channel {input_channels} is not subscribed to by any node")
        return
    for chan in input_channels:
        if chan not in channels:
            raise ValueError(f"Input channel '{chan}' not in '{_abridged(channels)}'")
    if subscribed.isdisjoint(input_channels):
        raise ValueError(
            f"None of the input channels {input_channels} are subscribed to by any node"
        )


def _reject_reserved(what: str, names: Iterable[str]) -> None:
    for name in names:
        if name in RESERVED:
            raise ValueError(f"{what} '{name}' is reserved")


def _names(select: str | Sequence[str] | None) -> Sequence[str]:
    if select is None:
        return ()
    return (select,) if isinstance(select, str) else select


def _known(channels: Collection[str]) -> str:
    return f"known channels: '{_abridged(channels)}'"


def _abridged(channels: Collection[str]) -> str:
    return repr(sorted(channels))[:100]
