"""Upstream's private module paths, which other packages and upstream's own tests import.

`langgraph_rust.pregel` looks for its modules here, too. Each is the very module it is another name
of, so that what is replaced in one is replaced in both. Nothing here has code of its own, and
nothing of this package imports it.

| `pregel.`             | is                     | imported by |
|-----------------------|------------------------|-------------|
| `_algo`               | `_executor.algo`       | langgraph-api, -executor, temporalio-langgraph |
| `_call`               | `_run.call`            | langgraph-api |
| `_checkpoint`         | `_executor.checkpoint` | langgraph-executor, langgraph-prebuilt's tests |
| `_draw`               | `_build.draw`          | |
| `_io`                 | `_build.io`            | |
| `_loop`               | `_executor.loop`       | upstream's tests |
| `_messages`           | `_streams.messages`    | upstream's tests |
| `_read`               | `_build.read`          | langgraph-api |
| `_remote_run_stream`  | `_remote.run_stream`   | upstream's tests |
| `_retry`              | `_executor.retry`      | langgraph-executor |
| `_runner`             | `_executor.runner`     | upstream's tests |
| `_task_status`        | `_state.task_status`   | upstream's tests |
| `_tools`              | `_streams.tools`       | langgraph-prebuilt |
| `_utils`              | `_build.utils`         | upstream's tests |
| `_validate`           | `_build.validate`      | |
| `_write`              | `_build.write`         | |
"""
