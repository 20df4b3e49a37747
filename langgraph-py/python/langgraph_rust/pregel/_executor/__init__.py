"""For servers that prepare and run a graph's tasks themselves, as upstream's internals let them.

What comes in is a graph's parts, channel objects and a checkpoint. No run of this package goes
through here; what the engine can be asked (which tasks are next, under which ids) it is asked, and
`tests/python/test_executor.py` holds that the rest agrees with it.

| module | name | imported by |
|--|--|--|
| `algo` | `PregelTaskWrites`, `local_read`, `_scratchpad` | langgraph-api, langgraph-executor |
|  | `_proc_input` | langgraph-api |
|  | `apply_writes` | langgraph-executor |
|  | `LazyAtomicCounter` | temporalio-langgraph |
|  | `task_path_str` | upstream's tests |
| `prepare` | `prepare_next_tasks` | upstream's tests |
| `checkpoint` | `channels_from_checkpoint` | langgraph-executor, upstream's tests |
|  | `copy_checkpoint` | tests of upstream and -prebuilt |
|  | `empty_checkpoint`, `achannels_from_checkpoint`, | upstream's tests |
|  | `delta_channels_to_snapshot`, `exit_delta_task_id` |  |
| `retry` | `arun_with_retry` | langgraph-executor, upstream's tests |
|  | `run_with_retry` and its helpers | upstream's tests |
| `runner` | `FuturesDict`, `_should_stop_others` | upstream's tests |
| `loop` | `PregelLoop` and its kinds | upstream's tests |
"""
