"""The contracts of serializers and ciphers."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


class UntypedSerializerProtocol(Protocol):
    """A serializer whose bytes do not say how they were made, such as `pickle` or `json`."""

    def dumps(self, obj: Any) -> bytes:
        """Encode `obj`."""
        ...

    def loads(self, data: bytes) -> Any:
        """Decode what `dumps` returned."""
        ...


@runtime_checkable
class SerializerProtocol(Protocol):
    """A serializer that returns a tag together with the bytes, and needs both to decode."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Encode `obj` as `(tag, bytes)`."""
        ...

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Decode a `(tag, bytes)` pair."""
        ...


class SerializerCompat(SerializerProtocol):
    """Gives an untyped serializer the typed interface; the tag is the name of the value's class."""

    def __init__(self, serde: UntypedSerializerProtocol) -> None:
        self.serde = serde

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Encode `obj` as `(class name, bytes)`."""
        return type(obj).__name__, self.serde.dumps(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Decode the bytes; the tag is not looked at."""
        return self.serde.loads(data[1])


def maybe_add_typed_methods(
    serde: SerializerProtocol | UntypedSerializerProtocol,
) -> SerializerProtocol:
    """Return `serde` itself if it has the typed methods, else wrapped in `SerializerCompat`."""
    # By attribute, because isinstance() against a protocol costs microseconds.
    if callable(getattr(serde, "dumps_typed", None)) and callable(
        getattr(serde, "loads_typed", None)
    ):
        return serde  # type: ignore[return-value]
    return SerializerCompat(serde)  # type: ignore[arg-type]


class CipherProtocol(Protocol):
    """Symmetric encryption of serialized bytes."""

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        """Return `(cipher name, ciphertext)`; the name is stored and given back to `decrypt`."""
        ...

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        """Return the plaintext; raises if the name is unknown or the data was tampered with."""
        ...
