"""Encryption of serialized values."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from typing import Any

import pytest
from _modes import as_in_drop_in_mode
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer as Upstreams

from langgraph_rust.checkpoint.base import empty_checkpoint
from langgraph_rust.checkpoint.serde.base import SerializerCompat, maybe_add_typed_methods
from langgraph_rust.checkpoint.serde.encrypted import EncryptedSerializer, _byte_of
from langgraph_rust.checkpoint.serde.errors import EncryptedValueError, StoredValueError
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph_rust.checkpoint.sqlite import SqliteSaver

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

    @pytest.mark.parametrize(("strict", "printed"), [(False, "1\n"), (True, "")])
    def test_are_read_in_drop_in_mode_as_by_upstream(self, strict: bool, printed: str) -> None:
        program = f"""
import langgraph_rust; langgraph_rust.install(strict={strict})
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
print(EncryptedSerializer(None).loads_typed(("msgpack", b"\\x01")))
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert done.stdout == printed, done.stderr


def test_what_no_serializer_is_there_for_is_named_with_its_place() -> None:
    saver = in_sqlite(serde=EncryptedSerializer(Reversing()))
    made = run(saver)
    saver.serde = JsonPlusSerializer()
    with pytest.raises(NotImplementedError) as caught:
        saver.get_tuple(made)
    assert isinstance(caught.value, EncryptedValueError)
    assert re.search(
        r"Checkpoint \S+ of thread '1': .*Unknown serialization type: msgpack\+rev\. The value is "
        r"encrypted \(rev\): .*EncryptedSerializer",
        str(caught.value),
    )


def test_in_drop_in_mode_it_is_said_as_by_upstream() -> None:
    with pytest.raises(NotImplementedError) as caught:
        as_in_drop_in_mode().loads_typed(("msgpack+rev", b""))
    assert str(caught.value) == "Unknown serialization type: msgpack+rev"


def test_that_a_value_is_not_encrypted_does_not_mean_that_it_is_broken() -> None:
    saver = in_sqlite()
    made = run(saver)
    saver.serde = EncryptedSerializer(Reversing())
    with pytest.raises(StoredValueError, match=r"of thread '1': .*is not encrypted") as caught:
        saver.get_tuple(made)
    assert "broken" not in str(caught.value)


def in_sqlite(**arguments: Any) -> SqliteSaver:
    return SqliteSaver(sqlite3.connect(":memory:"), **arguments)


def run(saver: SqliteSaver) -> Any:
    """Store a checkpoint; return the config that names it."""
    place: Any = {"configurable": {"thread_id": "1", "checkpoint_ns": ""}}
    checkpoint = {**empty_checkpoint(), "channel_values": {"a": [1]}, "channel_versions": {"a": 1}}
    return saver.put(place, checkpoint, {}, {"a": 1})  # type: ignore[arg-type]


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

    def test_another_key_is_named_as_what_it_may_be(self) -> None:
        saver = in_sqlite(serde=EncryptedSerializer.from_pycryptodome_aes(key=KEY))
        made = run(saver)
        saver.serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY[::-1])
        said = r"of thread '1': .*cannot be decrypted \(MAC check failed\): .*another key"
        with pytest.raises(ValueError, match=said) as caught:
            saver.get_tuple(made)
        assert "broken" not in str(caught.value)

    def test_another_tag_is_noticed(self) -> None:
        serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
        # Bytes that somebody has chosen, and that would be decoded as what they are not.
        tag, data = serde.dumps_typed(b"\x01")
        assert (tag, serde.loads_typed((tag, data))) == ("bytes+aes", b"\x01")
        for other in ("msgpack", "pickle", "bytearray", "null"):
            with pytest.raises(ValueError, match=f"said to be of kind '{other}'"):
                serde.loads_typed((f"{other}+aes", data))

    def test_kinds_are_told_apart(self) -> None:
        kinds = ("null", "bytes", "bytearray", "msgpack", "json", "pickle", "empty")
        assert len({*map(_byte_of, kinds)}) == len(kinds)

    @pytest.mark.parametrize("value", [None, b"raw", bytearray(b"raw"), {"a": [1]}])
    def test_upstream_reads_it_and_is_read(self, value: Any) -> None:
        ours = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
        theirs = Upstreams.from_pycryptodome_aes(key=KEY)
        assert theirs.loads_typed(ours.dumps_typed(value)) == value
        assert ours.loads_typed(theirs.dumps_typed(value)) == value

    def test_nonces_differ_and_hide_what_they_say(self) -> None:
        serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
        nonces = {serde.dumps_typed(1)[1][:16] for _ in range(1000)}
        assert len(nonces) == 1000
        # No byte is the same in all of them.
        assert all(len({nonce[at] for nonce in nonces}) > 200 for at in range(16))

    def test_other_modes_have_their_own_nonces(self) -> None:
        from Crypto.Cipher import AES

        serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY, mode=AES.MODE_GCM)
        assert serde.loads_typed(serde.dumps_typed({"a": 1})) == {"a": 1}

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
