"""Drop-in mode. It changes the whole process, so every test has a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

import langgraph_rust
from sync.pins import load_pins

PACKAGE_PARENT = Path(langgraph_rust.__file__).parent.parent


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A directory for the path, with pieces of `langgraph` that other distributions own."""
    files = {
        "langgraph/checkpoint/elsewhere/__init__.py": """
            from langgraph.checkpoint.base import BaseCheckpointSaver
            from langgraph.checkpoint.elsewhere.part import PART

            class ElsewhereSaver(BaseCheckpointSaver): ...
        """,
        "langgraph/checkpoint/elsewhere/part.py": "PART = 1",
        "langgraph/store/elsewhere.py": "",
        # A sibling that this package has, too.
        "langgraph/checkpoint/sqlite/__init__.py": """
            from langgraph.checkpoint.base import BaseCheckpointSaver
            from langgraph.checkpoint.sqlite.part import PART

            class SqliteSaver(BaseCheckpointSaver): ...
        """,
        "langgraph/checkpoint/sqlite/part.py": "PART = 2",
        "langgraph/prebuilt/__init__.py": "from langgraph.prebuilt.tool_node import ToolNode",
        "langgraph/prebuilt/tool_node.py": """
            from langgraph._internal._runnable import RunnableCallable

            class ToolNode(RunnableCallable): ...
        """,
        "langgraph/addon/deep/thing.py": "from langgraph.types import Send",
        # Also installed: upstream itself.
        "langgraph/types.py": "raise AssertionError('upstream was imported')",
        "langgraph/checkpoint/base/__init__.py": "raise AssertionError('upstream was imported')",
        "langgraph/pregel/_only_upstream.py": "raise AssertionError('upstream was imported')",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return tmp_path


def run(site: Path, *args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(PACKAGE_PARENT)])}
    for name in ("PYTEST_PLUGINS", "LANGGRAPH_RUST"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, *args],
        capture_output=True,
        text=True,
        env=environment,
        cwd=cwd or site,
        check=False,
    )


def check(site: Path, code: str) -> None:
    preamble = "import importlib.util, sys, langgraph_rust; langgraph_rust.install()\n"
    done = run(site, "-c", preamble + textwrap.dedent(code))
    assert done.returncode == 0, done.stderr


def test_modules_and_classes_have_one_identity(site: Path) -> None:
    check(
        site,
        """
        import langgraph.types, langgraph_rust.types, langgraph
        assert langgraph is langgraph_rust
        assert langgraph.types is langgraph_rust.types is sys.modules["langgraph.types"]
        from langgraph.types import Send
        assert Send is langgraph_rust.types.Send
        assert importlib.import_module("langgraph._internal._constants").CONF == "configurable"
        import langgraph.checkpoint.base as base
        assert base is langgraph_rust.checkpoint.base
        """,
    )


def test_modules_keep_their_own_specs(site: Path) -> None:
    check(
        site,
        """
        import langgraph.types, langgraph.checkpoint.base
        assert langgraph.__spec__.name == langgraph.__name__ == "langgraph_rust"
        assert langgraph.types.__spec__.name == "langgraph_rust.types"
        assert langgraph.types.__spec__.loader is langgraph.types.__loader__
        import langgraph.version
        assert importlib.reload(langgraph.version) is langgraph_rust.version
        """,
    )


def test_exceptions_are_told_under_upstreams_names(site: Path) -> None:
    check(
        site,
        """
        import langgraph.errors, langgraph.prebuilt.tool_node, langgraph.pregel.remote
        import langgraph.checkpoint.base, langgraph.checkpoint.serde.jsonplus, langgraph.store.base
        told = {
            value.__module__
            for name, module in list(sys.modules.items())
            if name.startswith("langgraph.")
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, Exception)
            and not issubclass(value, Warning) and value.__module__.startswith("langgraph")
        }
        expected = {"checkpoint.base", "checkpoint.serde.jsonplus", "errors", "prebuilt.tool_node"}
        expected |= {"pregel.remote", "store.base"}
        ours = {"langgraph_rust.checkpoint.serde.errors"}
        assert told == {f"langgraph.{name}" for name in expected} | ours, told
        """,
    )


