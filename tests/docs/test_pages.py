"""What the pages of this repository say of versions and folders."""

from __future__ import annotations

import re

from sync.pins import ROOT, load_pins
from tests.docs.__main__ import find_pages
from tests.docs.pages import read_page


def test_versions_of_packages_tried_are_those_that_run() -> None:
    page = (ROOT / "docs" / "trust" / "packages.md").read_text(encoding="utf-8")
    said = set(re.findall(r"^\| ([\w-]+) \| ([\d.]+) \|", page, re.M))
    pinned = set(load_pins().distributions.items())
    for listing in (ROOT / "examples").glob("*/requirements.txt"):
        pinned |= set(re.findall(r"^([\w-]+)==([\d.]+)$", listing.read_text("utf-8"), re.M))
    assert said and said <= pinned


def test_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert links and all((ROOT / link).exists() for link in links)


def test_programs_in_rust_are_doc_tests() -> None:
    crate = ROOT / "crates" / "langgraph-rust" / "src" / "pages.rs"
    included = re.findall(r'include_str!\("\.\./\.\./\.\./(docs/.*?)"\)', crate.read_text("utf-8"))
    pages = [path for path in find_pages(ROOT) if "docs" in path.relative_to(ROOT).parts[:1]]
    with_rust = [path for path in pages if "```rust" in path.read_text(encoding="utf-8")]
    assert sorted(included) == sorted(str(path.relative_to(ROOT)) for path in with_rust)


def test_no_folder_of_pages_is_crowded() -> None:
    folders = [ROOT / "docs", *(path for path in (ROOT / "docs").rglob("*") if path.is_dir())]
    assert all(len(list(folder.iterdir())) <= 13 for folder in folders)


def test_every_page_can_be_read() -> None:
    pages = [read_page(path, ROOT) for path in find_pages(ROOT)]
    assert sum(len(page.parts) for page in pages) > 50


def test_programs_have_short_lines() -> None:
    for path in find_pages(ROOT):
        for block in read_page(path, ROOT).parts:
            long = [line for line in block.text.splitlines() if len(line) > 100]
            assert not long, f"{path}: {long}"
