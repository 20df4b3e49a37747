"""What the engine may know of a class: what its instances look like to the serializer.

A pydantic model is dumped by pydantic and validated when it is read. For most models both can be
told from the schema: the dump is the fields' values, and validating it gives them back. What is
said here holds for pydantic's `model_dump` and for classes that customise nothing of it; of all
others nothing is said, and pydantic does the work.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from langgraph_rust.checkpoint.serde._names import resolve, stored_module
from langgraph_rust.checkpoint.serde._records import looks_like_a_dataclass, single_argument

_CONFIG = frozenset({"title", "extra_fields_behavior", "frozen", "from_attributes", "strict"})
"""Settings of models that change neither dumps nor what validating makes of them."""

_MESSAGES = "langchain_core.messages."

_AI_MESSAGE = (f"{_MESSAGES}ai", "AIMessage")

_UNLESS: dict[tuple[str, str], tuple[str, str] | None] = {
    (f"{_MESSAGES}human", "HumanMessage"): None,
    (f"{_MESSAGES}system", "SystemMessage"): None,
    (f"{_MESSAGES}tool", "ToolMessage"): None,
    (f"{_MESSAGES}ai", "AIMessage"): ("additional_kwargs", "tool_calls"),
    ("langchain_core.documents.base", "Document"): None,
}
"""Classes whose constructors and validators leave alone what was dumped: those of langchain-core 1.
The exception is an entry of a field that a validator acts on."""

_KNOWN_VALIDATORS: dict[str, frozenset[str]] = {
    "AIMessage": frozenset({"_backwards_compat_tool_calls"}),
    "ToolMessage": frozenset({"coerce_args"}),
}


class _Unknown(Exception):
    """A schema has something in it that nothing is known of."""


def look_at(cls: type) -> dict[str, Any] | None:
    """Return what the engine may know of `cls`; `None` if instances must be asked one by one."""
    if looks_like_a_dataclass(cls):
        return _dataclass(cls)
    if single := single_argument(cls):
        code, how, by, method = single
        reference = {"module": stored_module(cls.__module__), "name": cls.__name__}
        return {"kind": "single", **reference, "code": code, "how": how, "by": by, "method": method}
    if "__pydantic_core_schema__" in cls.__dict__:
        try:
            return _model(cls)
        except _Unknown:
            return None
    return None


def module_of(module: str, name: str) -> str | None:
    """Return the module that has the class that a record refers to; `None` if that is no class."""
    cls = resolve(module, name)
    for home in (module, getattr(cls, "__module__", None)):
        if isinstance(cls, type) and getattr(sys.modules.get(home or ""), name, None) is cls:
            return home
    return None


def _dataclass(cls: type) -> dict[str, Any]:
    fields = tuple(sys.intern(field.name) for field in dataclasses.fields(cls))
    return {
        "kind": "dataclass",
        "module": stored_module(cls.__module__),
        "name": cls.__name__,
        "fields": fields,
        "has_dict": cls.__dictoffset__ != 0,
    }


def _model(cls: Any) -> dict[str, Any]:
    from pydantic import BaseModel

    # Whoever has replaced pydantic's own, for one class or for all, wants it to be called.
    dump: Any = BaseModel.model_dump
    if cls.model_dump is not dump or not _is_of("pydantic.main", dump):
        raise _Unknown
    reader = _Reader()
    schema = reader.resolved(cls.__pydantic_core_schema__)
    while schema["type"] in ("function-before", "function-after", "function-wrap"):
        reader.sees(schema, "function", "schema")
        reader.validates = True
        schema = reader.resolved(schema["schema"])
    if schema["type"] != "model" or schema["cls"] is not cls:
        raise _Unknown
    fields = reader.model(schema)
    if (cls.__module__, cls.__name__) == _AI_MESSAGE:
        fields = _with_typed_calls(fields)
    return {
        "kind": "model",
        "module": stored_module(cls.__module__),
        "name": cls.__name__,
        "fields": fields,
        "is_built": _is_built(cls, reader, schema),
        "unless": _UNLESS.get((cls.__module__, cls.__name__)),
        "dump": dump,
        "init": cls.__init__,
        "serializer": cls.__pydantic_serializer__,
    }


def _is_built(cls: Any, reader: _Reader, schema: dict[str, Any]) -> bool:
    """Whether validating a dump of the class's fields gives these very values."""
    from pydantic import BaseModel

    if cls.__private_attributes__ or cls.model_post_init is not BaseModel.model_post_init:
        return False
    if cls.__new__ is not object.__new__ or cls.__setattr__ is not BaseModel.__setattr__:
        return False
    if type(cls).__call__ is not type.__call__ or not _is_of("pydantic.main", BaseModel.__init__):
        return False
    if (cls.__module__, cls.__name__) in _UNLESS:
        known = _KNOWN_VALIDATORS.get(cls.__name__, frozenset())
        is_known = set(cls.__pydantic_decorators__.model_validators) == known
        return reader.plain and is_known and _is_of("langchain_core.", cls.__init__)
    is_plain = reader.plain and not reader.validates
    return is_plain and cls.__init__ is BaseModel.__init__ and not schema.get("custom_init")


