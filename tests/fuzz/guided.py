"""``python -m tests.fuzz.guided --runs 10000000``: inputs found by the code that they reach.

libFuzzer (in atheris) changes inputs and keeps those that reach code of the engine or of the
serializer that none did before. The engine is built once more for it, with counters in its code and
with debug assertions. What was kept stays in `.cache/fuzz/corpus`, where the next run begins; an
input at fault, as `decoder.py` judges it, is left in `.cache/fuzz` by name of its hash.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from sync.environments import (
    Environment,
    development_environment,
    fuzzer_environment,
    locked,
    run,
    say,
)
from sync.pins import CACHE, ROOT

HOME = CACHE / "fuzz"
PACKAGE = HOME / "package" / "langgraph_rust"
CORPUS = HOME / "corpus"

COUNTERS = (
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions=yes",
)
"""What makes the compiler count which code runs, and what is compared with what."""


def main() -> int:
    """Fuzz as the command line asks; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.guided", description=__doc__)
    parser.add_argument("--runs", type=int, default=200_000, help="inputs (default: 200000)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default: 2)")
    options = parser.parse_args()
    environment = fuzzer_environment().ensure()
    with locked("fuzz"):
        _build(environment)
        began = time.monotonic()
        each = -(-options.runs // options.jobs)
        fuzzing = [_fuzz(environment, each, number) for number in range(options.jobs)]
        said = [process.communicate()[0] for process in fuzzing]
    wrong = sum(1 for process in fuzzing if process.returncode)
    for process, text in zip(fuzzing, said, strict=True):
        if process.returncode:
            print(*text.splitlines()[-40:], sep="\n")
    runs = sum(int(count) for text in said for count in re.findall(r"^Done (\d+) runs", text, re.M))
    reached = max((int(n) for text in said for n in re.findall(r"cov: (\d+)", text)), default=0)
    kept = sum(1 for _ in CORPUS.iterdir())
    took = time.monotonic() - began
    print(
        f"fuzz: guided, {runs} inputs in {took:.0f} s ({reached} places reached, {kept} inputs "
        f"kept), {wrong} wrong"
    )
    return 1 if wrong else 0


def _build(environment: Environment) -> None:
    """The package with an engine that counts which of its code runs."""
    say("building the engine with counters in its code")
    host = re.search(r"^host: (.+)$", run(["rustc", "-vV"]), re.M)
    assert host, "rustc names no host"
    # With a target named, the flags are not for build scripts and macros.
    target, folder = host[1], ROOT / "target" / "fuzz"
    command = ["cargo", "build", "--quiet", "-p", "langgraph-py", "--profile", "quick"]
    interpreter = str(development_environment().ensure().python)
    flags = {"RUSTFLAGS": " ".join(COUNTERS), "PYO3_PYTHON": interpreter}
    result = subprocess.run(
        [*command, "--target", target, "--target-dir", folder], cwd=ROOT, env=os.environ | flags
    )
    if result.returncode:
        sys.exit("the engine did not build")
    shutil.rmtree(PACKAGE, ignore_errors=True)
    sources = ROOT / "langgraph-py" / "python" / "langgraph_rust"
    shutil.copytree(sources, PACKAGE, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    module = f"_engine{sysconfig.get_config_var('EXT_SUFFIX')}"
    shutil.copy(folder / target / "quick" / "lib_engine.so", PACKAGE / module)


def _fuzz(environment: Environment, runs: int, number: int) -> subprocess.Popen[str]:
    """Begin a process that decodes `runs` inputs."""
    CORPUS.mkdir(parents=True, exist_ok=True)
    packages = run([environment.python, "-c", "import atheris; print(atheris.path())"]).strip()
    # The symbols that the counters need, before anything asks for them.
    runtime = Path(packages) / "ubsan_with_fuzzer.so"
    paths = os.pathsep.join((str(PACKAGE.parent), str(ROOT)))
    return subprocess.Popen(
        [
            *(environment.python, "-m", "tests.fuzz.guided_process", CORPUS),
            *(f"-runs={runs}", f"-seed={number + 1}", "-max_len=2048", "-timeout=60"),
            *(f"-artifact_prefix={HOME}/", "-print_final_stats=0"),
        ],
        env=os.environ | {"LD_PRELOAD": str(runtime), "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=HOME,
    )


if __name__ == "__main__":
    sys.exit(main())
