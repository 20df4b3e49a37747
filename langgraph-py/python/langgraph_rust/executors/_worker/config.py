"""The config that a node is given in a worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langgraph_rust._internal._config import ambient_config
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_READ,
    CONFIG_KEY_READ_STATE,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
    CONFIG_KEY_STREAM,
)
from langgraph_rust.executors._worker.link import Home
from langgraph_rust.executors._worker.stand_ins import (
    RemoteControl,
    RemoteSaver,
    RemoteStore,
    RemoteTask,
    remote_call,
)
from langgraph_rust.pregel.protocol import StreamProtocol
from langgraph_rust.runtime import Runtime


def make_config(request: dict[str, Any], home: Home) -> Any:
    """Make the config of what `executors._home.request` says of it."""
    config = dict(request["config"])
    conf = config[CONF] = dict(request["conf"])
    if (task := request["task"]) is not None:
        conf[CONFIG_KEY_SCRATCHPAD] = conf[CONFIG_KEY_SEND] = stand_in = RemoteTask(home, task)
        conf[CONFIG_KEY_READ] = lambda select, fresh=False: home.ask("read", select, fresh)
        conf[CONFIG_KEY_CALL] = remote_call(home)
        conf[CONFIG_KEY_READ_STATE] = stand_in.read_state if task["reads_state"] else None
    saver = request["saver"]
    if saver is not None:
        conf[CONFIG_KEY_CHECKPOINTER] = RemoteSaver(home) if saver == "saver" else saver
    if (modes := request["modes"]) is not None:
        conf[CONFIG_KEY_STREAM] = StreamProtocol(lambda chunk: home.tell("chunk", chunk), modes)
    if (runtime := request["runtime"]) is not None:
        conf[CONFIG_KEY_RUNTIME] = _runtime(runtime, home, conf.get(CONFIG_KEY_SCRATCHPAD))
    config["callbacks"] = None
    if (listening := request["callbacks"]) is not None:
        from langgraph_rust.executors._worker.callbacks import make_manager

        config["callbacks"] = make_manager(listening, home, is_async=request["is_async"])
    return config


def _runtime(known: dict[str, Any], home: Home, task: RemoteTask | None) -> Runtime[Any]:
    store = known["store"]
    return Runtime(
        context=known["context"],
        store=None if store is None else RemoteStore(home, **store),
        stream_writer=_stream_writer(home, task),
        heartbeat=lambda: home.tell("heartbeat"),
        previous=known["previous"],
        execution_info=known["execution_info"],
        server_info=known["server_info"],
        control=RemoteControl(home) if known["control"] else None,
    )


def _stream_writer(home: Home, own: RemoteTask | None) -> Callable[[Any], None]:
    """Return what the node, and what graphs within it run, write to the `custom` stream with."""

    def write(chunk: Any) -> None:
        conf = (ambient_config() or {}).get(CONF) or {}
        task, namespace = conf.get(CONFIG_KEY_SCRATCHPAD), conf.get(CONFIG_KEY_CHECKPOINT_NS)
        if conf and task is own:
            home.tell("custom", chunk)
        elif namespace is None:
            # A thread that knows of no node, which is an error at home if somebody listens.
            home.ask("custom", chunk)
        else:
            home.tell("custom", chunk, namespace, getattr(task, "graph_namespace", None))

    return write
