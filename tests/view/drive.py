"""What people do with the viewer, one function each; run where Playwright is."""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.view.serving import serving, watched

PICTURES = Path(__file__).parents[2] / "docs" / "pictures" / "viewer"


class Setting:
    """What the functions are given."""

    def __init__(self, browser: Browser, python: str, folder: Path, pictures: bool) -> None:
        self.browser = browser
        self.python = python
        self.folder = folder
        self._pictures = pictures

    def picture(self, page: Page, name: str) -> None:
        """Make a picture of the documentation."""
        if self._pictures:
            PICTURES.mkdir(exist_ok=True)
            page.screenshot(path=PICTURES / f"{name}.png")


def opened(page: Page, thread: str) -> None:
    page.get_by_role("option", name=thread).click()
    expect(page.get_by_role("option", name=thread)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tablist", name="Checkpoint")).to_be_visible()


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def history(page: Page) -> list[str]:
    return page.locator(".checkpoint").all_inner_texts()


# --- reading ---


def found_and_walked(setting: Setting, file: Path) -> None:
    """Threads are found, and everything is within the keyboard's reach."""
    with serving(setting.python, str(file)) as url, watched(setting.browser, url) as page:
        expect(page.get_by_role("option")).to_have_count(6)
        assert "token" not in page.url
        page.keyboard.press("/")
        page.keyboard.type("is:interrupted")
        expect(page.get_by_role("option")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.get_by_role("treeitem", name="step 2")).to_have_attribute(
            "aria-selected", "true"
        )
        page.keyboard.press("Enter")
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("heading", name="Step 1")).to_be_visible()
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_role("heading", name="Step 0")).to_be_visible()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", name="Step 1")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_role("tab", name="State")).to_be_focused()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", name="Changes")).to_be_focused()
        page.fill("#search", "customer=grace tier=free")
        expect(page.get_by_role("option")).to_have_count(3)


def values_are_looked_into(setting: Setting, file: Path) -> None:
    """A class that only the program knows is shown with its fields."""
    with serving(setting.python, str(file)) as url, watched(setting.browser, url) as page:
        opened(page, "trip-to-lisbon")
        tree = page.get_by_role("tree", name="State by channel")
        booking = tree.get_by_role("treeitem", name="booking")
        booking.locator(".row").first.click()
        expect(booking.get_by_role("treeitem", name="hotel")).to_contain_text("Casa do Rio")
        expect(booking.locator(".type").first).to_have_attribute("title", "__main__.Booking")
        page.keyboard.press("ArrowRight")
        expect(booking.get_by_role("treeitem", name="hotel")).to_be_focused()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        expect(booking).to_have_attribute("aria-expanded", "false")
        messages = tree.get_by_role("treeitem", name="messages")
        messages.locator(".row").first.click()
        setting.picture(page, "state")


def talks_are_read(setting: Setting, file: Path) -> None:
    with serving(setting.python, str(file)) as url:
        with watched(setting.browser, url, scheme="dark") as page:
            opened(page, "trip-to-lisbon")
            tab(page, "Conversation")
            talk = page.get_by_role("log", name="Messages in messages")
            expect(talk.get_by_role("article")).to_have_count(3)
            expect(talk).to_contain_text("A hotel in Lisbon, please.")
            expect(talk.get_by_role("treeitem", name="city Lisbon")).to_be_visible()
            setting.picture(page, "conversation")


def branches_are_compared(setting: Setting, file: Path) -> None:
    """What changed is shown side by side, also from one branch to another."""
    with serving(setting.python, str(file)) as url, watched(setting.browser, url) as page:
        opened(page, "trip-forked")
        expect(page.locator(".checkpoint", has_text="2 branches")).to_have_count(1)
        tab(page, "Changes")
        expect(page.locator(".change")).not_to_have_count(0)
        other = page.locator(".checkpoint", has_text="step 4").last
        other.click(modifiers=["Shift"])
        expect(page.locator(".heads")).to_contain_text("step 4")
        change = page.get_by_role("region", name="log").first
        expect(change.locator(".added").first).to_contain_text("changed by hand")
        setting.picture(page, "branches")


