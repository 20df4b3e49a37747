"""A thread as one file: the page, with what it would ask for in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from langgraph_rust._view._looking.look import Look
from langgraph_rust._view._source.source import Place, Source
from langgraph_rust._view._value.redaction import NOTHING, Redaction
from langgraph_rust._view._value.show import Window

MOST = 200
"""Checkpoints of a namespace that an export holds, the newest."""

_PAGE = Path(__file__).parents[1] / "page"

_WINDOW = Window(limit=500, inner=100, depth=8, text=50_000)
"""What an export holds of a value."""

# Nothing may be loaded, not even from where the file lies.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)

_MAIN = "main"
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([a-z]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function|const) (\w+)", re.MULTILINE)
_EXPORTED = re.compile(r"^export ", re.MULTILINE)

_ONCE = """\
const once = (make) => {
  let made = null;
  return () => (made ??= make());
};
"""


def export(source: Source, thread: str, redaction: Redaction = NOTHING, most: int = MOST) -> str:
    """Return a thread as an HTML document that needs nothing else.

    Args:
        source: Where the thread is.
        thread: Its id.
        redaction: What is not in it, whatever asks for it later.
        most: Checkpoints of each namespace at most, the newest.

    Raises:
        NotThere: there is no such thread.
    """
    answers = _answers(Look(source, redaction), thread, most, redaction)
    # Within a script nothing may look like its end. Halves of characters are no UTF-8.
    data = json.dumps(answers, ensure_ascii=False).replace("<", "\\u003c")
    data = data.encode(errors="backslashreplace").decode()
    index = (_PAGE / "index.html").read_text("utf-8")
    head, _, rest = index.partition("<!-- assets -->")
    _, _, body = rest.partition("<!-- /assets -->")
    style = (_PAGE / "style.css").read_text("utf-8")
    script = f"{_ONCE}{_script(_MAIN, set())}module_{_MAIN}();"
    return (
        f'{head}<meta http-equiv="content-security-policy" content="{_POLICY}">\n'
        f"<style>\n{style}</style>\n"
        f'<script type="application/json" id="answers">{data}</script>\n'
        f'<script type="module">\n{script}\n</script>\n{body}'
    )


def _script(name: str, seen: set[str]) -> str:
    """Return a module as a plain script, after those that it imports.

    Each is a function that returns what the module exports, so that none sees another's names.
    """
    if name in seen:
        return ""
    seen.add(name)
    text = (_PAGE / f"{name}.js").read_text("utf-8")
    before = "".join(_script(found, seen) for _, found in _IMPORT.findall(text))
    names = ", ".join(_EXPORT.findall(text))
    body = _EXPORTED.sub("", _IMPORT.sub(r"const {\1} = module_\2();\n", text))
    return f"{before}const module_{name} = once(() => {{\n{body}return {{ {names} }};\n}});\n"


def _answers(look: Look, thread: str, most: int, redaction: Redaction) -> dict[str, Any]:
    found = look.thread(thread)
    checkpoints: dict[str, Any] = {}
    lists: dict[str, Any] = {}
    for row in found["namespaces"]:
        namespace = row["namespace"]
        page = look.checkpoints(thread, namespace, limit=most)
        # The page finds them by the names that it is told.
        told = redaction.text(namespace)
        page |= {"is_cut": page["next"] is not None, "next": None}
        lists[told] = redaction.everywhere(page)
        for own in page["checkpoints"]:
            made = _checkpoint(look, Place(thread, namespace, own["id"]))
            checkpoints[f"{told} {redaction.text(own['id'])}"] = redaction.everywhere(made)
    return {"thread": redaction.everywhere(found), "lists": lists, "checkpoints": checkpoints}


def _checkpoint(look: Look, place: Place) -> dict[str, Any]:
    """Return all that the page may ask of a checkpoint."""
    told = look.checkpoint(place)
    for channel in told["channels"]:
        if "value" in channel:
            channel["value"] = look.value(place, channel["name"], "", _WINDOW)
        if channel["changed"] and told["against"]:
            channel["diff"] = look.diff(place, channel["name"])
    for task in told["tasks"]:
        for write in task["writes"]:
            write["value"] = look.write(place, task["id"], write["index"], "", _WINDOW)
    return told
