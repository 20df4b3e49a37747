"""What is said to the database, and when it is true."""

from __future__ import annotations

from langgraph_rust.runs._records import WAYS

__all__ = ("CONTROL", "EVENTS", "RUN", "TASK")

TASK = "langgraph_rust:run"
"""The task, in procrastinate's sense, that all runs are jobs of."""

EVENTS, CONTROL = "langgraph_rust_run_events", "langgraph_rust_run_control"
"""The channels on which ids of runs are told that have new events, and that are asked to stop."""

RUN = """
    id, thread_id, graph, status, queue, priority, attempt, worker, created, at, started, ended,
    reason, failure, result_type, result
"""
"""The columns that a `Run` is made of."""

FIRST = 2**31 - 1
"""The priority of runs that were begun: they go on before others of their thread begin."""

_WAYS = f"ARRAY{[*WAYS]}"

WAKE = """
    pg_notify('procrastinate_queue_v1#' || {job}.queue_name, {payload}),
    pg_notify('procrastinate_any_queue_v1', {payload})
"""


def _wake(job: str) -> str:
    """Tell workers of a job as procrastinate does of a new one; of others it says nothing."""
    payload = f"json_build_object('type', 'job_inserted', 'job_id', {job}.id)::text"
    return WAKE.format(job=job, payload=payload)


# --- whoever asks for runs ---

ENQUEUE = f"""
WITH job AS (
    SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[ROW(
        %(queue)s, '{TASK}', %(priority)s, %(lock)s, NULL,
        jsonb_build_object('run_id', %(id)s::text), %(at)s::timestamptz
    )::procrastinate_job_to_defer_v1])) AS id
)
INSERT INTO langgraph_rust_runs
    (id, thread_id, graph, queue, priority, at, request_type, request, job_id)
SELECT %(id)s::uuid, %(thread_id)s, %(graph)s, %(queue)s, %(priority)s, %(at)s::timestamptz,
    %(request_type)s, %(request)s, job.id
FROM job
RETURNING {RUN}
"""

# Whether a thread is busy must not change between the question and the insertion.
HOLD_THREAD = (
    "SELECT pg_advisory_xact_lock(hashtext('langgraph_rust_runs'), hashtext(%(thread_id)s))"
)

ACTIVE = """
SELECT id FROM langgraph_rust_runs
WHERE thread_id = %(thread_id)s AND status IN ('pending', 'running') ORDER BY number
"""

GET = f"SELECT {RUN} FROM langgraph_rust_runs WHERE id = %(id)s"

LIST = f"""
SELECT {RUN} FROM langgraph_rust_runs
WHERE (%(thread_id)s::text IS NULL OR thread_id = %(thread_id)s)
    AND (%(status)s::text IS NULL OR status = %(status)s)
ORDER BY number DESC LIMIT %(limit)s
"""

READ = """
SELECT id, attempt, mode, namespace, type, data FROM langgraph_rust_run_events
WHERE run_id = %(id)s AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""

HOLD_RUN = """
SELECT status, attempt, job_id, asked FROM langgraph_rust_runs WHERE id = %(id)s FOR UPDATE
"""

# Whoever asks for less than was asked before changes nothing.
ASK = f"""
WITH run AS (
    UPDATE langgraph_rust_runs SET asked = %(asked)s, reason = %(reason)s
    WHERE id = %(id)s AND coalesce(array_position({_WAYS}, asked), 0)
        < array_position({_WAYS}, %(asked)s::text)
    RETURNING id
)
SELECT pg_notify('{CONTROL}', id::text) FROM run
"""

UNQUEUE = "SELECT procrastinate_cancel_job_v1(%(job_id)s, false, true)"

# --- workers ---

# One that was not given back belonged to a worker that is gone.
CLAIM = """
UPDATE langgraph_rust_runs SET
    attempt = attempt + 1,
    deaths = deaths + CASE status WHEN 'running' THEN 1 ELSE 0 END,
    status = 'running',
    worker = %(worker)s,
    reason = CASE WHEN asked IS NULL THEN NULL ELSE reason END,
    started = coalesce(started, clock_timestamp())
WHERE id = %(id)s AND status IN ('pending', 'running')
RETURNING id, thread_id, graph, attempt, deaths, base, asked, reason, request_type, request,
    extract(epoch FROM clock_timestamp() - started)::double precision AS elapsed