def failures_are_found(setting: Setting, file: Path) -> None:
    with serving(setting.python, str(file)) as url, watched(setting.browser, url) as page:
        page.fill("#search", "is:failed")
        expect(page.get_by_role("option")).to_have_count(1)
        opened(page, "nightly-report")
        tab(page, "Tasks")
        expect(page.locator("pre.error")).to_contain_text("the warehouse did not answer")


def storage_is_told(setting: Setting, file: Path) -> None:
    with serving(setting.python, str(file)) as url, watched(setting.browser, url) as page:
        opened(page, "trip-forked")
        page.get_by_role("button", name="Storage").click()
        shown = page.get_by_role("dialog", name="What the thread takes")
        expect(shown).to_contain_text("in rows")
        expect(shown.get_by_role("row")).not_to_have_count(0)
        page.keyboard.press("Escape")
        expect(shown).to_have_count(0)


def threads_are_exported(setting: Setting, file: Path) -> None:
    """The file is a page of its own, without what was not to be in it."""
    with serving(setting.python, str(file)) as url:
        with watched(setting.browser, url) as page:
            opened(page, "trip-forked")
            page.get_by_role("button", name="Export").click()
            page.fill("#keys", "api_key, *price*")
            page.fill("#pattern", r"near the \w+")
            with page.expect_download() as download:
                page.get_by_role("button", name="Download").click()
            made = setting.folder / "thread.html"
            download.value.save_as(made)
    text = made.read_text()
    assert "sk-secret" not in text and "near the river" not in text
    with watched(setting.browser, made.as_uri()) as page:
        expect(page.locator(".checkpoint")).to_have_count(9)
        expect(page.get_by_role("treeitem", name="notes")).to_contain_text("█████")
        page.get_by_role("treeitem", name="account").locator(".row").first.click()
        expect(page.get_by_role("treeitem", name="api_key")).to_contain_text("█████")
        tab(page, "Conversation")
        expect(page.get_by_role("article")).not_to_have_count(0)
        page.locator(".checkpoint", has_text="step 2").click()
        tab(page, "Tasks")
        expect(page.locator(".task")).not_to_have_count(0)
        tab(page, "Changes")
        expect(page.locator(".change")).not_to_have_count(0)


def nothing_was_written(setting: Setting, file: Path) -> None:
    """Runs last of those that only read."""
    assert not list(file.parent.glob(f"{file.name}-*"))


READING = (
    found_and_walked,
    values_are_looked_into,
    talks_are_read,
    branches_are_compared,
    failures_are_found,
    storage_is_told,
    threads_are_exported,
    nothing_was_written,
)


# --- doing ---


def interrupts_are_answered(setting: Setting, file: Path) -> None:
    """Tokens are shown as they come; the checkpoints follow."""
    with acting(setting, file) as url, watched(setting.browser, url) as page:
        opened(page, "trip-to-lisbon")
        tab(page, "Tasks")
        page.get_by_label("Answer, as JSON or plain text").fill("yes")
        page.get_by_role("button", name="Answer").click()
        shown = page.get_by_role("log", name="What the run does")
        words = shown.locator(".tokens").last
        expect(words).to_contain_text("Casa do Rio is")
        early = words.inner_text()
        setting.picture(page, "run")
        expect(words).to_contain_text("on its way to you.")
        assert len(early) < len(words.inner_text()), "the tokens came all at once"
        expect(shown).to_contain_text("asking the model for the mail")
        expect(page.locator("#run .badge")).to_have_text("over")
        expect(page.get_by_role("heading", name="Step 4")).to_be_visible()
        tab(page, "Conversation")
        expect(page.get_by_role("log", name="Messages in messages")).to_contain_text("You said yes")


