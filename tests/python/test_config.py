"""Configs: merging, the ambient config, callbacks, and the runtime found through them."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest
from langchain_core.callbacks import (
    AsyncCallbackManager,
    BaseCallbackHandler,
    CallbackManager,
    dispatch_custom_event,
)
from langchain_core.runnables import config as langchain_config
from langchain_core.tracers.context import collect_runs, register_configure_hook

from langgraph_rust._internal._config import (
    DEFAULT_RECURSION_LIMIT,
    config_var,
    ensure_config,
    filter_to_user_tags,
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
    merge_configs,
    patch_checkpoint_map,
    patch_config,
    patch_configurable,
    recast_checkpoint_ns,
    run_in_config_context,
    var_child_runnable_config,
)
from langgraph_rust._internal._constants import CONF, CONFIG_KEY_RUNTIME
from langgraph_rust._internal._lazy.callbacks import (
    SilentAsyncCallbackManager,
    SilentCallbackManager,
    is_silent,
)
from langgraph_rust._internal._lazy.listening import needs_callbacks
from langgraph_rust.config import get_config, get_store, get_stream_writer
from langgraph_rust.runtime import DEFAULT_RUNTIME, ExecutionInfo, RunControl, Runtime, get_runtime


@contextmanager
def ambient(config: Any) -> Iterator[None]:
    token = var_child_runnable_config.set(config)
    try:
        yield
    finally:
        var_child_runnable_config.reset(token)


def test_there_is_one_ambient_config() -> None:
    assert config_var() is langchain_config.var_child_runnable_config
    with ambient({"tags": ["t"]}):
        assert langchain_config.ensure_config()["tags"] == ["t"]


class TestEnsureConfig:
    def test_defaults(self) -> None:
        config = ensure_config()
        assert config["recursion_limit"] == DEFAULT_RECURSION_LIMIT
        assert (config["tags"], config[CONF], config["callbacks"]) == ([], {}, None)

    def test_unknown_keys_become_configurable(self) -> None:
        assert ensure_config({"thread_id": "1"})[CONF] == {"thread_id": "1"}  # type: ignore[typeddict-unknown-key]

    def test_does_not_touch_its_arguments(self) -> None:
        config: Any = {"tags": ["a"], "metadata": {"m": {}}, CONF: {"thread_id": "1"}}
        before = copy.deepcopy(config)
        made = ensure_config(config)
        made["tags"].append("b")
        made["metadata"]["m"]["x"] = 1
        made[CONF]["y"] = 2
        assert config == before

    def test_inherits_the_ambient_config(self) -> None:
        with ambient({CONF: {"checkpoint_ns": "p:1", "a": 1}, "tags": ["t"]}):
            config = ensure_config({CONF: {"b": 2}, "tags": ["t", "u"]})
        assert config[CONF] == {"checkpoint_ns": "p:1", "a": 1, "b": 2}
        assert config["tags"] == ["t", "u"]

    def test_an_own_thread_drops_the_ambient_task(self) -> None:
        with ambient({CONF: {"checkpoint_ns": "p:1", "thread_id": "1"}}):
            assert ensure_config({CONF: {"thread_id": "1"}})[CONF] == {"thread_id": "1"}

    def test_ids_are_repeated_in_metadata(self) -> None:
        config = ensure_config({CONF: {"thread_id": "1", "model": "m"}})
        assert config["metadata"] == {"thread_id": "1"}


class TestMergeConfigs:
    @pytest.mark.parametrize(
        "rebuilt", [lambda c: c, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
    )
    def test_a_limit_nobody_chose_does_not_win(self, rebuilt: Any) -> None:
        merged = merge_configs({"recursion_limit": 5}, rebuilt(ensure_config()))
        assert merged["recursion_limit"] == 5

    def test_an_equal_limit_somebody_chose_does(self) -> None:
        chosen = int(DEFAULT_RECURSION_LIMIT)
        assert (
            merge_configs({"recursion_limit": 5}, {"recursion_limit": chosen})["recursion_limit"]
            == chosen
        )

    @pytest.mark.parametrize("merge", [merge_configs, ensure_config])
    def test_only_package_versions_merge_deeper(self, merge: Any) -> None:
        merged = merge(
            {"metadata": {"lc_versions": {"a": 1}, "other": {"a": 1}}},
            {"metadata": {"lc_versions": {"b": 2}, "other": {"b": 2}}},
        )
        assert merged["metadata"] == {"lc_versions": {"a": 1, "b": 2}, "other": {"b": 2}}

    def test_callbacks(self) -> None:
        one, two = BaseCallbackHandler(), BaseCallbackHandler()
        manager = CallbackManager(handlers=[one])
        assert merge_configs({"callbacks": [one]}, {"callbacks": [two]})["callbacks"] == [one, two]
        for pair in ([manager, [two]], [[two], manager]):
            merged = merge_configs(*({"callbacks": c} for c in pair))["callbacks"]
            assert isinstance(merged, CallbackManager) and set(merged.handlers) == {one, two}
        assert manager.handlers == [one]
        with pytest.raises(NotImplementedError, match="Unsupported callback types"):
            merge_configs({"callbacks": manager}, {"callbacks": "x"})  # type: ignore[typeddict-item]


def test_patching() -> None:
    config: Any = {"run_name": "n", "run_id": "i", CONF: {"a": 1}}
    assert patch_config(config, callbacks=[], configurable={"b": 2}) == {
        "callbacks": [],
        CONF: {"a": 1, "b": 2},
    }
    assert patch_configurable(config, {"a": 2})[CONF] == {"a": 2}
    assert patch_configurable(None, {"a": 2}) == {CONF: {"a": 2}}
    here: Any = {CONF: {"checkpoint_ns": "n", "checkpoint_id": "c"}}
    assert patch_checkpoint_map(here, {"parents": {"": "p"}})[CONF]["checkpoint_map"] == {
        "": "p",
        "n": "c",
    }
    assert patch_checkpoint_map(here, {}) is here


def test_names_without_ids() -> None:
    assert recast_checkpoint_ns("a:1|2|b:3") == "a|b"
    assert filter_to_user_tags(["seq:step:1", "mine"]) == ["mine"]
    assert filter_to_user_tags(["seq:step:1"]) is None


class TestCallbackManagers:
    def test_tags_and_metadata_are_added(self) -> None:
        for get, kind in (
            (get_callback_manager_for_config, CallbackManager),
            (get_async_callback_manager_for_config, AsyncCallbackManager),
        ):
            manager = get({"tags": ["a"], "metadata": {"m": 1}}, tags=["b"])
            assert isinstance(manager, kind)
            assert (manager.inheritable_tags, manager.metadata) == (["a", "b"], {"m": 1})

    def test_an_existing_manager_is_used(self) -> None:
        manager = CallbackManager(handlers=[])
        assert get_callback_manager_for_config({"callbacks": manager, "tags": ["a"]}) is manager
        assert manager.tags == ["a"]

    def test_needed_only_if_somebody_listens(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert not needs_callbacks({})
        assert not needs_callbacks({"callbacks": []})
        assert not needs_callbacks({"callbacks": SilentCallbackManager()})
        assert needs_callbacks({"callbacks": [BaseCallbackHandler()]})
        with collect_runs():
            assert needs_callbacks({})
        monkeypatch.setenv("LANGSMITH_TRACING", "true")
        assert needs_callbacks({})

    def test_needed_for_a_configure_hook(self) -> None:
        var: ContextVar[Any] = ContextVar("handler", default=None)
        register_configure_hook(var, inheritable=True)
        assert not needs_callbacks({})
        token = var.set(BaseCallbackHandler())
        assert needs_callbacks({})
        var.reset(token)


class TestSilentManagers:
    def test_are_managers_to_langchain(self) -> None:
        assert isinstance(SilentCallbackManager(), CallbackManager)
        assert isinstance(SilentAsyncCallbackManager(), AsyncCallbackManager)

    def test_custom_events_can_be_dispatched_under_them(self) -> None:
        config: Any = {"callbacks": SilentCallbackManager()}
        run_in_config_context(config, dispatch_custom_event, "event", {"a": 1})

    def test_nothing_is_shared_between_copies(self) -> None:
        first = SilentCallbackManager()
        second = first.copy()
        first.add_handler(BaseCallbackHandler())
        assert not is_silent(first) and is_silent(second)
        assert first.copy().handlers == first.handlers is not first.copy().handlers

    def test_handlers_can_join(self) -> None:
        handler = BaseCallbackHandler()
        merged = merge_configs({"callbacks": SilentCallbackManager()}, {"callbacks": [handler]})
        assert isinstance(merged["callbacks"], CallbackManager)
        assert merged["callbacks"].handlers == [handler]
        assert merged["callbacks"].parent_run_id is not None

    def test_work_before_langchain_is_loaded(self) -> None:
        code = """