"""

LAST_EVENT = """
SELECT coalesce(max(id), 0) AS last FROM langgraph_rust_run_events WHERE run_id = %(id)s
"""

SET_BASE = """
UPDATE langgraph_rust_runs SET base = %(base)s, deaths = %(deaths)s
WHERE id = %(id)s AND attempt = %(attempt)s
"""

# Whoever claims the run waits for the lock, so what it then reads as the last event is the last.
APPEND = f"""
WITH run AS (
    SELECT id FROM langgraph_rust_runs
    WHERE id = %(id)s AND attempt = %(attempt)s AND status = 'running' FOR SHARE
), added AS (
    INSERT INTO langgraph_rust_run_events (run_id, id, attempt, mode, namespace, type, data)
    SELECT run.id, event.id, %(attempt)s, event.mode, event.namespace, event.type, event.data
    FROM run, unnest(
        %(ids)s::bigint[], %(modes)s::text[], %(namespaces)s::text[], %(types)s::text[],
        %(data)b::bytea[]
    ) AS event (id, mode, namespace, type, data)
    ON CONFLICT DO NOTHING
)
SELECT pg_notify('{EVENTS}', id::text) FROM run
"""

# Whoever is to be taken back is not ended in another way, even if it was asked a moment ago.
END = f"""
WITH run AS (
    UPDATE langgraph_rust_runs SET
        status = %(status)s, ended = clock_timestamp(), result_type = %(result_type)s,
        result = %(result)s, failure = %(failure)s, reason = coalesce(%(reason)s, reason),
        asked = NULL
    WHERE id = %(id)s AND attempt = %(attempt)s AND status IN ('pending', 'running')
        AND (asked IS DISTINCT FROM 'rollback' OR %(status)s = 'cancelled')
    RETURNING id
), forgotten AS (
    DELETE FROM langgraph_rust_run_writes WHERE run_id IN (SELECT id FROM run)
), ended AS (
    INSERT INTO langgraph_rust_run_events (run_id, id, attempt, mode, type, data)
    SELECT run.id, 1 + coalesce(
            (SELECT max(id) FROM langgraph_rust_run_events WHERE run_id = run.id), 0
        ), %(attempt)s, 'end', %(end_type)s, %(end)s
    FROM run
)
SELECT pg_notify('{EVENTS}', id::text) FROM run
"""

GIVE_BACK = """
UPDATE langgraph_rust_runs SET status = 'pending', worker = NULL, reason = %(reason)s
WHERE id = %(id)s AND attempt = %(attempt)s AND status = 'running'
"""

LOOK = """
SELECT id, attempt, asked, status FROM langgraph_rust_runs WHERE id = ANY(%(ids)s::uuid[])
"""

# A run that goes on with what waits on a checkpoint writes there. What stood there before is kept
# until it is over: the first row of each checkpoint, without a channel, only says that it is one.
KEEP_WRITES = """
WITH head AS (
    (SELECT DISTINCT ON (checkpoint_ns) checkpoint_ns, checkpoint_id FROM checkpoints
    WHERE thread_id = %(thread_id)s ORDER BY checkpoint_ns, checkpoint_id DESC)
    UNION
    SELECT checkpoint_ns, checkpoint_id FROM checkpoints
    WHERE thread_id = %(thread_id)s AND checkpoint_id = %(checkpoint_id)s
)
INSERT INTO langgraph_rust_run_writes
    (run_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, task_path)
SELECT %(id)s::uuid, kept.* FROM (
    SELECT checkpoint_ns, checkpoint_id, '', 0, '', NULL, ''::bytea, '' FROM head
    UNION ALL
    SELECT w.checkpoint_ns, w.checkpoint_id, w.task_id, w.idx, w.channel, w.type, w.blob,
        w.task_path
    FROM checkpoint_writes AS w JOIN head USING (checkpoint_ns, checkpoint_id)
    WHERE w.thread_id = %(thread_id)s
) AS kept
WHERE NOT EXISTS (SELECT FROM langgraph_rust_run_writes WHERE run_id = %(id)s::uuid)
"""

FORGET_WRITES = """
DELETE FROM checkpoint_writes AS w USING langgraph_rust_run_writes AS kept
WHERE kept.run_id = %(id)s AND kept.channel = '' AND w.thread_id = %(thread_id)s
    AND w.checkpoint_ns = kept.checkpoint_ns AND w.checkpoint_id = kept.checkpoint_id
"""

RESTORE_WRITES = """
INSERT INTO checkpoint_writes
    (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, task_path)
SELECT %(thread_id)s, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, task_path
FROM langgraph_rust_run_writes AS kept
WHERE run_id = %(id)s AND channel <> '' AND EXISTS (
    SELECT FROM checkpoints AS c WHERE c.thread_id = %(thread_id)s
        AND c.checkpoint_ns = kept.checkpoint_ns AND c.checkpoint_id = kept.checkpoint_id
)
"""

BUILT_ON = """
SELECT child.checkpoint_id FROM checkpoints AS child JOIN checkpoints AS parent
    ON parent.thread_id = child.thread_id AND parent.checkpoint_ns = child.checkpoint_ns
        AND parent.checkpoint_id = child.parent_checkpoint_id
