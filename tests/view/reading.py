"""What people look at in the viewer, one function each; run where Playwright is."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.view.serving import serving, watched
from tests.view.setting import Setting, opened, tab


def found_and_walked(setting: Setting, database: str) -> None:
    """Threads are found, and everything is within the keyboard's reach."""
    with serving(setting.python, database) as url, watched(setting.browser, url) as page:
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


def values_are_looked_into(setting: Setting, database: str) -> None:
    """A class that only the program knows is shown with its fields."""
    with serving(setting.python, database) as url, watched(setting.browser, url) as page:
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


def talks_are_read(setting: Setting, database: str) -> None:
    with serving(setting.python, database) as url:
        with watched(setting.browser, url, scheme="dark") as page:
            opened(page, "trip-to-lisbon")
            tab(page, "Conversation")
            talk = page.get_by_role("log", name="Messages in messages")
            expect(talk.get_by_role("article")).to_have_count(3)
            expect(talk).to_contain_text("A hotel in Lisbon, please.")
            expect(talk.get_by_role("treeitem", name="city Lisbon")).to_be_visible()
            setting.picture(page, "conversation")


def branches_are_compared(setting: Setting, database: str) -> None:
    """What changed is shown side by side, also from one branch to another."""
    with serving(setting.python, database) as url, watched(setting.browser, url) as page:
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


def failures_are_found(setting: Setting, database: str) -> None:
    with serving(setting.python, database) as url, watched(setting.browser, url) as page:
        page.fill("#search", "is:failed")
        expect(page.get_by_role("option")).to_have_count(1)
        opened(page, "nightly-report")
        tab(page, "Tasks")
        expect(page.locator("pre.error")).to_contain_text("the warehouse did not answer")


def storage_is_told(setting: Setting, database: str) -> None:
    with serving(setting.python, database) as url, watched(setting.browser, url) as page:
        opened(page, "trip-forked")
        page.get_by_role("button", name="Storage").click()
        shown = page.get_by_role("dialog", name="What the thread takes")
        expect(shown).to_contain_text("in rows")
        expect(shown.get_by_role("row")).not_to_have_count(0)
        page.keyboard.press("Escape")
        expect(shown).to_have_count(0)


def threads_are_exported(setting: Setting, database: str) -> None:
    """The file is a page of its own, without what was not to be in it."""
    with serving(setting.python, database) as url:
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


def nothing_was_written(setting: Setting, database: str) -> None:
    """Runs last of those that only read."""
    file = Path(database)
    assert not list(file.parent.glob(f"{file.name}-*"))


READING = (
    found_and_walked,
    values_are_looked_into,
    talks_are_read,
    branches_are_compared,
    failures_are_found,
    storage_is_told,
    threads_are_exported,
)
