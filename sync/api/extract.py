"""Read a module's source text into a `Module`, by its syntax tree alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sync.api.classes import assigned_names, class_name, flatten, is_overload
from sync.api.model import Module, Name
from sync.api.signatures import signature_of

_HELPERS = ("TypeVar", "ParamSpec", "TypeVarTuple", "getLogger")
"""Calls whose result is a module's own tool rather than something it offers."""


def read_module(source: str, name: str, *, is_package: bool, distribution: str) -> Module:
    """Everything a module defines or imports at its top level.

    Args:
        source: the module's text.
        name: its full dotted name, to resolve relative imports.
        is_package: whether the text is an ``__init__`` file.
        distribution: who ships it.
    """
    module = Module(distribution, exports=None, names={})
    package = name if is_package else name.rpartition(".")[0]
    for statement in flatten(ast.parse(source).body):
        match statement:
            case ast.ImportFrom():
                _read_import(statement, package, module)
            case ast.Import(names=aliases):
                for alias in aliases:
                    module.names[alias.asname or alias.name] = Name("import", target=alias.name)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign() if _assigns_exports(statement):
                module.exports = [*(module.exports or []), *_strings(statement.value)]
            case _:
                module.names.update(_definitions(statement, module))
    module.dynamic = "__getattr__" in module.names
    return module


def _definitions(statement: ast.stmt, module: Module) -> Iterator[tuple[str, Name]]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            if not (is_overload(statement) and statement.name in module.names):
                yield statement.name, Name("function", signature_of(statement, bound=False))
        case ast.ClassDef():
            yield statement.name, class_name(statement)
        case ast.Assign(value=ast.Call(func=func)) if _last(func) in _HELPERS:
            yield from ((n, Name("helper")) for n in assigned_names(statement))
        case ast.Assign(value=ast.Name(id=original)) if original in module.names:
            # Another name for the same thing: whatever is known of it is known of this one.
            yield from ((n, module.names[original]) for n in assigned_names(statement))
        case _:
            yield from ((n, Name("value")) for n in assigned_names(statement))


def _read_import(statement: ast.ImportFrom, package: str, module: Module) -> None:
    parents = package.split(".")
    base = ".".join(parents[: len(parents) - statement.level + 1]) if statement.level else ""
    source = ".".join(part for part in (base, statement.module or "") if part)
    if source == "__future__":
        return
    for alias in statement.names:
        if alias.name == "*":
            module.star_imports.append(source)
        else:
            module.names[alias.asname or alias.name] = Name(
                "import", target=f"{source}:{alias.name}"
            )


def _assigns_exports(statement: ast.Assign | ast.AnnAssign | ast.AugAssign) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets)


def _strings(value: ast.expr | None) -> list[str]:
    """The string constants of a list, tuple or a sum of them, in order."""
    if value is None:
        return []
    nodes = [n for n in ast.walk(value) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [n.value for n in sorted(nodes, key=lambda n: (n.lineno, n.col_offset))]


def _last(function: ast.expr) -> str:
    return ast.unparse(function).rpartition(".")[2]
