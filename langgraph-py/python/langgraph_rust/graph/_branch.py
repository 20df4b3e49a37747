"""Conditional edges: `BranchSpec`, as added to the builder, and `BranchWriter`, as run."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph_rust._internal._constants import TASKS
from langgraph_rust._internal._lazy.runnable import LazyRunnable
from langgraph_rust._internal._mistakes import add_note, choices
from langgraph_rust._internal._runnable import RunnableCallable
from langgraph_rust.constants import END, START
from langgraph_rust.errors import InvalidUpdateError
from langgraph_rust.graph._hints import router_input_schema, router_targets
from langgraph_rust.pregel._build.read import ChannelRead
from langgraph_rust.pregel._build.utils import called_on_loop
from langgraph_rust.pregel._build.write import ChannelWrite, ChannelWriteEntry
from langgraph_rust.types import Send

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable, RunnableConfig


class BranchSpec(NamedTuple):
    """A router and what its answers mean."""

    path: Runnable | LazyRunnable
    """Maps the state to where to go next: a name, a `Send`, or a list of these."""
    ends: dict[Hashable, str] | None
    """The node for each answer of `path`; `None` if answers are node names themselves."""
    input_schema: type[Any] | None = None
    """The schema whose keys the router gets; `None` for that of the node it follows."""

    @classmethod
    def from_path(
        cls,
        path: Runnable | LazyRunnable,
        path_map: dict[Hashable, str] | list[str] | None,
        infer_schema: bool = False,
    ) -> BranchSpec:
        """Make a branch, taking what `path_map` leaves open from the router's annotations.

        Without a `path_map`, a `Literal` return annotation lists the possible nodes. With
        `infer_schema`, the annotation of the first parameter becomes the input schema.
        """
        ends: dict[Hashable, str] | None = None
        if isinstance(path_map, dict):
            ends = dict(path_map)
        else:
            names = path_map if isinstance(path_map, list) else router_targets(path)
            if names is not None:
                ends = {name: name for name in names}
        return cls(path, ends, router_input_schema(path) if infer_schema else None)


class BranchWriter(LazyRunnable):
    """Asks a router where to go and writes to the channels of the nodes it names.

    The engine reads the attributes, calls `func` or `afunc` itself and understands plain answers;
    everything else it leaves to `finish`. Calling the writer as a runnable does all of it through
    the config.
    """

    path: Runnable | LazyRunnable
    """The router."""
    func: Callable[..., Any] | None
    """The router's plain function, `None` if it can only be run as a runnable, or is async."""
    afunc: Callable[..., Any] | None
    """What an async run calls on the event loop's thread; `None` if `func` is for a worker."""
    func_accepts: dict[str, tuple[str, Any]]
    """What `func` and `afunc` want beside the state, as in `RunnableCallable`."""
    ends: dict[Hashable, str] | None
    """The node for each answer; `None` if answers are node names themselves."""
    select: list[str] | str | None
    """The channels the router gets, read with the node's own writes; `None`: the node's result."""
    mapper: Callable[[Any], Any] | None
    """Turns what was read into the class of its schema."""
    merges_result: bool
    """Whether keys of the node's result are put under what was read, if both are dicts."""
    static: Sequence[tuple[str, Any, str | None]] | None
    """`(channel, value, label)` of every possible answer, if they are known."""

    def __init__(
        self,
        branch: BranchSpec,
        *,
        select: list[str] | str | None,
        mapper: Callable[[Any], Any] | None = None,
    ) -> None:
        """Make the writer of `branch`; `select` and `mapper` say what the router gets."""
        self.name = None
        self.path = branch.path
        self.ends = branch.ends or None
        self.select = select
        self.mapper = mapper
        self.merges_result = branch.input_schema is None
        self._expose_function()
        self._is_channel_writer = [
            (ChannelWriteEntry(trigger_of(target), None), str(answer))
            for answer, target in (self.ends or {}).items()
        ]
        self.static = ChannelWrite.get_static_writes(self)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Route after a node that returned `input`; return `input`."""
        config = _running(config)
        result = self.path.invoke(self._state(input, config), config)
        return self._write(input, result, config)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Async twin of `invoke`."""
        config = _running(config)
        result = await self.path.ainvoke(self._state(input, config), config)
        return self._write(input, result, config)

    def finish(self, result: Any) -> list[tuple[str, Any]]:
        """Turn the router's answer into `(channel, value)` writes.

        Raises `ValueError` for an answer that is no destination, `KeyError` for one that `ends`
        does not know, `InvalidUpdateError` for a `Send` to END.
        """
        answers = result if isinstance(result, (list, tuple)) else (result,)
        ends = self.ends
        try:
            targets = [a if ends is None or isinstance(a, Send) else ends[a] for a in answers]
        except KeyError as error:
            self._explain(error)
            raise
        if any(target is None or target == START for target in targets):
            error = ValueError("Branch did not return a valid destination")
            add_note(
                error, f"The router {self._router()!r} answered {result!r}; to stop, answer END"
            )
            raise error
        if any(isinstance(target, Send) and target.node == END for target in targets):
            raise InvalidUpdateError("Cannot send a packet to the END node")
        return [
            (TASKS, target) if isinstance(target, Send) else (trigger_of(target), None)
            for target in targets
            if target != END
        ]

    def _router(self) -> str:
        return getattr(self.path, "name", None) or "condition"

    def _explain(self, error: KeyError) -> None:
        """Say what the router could have answered."""
        (answer,) = error.args
        there_are = choices(answer, self.ends or (), "Its keys")
        add_note(
            error,
            f"The router {self._router()!r} answered {answer!r}, which its path_map does not have. "
            f"{there_are}. Answer one of them, or add this one",
        )

    def _expose_function(self) -> None:
        path = self.path
        # a subclass may run its function in a way of its own
        if type(path) is RunnableCallable and not path.kwargs and not path.explode_args:
            self.func = path.func
            self.afunc = called_on_loop(path.func, path.afunc)
            self.func_accepts = path.func_accepts
        else:
            self.func = self.afunc = None
            self.func_accepts = {}

    def _state(self, result: Any, config: RunnableConfig) -> Any:
        """What the router gets after a node that returned `result`."""
        if self.select is None:
            return result
        state = ChannelRead.do_read(config, select=self.select, fresh=True, mapper=self.mapper)
        if self.merges_result and isinstance(state, dict) and isinstance(result, dict):
            return {**result, **state}
        return state

    def _write(self, input: Any, result: Any, config: RunnableConfig) -> Any:
        writes = self.finish(result)
        if writes:
            entries = [v if c == TASKS else ChannelWriteEntry(c, v) for c, v in writes]
            ChannelWrite.do_write(config, entries)
        return input


def trigger_of(node: Any) -> str:
    """Return the channel that makes a node run; END, which nothing runs, stands for itself."""
    return END if node == END else f"branch:to:{node}"


def _running(config: RunnableConfig | None) -> RunnableConfig:
    if config is not None:
        return config
    from langgraph_rust.config import get_config

    return get_config()
