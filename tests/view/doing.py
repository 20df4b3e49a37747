"""What people do with the viewer, one function each; run where Playwright is."""

from __future__ import annotations

import os
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.view.serving import printing, serving, watched
from tests.view.setting import Setting, opened, tab


def interrupts_are_answered(setting: Setting, database: str) -> None:
    """Tokens are shown as they come; the checkpoints follow."""
    with acting(setting, database) as url, watched(setting.browser, url) as page:
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


def branches_are_made(setting: Setting, database: str) -> None:
    """A state is edited, and gone on with from an older checkpoint."""
    with acting(setting, database) as url, watched(setting.browser, url) as page:
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


def mistakes_are_said(setting: Setting, database: str) -> None:
    with acting(setting, database) as url, watched(setting.browser, url) as page:
        opened(page, "older-1")
        tab(page, "Run")
        page.locator("#input").fill("{not json")
        page.get_by_role("button", name="Run with this input").click()
        expect(page.get_by_role("alert")).to_contain_text("not JSON")


def others_are_seen(setting: Setting, database: str) -> None:
    """What another process stores is shown without being asked for."""
    with serving(setting.python, database) as url, watched(setting.browser, url) as page:
        expect(page.get_by_text("live", exact=True)).to_be_visible()
        count = page.get_by_role("option").count()
        sample = Path(__file__).parent / "sample.py"
        subprocess.run(
            [setting.python, sample, database, "from-elsewhere"],
            env={**os.environ, "LANGGRAPH_RUST": "1"}, check=True, capture_output=True,
        )  # fmt: skip
        expect(page.get_by_role("option")).to_have_count(count + 1)
        expect(page.get_by_role("option").first).to_contain_text("from-elsewhere")


def tasks_run_again(setting: Setting, database: str) -> None:
    """One task of a checkpoint is run on its input, and nothing is stored."""
    with acting(setting, database) as url, watched(setting.browser, url) as page:
        opened(page, "older-2")
        count = page.locator(".checkpoint").count()
        page.locator(".checkpoint", has_text="step 1").click()
        expect(page.get_by_role("heading", name="Step 1")).to_be_visible()
        tab(page, "Tasks")
        page.get_by_role("button", name="Run again, aside").click()
        shown = page.get_by_role("log", name="What the run does")
        expect(shown).to_contain_text("tools is over")
        expect(shown).to_contain_text("Alfama Inn")
        expect(page.locator("#run .badge")).to_have_text("over")
        assert page.locator(".checkpoint").count() == count


def runs_beside_a_program_are_watched(setting: Setting) -> None:
    """A run is shown from its beginning, attempts that failed and tokens included."""
    signal = setting.folder / "go-on-beside"
    program = Path(__file__).parent / "program.py"
    command = [setting.python, str(program), "beside", str(signal)]
    with printing(command) as url, watched(setting.browser, url) as page:
        _is_watched(page, "beside", signal)
        expect(page.locator("#run .about")).to_have_text("the program")
        shown = page.get_by_role("log", name="What the run does")
        failed = shown.locator("details")
        expect(failed).to_contain_text("search: attempt 1 failed")
        expect(page.locator("#runs")).to_contain_text("success")
        expect(page.get_by_role("heading", name="5 checkpoints")).to_be_visible()
        failed.evaluate("failed => failed.scrollIntoView()")
        setting.picture(page, "program")
        failed.locator("summary").click()
        expect(failed).to_contain_text("the search did not answer")


def runs_of_workers_are_watched(setting: Setting, database: str) -> None:
    """A run at a worker is shown as any other, by a viewer of the database."""
    signal = setting.folder / "go-on-at-a-worker"
    program = Path(__file__).parent / "program.py"
    command = [setting.python, str(program), "worker", database, str(signal)]
    with serving(setting.python, database) as url, watched(setting.browser, url) as page:
        expect(page.locator("#runs")).to_be_hidden()
        with printing(command):
            _is_watched(page, "at-a-worker", signal)
            expect(page.locator("#run .about")).to_contain_text("worker")


def _is_watched(page: Page, thread: str, signal: Path) -> None:
    run = page.get_by_role("button", name=f"running: run of {thread}")
    expect(run).to_be_visible()
    run.click()
    shown = page.get_by_role("log", name="What the run does")
    expect(shown).to_contain_text("wait begins")
    expect(page.locator("#run .badge")).to_have_text("runs")
    signal.touch()
    words = shown.locator(".tokens").last
    expect(words).to_contain_text("Casa do Rio is")
    early = words.inner_text()
    expect(words).to_contain_text("on its way to you.")
    assert len(early) < len(words.inner_text()), "the tokens came all at once"
    expect(shown).to_contain_text("asking the model for the mail")
    expect(page.locator("#run .badge")).to_have_text("over")


def threads_are_begun(setting: Setting, database: str) -> None:
    """A new thread, and what is shown of its question once that is answered."""
    with acting(setting, database) as url, watched(setting.browser, url) as page:
        page.locator("#new-thread").fill("begun-in-the-browser")
        page.locator("#new-input").fill('{"log": ["begun"]}')
        page.get_by_role("button", name="Begin").click()
        expect(page.get_by_role("heading", name="Step 2")).to_be_visible()
        tab(page, "Tasks")
        expect(page.locator(".task .badge")).to_have_text("interrupted")
        page.locator(".checkpoint", has_text="step 2").click()
        page.get_by_label("Answer, as JSON or plain text").fill("no")
        page.get_by_role("button", name="Answer").click()
        expect(page.get_by_role("heading", name="Step 4")).to_be_visible()
        expect(page.locator(".task .badge")).to_have_count(0)


DOING = (
    threads_are_begun,
    interrupts_are_answered,
    branches_are_made,
    mistakes_are_said,
    tasks_run_again,
    others_are_seen,
)


def acting(setting: Setting, database: str) -> AbstractContextManager[str]:
    return serving(setting.python, database, "--app", "sample:trips", "--write")