def test_an_agent_wrapped_where_it_is_defined_is_not_so_where_it_is_handed_on(site: Path) -> None:
    check(
        site,
        """
        import langgraph.prebuilt.chat_agent_executor as home
        defined, home.create_react_agent = home.create_react_agent, None
        from langgraph.prebuilt import create_react_agent
        assert create_react_agent is defined
        """,
    )


def test_pickles_of_both_names_load(site: Path) -> None:
    check(
        site,
        """
        import pickle
        from langgraph.types import Command
        data = pickle.dumps(Command(goto="a"), protocol=0)
        assert pickle.loads(data.replace(b"langgraph_rust.types", b"langgraph.types")) == Command(
            goto="a")
        """,
    )


def test_pieces_of_other_distributions_are_found(site: Path) -> None:
    check(
        site,
        """
        from langgraph.checkpoint.base import BaseCheckpointSaver
        from langgraph.checkpoint.elsewhere import ElsewhereSaver, PART
        assert issubclass(ElsewhereSaver, BaseCheckpointSaver)
        assert ElsewhereSaver.__module__ == "langgraph.checkpoint.elsewhere"
        import langgraph.checkpoint.elsewhere, langgraph.store.elsewhere
        assert langgraph.checkpoint.elsewhere.PART == 1
        from langgraph.addon.deep.thing import Send
        assert Send.__module__ == "langgraph_rust.types"
        """,
    )


def test_upstreams_core_is_never_mixed_in(site: Path) -> None:
    check(
        site,
        """
        for name in ("langgraph.pregel._only_upstream", "langgraph.nothing"):
            assert importlib.util.find_spec(name) is None
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                assert error.name == name
            else:
                raise AssertionError(name)
        """,
    )


def test_names_with_an_empty_part_are_no_modules(site: Path) -> None:
    check(
        site,
        """
        for name in ("langgraph.", "langgraph.graph.", "langgraph..graph"):
            try:
                importlib.import_module(name)
            except ModuleNotFoundError:
                pass
            else:
                raise AssertionError(name)
        """,
    )


def test_installing_twice_changes_nothing(site: Path) -> None:
    check(
        site,
        """
        before = list(sys.meta_path)
        langgraph_rust.install()
        assert sys.meta_path == before
        """,
    )


def test_too_late(site: Path) -> None:
    code = "import langgraph.store.elsewhere, langgraph_rust; langgraph_rust.install()"
    done = run(site, "-c", code)
    assert "RuntimeError: langgraph_rust.install() must be called before" in done.stderr
    assert "already:\n    langgraph.store.elsewhere\n    and 2 more\n" in done.stderr


def test_reported_version(site: Path) -> None:
    pinned = load_pins().core_version
    check(site, f"from langgraph.version import __version__; assert __version__ == {pinned!r}")


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "xdist"])
def test_pytest_plugin(site: Path, workers: list[str]) -> None:
    if workers:
        pytest.importorskip("xdist")
    (site / "conftest.py").write_text("from langgraph.types import Send\n")
    (site / "test_it.py").write_text(
        "from langgraph.types import Send\n"
        "def test_it():\n"
        "    assert Send.__module__ == 'langgraph_rust.types'\n"
    )
    plugin = ["-p", "langgraph_rust.pytest_plugin", "-p", "no:cacheprovider"]
    done = run(site, "-m", "pytest", "-q", *plugin, *workers, "test_it.py")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


SIBLING = """
import sys
import langgraph.checkpoint.sqlite as sqlite
print(sqlite.SqliteSaver.__module__, getattr(sqlite, "PART", None))
from langgraph.checkpoint.base import BaseCheckpointSaver
print(BaseCheckpointSaver.__module__)
"""


@pytest.mark.parametrize(
    ("install", "expected"),
    [
        ("install()", "langgraph_rust.checkpoint.sqlite None"),
        ("install(keep=['langgraph.checkpoint.sqlite'])", "langgraph.checkpoint.sqlite 2"),
    ],
)
def test_a_sibling_may_be_kept(site: Path, install: str, expected: str) -> None:
    done = run(site, "-c", f"import langgraph_rust; langgraph_rust.{install}\n{SIBLING}")
    assert done.stdout.splitlines() == [expected, "langgraph_rust.checkpoint.base"], done.stderr


