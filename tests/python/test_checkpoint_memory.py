"""The in-memory saver."""

from __future__ import annotations

import asyncio
import functools
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

from langgraph_rust.checkpoint.base import Checkpoint
from langgraph_rust.checkpoint.memory import InMemorySaver, MemorySaver, PersistentDict
from langgraph_rust.checkpoint.serde.types import INTERRUPT, _DeltaSnapshot
from langgraph_rust.checkpoint.single_writer import fork


def config(checkpoint_id: str | None = None, *, thread: str = "1", ns: str = "") -> Any:
    configurable = {"thread_id": thread, "checkpoint_ns": ns}
    if checkpoint_id is not None:
        configurable["checkpoint_id"] = checkpoint_id
    return {"configurable": configurable}


def checkpoint(id: str, values: dict[str, Any], versions: dict[str, Any]) -> Checkpoint:
    return {
        "v": 4,
        "id": id,
        "ts": "2024-01-01T00:00:00+00:00",
        "channel_values": values,
        "channel_versions": versions,
        "versions_seen": {"n": {}},
        "updated_channels": None,
    }


def put(saver: InMemorySaver, id: str, parent: Any = None, **metadata: Any) -> Any:
    versions = {"a": id}
    saved = checkpoint(id, {"a": [id]}, versions)
    return saver.put(parent or config(), saved, metadata, versions)  # type: ignore[arg-type]


def ids(found: Any) -> list[str]:
    return [item.config["configurable"]["checkpoint_id"] for item in found]


def test_what_was_put_comes_back_as_a_copy() -> None:
    saver = InMemorySaver()
    saved = checkpoint("1", {"a": [1]}, {"a": 1, "empty": 1})
    given = config()
    returned = saver.put(given, saved, {"source": "input", "step": -1}, {"a": 1, "empty": 1})
    assert returned == config("1")
    assert saved["channel_values"] == {"a": [1]}
    found = saver.get_tuple(given)
    assert found is not None
    assert found.config == config("1")
    assert found.checkpoint == saved
    assert found.checkpoint["channel_values"]["a"] is not saved["channel_values"]["a"]
    assert found.metadata == {"source": "input", "step": -1}
    assert found.parent_config is None
    assert found.pending_writes == []
    assert saver.blobs["1", "", "empty", 1] == ("empty", b"")


def test_the_newest_is_found_by_id_and_older_ones_by_name() -> None:
    saver = InMemorySaver()
    second = put(saver, "2", put(saver, "1"))
    put(saver, "0")
    found = saver.get_tuple(config())
    assert found is not None
    assert found.config == second
    assert found.parent_config == config("1")
    named = config("1") | {"tags": ["kept"]}
    older = saver.get_tuple(named)
    assert older is not None
    assert older.config is named
    for missing in (config("9"), config(thread="2"), config(ns="sub")):
        assert saver.get_tuple(missing) is None
    assert saver.get(config("9")) is None


def test_values_are_stored_once_per_version() -> None:
    saver = InMemorySaver()
    first = saver.put(config(), checkpoint("1", {"a": "old"}, {"a": 1}), {}, {"a": 1})
    saver.put(first, checkpoint("2", {"a": "not stored"}, {"a": 1}), {}, {})
    found = saver.get(config())
    assert found is not None
    assert found["channel_values"] == {"a": "old"}


class TestWrites:
    def test_come_back_in_the_order_of_paths(self) -> None:
        saver = InMemorySaver()
        at = put(saver, "1")
        saver.put_writes(at, [("a", 1), ("b", 2)], "task2", "path1")
        saver.put_writes(at, [("a", 3)], "task1", "path2")
        saver.put_writes(at, [("a", 4)], "task3")
        found = saver.get_tuple(at)
        assert found is not None
        assert found.pending_writes == [
            ("task3", "a", 4),
            ("task2", "a", 1),
            ("task2", "b", 2),
            ("task1", "a", 3),
        ]

    def test_ordinary_ones_stay_and_special_ones_are_replaced(self) -> None:
        saver = InMemorySaver()
        at = put(saver, "1")
        saver.put_writes(at, [("a", "first"), (INTERRUPT, "first")], "task")
        saver.put_writes(at, [("a", "again"), ("b", "new"), (INTERRUPT, "again")], "task")
        found = saver.get_tuple(at)
        assert found is not None
        assert found.pending_writes == [
            ("task", INTERRUPT, "again"),
            ("task", "a", "first"),
            ("task", "b", "new"),
        ]

    @pytest.mark.parametrize("earlier", [[], [("a", 0)]])
    def test_of_a_task_are_kept_whole_or_not_at_all(self, earlier: list[Any]) -> None:
        saver = InMemorySaver()
        where = put(saver, "1")
        saver.put_writes(where, earlier, "t")
        with pytest.raises(TypeError):
            saver.put_writes(where, [("a", 1), ("b", 2), ("c", threading.Lock())], "t")
        found = saver.get_tuple(where)
        assert found is not None
        assert found.pending_writes == [("t", *write) for write in earlier]

    def test_of_an_async_run_are_kept_the_same_way(self) -> None:
        saver = InMemorySaver()
        where = put(saver, "1")
        with pytest.raises(TypeError):
            asyncio.run(saver.aput_writes(where, [("a", 1), ("b", threading.Lock())], "t"))
        assert not saver.writes