WHERE child.thread_id = %(thread_id)s AND parent.metadata ->> 'run_id' = %(id)s
    AND child.metadata ->> 'run_id' IS DISTINCT FROM %(id)s
LIMIT 1
"""

# What stands on the checkpoints of subgraphs that waited when the run began.
NESTED = """
SELECT w.checkpoint_ns, w.task_id, w.channel, w.type, w.blob
FROM checkpoint_writes AS w JOIN langgraph_rust_run_writes AS head
    ON w.checkpoint_ns = head.checkpoint_ns AND w.checkpoint_id = head.checkpoint_id
WHERE head.run_id = %(id)s AND head.channel = '' AND head.checkpoint_ns <> ''
    AND w.thread_id = %(thread_id)s AND w.channel IN ('__resume__', '__interrupt__')
ORDER BY w.checkpoint_ns, w.task_id, w.idx
"""

ROWS = """
SELECT (SELECT count(*) FROM checkpoints WHERE thread_id = %(thread_id)s)
    + (SELECT count(*) FROM checkpoint_writes WHERE thread_id = %(thread_id)s) AS rows
"""

# Procrastinate's own query and its way to retry are two statements, between which another worker
# may have retried the job, and a third begun it. Here the row is locked, and then looked at again.
_STALLED = f"""
    SELECT job.id, job.queue_name
    FROM procrastinate_jobs AS job
    WHERE job.task_name = '{TASK}' AND job.status = 'doing'
        AND job.worker_id IS DISTINCT FROM %(own)s::bigint
        AND NOT EXISTS (
            SELECT FROM procrastinate_workers AS worker
            WHERE worker.id = job.worker_id
                AND worker.last_heartbeat >= now() - make_interval(secs => %(dead_after)s)
        )
        AND {{}} EXISTS (
            SELECT FROM langgraph_rust_runs AS run
            WHERE run.job_id = job.id AND run.status IN ('pending', 'running')
        )
    FOR UPDATE OF job SKIP LOCKED
"""

REVIVE = f"""
WITH stalled AS ({_STALLED.format("")}), revived AS (
    SELECT id, queue_name, procrastinate_retry_job_v2(id, now(), {FIRST}, NULL, NULL) FROM stalled
)
SELECT id, {_wake("revived")} FROM revived
"""

# Back in a queue that nobody reads any more, it would keep its thread from going on.
END_STALLED = f"""
WITH stalled AS ({_STALLED.format("NOT")})
SELECT procrastinate_finish_job_v1(id, 'failed', true) FROM stalled
"""

# A job that a worker lost is no more its own to end: others may have it, or itself once more.
_OWN = """
    SELECT id, queue_name, lock FROM procrastinate_jobs
    WHERE id = %(job_id)s AND status = 'doing' AND worker_id = %(worker_id)s
        AND attempts = %(attempts)s FOR UPDATE
"""

FINISH_JOB = f"""
SELECT procrastinate_finish_job_v1(id, %(status)s, %(delete_job)s) FROM ({_OWN}) AS own
"""

# Procrastinate tells workers of new jobs alone; the next of the same thread would wait to be found.
# By a statement of its own, which sees what came while the one before was finished.
WAKE_NEXT = f"""
SELECT {_wake("waiting")} FROM (
    SELECT id, queue_name FROM procrastinate_jobs
    WHERE lock = %(lock)s AND status = 'todo' ORDER BY priority DESC, id LIMIT 1
) AS waiting
"""

RETRY_JOB = f"""
WITH own AS ({_OWN}), retried AS (
    SELECT id, queue_name, procrastinate_retry_job_v2(id, %(retry_at)s, {FIRST}, NULL, NULL)
    FROM own
)
SELECT {_wake("retried")} FROM retried
"""

# What a worker was given and has not heard of, because its connection was cut.
RETURN_UNHEARD = f"""
SELECT procrastinate_retry_job_v2(id, now(), {FIRST}, NULL, NULL) FROM procrastinate_jobs
WHERE status = 'doing' AND worker_id = %(worker_id)s AND id <> ALL(%(held)s::bigint[])
"""

# Whoever was held to be dead is there again, under the same number.
HEARTBEAT = """
INSERT INTO procrastinate_workers (id) OVERRIDING SYSTEM VALUE VALUES (%(worker_id)s)
ON CONFLICT (id) DO UPDATE SET last_heartbeat = now()
"""

DROP_EVENTS = """
DELETE FROM langgraph_rust_run_events WHERE run_id IN (
    SELECT id FROM langgraph_rust_runs WHERE ended < now() - make_interval(secs => %(seconds)s)
)
"""

DROP_RUNS = """
DELETE FROM langgraph_rust_runs WHERE ended < now() - make_interval(secs => %(seconds)s)
"""
