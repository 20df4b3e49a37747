"""Environment variables that are on or off, and what linear storage may be set to."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from langgraph_rust._internal._switches import is_on, what_is_said
from langgraph_rust.pregel._state.savers import _linear

OURS = ("LANGGRAPH_RUST_STRICT", "LANGGRAPH_RUST_ACCELERATE", "LANGGRAPH_RUST_LINEAR_STORAGE")


@pytest.mark.parametrize("word", ["1", "true", "YES", "On", " on "])
def test_words_for_on(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGGRAPH_RUST_X", word)
    assert is_on("LANGGRAPH_RUST_X")


@pytest.mark.parametrize("word", ["0", "False", "no", "OFF"])
def test_words_for_off(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGGRAPH_RUST_X", word)
    assert not is_on("LANGGRAPH_RUST_X", unset=True)


def test_what_is_empty_is_off_and_what_is_not_set_is_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LANGGRAPH_RUST_X", raising=False)
    assert is_on("LANGGRAPH_RUST_X", unset=True) and not is_on("LANGGRAPH_RUST_X")
    monkeypatch.setenv("LANGGRAPH_RUST_X", "")
    assert not is_on("LANGGRAPH_RUST_X", unset=True)


def test_not_set_is_a_third_thing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LANGGRAPH_RUST_X", raising=False)
    assert what_is_said("LANGGRAPH_RUST_X") is None
    for value, said in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("LANGGRAPH_RUST_X", value)
        assert what_is_said("LANGGRAPH_RUST_X") is said


@pytest.mark.parametrize("variable", OURS[:2])
def test_install_refuses_any_other_word(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "enabled")
    program = "import langgraph_rust; langgraph_rust.install()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert f"ValueError: The environment variable {variable} is 'enabled'" in done.stderr
    assert "neither on (1, true, yes, on) nor off (0, false, no, off)" in done.stderr


def test_on_makes_drop_in_mode_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OURS[0], "on")
    program = """
import langgraph_rust; langgraph_rust.install()
from langgraph_rust import _dropin
print(_dropin.is_strict())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize(("word", "on"), [("true", True), ("On", True), ("0", False), ("", False)])
def test_linear_storage_reads_the_same(
    word: str, on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OURS[2], word)
    assert _linear(saver_with(None)) is on
    monkeypatch.setenv(OURS[2], "messages")
    with pytest.raises(ValueError, match=rf"{OURS[2]} is 'messages'"):
        _linear(saver_with(None))


def test_linear_storage_takes_names() -> None:
    assert _linear(saver_with(("a", "b"))) == ["a", "b"]
    assert _linear(saver_with({"a": 1}.keys())) == ["a"]


@pytest.mark.parametrize("wrong", [1, object(), "messages", b"a", {1}, iter("a")])
def test_linear_storage_takes_nothing_else(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"linear_storage .* such as \{'messages'\}, not "):
        _linear(saver_with(wrong))


def saver_with(linear_storage: Any) -> Any:
    return SimpleNamespace(linear_storage=linear_storage)
