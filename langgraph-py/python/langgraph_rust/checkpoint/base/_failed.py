"""What could not be stored, in the words of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig


def name_place(error: Exception, config: RunnableConfig, made: str | None = None) -> None:
    """Put thread and checkpoint into the text of an error that storing ended with.

    Its class, its codes and its traceback stay: whoever handles the database's errors still can.

    Args:
        error: What the database, or its driver, said.
        config: What the saver was called with.
        made: Id of the checkpoint that was to be stored; without, it was writes on the one that
            `config` names.
    """
    configurable = config["configurable"]
    what = (
        f"checkpoint {made}"
        if made
        else f"writes on checkpoint {configurable.get('checkpoint_id')}"
    )
    space = configurable.get("checkpoint_ns")
    namespace = f", namespace '{space}'" if space else ""
    thread = f"thread '{configurable['thread_id']}'{namespace}"
    error.args = (f"Storing {what} of {thread} failed: {error}", *error.args[1:])
