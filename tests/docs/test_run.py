"""Pages that are run, and what is found wrong with them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.docs.pages import Page, commands, read_page
from tests.docs.run import Ran, Side, differences, run_page

HERE = Side("here", Path(sys.executable))


@pytest.fixture
def page(tmp_path: Path):
    """Makes a page of its text."""

    def make(text: str) -> Page:
        path = tmp_path / "page.md"
        path.write_text(text)
        return read_page(path, tmp_path)

    return make


def ran(page: Page) -> Ran:
    return run_page(page, HERE, console=True)


def test_parts_are_one_program(page) -> None:
    result = ran(page("```python\nx = 1\n```\n\n```python\nprint(x)\n```\n\n```text\n1\n```\n"))
    assert result == Ran(["", "1\n"], [])


def test_what_is_printed_must_be_on_the_page(page) -> None:
    assert ran(page("```python\nprint(1)\n```\n")).wrong[1] == "1\n"
    wrong = ran(page("```python\nprint(1)\n```\n```text\n2\n```\n")).wrong
    assert wrong[-2:] == ["-2", "+1"]


def test_an_error_is_on_the_line_of_the_page(page) -> None:
    wrong = ran(page("# A page\n\n```python\nx = 1\n1 / 0\n```\n")).wrong
    assert wrong[0] == "on here, status 1" and any("line 5" in line for line in wrong)


def test_files_and_commands(page) -> None:
    text = (
        '```python title="app.py"\nprint("hi")\n```\n'
        "```python\nimport app\n```\n```text\nhi\n```\n"
        "```console\n$ python app.py\nhi\n$ echo anything\n```\n"
    )
    assert ran(page(text)).wrong == []
    assert ran(page(text.replace("app.py\nhi\n$", "app.py\nho\n$"))).wrong[-2:] == ["-ho", "+hi"]
    assert "status 1" in ran(page("```console\n$ false\n```\n")).wrong[0]


def test_commands_are_told_from_what_they_print() -> None:
    assert commands("$ a b\nx\ny\n$ c\n") == [("a b", "x\ny\n"), ("c", "")]


def test_pages_that_name_this_package_are_ours(page) -> None:
    assert page("```python\nfrom langgraph_rust.graph import END\n```\n").is_ours
    assert not page("```python\nfrom langgraph.graph import END\n```\n").is_ours


def test_what_two_sides_print_is_compared() -> None:
    assert differences(["1\n"], ["1\n"], ("a", "b")) == []
    assert differences(["1\n"], ["2\n"], ("a", "b"))[-2:] == ["-1", "+2"]
