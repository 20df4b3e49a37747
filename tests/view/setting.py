"""What the functions that people's doings are tried by have in common."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

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
