"""What is large, one function each; run where Playwright is."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from playwright.sync_api import expect

from tests.view.serving import serving, watched
from tests.view.setting import Setting, opened


def many_checkpoints(setting: Setting) -> None:
    """Of a hundred thousand checkpoints few are elements; more come when it is scrolled."""
    file = setting.folder / "checkpoints.db"
    with serving(setting.python, str(file)) as url, watched(setting.browser, url) as page:
        opened(page, "long")
        rows = page.locator(".checkpoint")
        expect(rows.first).to_contain_text("step 99999")
        assert rows.count() < 60
        top = rows.first.inner_text()
        listed = page.locator(".checkpoints")
        for _ in range(5):
            listed.evaluate("list => list.scrollTop = list.scrollHeight")
            page.wait_for_timeout(250)
        assert rows.count() < 60
        assert rows.first.inner_text() != top
        assert listed.evaluate("list => list.scrollHeight") > 46 * 400


def a_large_state(setting: Setting) -> None:
    """Of 50 MB, the page has what it shows."""
    file = setting.folder / "state.db"
    with serving(setting.python, str(file)) as url, watched(setting.browser, url) as page:
        sizes: list[int] = []
        page.on("response", lambda one: sizes.append(int(one.headers.get("content-length", 0))))
        opened(page, "large")
        items = page.get_by_role("treeitem", name="items")
        items.locator(".row").first.click()
        expect(items.get_by_role("treeitem")).to_have_count(100)
        items.get_by_label("Item to go to").fill("140000")
        items.get_by_role("button", name="go", exact=True).click()
        expect(items.get_by_role("treeitem").nth(100)).to_contain_text("140000")
        text = page.get_by_role("treeitem", name="text").last
        text.get_by_role("button").click()
        expect(text).to_contain_text("more")
        assert sum(sizes) < 400_000, sizes


def a_gigabyte(setting: Setting) -> None:
    """The first page of a gigabyte: how long it takes, and that the file stays as it is."""
    file = setting.folder / "threads.db"
    assert file.stat().st_size > 1_000_000_000
    before = _digest(file)
    with serving(setting.python, str(file)) as url, watched(setting.browser, url) as page:
        expect(page.get_by_role("option")).to_have_count(50)
        took = page.evaluate(
            "() => performance.getEntriesByType('resource')"
            ".find(one => one.name.includes('/api/threads')).duration"
        )
        began = time.perf_counter()
        page.reload()
        expect(page.get_by_role("option")).to_have_count(50)
        whole = (time.perf_counter() - began) * 1000
        page.fill("#search", "0500")
        opened(page, "thread-0500")
    assert _digest(file) == before
    assert not list(file.parent.glob("threads.db-*"))
    print(f"view: first page of 1 GB: {took:.0f} ms; loading all of the page again: {whole:.0f} ms")
    # What a person does not wait for; far from the 0.1 s that it takes.
    assert took < 1000


LARGE = (many_checkpoints, a_large_state, a_gigabyte)


def _digest(file: Path) -> str:
    with file.open("rb") as opened_file:
        return hashlib.file_digest(opened_file, "sha256").hexdigest()