import sys
from langgraph_rust._internal._lazy.callbacks import SilentCallbackManager
manager = SilentCallbackManager()
manager.copy()
assert "langchain_core" not in sys.modules
manager.add_tags(["t"])
from langchain_core.callbacks import CallbackManager
assert isinstance(manager, CallbackManager) and manager.tags == ["t"]
"""
        subprocess.run([sys.executable, "-c", code], check=True)


class TestRuntime:
    def test_reached_through_the_config(self) -> None:
        runtime: Runtime[Any] = Runtime(context=1, store="store", stream_writer=print)  # type: ignore[arg-type]
        config: Any = {CONF: {CONFIG_KEY_RUNTIME: runtime}}
        with ambient(config):
            assert get_config() is config
            assert get_runtime() is runtime
            assert (get_store(), get_stream_writer()) == ("store", print)

    def test_nothing_is_running(self) -> None:
        with pytest.raises(RuntimeError, match="Called get_config outside of a runnable context"):
            get_config()

    def test_merge_prefers_the_other(self) -> None:
        control = RunControl()
        base: Runtime[Any] = Runtime(context="a", previous=1, control=control)
        merged = base.merge(Runtime(context="b", stream_writer=print))
        assert (merged.context, merged.previous, merged.control) == ("b", 1, control)
        assert merged.stream_writer is print
        assert merged.merge(DEFAULT_RUNTIME) == merged

    def test_overrides(self) -> None:
        info = ExecutionInfo("c", "ns", "t")
        runtime: Runtime[Any] = Runtime(execution_info=info)
        assert runtime.override(previous=1).previous == 1
        patched = runtime.patch_execution_info(node_attempt=2).execution_info
        assert patched is not None and patched.node_attempt == 2 and info.node_attempt == 1
        with pytest.raises(RuntimeError, match="before it has been set"):
            DEFAULT_RUNTIME.patch_execution_info(node_attempt=2)

    def test_drain(self) -> None:
        control = RunControl()
        runtime: Runtime[Any] = Runtime(control=control)
        assert not runtime.drain_requested and not DEFAULT_RUNTIME.drain_requested
        control.request_drain("bye")
        assert (runtime.drain_requested, runtime.drain_reason) == (True, "bye")
