"""What is read from a page."""

from __future__ import annotations

import pytest

from tests.docs.blocks import PageError, read_blocks


def fenced(language: str, text: str = "x\n") -> str:
    return f"```{language}\n{text}```\n"


def kinds(page: str) -> list[str]:
    return [block.kind for block in read_blocks("page.md", page)]


def test_parts_and_what_they_print() -> None:
    page = f"# A page\n\n{fenced('python')}\n{fenced('text')}\n{fenced('python')}"
    assert kinds(page) == ["part", "printed", "part"]


def test_text_after_words_is_only_shown() -> None:
    assert kinds(f"{fenced('python')}\nIt prints:\n\n{fenced('text')}") == ["part", "shown"]


def test_a_title_makes_a_file() -> None:
    (block,) = read_blocks("page.md", fenced('python title="pkg/app.py"'))
    assert (block.kind, block.title) == ("file", "pkg/app.py")


def test_a_reason_makes_it_shown() -> None:
    (block,) = read_blocks("page.md", f"<!-- not run: needs a server -->\n{fenced('console')}")
    assert (block.kind, block.reason, block.line) == ("shown", "needs a server", 3)


def test_what_is_within_a_block_begins_none() -> None:
    assert kinds("```text\n  ``` no\n```\n") == ["shown"]


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (fenced(""), "page.md:1: no language"),
        (fenced("perl"), "perl; there are"),
        (fenced("rust"), "nothing runs Rust here"),
        ("  ```python\n  x\n  ```\n", "not the beginning of a block"),
        ("\n```python\nx\n", "page.md:2: a block that is not closed"),
        (f"<!-- not run: no -->\n{fenced('toml')}", "would not be run anyway"),
        ('<!-- not run: no -->\n```python title="a.py"\n```\n', "would not be run anyway"),
    ],
)
def test_what_says_nothing_that_can_be_done(page: str, text: str) -> None:
    with pytest.raises(PageError, match=text):
        read_blocks("page.md", page)
