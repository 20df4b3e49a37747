"""The model of checkpoints and the part of savers that is common to all."""

from __future__ import annotations

import subprocess
import sys
import uuid
from typing import Any

import pytest

from langgraph_rust import errors
from langgraph_rust.checkpoint import base
from langgraph_rust.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph_rust.checkpoint.base.id import UUID, uuid6
from langgraph_rust.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph_rust.checkpoint.serde.jsonplus import JsonPlusSerializer


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = "{'langchain_core', 'pydantic', 'ormsgpack', 'asyncio', 'logging', 'numpy'}"
    code = f"import langgraph_rust.checkpoint.base, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_left_out_of_the_import_are_found_when_asked_for() -> None:
    assert base.JsonPlusSerializer is JsonPlusSerializer
    assert base.uuid6 is uuid6
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = base.nothing


def test_empty_channel_error_is_one_class() -> None:
    assert errors.EmptyChannelError is base.EmptyChannelError


class TestIds:
    def test_sort_by_creation(self) -> None:
        ids = [str(uuid6(clock_seq=step)) for step in (5, -2, 0, 16000)]
        assert ids == sorted(set(ids))

    def test_layout(self) -> None:
        made = uuid6(node=7, clock_seq=-2)
        assert (made.version, made.variant) == (6, uuid.RFC_4122)
        assert (made.node, made.clock_seq) == (7, 0x3FFE)
        assert abs(made.time - uuid.uuid1().time) < 60 * 10**7

    @pytest.mark.parametrize(
        ("version", "text", "time"),
        [
            (6, "1ec9414c-232a-6b00-b3c8-9e6bdeced846", 138648505420000000),
            (7, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", 1645557742000),
        ],
    )
    def test_timestamps(self, version: int, text: str, time: int) -> None:
        parsed = UUID(text)
        assert (parsed.version, parsed.time) == (version, time)

    def test_version_8_counts_microseconds(self) -> None:
        assert UUID(int=3 << 80, version=8).time == 3_000_000
        assert UUID(int=3 << 80 | 1 << 75, version=8).subsec == 1 << 19

    @pytest.mark.parametrize(("number", "version"), [(-1, 6), (1 << 128, 6), (0, 5)])
    def test_bad_arguments(self, number: int, version: int) -> None:
        with pytest.raises(ValueError, match=r"out of range|illegal version"):
            UUID(int=number, version=version)


class TestMetadata:
    def test_simple_config_values_are_added(self) -> None:
        config: Any = {
            "metadata": {"user": "a\0b", "step": 9, "thread_id": "1", "list": [1]},
            "configurable": {"flag": True, "user": "c", "__private": 1, "checkpoint_ns": ""},
        }
        metadata: Any = {"source": "in\0put", "step": 1, "parents": {}}
        assert base.get_checkpoint_metadata(config, metadata) == {
            "source": "input",
            "step": 1,
            "parents": {},
            "user": "ab",
            "flag": True,
        }

    def test_old_writes_are_dropped(self) -> None:
        metadata: Any = {"step": 1, "writes": {"a": 1}}
        config: Any = {"configurable": {}}
        assert base.get_serializable_checkpoint_metadata(config, metadata) == {"step": 1}


def test_copies_do_not_share_dictionaries() -> None:
    original = base.empty_checkpoint()
    original["versions_seen"]["n"] = {"c": 1}
    copied = base.copy_checkpoint(original)
    assert copied == original
    copied["versions_seen"]["n"]["c"] = 2
    copied["channel_versions"]["c"] = 1
    assert original["versions_seen"] == {"n": {"c": 1}}
    assert original["channel_versions"] == {}


def test_deprecated_helper_skips_channels_without_value_or_version() -> None:
    class Full:
        def checkpoint(self) -> int:
            return 1

    class Empty:
        def checkpoint(self) -> int:
            raise base.EmptyChannelError

    before = base.empty_checkpoint()
    before["channel_versions"] = {"full": 1, "empty": 1}
    channels: Any = {"full": Full(), "empty": Empty(), "unversioned": Full()}
    after = base.create_checkpoint(before, channels, 1, id="x")
    assert (after["id"], after["channel_values"]) == ("x", {"full": 1})
    assert base.create_checkpoint(before, None, 1)["id"] > before["id"]


class Chain(BaseCheckpointSaver[int]):
    """Three checkpoints in a row, each with a write to two channels."""

    def __init__(self, values: dict[str, dict[str, Any]]) -> None:
        super().__init__()
        self.values = values

    def get_tuple(self, config: Any) -> CheckpointTuple | None:
        number = int(config["configurable"]["checkpoint_id"])
        if number not in range(4):
            return None
        checkpoint: Any = {"channel_values": self.values.get(str(number), {})}
        parent: Any = {"configurable": {"checkpoint_id": str(number - 1)}} if number else None
        writes = [("t", channel, (number, i)) for i in range(2) for channel in ("a", "b")]
        return CheckpointTuple(config, checkpoint, {}, parent, writes)

    async def aget_tuple(self, config: Any) -> CheckpointTuple | None:
        return self.get_tuple(config)


class TestDeltaHistory:
    CONFIG: Any = {"configurable": {"checkpoint_id": "3"}}

    async def test_stops_at_each_channels_newest_value(self) -> None:
        saver = Chain({"1": {"a": "seed"}, "0": {"a": "older"}})
        found = saver.get_delta_channel_history(config=self.CONFIG, channels=["a", "b"])
        writes = {
            name: [("t", name, (number, i)) for number in range(3) for i in range(2)]
            for name in "ab"
        }
        assert found == {
            "a": {"seed": "seed", "writes": writes["a"][2:]},
            "b": {"writes": writes["b"]},
        }
        asynchronous = saver.aget_delta_channel_history(config=self.CONFIG, channels=["a", "b"])
        assert await asynchronous == found

    def test_without_channels_nothing_is_fetched(self) -> None:
        assert BaseCheckpointSaver().get_delta_channel_history(config={}, channels=[]) == {}

    def test_unknown_checkpoint(self) -> None:
        config: Any = {"configurable": {"checkpoint_id": "9"}}
        found = Chain({}).get_delta_channel_history(config=config, channels=["a"])
        assert found == {"a": {"writes": []}}


class TestSaverDefaults:
    def test_versions_are_integers(self) -> None:
        saver = BaseCheckpointSaver()
        assert saver.get_next_version(None, None) == 1
        assert saver.get_next_version(4, None) == 5
        with pytest.raises(NotImplementedError):
            saver.get_next_version("1", None)

    async def test_nothing_is_implemented(self) -> None:
        saver = BaseCheckpointSaver()
        for name in ("get_tuple", "delete_thread", "delete_for_runs", "prune"):
            with pytest.raises(NotImplementedError):
                getattr(saver, name)({})
            with pytest.raises(NotImplementedError):
                await getattr(saver, f"a{name}")({})
        with pytest.raises(NotImplementedError):
            _ = [found async for found in saver.alist(None)]

    def test_the_default_serializer_is_shared_and_can_be_replaced(self) -> None:
        own = JsonPlusSerializer()

        class Custom(BaseCheckpointSaver):
            serde = own

        assert BaseCheckpointSaver().serde is BaseCheckpointSaver.serde
        assert isinstance(BaseCheckpointSaver.serde, JsonPlusSerializer)
        assert Custom().serde is own
        assert BaseCheckpointSaver(serde=own).serde is own


class TestAllowlist:
    def test_savers_share_everything_but_the_serializer(self) -> None:
        saver = BaseCheckpointSaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))
        wider = saver.with_allowlist({("m", "T")})
        assert type(wider) is type(saver)
        assert wider.serde._allowed_msgpack_modules == {("m", "T")}
        assert wider.with_allowlist({("m", "T")}) is wider

    def test_encrypted_serializers_keep_their_cipher(self) -> None:
        cipher: Any = object()
        inner = JsonPlusSerializer(allowed_msgpack_modules=None)
        saver = BaseCheckpointSaver(serde=EncryptedSerializer(cipher, inner))
        serde: Any = saver.with_allowlist({("m", "T")}).serde
        assert isinstance(serde, EncryptedSerializer)
        assert serde.cipher is cipher
        assert serde.serde._allowed_msgpack_modules == {("m", "T")}
        assert inner._allowed_msgpack_modules is None

    def test_other_serializers_are_left_alone(self, caplog: pytest.LogCaptureFixture) -> None:
        class Other:
            def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
                return "", b""

            def loads_typed(self, data: tuple[str, bytes]) -> Any:
                return None

        saver = BaseCheckpointSaver(serde=Other())
        assert saver.with_allowlist({("m", "T")}) is saver
        assert "Serializer Other does not support msgpack allowlist." in caplog.text
