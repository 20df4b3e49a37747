"""Parameter lists: written as text, compared by meaning."""

from __future__ import annotations

import ast
from dataclasses import dataclass

NO_DEFAULT = None
STUB_DEFAULT = "..."
"""How a stub, or a field with a factory, says that there is a default without saying which."""


@dataclass(frozen=True)
class Parameter:
    """A parameter as a caller sees it."""

    name: str
    kind: str
    """``positional``, ``either``, ``*``, ``keyword`` or ``**``."""
    default: str | None


def signature_of(function: ast.FunctionDef | ast.AsyncFunctionDef, *, bound: bool) -> str:
    """The parameter list as source text without annotations; `bound` drops the first parameter."""
    arguments = _without_annotations(function.args)
    if bound:
        first = arguments.posonlyargs or arguments.args
        del first[:1]
    return ast.unparse(arguments)


def parameters(signature: str) -> list[Parameter]:
    """Take a parameter list apart."""
    arguments = ast.parse(f"def f({signature}): ...").body[0].args  # type: ignore[attr-defined]
    either = [*arguments.posonlyargs, *arguments.args]
    padding = [None] * (len(either) - len(arguments.defaults))
    found = []
    for index, (arg, default) in enumerate(zip(either, padding + arguments.defaults, strict=True)):
        kind = "positional" if index < len(arguments.posonlyargs) else "either"
        found.append(Parameter(arg.arg, kind, _text(default)))
    if arguments.vararg:
        found.append(Parameter(arguments.vararg.arg, "*", None))
    for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        found.append(Parameter(arg.arg, "keyword", _text(default)))
    if arguments.kwarg:
        found.append(Parameter(arguments.kwarg.arg, "**", None))
    return found


def same_signature(wanted: str, found: str) -> bool:
    """Whether a caller of `wanted` can call `found` the same way.

    Keyword-only parameters may come in any order, and a stub's ``...`` stands for any default.
    """
    return _normalised(wanted, found) == _normalised(found, wanted)


def _normalised(signature: str, other: str) -> tuple[list[Parameter], set[Parameter]]:
    vague = {p.name for p in parameters(other) if p.default == STUB_DEFAULT}
    ordered, keyword = [], set()
    for parameter in parameters(signature):
        if parameter.default is not None and parameter.name in vague:
            parameter = Parameter(parameter.name, parameter.kind, STUB_DEFAULT)
        if parameter.kind == "keyword":
            keyword.add(parameter)
        else:
            ordered.append(parameter)
    return ordered, keyword


def _without_annotations(arguments: ast.arguments) -> ast.arguments:
    def bare(arg: ast.arg) -> ast.arg:
        return ast.arg(arg.arg)

    return ast.arguments(
        posonlyargs=[bare(a) for a in arguments.posonlyargs],
        args=[bare(a) for a in arguments.args],
        vararg=arguments.vararg and bare(arguments.vararg),
        kwonlyargs=[bare(a) for a in arguments.kwonlyargs],
        kw_defaults=arguments.kw_defaults,
        kwarg=arguments.kwarg and bare(arguments.kwarg),
        defaults=arguments.defaults,
    )


def _text(default: ast.expr | None) -> str | None:
    return None if default is None else ast.unparse(default)
