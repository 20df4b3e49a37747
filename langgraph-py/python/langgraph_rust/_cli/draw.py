"""`langgraph-rust draw`: a picture of a graph."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

__all__ = ("main",)

_DESCRIPTION = """\
Draws a graph as SVG or, if the file's name ends in .png, as PNG. A graph is `module:attribute`: a
compiled graph, a builder, or a function that makes one. Modules are looked for in the current
directory, too. If they import `langgraph`, say LANGGRAPH_RUST=1.
"""


def main(arguments: Sequence[str], program: str) -> int:
    """Do what the command line says; return the process's exit status.

    Args:
        arguments: Without `draw`.
        program: What the command is called.
    """
    options = _parser(program).parse_args(arguments)
    sys.path.insert(0, os.getcwd())
    try:
        graph = _graph(options.graph)
        drawn = graph.get_graph(xray=options.xray)
        if options.output is None:
            sys.stdout.write(drawn.draw_svg(theme=options.theme))
        elif not options.output.endswith((".svg", ".png")):
            raise ValueError(f"SVG or PNG? {options.output} should end in .svg or .png")
        elif options.output.endswith(".png"):
            theme = "light" if options.theme == "auto" else options.theme
            drawn.draw_png(options.output, theme=theme, scale=options.scale)
        else:
            drawn.draw_svg(options.output, theme=options.theme)
    except (AttributeError, ImportError, OSError, ValueError) as error:
        print(f"draw: {error}", file=sys.stderr)
        return 1
    return 0


def _graph(path: str) -> Any:
    module, _, attribute = path.partition(":")
    if not module or not attribute:
        raise ValueError(f"which graph? Name it as module:attribute, not {path!r}")
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    if not hasattr(found, "get_graph") and not hasattr(found, "compile"):
        found = found()
    return found if hasattr(found, "get_graph") else found.compile()


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"{program} draw", description=_DESCRIPTION)
    parser.add_argument("graph", metavar="MODULE:ATTRIBUTE", help="the graph")
    parser.add_argument("-o", "--output", help="a file; without it SVG goes to standard output")
    parser.add_argument("--xray", action="store_true", help="draw what is in subgraphs, too")
    parser.add_argument("--theme", choices=("light", "dark", "auto"), default="auto")
    parser.add_argument("--scale", type=float, default=2.0, help="PNG: pixels for one of SVG's")
    return parser