def test_a_checkpoint_is_kept_whole_or_not_at_all() -> None:
    saver = InMemorySaver()
    values = {"a": 1, "b": threading.Lock()}
    unstorable = checkpoint("1", values, {"a": "1", "b": "1"})
    with pytest.raises(TypeError):
        saver.put(config(), unstorable, {}, {"a": "1", "b": "1"})
    assert not saver.blobs
    assert saver.get_tuple(config()) is None


class TestList:
    @pytest.fixture
    def saver(self) -> InMemorySaver:
        saver = InMemorySaver()
        for number in range(4):
            put(saver, str(number), step=number, even=number % 2 == 0)
        put(saver, "5", config(ns="sub"), step=5)
        put(saver, "6", config(thread="2"), step=6)
        return saver

    @pytest.mark.parametrize(
        ("given", "arguments", "expected"),
        [
            (None, {}, "321056"),
            (config(), {}, "3210"),
            ({"configurable": {"thread_id": "1"}}, {}, "32105"),
            (config("2"), {}, "2"),
            (config(), {"before": config("2")}, "10"),
            (config(), {"filter": {"even": True}}, "20"),
            (config(), {"filter": {"even": True, "step": 3}}, ""),
            (config(), {"filter": {"even": True}, "limit": 1}, "2"),
            (None, {"limit": 5}, "32105"),
            (None, {"limit": 0}, ""),
            (config(thread="9"), {}, ""),
        ],
    )
    async def test_arguments(
        self, saver: InMemorySaver, given: Any, arguments: dict[str, Any], expected: str
    ) -> None:
        assert ids(saver.list(given, **arguments)) == list(expected)
        assert ids([found async for found in saver.alist(given, **arguments)]) == list(expected)

    def test_may_be_added_to_while_iterating(self, saver: InMemorySaver) -> None:
        seen = []
        for found in saver.list(None):
            put(saver, f"9{len(seen)}", config(thread=f"new{len(seen)}"))
            seen.append(found)
        assert ids(seen) == list("321056")


def test_deleting_a_thread_leaves_the_others() -> None:
    saver = InMemorySaver()
    for thread in ("1", "2"):
        saver.put_writes(put(saver, "1", config(thread=thread)), [("a", 1)], "task")
    saver.delete_thread("1")
    saver.delete_thread("unknown")
    assert saver.get_tuple(config()) is None
    remaining = saver.get_tuple(config(thread="2"))
    assert remaining is not None
    assert remaining.pending_writes == [("task", "a", 1)]
    assert {key[0] for key in (*saver.writes, *saver.blobs)} == {"2"}


async def test_asynchronous_methods_do_the_same() -> None:
    saver = InMemorySaver()
    at = await saver.aput(config(), checkpoint("1", {"a": 1}, {"a": 1}), {}, {"a": 1})
    await saver.aput_writes(at, [("a", 2)], "task")
    assert await saver.aget_tuple(at) == saver.get_tuple(at)
    assert await saver.aget(at) == saver.get(at)
    await saver.adelete_thread("1")
    assert await saver.aget(at) is None


