"""The clients: what they are, and what each program drives."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

DRIVE = Path(__file__).parent / "drive"


@dataclass(frozen=True)
class Client:
    """A program that drives one client, and what is said of it."""

    folder: str
    """Where it lies, beside the requirements of its environment."""
    program: str
    """Its file there, without the suffix."""
    distributions: tuple[str, ...]
    """What is tried, as the requirements name it."""
    drove: str
    processes: int = 1
    """How many processes must have imported the engine, at least."""
    in_ci: bool = False
    needs_postgres: bool = False
    known: dict[str, str] = field(default_factory=dict)
    """The steps that differ, and why."""

    @property
    def name(self) -> str:
        """How the command line and the table call it."""
        return f"{self.folder}/{self.program}"

    @property
    def path(self) -> Path:
        """The program."""
        return self.home / f"{self.program}.py"

    @property
    def home(self) -> Path:
        """Its folder."""
        return DRIVE / self.folder

    def versions(self) -> str:
        """What is tried, with the versions that the requirements pin."""
        lines = (self.home / "requirements.txt").read_text(encoding="utf-8").splitlines()
        pins = dict(line.split("==") for line in lines if "==" in line)
        return ", ".join(f"{name} {pins[name]}" for name in self.distributions)


STORED = "the task that was cancelled alone in its superstep has its CancelledError stored"
FRAMES = "the traceback of a cancellation does not show where the node was"

CLIENTS = (
    Client(
        "uvicorn",
        "workers",
        ("uvicorn", "fastapi"),
        "two workers; 50 clients that stream events, 20 of which leave in the middle",
        processes=2,
        in_ci=True,
    ),
    Client(
        "uvicorn",
        "reload",
        ("uvicorn", "fastapi"),
        "--reload, with a stream under way while the program changes",
        processes=2,
    ),
    Client(
        "gunicorn",
        "sync",
        ("gunicorn", "flask"),
        "sync workers, with and without --preload; a client leaves, a worker is killed, a reload",
        processes=4,
    ),
    Client(
        "gunicorn",
        "threads",
        ("gunicorn", "flask"),
        "gthread workers: streams side by side",
        processes=2,
    ),
    Client(
        "gunicorn",
        "green",
        ("gunicorn", "gevent", "flask"),
        "gevent workers: streams side by side in one thread, a client leaves",
    ),
    Client(
        "langgraph_dev",
        "dev",
        ("langgraph-cli", "langgraph-api", "langgraph-runtime-inmem"),
        "langgraph dev through langgraph-sdk: assistants, threads, every stream mode, interrupts, "
        "state and history, forks, cancelling, the store; a reload",
        processes=2,
        known={"state that was cancelled": STORED},
    ),
    Client(
        "tracing",
        "openinference_spans",
        ("openinference-instrumentation-langchain", "opentelemetry-sdk"),
        "spans of invoke, stream, ainvoke, astream, batch; subgraphs, agents, interrupts, errors",
    ),
    Client(
        "tracing",
        "openllmetry_spans",
        ("opentelemetry-instrumentation-langchain", "opentelemetry-sdk"),
        "the same",
    ),
    Client(
        "tracing",
        "langfuse_handler",
        ("langfuse",),
        "the same, by its callback handler",
    ),
    Client(
        "tracing",
        "langsmith_endpoint",
        ("langsmith",),
        "the same, as runs that a local endpoint receives",
        in_ci=True,
    ),
    Client(
        "celery",
        "prefork",
        ("celery",),
        "a prefork pool: tasks side by side on SQLite, async graphs, interrupts, a task that is "
        "killed",
        processes=2,
    ),
    Client(
        "notebook",
        "execute",
        ("nbclient", "ipykernel"),
        "a notebook that is executed: await, streams, drawings, errors, an interrupted cell",
        known={"cancelled": FRAMES},
    ),
    Client(
        "aegra",
        "serve",
        ("aegra-api",),
        "aegra on Postgres through langgraph-sdk: as langgraph dev",
        needs_postgres=True,
        known={"state that was cancelled": STORED},
    ),
)
