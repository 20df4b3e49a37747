"""The tables: ours, beside procrastinate's."""

from __future__ import annotations

from procrastinate.schema import SchemaManager

from langgraph_rust.checkpoint.postgres._plans import Plan, Statement

__all__ = ("setup",)

_LOCK = 0x6C67727275
"""The number of the lock that whoever makes the tables holds, until its transaction ends."""

_MIGRATIONS = (
    # `attempt` is what tells a worker from one that took the run over from it: everything that is
    # stored of a run is stored under the attempt that it comes from.
    """
    CREATE TABLE langgraph_rust_runs (
        id uuid PRIMARY KEY,
        number bigint GENERATED ALWAYS AS IDENTITY,
        thread_id text NOT NULL,
        graph text NOT NULL,
        status text NOT NULL DEFAULT 'pending',
        queue text NOT NULL,
        priority integer NOT NULL,
        job_id bigint NOT NULL,
        attempt integer NOT NULL DEFAULT 0,
        deaths integer NOT NULL DEFAULT 0,
        base jsonb,
        worker text,
        asked text,
        reason text,
        request_type text NOT NULL,
        request bytea NOT NULL,
        result_type text,
        result bytea,
        failure jsonb,
        created timestamptz NOT NULL DEFAULT clock_timestamp(),
        at timestamptz,
        started timestamptz,
        ended timestamptz
    );
    CREATE INDEX langgraph_rust_runs_thread ON langgraph_rust_runs (thread_id, number);
    CREATE INDEX langgraph_rust_runs_active ON langgraph_rust_runs (thread_id)
        WHERE status IN ('pending', 'running');
    CREATE INDEX langgraph_rust_runs_ended ON langgraph_rust_runs (ended);
    CREATE TABLE langgraph_rust_run_events (
        run_id uuid NOT NULL REFERENCES langgraph_rust_runs ON DELETE CASCADE,
        id bigint NOT NULL,
        attempt integer NOT NULL,
        mode text NOT NULL,
        namespace text NOT NULL DEFAULT '',
        type text NOT NULL,
        data bytea NOT NULL,
        created timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (run_id, id)
    );
    """,
    # The newest runs, which the viewer lists.
    "CREATE INDEX langgraph_rust_runs_number ON langgraph_rust_runs (number)",
    # What stood on checkpoints when runs began to write there; see `_statements.KEEP_WRITES`.
    """
    CREATE TABLE langgraph_rust_run_writes (
        run_id uuid NOT NULL REFERENCES langgraph_rust_runs ON DELETE CASCADE,
        checkpoint_ns text NOT NULL,
        checkpoint_id text NOT NULL,
        task_id text NOT NULL,
        idx integer NOT NULL,
        channel text NOT NULL,
        type text,
        blob bytea,
        task_path text NOT NULL,
        PRIMARY KEY (run_id, checkpoint_ns, checkpoint_id, task_id, idx)
    );
    """,
)
"""Each is done once, in order. One that was released is never changed."""


def setup() -> Plan[None]:
    """Make the tables, or bring them up to date; to be one transaction.

    Procrastinate's tables are made if there are none. To change those of an older release is left
    to its own command.
    """
    yield _do("SELECT pg_advisory_xact_lock(%s)", _LOCK)
    rows = yield _ask("SELECT to_regclass('procrastinate_jobs') IS NULL AS is_missing")
    if rows[0]["is_missing"]:
        yield _do(SchemaManager.get_schema())
    yield _do("CREATE TABLE IF NOT EXISTS langgraph_rust_run_migrations (v integer PRIMARY KEY)")
    rows = yield _ask("SELECT coalesce(max(v), 0) AS done FROM langgraph_rust_run_migrations")
    for version, migration in enumerate(_MIGRATIONS, start=1):
        if version > rows[0]["done"]:
            yield _do(migration)
            yield _do("INSERT INTO langgraph_rust_run_migrations (v) VALUES (%s)", version)


def _do(sql: str, *parameters: object) -> Statement:
    # Without parameters several statements can be sent at once.
    return Statement(sql, parameters or None, prepare=False)


def _ask(sql: str) -> Statement:
    return Statement(sql, None, fetch=True, prepare=False)
