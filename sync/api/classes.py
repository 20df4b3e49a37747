"""Read a class body: its methods, its attributes, and the constructor its fields imply."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from sync.api.model import Member, Name
from sync.api.signatures import STUB_DEFAULT, signature_of

SPECIAL_METHODS = ("__init__", "__new__", "__call__")
"""Underscored methods that belong to a class's public surface."""


def class_name(node: ast.ClassDef) -> Name:
    """A class as an entry of its module."""
    members: dict[str, Member] = {}
    for statement in flatten(node.body):
        for name, member in _members(statement):
            members.setdefault(name, member) if member.kind == "attribute" else members.update(
                {name: member}
            )
    if "__init__" not in members and (constructor := _implied_constructor(node)) is not None:
        members["__init__"] = Member("method", constructor)
    public = {n: m for n, m in members.items() if is_public(n) or n in SPECIAL_METHODS}
    return Name("class", bases=[ast.unparse(base) for base in node.bases], members=public)


def is_public(name: str) -> bool:
    """Whether a name is part of the public surface by its spelling."""
    return not name.startswith("_")


def flatten(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, those under ``if``, ``try`` and ``with`` included."""
    for statement in body:
        match statement:
            case ast.If():
                yield from flatten([*statement.body, *statement.orelse])
            case ast.Try():
                handlers = [s for handler in statement.handlers for s in handler.body]
                yield from flatten([*statement.body, *handlers, *statement.orelse])
            case ast.With():
                yield from flatten(statement.body)
            case _:
                yield statement


def assigned_names(statement: ast.stmt) -> list[str]:
    """The plain names a statement assigns or declares."""
    match statement:
        case ast.Assign(targets=targets):
            found = [n for target in targets for n in ast.walk(target)]
            return [n.id for n in found if isinstance(n, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            # `type X = ...` exists from Python 3.12 on, where this tool may be run too.
            alias = getattr(statement, "name", None)
            return [alias.id] if isinstance(alias, ast.Name) else []


def is_overload(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether this is only one of several typing views of a function."""
    return "overload" in decorators(function)


def decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> set[str]:
    """The last component of each decorator's name."""
    calls = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
    return {ast.unparse(call).rpartition(".")[2] for call in calls}


def _members(statement: ast.stmt) -> Iterator[tuple[str, Member]]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from _method(statement)
        if statement.name == "__init__":
            yield from ((name, Member("attribute")) for name in _instance_attributes(statement))
        return
    for name in assigned_names(statement):
        yield name, Member("attribute")


def _method(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[str, Member]]:
    marks = decorators(function)
    if marks & {"property", "cached_property", "setter", "deleter", "getter"}:
        yield function.name, Member("property")
    elif "staticmethod" in marks:
        yield function.name, Member("staticmethod", signature_of(function, bound=False))
    elif "classmethod" in marks:
        yield function.name, Member("classmethod", signature_of(function, bound=True))
    else:
        yield function.name, Member("method", signature_of(function, bound=True))


def _instance_attributes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """What ``__init__`` sets on ``self``."""
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                yield node.attr


def _implied_constructor(node: ast.ClassDef) -> str | None:
    """The constructor of a dataclass or a named tuple that spells none."""
    named_tuple = any(ast.unparse(base).endswith("NamedTuple") for base in node.bases)
    if not named_tuple and "dataclass" not in decorators(node):
        return None
    positional, keyword = [], []
    only_keywords = _keyword_only(node)
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        annotation = ast.unparse(statement.annotation)
        if annotation.endswith("KW_ONLY"):
            only_keywords = True
        elif "ClassVar" not in annotation and (text := _field(statement)) is not None:
            (keyword if only_keywords else positional).append(text)
    return ", ".join([*positional, *(["*"] if keyword else []), *keyword])


def _field(statement: ast.AnnAssign) -> str | None:
    """A field as a parameter, or nothing when the constructor does not take it."""
    name = ast.unparse(statement.target)
    value = statement.value
    if value is None:
        return name
    if isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] == "field":
        options = {k.arg: ast.unparse(k.value) for k in value.keywords}
        if options.get("init") == "False":
            return None
        if "default_factory" in options:
            return f"{name}={STUB_DEFAULT}"
        return f"{name}={options['default']}" if "default" in options else name
    return f"{name}={ast.unparse(value)}"


def _keyword_only(node: ast.ClassDef) -> bool:
    calls = [d for d in node.decorator_list if isinstance(d, ast.Call)]
    return any(
        k.arg == "kw_only" and ast.unparse(k.value) == "True" for c in calls for k in c.keywords
    )