class TestDeltaHistory:
    @pytest.fixture
    def saver(self) -> InMemorySaver:
        saver = InMemorySaver()
        at: Any = config()
        for number in range(4):
            values = {"a": _DeltaSnapshot(["seed"])} if number == 1 else {}
            saved = checkpoint(str(number), values, {"a": number, "b": number})
            at = saver.put(at, saved, {}, {"a": number, "b": number})
            saver.put_writes(at, [("a", number), ("b", -number)], "task")
        # A branch, which must not contribute.
        branch = saver.put(fork(config("1")), checkpoint("2b", {}, {}), {}, {})
        saver.put_writes(fork(branch), [("a", "fork")], "task")
        return saver

    @pytest.mark.parametrize("at", [config("3"), config()])
    async def test_same_as_the_general_walk(self, saver: InMemorySaver, at: Any) -> None:
        found = saver.get_delta_channel_history(config=at, channels=["a", "b"])
        assert found == {
            "a": {"seed": _DeltaSnapshot(["seed"]), "writes": [("task", "a", 1), ("task", "a", 2)]},
            "b": {"writes": [("task", "b", 0), ("task", "b", -1), ("task", "b", -2)]},
        }
        general = super(InMemorySaver, saver)
        assert general.get_delta_channel_history(config=at, channels=["a", "b"]) == found
        assert await saver.aget_delta_channel_history(config=at, channels=["a", "b"]) == found

    def test_roots_and_unknown_checkpoints_have_no_history(self, saver: InMemorySaver) -> None:
        for at in (config("0"), config("9"), config(thread="2")):
            found = saver.get_delta_channel_history(config=at, channels=["a"])
            assert found == {"a": {"writes": []}}
        assert saver.get_delta_channel_history(config=config(), channels=[]) == {}


def test_versions_count_up_and_sort_as_text() -> None:
    saver = InMemorySaver()
    versions = [saver.get_next_version(None, None)]
    for _ in range(11):
        versions.append(saver.get_next_version(versions[-1], None))
    assert versions == sorted(versions)
    assert versions[-1].startswith("0" * 30 + "12.0.")
    assert saver.get_next_version(7, None).split(".")[0] == f"{8:032}"  # type: ignore[arg-type]


class TestPersistence:
    def test_custom_dictionaries_are_closed_with_the_saver(self, tmp_path: Path) -> None:
        made: list[PersistentDict] = []

        def factory(*args: Any) -> PersistentDict:
            made.append(PersistentDict(*args, filename=str(tmp_path / str(len(made)))))
            return made[-1]

        with InMemorySaver(factory=factory) as saver:  # type: ignore[arg-type]
            # Its inner dictionaries hold functions, which cannot be pickled.
            saver.storage.flag = "r"  # type: ignore[attr-defined]
            at = put(saver, "1")
            saver.put_writes(at, [("a", 1)], "task")
        assert not saver.blobs
        reloaded = PersistentDict(filename=str(tmp_path / "2"))
        reloaded.load()
        assert list(reloaded) == [("1", "", "a", "1")]

    def test_files_are_replaced_only_when_complete(self, tmp_path: Path) -> None:
        filename = str(tmp_path / "file")
        stored = PersistentDict(filename=filename)
        stored["a"] = 1
        stored.mode = 0o600
        stored.sync()
        stored["broken"] = lambda: None
        with pytest.raises((AttributeError, pickle.PicklingError)):
            stored.sync()
        again = PersistentDict(filename=filename)
        again.load()
        assert dict(again) == {"a": 1}
        assert [path.name for path in tmp_path.iterdir()] == ["file"]
        assert Path(filename).stat().st_mode & 0o777 == 0o600

    def test_flags_and_formats(self, tmp_path: Path) -> None:
        filename = str(tmp_path / "file")
        stored = PersistentDict(filename=filename)
        stored.flag = "r"
        stored.sync()
        assert not Path(filename).exists()
        stored.flag = "n"
        stored.load()
        stored.format = "csv"
        with pytest.raises(NotImplementedError, match="Unknown format: 'csv'"):
            stored.sync()
        Path(filename).touch()
        empty = PersistentDict(filename=filename)
        empty.load()
        assert not empty


async def test_context_managers() -> None:
    assert MemorySaver is InMemorySaver
    saver = InMemorySaver()
    with saver as entered:
        assert entered is saver
    async with saver as entered:
        assert entered is saver


def test_missing_keys_are_reported() -> None:
    saver = InMemorySaver()
    bad: Any = {"configurable": {}}
    for call in (
        functools.partial(saver.get_tuple, bad),
        functools.partial(saver.put_writes, bad, [], "task"),
        functools.partial(put, saver, "1", {"configurable": {"thread_id": "1"}}),
    ):
        with pytest.raises(KeyError):
            call()