def branches_are_made(setting: Setting, file: Path) -> None:
    """A state is edited, and gone on with from an older checkpoint."""
    with acting(setting, file) as url, watched(setting.browser, url) as page:
        opened(page, "older-0")
        page.locator(".checkpoint", has_text="step 1").click()
        expect(page.get_by_role("heading", name="Step 1")).to_be_visible()
        tab(page, "Run")
        page.locator("#values").fill('{"notes": "written in the browser"}')
        page.get_by_role("button", name="Store as a new checkpoint").click()
        expect(page.locator(".heading .badge")).to_have_text("update")
        expect(page.locator(".checkpoint", has_text="2 branches")).to_have_count(1)
        tab(page, "State")
        expect(page.get_by_role("treeitem", name="notes")).to_contain_text("in the browser")
        tab(page, "Run")
        page.get_by_role("button", name="Go on from here").click()
        expect(page.locator("#run .badge")).to_have_text("over")
        expect(page.locator(".checkpoint").first).to_contain_text("interrupted")
        tab(page, "Graph")
        expect(page.locator(".picture img, .picture pre")).to_be_visible()
        setting.picture(page, "graph")


def mistakes_are_said(setting: Setting, file: Path) -> None:
    with acting(setting, file) as url, watched(setting.browser, url) as page:
        opened(page, "older-1")
        tab(page, "Run")
        page.locator("#input").fill("{not json")
        page.get_by_role("button", name="Run with this input").click()
        expect(page.get_by_role("alert")).to_contain_text("not JSON")


def others_are_seen(setting: Setting, file: Path) -> None:
    """What another process stores is shown without being asked for."""
    with serving(setting.python, str(file)) as url, watched(setting.browser, url) as page:
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        count = page.get_by_role("option").count()
        sample = Path(__file__).parent / "sample.py"
        subprocess.run(
            [setting.python, sample, file, "from-elsewhere"],
            env={**os.environ, "LANGGRAPH_RUST": "1"}, check=True, capture_output=True,
        )  # fmt: skip
        expect(page.get_by_role("option")).to_have_count(count + 1)
        expect(page.get_by_role("option").first).to_contain_text("from-elsewhere")


DOING = (interrupts_are_answered, branches_are_made, mistakes_are_said, others_are_seen)


def acting(setting: Setting, file: Path) -> AbstractContextManager[str]:
    return serving(setting.python, str(file), "--app", "sample:trips", "--write")


# --- large ---


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


def main() -> int:
    """Run all of them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("browser")
    parser.add_argument("python")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", action="store_true")
    options = parser.parse_args()
    expect.set_options(timeout=15_000)
    ran = 0
    failed: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.browser, args=["--no-sandbox"])
        plan: list[tuple[str, Callable[[Setting], None]]] = []
        for name in ("upstream", "ours"):
            file = options.folder / f"{name}.db"
            plan += [(name, lambda s, act=act, file=file: act(s, file)) for act in READING]
        # Of the copy of one that upstream made: threads go on here.
        for name in ("upstream", "ours"):
            file = options.folder / f"{name}-copy.db"
            file.write_bytes((options.folder / f"{name}.db").read_bytes())
            plan += [(name, lambda s, act=act, file=file: act(s, file)) for act in DOING]
        plan += [("large", act) for act in LARGE]
        names = [act.__name__ for act in (*READING * 2, *DOING * 2, *LARGE)]
        for (of, act), name in zip(plan, names, strict=True):
            began = time.monotonic()
            setting = Setting(
                browser, options.python, options.folder, options.pictures and of != "upstream"
            )
            try:
                act(setting)
            except Exception:
                traceback.print_exc()
                failed.append(f"{of}: {name}")
            ran += 1
            outcome = "failed" if failed[-1:] == [f"{of}: {name}"] else "passed"
            print(f"  {of}: {name}: {outcome} ({time.monotonic() - began:.1f} s)", flush=True)
        browser.close()
    print(f"view: {ran - len(failed)} passed, {len(failed)} failed")
    for name in failed:
        print(f"FAILED {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
