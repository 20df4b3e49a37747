"""A saver that keeps checkpoints in this process's memory."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, ExitStack
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from langgraph_rust.checkpoint._writing.claim import claim_of
from langgraph_rust.checkpoint._writing.leases import Change, Held
from langgraph_rust.checkpoint._writing.leasing import Leasing
from langgraph_rust.checkpoint._writing.writer import SingleWriter, sign
from langgraph_rust.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
    PendingWrite,
    SuperstepWrites,
    get_checkpoint_id,
    get_checkpoint_metadata,
    next_text_version,
    writes_sort_key,
)
from langgraph_rust.checkpoint.base._delta import DeltaHistoryWalk
from langgraph_rust.checkpoint.base._expiry import Expiring, has_expired, limit
from langgraph_rust.checkpoint.base._prune import (
    Keep,
    Link,
    Look,
    answered,
    changed,
    find_bereft,
    may_be_seed,
    orphans,
    refuse_bereft,
    several,
    superfluous,
)
from langgraph_rust.checkpoint.memory._single_writer import (
    Heads,
    change_lease,
    check,
    look_at_lease,
)
from langgraph_rust.checkpoint.serde._channels import dump_channel, in_checkpoint, load_channel
from langgraph_rust.checkpoint.serde._default import is_drop_in
from langgraph_rust.checkpoint.serde.base import SerializerProtocol

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

_Typed = tuple[str, bytes]
_StoredCheckpoint = tuple[_Typed, _Typed, str | None]
_StoredWrite = tuple[str, str, _Typed, str]

_own = threading.RLock()
"""Held while a checkpoint is stored, and while an expired thread is deleted. Not of each saver:
those can be copied."""

_EMPTY: _Typed = ("empty", b"")
"""Stored for a channel that has a version but no value."""


class InMemorySaver(
    BaseCheckpointSaver[str],
    AbstractContextManager,
    AbstractAsyncContextManager,
    Expiring,
    SingleWriter,
    Leasing,
):
    """Keeps checkpoints in dictionaries, for tests and experiments: they are gone with the process.

    Values are stored encoded, so what comes back is a copy, as with a database. Usable from
    synchronous and asynchronous code, and as a context manager of both kinds.

    Args:
        serde: Encodes values; a `JsonPlusSerializer` if left out.
        factory: Makes the outer dictionaries, called as `defaultdict` is. If it is another class,
            they are entered as context managers and closed together with the saver.
    """

    linear_storage: bool | Collection[str] | None = None
    storage: defaultdict[str, dict[str, dict[str, _StoredCheckpoint]]]
    """Thread id, namespace, checkpoint id: `(checkpoint, metadata, parent's id)`, encoded."""
    writes: defaultdict[tuple[str, str, str], dict[tuple[str, int], _StoredWrite]]
    """`(thread id, namespace, checkpoint id)`, then `(task id, index)`:
    `(task id, channel, encoded value, task path)`."""
    blobs: dict[tuple[str, str, str, str | int | float], _Typed]
    """`(thread id, namespace, channel, version)`: encoded value."""

    def __init__(
        self,
        *,
        serde: SerializerProtocol | None = None,
        factory: type[defaultdict] = defaultdict,
    ) -> None:
        super().__init__(serde=serde)
        self.storage = factory(lambda: defaultdict(dict))
        self.writes = factory(dict)
        self.blobs = factory()
        self._heads = Heads()
        self._leases: dict[str, Held] = {}
        self.stack = ExitStack()
        if factory is not defaultdict:
            for mapping in (self.storage, self.writes, self.blobs):
                self.stack.enter_context(mapping)  # type: ignore[arg-type]

    def __enter__(self) -> InMemorySaver:
        self.stack.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self.stop_ttl_sweeper()
        return self.stack.__exit__(exc_type, exc_value, traceback)

    async def __aenter__(self) -> InMemorySaver:
        return self.__enter__()

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool | None:
        return self.__exit__(exc_type, exc_value, traceback)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Return the checkpoint that `config` names with all that belongs to it, or `None`.

        Without a `checkpoint_id`, that is the newest of the thread and namespace.
        """
        configurable = config["configurable"]
        thread_id = configurable["thread_id"]
        checkpoint_ns = configurable.get("checkpoint_ns", "")
        # Looking also creates: namespaces are listed in the order in which they were first seen,
        # and upstream counts looking as seeing.
        stored = self.storage[thread_id][checkpoint_ns]
        if checkpoint_id := configurable.get("checkpoint_id"):
            entry = stored.get(checkpoint_id)
            if entry is None:
                return None
        elif stored:
            checkpoint_id = max(stored)
            entry = stored[checkpoint_id]
            config = _config(thread_id, checkpoint_ns, checkpoint_id)
        else:
            return None
        metadata = self.serde.loads_typed(entry[1])
        return self._tuple(thread_id, checkpoint_ns, checkpoint_id, entry, config, metadata)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Yield checkpoints, newest first within each thread and namespace.

        Args:
            config: Limits them to its thread and, if it has them, namespace and id; `None` for all.
            filter: Metadata entries they must have.
            before: Names a checkpoint; only older ones are returned.
            limit: How many to return at most.
        """
        older_than = get_checkpoint_id(before) if before else None
        for thread_id, checkpoint_ns, checkpoint_id, entry in self._candidates(config):
            if older_than and checkpoint_id >= older_than:
                continue
            metadata = self.serde.loads_typed(entry[1])
            if filter and not all(value == metadata.get(key) for key, value in filter.items()):
                continue
            if limit is not None:
                if limit <= 0:
                    return
                limit -= 1
            own = _config(thread_id, checkpoint_ns, checkpoint_id)
            yield self._tuple(thread_id, checkpoint_ns, checkpoint_id, entry, own, metadata)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint and return the config that names it.

        Args:
            config: Thread and namespace, and the parent's id as `checkpoint_id`.
            checkpoint: What to store.
            metadata: Facts about it.
            new_versions: The channels whose version changed since the parent; only their values
                are encoded.
        """
        return self.put_superstep(config, checkpoint, metadata, new_versions, ())

    def put_superstep(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        writes: Sequence[SuperstepWrites],
    ) -> RunnableConfig:
        """Do what `put` does together with what `put_writes` did for the writes, all or nothing.

        Args:
            config: As for `put`.
            checkpoint: As for `put`.
            metadata: As for `put`.
            new_versions: As for `put`.
            writes: For each task the id of the checkpoint that it wrote on, its own id, its path,
                and `(channel, value)` pairs.

        Raises:
            ThreadConflictError: the thread was gone on with meanwhile; see `single_writer`.
        """
        dumps = self.serde.dumps_typed
        configurable = config["configurable"]
        thread_id = configurable["thread_id"]
        checkpoint_ns = configurable["checkpoint_ns"]
        checkpoint_id = checkpoint["id"]
        rest: dict[str, Any] = checkpoint.copy()  # type: ignore[assignment]
        values = rest.pop("channel_values")
        # Everything is encoded before anything is kept, so that what cannot be encoded leaves no
        # half of a checkpoint behind.
        fresh = []
        for before, task_id, task_path, own in writes:
            key = thread_id, checkpoint_ns, before
            fresh.append((key, self._fresh(key, task_id, task_path, own)))
        blobs = {
            (thread_id, checkpoint_ns, channel, version): (
                dump_channel(self.serde, channel, values[channel]) if channel in values else _EMPTY
            )
            for channel, version in new_versions.items()
        }
        entry = (
            dumps(rest),
            dumps(sign(get_checkpoint_metadata(config, metadata), configurable)),
            configurable.get("checkpoint_id"),
        )
        claim = claim_of(self, config, checkpoint_id, [write[:2] for write in writes])
        with _own:
            check(self, thread_id, claim)
            for key, encoded in fresh:
                self.writes[key].update(encoded)
            self.blobs.update(blobs)
            self.storage[thread_id][checkpoint_ns][checkpoint_id] = entry
        return _config(thread_id, checkpoint_ns, checkpoint_id)

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store what a task wrote on top of the checkpoint that `config` names.

        Writes to reserved channels replace earlier ones; of the others, those stored first stay.

        Args:
            config: Thread, namespace and id of the checkpoint.
            writes: `(channel, value)` pairs.
            task_id: Id of the task.
            task_path: Path of the task, which decides the order among tasks.

        Raises:
            ThreadConflictError: as for `put_superstep`.
        """
        configurable = config["configurable"]
        checkpoint_ns = configurable.get("checkpoint_ns", "")
        key = (configurable["thread_id"], checkpoint_ns, configurable["checkpoint_id"])
        if writes:
            # All of a task's writes or none: a task with some of them would be taken for finished.
            fresh = self._fresh(key, task_id, task_path, writes)
            claim = claim_of(self, config, None, [(key[2], task_id)])
            with _own:
                check(self, key[0], claim)
                self.writes[key].update(fresh)

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything stored for a thread; does nothing if there is nothing."""
        self._delete_threads({thread_id})

    def delete_expired(self, ttl: timedelta, *, now: datetime | None = None) -> list[str]:
        """Delete the threads that nobody has gone on with for some time; return their ids.

        A thread's age is that of its newest checkpoint, in whichever namespace, by its id. One that
        becomes newer meanwhile stays.

        Args:
            ttl: How old the newest checkpoint must be; much longer than a run takes.
            now: The time that ages are counted from; the clock's if left out.

        Raises:
            TypeError: `ttl` is no `timedelta`.
            ValueError: it is not positive, or `now` has no time zone.
        """
        below = limit(ttl, now)
        with _own:
            ids = {
                thread_id: [one for stored in [*namespaces.values()] for one in [*stored]]
                for thread_id, namespaces in [*self.storage.items()]
            }
            deleted = [name for name, own in ids.items() if own and has_expired(own, below)]
            self._delete_threads({*deleted})
        return deleted

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints that runs have left, and the writes on them.

        Raises:
            ValueError: checkpoints that stay are rebuilt from these; nothing is deleted. In drop-in
                mode all are.
        """
        wanted = {*several("run_ids", "run", run_ids)}
        with _own:
            gone = {
                (thread_id, checkpoint_ns): [
                    checkpoint_id
                    for checkpoint_id, entry in [*stored.items()]
                    if self.serde.loads_typed(entry[1]).get("run_id") in wanted
                ]
                for thread_id, namespaces in [*self.storage.items()]
                for checkpoint_ns, stored in [*namespaces.items()]
            }
            if not is_drop_in():
                refuse_bereft({place: self._bereft(*place, ids) for place, ids in gone.items()})
            for place, ids in gone.items():
                self._delete(*place, ids)

    def prune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        last: int | None = None,
        newer_than: datetime | None = None,
    ) -> None:
        """Delete old checkpoints of the given threads, and the writes on them.

        Of each namespace the newest `last` stay, those that were made at `newer_than` or later, and
        what the values of these are rebuilt from. `strategy="delete"` deletes everything.
        """
        keep = Keep.read(strategy, last, newer_than)
        for thread_id in several("thread_ids", "thread", thread_ids):
            if not keep.newest:
                self.delete_thread(thread_id)
            for checkpoint_ns, stored in [*self.storage.get(thread_id, {}).items()]:
                look = partial(self._look, thread_id, checkpoint_ns)
                gone = superfluous(self._links(stored), keep, look)
                self._delete(thread_id, checkpoint_ns, gone)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy all checkpoints and writes of a thread to another; what is there already stays."""
        for checkpoint_ns, stored in [*self.storage[source_thread_id].items()]:
            target = self.storage[target_thread_id][checkpoint_ns]
            for checkpoint_id, entry in [*stored.items()]:
                target.setdefault(checkpoint_id, entry)
        for mapping in (self.writes, self.blobs):
            for key, value in [*mapping.items()]:
                if key[0] == source_thread_id:
                    own = dict(value) if isinstance(value, dict) else value
                    mapping.setdefault((target_thread_id, *key[1:]), own)  # type: ignore[arg-type]

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Return what rebuilds delta channels as of the checkpoint that `config` names (beta).

        Decodes only values and writes of the channels asked for.
        """
        walk = DeltaHistoryWalk(channels)
        if not channels:
            return walk.result()
        configurable = config["configurable"]
        thread_id = configurable["thread_id"]
        checkpoint_ns = configurable.get("checkpoint_ns", "")
        stored = self.storage.get(thread_id, {}).get(checkpoint_ns, {})
        checkpoint_id = configurable.get("checkpoint_id") or max(stored, default="")
        target = stored.get(checkpoint_id)
        ancestor_id = target[2] if target else None
        while walk.open_channels and ancestor_id in stored:
            checkpoint, _, parent_id = stored[ancestor_id]
            versions = self.serde.loads_typed(checkpoint).get("channel_versions", {})
            wanted = {name: versions[name] for name in walk.open_channels if name in versions}
            writes = self._ordered_writes(thread_id, checkpoint_ns, ancestor_id)
            walk.visit(
                self._decoded(
                    write for write in reversed(writes) if write[1] in walk.open_channels
                ),
                self._load_blobs(thread_id, checkpoint_ns, wanted),
            )
            ancestor_id = parent_id
        return walk.result()

    def get_next_version(self, current: str | None, channel: None) -> str:
        """Return the version after `current`; see `next_text_version`. `channel` is unused."""
        return next_text_version(current)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Asynchronous `get_tuple`; runs on the event loop, as there is nothing to wait for."""
        return self.get_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Asynchronous `list`."""
        for found in self.list(config, filter=filter, before=before, limit=limit):
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Asynchronous `put`."""
        return self.put(config, checkpoint, metadata, new_versions)

    async def aput_superstep(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        writes: Sequence[SuperstepWrites],
    ) -> RunnableConfig:
        """Asynchronous `put_superstep`."""
        return self.put_superstep(config, checkpoint, metadata, new_versions, writes)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Asynchronous `put_writes`."""
        self.put_writes(config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """Asynchronous `delete_thread`."""
        self.delete_thread(thread_id)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Asynchronous `delete_for_runs`."""
        self.delete_for_runs(run_ids)

    async def adelete_expired(self, ttl: timedelta, *, now: datetime | None = None) -> list[str]:
        """Asynchronous `delete_expired`."""
        return self.delete_expired(ttl, now=now)

    async def aprune(
        self,
        thread_ids: Sequence[str],
        *,
        strategy: str = "keep_latest",
        last: int | None = None,
        newer_than: datetime | None = None,
    ) -> None:
        """Asynchronous `prune`."""
        self.prune(thread_ids, strategy=strategy, last=last, newer_than=newer_than)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Asynchronous `copy_thread`."""
        self.copy_thread(source_thread_id, target_thread_id)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Asynchronous `get_delta_channel_history` (beta)."""
        return self.get_delta_channel_history(config=config, channels=channels)

    # --- helpers ---

    def _change_lease(self, thread_id: str, change: Change) -> Any:
        with _own:
            return change_lease(self._leases, thread_id, change)

    async def _achange_lease(self, thread_id: str, change: Change) -> Any:
        return self._change_lease(thread_id, change)

    def _look_at_lease(self, thread_id: str) -> tuple[Held, float]:
        return look_at_lease(self._leases, thread_id)

    async def _alook_at_lease(self, thread_id: str) -> tuple[Held, float]:
        return self._look_at_lease(thread_id)

    def _delete_threads(self, thread_ids: Collection[str]) -> None:
        for thread_id in thread_ids:
            self.storage.pop(thread_id, None)
            self._heads.forget(thread_id)
        for mapping in (self.writes, self.blobs):
            # Others may add to it meanwhile.
            for key in [*mapping]:
                if key[0] in thread_ids:
                    mapping.pop(key, None)  # type: ignore[arg-type]

    def _delete(self, thread_id: str, checkpoint_ns: str, checkpoint_ids: Collection[str]) -> None:
        """Delete checkpoints, the writes on them, and the values that only they have."""
        if not checkpoint_ids:
            return
        stored = self.storage[thread_id][checkpoint_ns]
        for checkpoint_id in checkpoint_ids:
            stored.pop(checkpoint_id, None)
            self.writes.pop((thread_id, checkpoint_ns, checkpoint_id), None)
        needed = {
            version
            for checkpoint, _, _ in [*stored.values()]
            for version in self._versions(checkpoint).items()
        }
        for key in [*self.blobs]:
            if key[:2] == (thread_id, checkpoint_ns) and key[2:] not in needed:
                self.blobs.pop(key, None)

    def _bereft(
        self, thread_id: str, checkpoint_ns: str, gone: Collection[str]
    ) -> Mapping[str, Collection[str]]:
        """Who would lose what they are rebuilt from; see `find_bereft`."""
        stored = self.storage[thread_id][checkpoint_ns]
        if not orphans({one: entry[2] for one, entry in [*stored.items()]}, {*gone}):
            return {}
        look = partial(self._look, thread_id, checkpoint_ns)
        return answered(find_bereft(self._links(stored), {*gone}), look)

    def _links(self, stored: Mapping[str, _StoredCheckpoint]) -> Sequence[Link]:
        return [
            Link(one, parent_id, changed(self.serde.loads_typed(metadata)))
            for one, (_, metadata, parent_id) in [*stored.items()]
        ]

    def _look(self, thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> Look:
        versions = self._versions(self.storage[thread_id][checkpoint_ns][checkpoint_id][0])
        values = self._load_blobs(thread_id, checkpoint_ns, versions)
        return Look(versions, {name: may_be_seed(value) for name, value in values.items()})

    def _versions(self, checkpoint: _Typed) -> ChannelVersions:
        return self.serde.loads_typed(checkpoint).get("channel_versions", {})

    def _fresh(
        self,
        key: tuple[str, str, str],
        task_id: str,
        task_path: str,
        writes: Sequence[tuple[str, Any]],
    ) -> dict[tuple[str, int], _StoredWrite]:
        """Encode those of a task's writes that are not stored yet or replace what is."""
        stored = self.writes.get(key, ())
        fresh = {}
        for position, (channel, value) in enumerate(writes):
            index = WRITES_IDX_MAP.get(channel, position)
            if index < 0 or (task_id, index) not in stored:
                encoded = dump_channel(self.serde, channel, value)
                fresh[task_id, index] = (task_id, channel, encoded, task_path)
        return fresh

    def _candidates(
        self, config: RunnableConfig | None
    ) -> Iterator[tuple[str, str, str, _StoredCheckpoint]]:
        """Yield what `config` names, newest first within a namespace, as keys and entry."""
        wanted = config["configurable"] if config else {}
        wanted_ns, wanted_id = wanted.get("checkpoint_ns"), wanted.get("checkpoint_id")
        # Copies of the keys, because other threads may add to the dictionaries meanwhile.
        for thread_id in [wanted["thread_id"]] if config else [*self.storage]:
            for checkpoint_ns, stored in [*self.storage[thread_id].items()]:
                if wanted_ns is not None and checkpoint_ns != wanted_ns:
                    continue
                for checkpoint_id in sorted(stored, reverse=True):
                    if not wanted_id or checkpoint_id == wanted_id:
                        yield thread_id, checkpoint_ns, checkpoint_id, stored[checkpoint_id]

    def _tuple(
        self,
        thread_id: str,
        checkpoint_ns: str,
        checkpoint_id: str,
        entry: _StoredCheckpoint,
        config: RunnableConfig,
        metadata: CheckpointMetadata,
    ) -> CheckpointTuple:
        encoded, _, parent_id = entry
        try:
            checkpoint = self.serde.loads_typed(encoded)
            versions = checkpoint["channel_versions"]
            checkpoint["channel_values"] = self._load_blobs(thread_id, checkpoint_ns, versions)
            writes = self._decoded(self._ordered_writes(thread_id, checkpoint_ns, checkpoint_id))
        except ValueError as error:
            place = thread_id, checkpoint_ns, checkpoint_id
            raise in_checkpoint(error, place) from error.__cause__
        return CheckpointTuple(
            config,
            checkpoint,
            metadata,
            _config(thread_id, checkpoint_ns, parent_id) if parent_id else None,
            writes,  # type: ignore[arg-type]
        )

    def _load_blobs(
        self, thread_id: str, checkpoint_ns: str, versions: ChannelVersions
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for channel, version in versions.items():
            blob = self.blobs.get((thread_id, checkpoint_ns, channel, version), _EMPTY)
            if blob[0] != "empty":
                values[channel] = load_channel(self.serde, channel, blob)
        return values

    def _ordered_writes(
        self, thread_id: str, checkpoint_ns: str, checkpoint_id: str
    ) -> Sequence[_StoredWrite]:
        stored = self.writes.get((thread_id, checkpoint_ns, checkpoint_id))
        if not stored:
            return ()
        by_order = sorted(stored.items(), key=lambda item: writes_sort_key(item[1][3], *item[0]))
        return [write for _, write in by_order]

    def _decoded(self, writes: Iterable[_StoredWrite]) -> Sequence[PendingWrite]:
        return [
            (task_id, channel, load_channel(self.serde, channel, value))
            for task_id, channel, value, _ in writes
        ]


def _config(thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> RunnableConfig:
    return {
        "configurable": {
            "thread_id": thread_id,
            "checkpoint_ns": checkpoint_ns,
            "checkpoint_id": checkpoint_id,
        }
    }


MemorySaver = InMemorySaver
"""The old name of `InMemorySaver`."""


class PersistentDict(defaultdict):
    """A dictionary that is read from and written to a pickle file as a whole.

    Call `load` to read the file. Changes are written by `sync` and, after which the dictionary is
    empty, by `close` or at the end of a `with` block.

    Args:
        *args: As for `defaultdict`.
        filename: Path of the file.
        **kwds: As for `defaultdict`.
    """

    def __init__(self, *args: Any, filename: str, **kwds: Any) -> None:
        self.flag = "c"
        """`"r"` never writes, `"n"` never reads, `"c"` does both."""
        self.mode: int | None = None
        """Permission bits to give the file, or `None` to leave them alone."""
        self.format = "pickle"
        """Format of the file; there is no other."""
        self.filename = filename
        super().__init__(*args, **kwds)

    def sync(self) -> None:
        """Write the file, replacing the old one only once the new one is complete."""
        if self.flag == "r":
            return
        import os
        import shutil

        unfinished = self.filename + ".tmp"
        try:
            with open(unfinished, "wb" if self.format == "pickle" else "w") as file:
                self.dump(file)
        except Exception:
            os.remove(unfinished)
            raise
        shutil.move(unfinished, self.filename)
        if self.mode is not None:
            os.chmod(self.filename, self.mode)

    def close(self) -> None:
        """Write the file and empty the dictionary."""
        self.sync()
        self.clear()

    def __enter__(self) -> PersistentDict:
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.close()

    def dump(self, fileobj: Any) -> None:
        """Write the content to an open file.

        Raises:
            NotImplementedError: `format` is not `"pickle"`.
        """
        if self.format != "pickle":
            raise NotImplementedError("Unknown format: " + repr(self.format))
        import pickle

        pickle.dump(dict(self), fileobj, 2)

    def load(self) -> None:
        """Add the file's content to the dictionary. An empty file adds nothing.

        Raises:
            OSError: the file cannot be read.
        """
        if self.flag == "n":
            return
        import pickle

        with open(self.filename, "rb") as file:
            try:
                self.update(pickle.load(file))
            except EOFError:
                pass
            except Exception:
                import logging

                logger = logging.getLogger("langgraph.checkpoint.memory")
                logger.error("Failed to load file: %s", self.filename)
                raise
