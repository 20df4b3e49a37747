"""Encryption of serialized values."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from langgraph_rust.checkpoint.serde.base import SerializerCompat, maybe_add_typed_methods
from langgraph_rust.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer

KEY = b"0123456789abcdef"


class Reversing:
    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        return "rev", plaintext[::-1]

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        assert ciphername == "rev"
        return ciphertext[::-1]


def test_tags_name_the_cipher() -> None:
    serde = EncryptedSerializer(Reversing())
    assert serde.dumps_typed("ab") == ("msgpack+rev", b"ba\xa2")
    assert serde.loads_typed(("msgpack+rev", b"ba\xa2")) == "ab"
    assert serde.dumps_typed(None) == ("null+rev", b"")


class TestValuesFromBeforeEncryption:
    PLAIN = JsonPlusSerializer().dumps_typed([1])

    def test_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"is not encrypted.*accepts_plaintext=True"):
            EncryptedSerializer(Reversing()).loads_typed(self.PLAIN)

    def test_can_be_read_until_all_are_stored_anew(self) -> None:
        serde = EncryptedSerializer(Reversing(), accepts_plaintext=True)
        assert serde.loads_typed(self.PLAIN) == [1]

    def test_are_read_in_drop_in_mode_as_by_upstream(self) -> None:
        program = """
import langgraph_rust; langgraph_rust.install()
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
print(EncryptedSerializer(None).loads_typed(("msgpack", b"\\x01")))
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert done.stdout == "1\n", done.stderr


class TestAes:
    @pytest.fixture(autouse=True)
    def needs_pycryptodome(self) -> None:
        pytest.importorskip("Crypto")

    def test_round_trip_and_layout(self) -> None:
        serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
        tag, data = serde.dumps_typed({"a": 1})
        assert tag == "msgpack+aes"
        assert len(data) == 16 + 16 + len(JsonPlusSerializer().dumps_typed({"a": 1})[1])
        assert serde.loads_typed((tag, data)) == {"a": 1}

    def test_tampering_is_noticed(self) -> None:
        serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
        tag, data = serde.dumps_typed({"a": 1})
        with pytest.raises(ValueError, match="MAC"):
            serde.loads_typed((tag, data[:-1] + bytes([data[-1] ^ 1])))

    @pytest.mark.parametrize(
        ("value", "message"),
        [(None, "is not set"), ("short", "must be 16, 24, or 32 bytes long")],
    )
    def test_the_environments_key_is_checked(
        self, value: str | None, message: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("LANGGRAPH_AES_KEY", raising=False)
        if value is not None:
            monkeypatch.setenv("LANGGRAPH_AES_KEY", value)
        with pytest.raises(ValueError, match=message):
            EncryptedSerializer.from_pycryptodome_aes()

    def test_the_environments_key_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LANGGRAPH_AES_KEY", KEY.decode())
        stored = EncryptedSerializer.from_pycryptodome_aes().dumps_typed(1)
        assert EncryptedSerializer.from_pycryptodome_aes(key=KEY).loads_typed(stored) == 1


def test_untyped_serializers_are_adapted() -> None:
    class Text:
        def dumps(self, obj: Any) -> bytes:
            return str(obj).encode()

        def loads(self, data: bytes) -> Any:
            return data.decode()

    adapted = maybe_add_typed_methods(Text())
    assert isinstance(adapted, SerializerCompat)
    assert adapted.dumps_typed(12) == ("int", b"12")
    assert adapted.loads_typed(("int", b"12")) == "12"
    typed = JsonPlusSerializer()
    assert maybe_add_typed_methods(typed) is typed
