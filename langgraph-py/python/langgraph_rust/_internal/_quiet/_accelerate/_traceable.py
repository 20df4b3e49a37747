"""langsmith's `traceable` around async functions, when nothing is traced.

It decides in a thread whether to trace a call, and ends it in a thread: four hand-overs for each
call of a middleware's hook by langchain's agents. When nothing is traced there is nothing to wait
for, and both are done on the spot, unless a function of the program looks at the outputs: that one
goes to the engine's workers.
"""

from __future__ import annotations

from functools import partial, wraps
from types import ModuleType
from typing import Any

from langgraph_rust._internal._quiet._known import is_known, stand_in

__all__ = ("accelerate_traceable",)


def accelerate_traceable(module: ModuleType) -> None:
    """Let calls of traceable async functions that are not traced stay on their thread.

    Args:
        module: `langsmith.run_helpers`.
    """
    threads: Any = getattr(module, "aitertools", None)
    to_thread: Any = getattr(threads, "_default_aio_to_thread", None)
    begin = getattr(module, "_setup_run", None)
    end = getattr(module, "_handle_container_end", None)
    if not (
        is_known(to_thread, "langsmith._internal._aiter:_default_aio_to_thread")
        and is_known(begin, "langsmith.run_helpers:_setup_run")
        and is_known(end, "langsmith.run_helpers:_handle_container_end")
        and is_known(module._container_end, "langsmith.run_helpers:_container_end")
        and is_known(module._get_parent_run, "langsmith.run_helpers:_get_parent_run")
    ):
        return

    async def _default_aio_to_thread(ctx: Any, func: Any, /, *args: Any, **kwargs: Any) -> Any:
        if func is begin:
            if _begins_nothing(kwargs):
                return ctx.run(func, *args, **kwargs)
        elif type(func) is partial and func.func is end and _ends_nothing(func, args):
            # What looks at the outputs is called all the same, and may be anything.
            if func.keywords.get("outputs_processor") is None:
                return ctx.run(func, *args, **kwargs)
            from langgraph_rust._internal._quiet._workers import on_worker

            return await on_worker(func, ctx.run, func, *args, **kwargs)
        return await to_thread(ctx, func, *args, **kwargs)

    own: Any = wraps(to_thread)(_default_aio_to_thread)
    stand_in(own, to_thread)
    threads._default_aio_to_thread = own


def _begins_nothing(given: dict[str, Any]) -> bool:
    """Tell whether a call that `_setup_run` is asked about is not traced, whoever asks."""
    from langgraph_rust._internal._quiet._silence import is_heard, is_traced

    return (
        not given.get("langsmith_extra")
        and given["container_input"].get("enabled") is not True
        and "config" not in (given.get("kwargs") or ())
        and not is_heard(None)
        and not is_traced()
    )


def _ends_nothing(end: partial[Any], args: tuple[Any, ...]) -> bool:
    """Tell whether a call that ends was not traced, so that nobody hears of its end."""
    return not end.args and len(args) == 1 and args[0].get("new_run") is None