def test_a_sibling_may_be_kept_by_the_environment(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGGRAPH_RUST_KEEP", "langgraph.checkpoint.sqlite, langgraph.store.x")
    (site / "app.py").write_text(SIBLING)
    done = run(site, "-m", "langgraph_rust", "app.py")
    assert done.stdout.startswith("langgraph.checkpoint.sqlite 2"), done.stderr


@pytest.mark.parametrize(
    ("install", "expected"),
    [
        ("install()", "langgraph_rust.prebuilt.tool_node"),
        ("install(keep=['langgraph.prebuilt'])", "langgraph.prebuilt.tool_node"),
    ],
)
def test_prebuilt_may_be_kept(site: Path, install: str, expected: str) -> None:
    code = (
        f"import langgraph_rust; langgraph_rust.{install}\n"
        "from langgraph._internal._runnable import RunnableCallable\n"
        "import langgraph.prebuilt.tool_node as module\n"
        "assert issubclass(module.ToolNode, RunnableCallable)\n"
        "print(module.__name__, module.ToolNode.__module__)"
    )
    done = run(site, "-c", code)
    # Drawn graphs show the class as upstream's.
    assert done.stdout.split() == [expected, "langgraph.prebuilt.tool_node"], done.stderr


@pytest.mark.parametrize(
    "name", ["langgraph.graph", "langgraph", "langgraph.checkpoint.base", "elsewhere"]
)
def test_nothing_else_can_be_kept(site: Path, name: str) -> None:
    done = run(site, "-c", f"import langgraph_rust; langgraph_rust.install(keep=[{name!r}])")
    assert f"ValueError: {name} cannot be kept" in done.stderr


CHILDREN = """
import multiprocessing, os, subprocess, sys

def whose(_=None):
    import langgraph.types
    return langgraph.types.__name__, "_path" in str(sys.path)

if __name__ == "__main__":
    import langgraph_rust; langgraph_rust.install(children=True)
    for method in ("spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            print(method, *pool.map(whose, [0])[0])
    code = "import app; print(*app.whose())"
    print("subprocess", subprocess.check_output([sys.executable, "-c", code], text=True), end="")
"""


def run_without_pth(site: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the Python that this environment is made of: it sees packages, but runs no .pth files."""
    path = [str(site), str(PACKAGE_PARENT), sysconfig.get_path("purelib")]
    variables = {n: v for n, v in os.environ.items() if not n.startswith(("LANGGRAPH", "PYTEST"))}
    return subprocess.run(
        [os.path.realpath(sys.executable), *args],
        capture_output=True,
        text=True,
        cwd=site,
        env={**variables, "PYTHONPATH": os.pathsep.join(path)},
    )


@pytest.mark.parametrize("other", ["", "import sys; print('theirs', file=sys.stderr)"])
def test_children_follow_where_the_package_is_only_on_the_path(site: Path, other: str) -> None:
    (site / "app.py").write_text(CHILDREN)
    if other:
        (site / "sitecustomize.py").write_text(other)
    done = run_without_pth(site, "app.py")
    assert done.stdout.splitlines() == [
        "spawn langgraph_rust.types False",
        "forkserver langgraph_rust.types False",
        "subprocess langgraph_rust.types False",
    ], done.stderr
    # Whoever has one at start-up has it in children, too.
    assert (done.stderr.count("theirs") > 3) is bool(other)


def test_children_cannot_follow_without_the_environment(site: Path) -> None:
    path = [str(PACKAGE_PARENT), sysconfig.get_path("purelib")]
    code = f"import sys; sys.path[:0] = {path!r}"
    install = "import langgraph_rust as r; r.install(children=True)"
    done = run_without_pth(site, "-E", "-c", f"{code}\n{install}")
    assert done.returncode == 0
    assert "processes that this one starts run LangGraph as installed" in done.stderr