def _is_of(module: str, function: Any) -> bool:
    """Whether a function is one of a module's. What replaces it may bear its name, but is not."""
    return getattr(function, "__globals__", {}).get("__name__", "").startswith(module)


def _with_typed_calls(fields: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the fields of `AIMessage`, whose validator gives calls a type that have none."""
    cls, takes_extra, named = fields
    strict = []
    for name, shape in named:
        if name == "tool_calls" and shape[0] == "list" and shape[1][0] == "typed":
            entries = ((key, needs or key == "type", of) for key, needs, of in shape[1][1])
            shape = "list", ("typed", tuple(entries))
        strict.append((name, shape))
    return cls, takes_extra, tuple(strict)


class _Reader:
    """Reads a schema of pydantic's as shapes.

    Raises:
        _Unknown: the dump cannot be told from it.
    """

    def __init__(self) -> None:
        self.validates = False
        """Whether code of the class sees what is validated."""
        self.plain = True
        """Whether validating leaves alone what looks as the schema says."""
        self.definitions: dict[str, dict[str, Any]] = {}
        self.within: list[str] = []
        """Which of them are being read."""

    def resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return a schema that others may refer to by name."""
        while schema["type"] in ("definitions", "definition-ref"):
            if schema["type"] == "definitions":
                self.definitions |= {own["ref"]: own for own in schema["definitions"]}
                schema = schema["schema"]
            elif schema["schema_ref"] in self.definitions:
                schema = self.definitions[schema["schema_ref"]]
            else:
                raise _Unknown
        return schema

    def sees(self, schema: dict[str, Any], *known: str) -> None:
        """Note what a schema has beside what is known: constraints, strictness, serializers."""
        if "serialization" in schema:
            raise _Unknown
        if not schema.keys() <= {"type", "metadata", "ref", *known}:
            self.plain = False

    def model(self, schema: dict[str, Any]) -> tuple[Any, ...]:
        """Return class, whether it takes extra fields, and the fields of a model's schema."""
        self.sees(schema, "cls", "config", "schema", "root_model", "custom_init", "generic_origin")
        config = schema.get("config") or {}
        if schema.get("root_model") or any(name.startswith("ser") for name in config):
            raise _Unknown
        self.plain &= config.keys() <= _CONFIG
        takes_extra = config.get("extra_fields_behavior") == "allow"
        inner = self.resolved(schema["schema"])
        while inner["type"] in ("function-before", "function-after", "function-wrap"):
            self.sees(inner, "function", "schema")
            self.validates = True
            inner = self.resolved(inner["schema"])
        if inner["type"] != "model-fields" or inner.get("computed_fields"):
            raise _Unknown
        self.sees(inner, "fields", "model_name", "computed_fields", "extra_behavior")
        fields = tuple(
            (sys.intern(name), self.field(field)) for name, field in inner["fields"].items()
        )
        return schema["cls"], takes_extra, fields

    def field(self, field: dict[str, Any]) -> tuple[Any, ...]:
        if any(name.startswith("serialization") for name in field):
            raise _Unknown
        self.plain &= field.keys() <= {"type", "schema", "metadata"}
        return self.shape(field["schema"])

    def shape(self, schema: dict[str, Any]) -> tuple[Any, ...]:
        """Return the shape of a value."""
        self.sees_reference(schema)
        schema = self.resolved(schema)
        read, name = _SHAPES.get(schema["type"]), schema.get("ref", "")
        # A class that has itself in it has no end.
        if read is None or (name and name in self.within):
            raise _Unknown
        self.within.append(name)
        shape = read(self, schema)
        self.within.pop()
        return shape

    def sees_reference(self, schema: dict[str, Any]) -> None:
        if schema["type"] == "definition-ref":
            self.sees(schema, "schema_ref")

    def scalar(self, schema: dict[str, Any]) -> tuple[Any, ...]:
        # Numbers as strings are not what is stored: a string is one already.
        self.sees(schema, "coerce_numbers_to_str")
        return (schema["type"],)

    def default(self, schema: dict[str, Any]) -> tuple[Any, ...]:
        known = ("schema", "default", "default_factory", "default_factory_takes_data")
        self.sees(schema, *known)
        return self.shape(schema["schema"])

    def nullable(self, schema: dict[str, Any]) -> tuple[Any, ...]:
        self.sees(schema, "schema")
        return "nullable", self.shape(schema["schema"])

    def literal(self, schema: dict[str, Any]) -> tuple[Any, ...]:
        self.sees(schema, "expected")
        if not all(type(choice) is str for choice in schema["expected"]):
            raise _Unknown
        return "literal", tuple(schema["expected"])

    def list(self, schema: dict[str, Any]) -> tuple[Any, ...]:
        self.sees(schema, "items_schema")
        return "list", self.shape(schema.get("items_schema") or {"type": "any"})

    def dict(self, schema: dict[str, Any]) -> tuple[Any, ...]:
        self.sees(schema, "keys_schema", "values_schema")
        keys = self.shape(schema.get("keys_schema") or {"type": "any"})
        if keys not in (("any",), ("str",)):
            raise _Unknown
        values = self.shape(schema.get("values_schema") or {"type": "any"})
        return "dict", keys == ("str",), values

    def union(self, schema: dict[str, Any]) -> tuple[Any, ...]:
        self.sees(schema, "choices")
        choices = tuple(self.shape(choice) for choice in schema["choices"])
        kinds = [_KINDS.get(choice[0]) for choice in choices]
        if None in kinds or len(set(kinds)) < len(kinds):
            raise _Unknown
        return "union", choices

    def typed(self, schema: dict[str, Any]) -> tuple[Any, ...]:
        known = ("cls", "cls_name", "config", "fields", "computed_fields", "extra_behavior")
        self.sees(schema, *known)
        config = schema.get("config") or {}
        if any(name.startswith("ser") for name in config):
            raise _Unknown
        self.plain &= config.keys() <= _CONFIG
        if schema.get("computed_fields"):
            raise _Unknown
        entries = tuple(
            (sys.intern(name), bool(field.get("required")), self.entry(field))
            for name, field in schema["fields"].items()
        )
        return "typed", entries

    def entry(self, field: dict[str, Any]) -> tuple[Any, ...]:
        if any(name.startswith("serialization") for name in field):
            raise _Unknown
        self.plain &= field.keys() <= {"type", "schema", "metadata", "required"}
        return self.shape(field["schema"])

    def exact(self, schema: dict[str, Any]) -> tuple[Any, ...]:
        import datetime
        import uuid

        kind = schema["type"]
        self.sees(schema, "microseconds_precision")
        return "exact", uuid.UUID if kind == "uuid" else getattr(datetime, _DATES[kind])

    def nested(self, schema: dict[str, Any]) -> tuple[Any, ...]:
        cls = schema["cls"]
        fields = self.model(schema)
        # Its own code may have a say in what is built.
        self.plain &= _is_built(cls, self, schema)
        return "model", fields


_DATES = {"datetime": "datetime", "date": "date", "time": "time", "timedelta": "timedelta"}

_SHAPES: dict[str, Any] = {
    **dict.fromkeys(("any", "str", "int", "float", "bool", "none"), _Reader.scalar),
    **dict.fromkeys((*_DATES, "uuid"), _Reader.exact),
    "default": _Reader.default,
    "nullable": _Reader.nullable,
    "literal": _Reader.literal,
    "list": _Reader.list,
    "dict": _Reader.dict,
    "union": _Reader.union,
    "typed-dict": _Reader.typed,
    "model": _Reader.nested,
}

_KINDS = {
    "str": "str",
    "literal": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "none": "none",
    "list": "list",
    "dict": "dict",
    "typed": "dict",
}
"""What kind of value a choice of a union is: the choices must differ in it."""
