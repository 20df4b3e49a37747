//! Python objects that the engine needs, imported on first use and kept.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

macro_rules! imported {
    ($($(#[$doc:meta])* $name:ident = $module:literal . $attribute:literal;)*) => {
        $($(#[$doc])*
        pub fn $name(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
            static CELL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            CELL.import(py, $module, $attribute)
        })*
    };
}

macro_rules! imported_types {
    ($($(#[$doc:meta])* $name:ident = $module:literal . $attribute:literal;)*) => {
        $($(#[$doc])*
        pub fn $name(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
            static CELL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
            CELL.import(py, $module, $attribute)
        })*
    };
}

macro_rules! imported_modules {
    ($($(#[$doc:meta])* $name:ident = $module:literal;)*) => {
        $($(#[$doc])*
        pub fn $name(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
            static CELL: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
            let module = CELL.get_or_try_init(py, || py.import($module).map(Bound::unbind))?;
            Ok(module.bind(py))
        })*
    };
}

// Looked up once: the import system takes about as long as a step of a graph.
imported_modules! {
    /// `sys`.
    sys = "sys";
    /// `_thread`.
    thread = "_thread";
    /// `threading`.
    threading = "threading";
    /// `asyncio`.
    asyncio = "asyncio";
    /// This module.
    engine = "langgraph_rust._engine";
}

imported! {
    /// The marker of an absent value.
    missing = "langgraph_rust._internal._typing"."MISSING";
    /// The context variable of the running task's config.
    config_var = "langgraph_rust._internal._config"."var_child_runnable_config";
    /// Appends the documentation link of an error code.
    create_error_message = "langgraph_rust.errors"."create_error_message";
    /// Whether an exception is a refused answer to an interrupt.
    is_invalid_resume = "langgraph_rust.errors"."is_invalid_resume";
    /// The documented error codes.
    error_codes = "langgraph_rust.errors"."ErrorCode";
    /// Whether an object is a langchain-core `Runnable`.
    is_runnable = "langgraph_rust._internal._lazy.runnable"."is_runnable";
    /// Whether a graph's own methods run it, neither patched nor overridden.
    runs_as_defined = "langgraph_rust._internal._lazy.listening"."runs_as_defined";
    /// The function behind `__pregel_read`.
    read_function = "langgraph_rust._engine"."_read";
    /// Gives the messages among a write to a channel of messages ids.
    with_message_ids = "langgraph_rust.pregel._streams.message_ids"."with_message_ids";
    /// The same for other channels, which may hold anything.
    with_base_message_ids = "langgraph_rust.pregel._streams.message_ids"."with_base_message_ids";
    /// What stands for a key of a dict that is no plain value.
    key_of = "langgraph_rust.checkpoint.serde._records"."key_of";
    /// The error of values that cannot be encoded.
    encode_error = "ormsgpack"."MsgpackEncodeError";
    /// The error of bytes that cannot be decoded.
    decode_error = "ormsgpack"."MsgpackDecodeError";
    /// The class of enum classes.
    enum_type = "enum"."EnumMeta";
    /// `copy.copy`.
    copy = "copy"."copy";
    /// `functools.partial`.
    partial = "functools"."partial";
    /// `operator.add`.
    add = "operator"."add";
    /// `operator.truth`.
    truth = "operator"."truth";
}

/// `asyncio.CancelledError`, once asyncio is loaded.
pub fn cancelled_error(py: Python<'_>) -> PyResult<Option<&Bound<'_, PyType>>> {
    static CELL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if let Some(class) = CELL.get(py) {
        return Ok(Some(class.bind(py)));
    }
    const MODULE: &str = "asyncio.exceptions";
    match is_loaded(py, MODULE)? {
        true => CELL.import(py, MODULE, "CancelledError").map(Some),
        false => Ok(None),
    }
}

/// Whether somebody has imported the module.
pub fn is_loaded(py: Python<'_>, module: &str) -> PyResult<bool> {
    sys(py)?.getattr(intern!(py, "modules"))?.contains(module)
}

imported_types! {
    /// `Send`.
    send_type = "langgraph_rust.types"."Send";
    /// `Command`.
    command_type = "langgraph_rust.types"."Command";
    /// `Overwrite`.
    overwrite_type = "langgraph_rust.types"."Overwrite";
    /// `EmptyChannelError`.
    empty_channel_error = "langgraph_rust.errors"."EmptyChannelError";
    /// `EmptyInputError`.
    empty_input_error = "langgraph_rust.errors"."EmptyInputError";
    /// `InvalidUpdateError`.
    invalid_update_error = "langgraph_rust.errors"."InvalidUpdateError";
    /// `GraphBubbleUp`.
    graph_bubble_up = "langgraph_rust.errors"."GraphBubbleUp";
    /// `GraphInterrupt`.
    graph_interrupt = "langgraph_rust.errors"."GraphInterrupt";
    /// `GraphRecursionError`.
    graph_recursion_error = "langgraph_rust.errors"."GraphRecursionError";
    /// `GraphDrained`.
    graph_drained = "langgraph_rust.errors"."GraphDrained";
    /// `ParentCommand`.
    parent_command = "langgraph_rust.errors"."ParentCommand";
    /// `NodeError`.
    node_error = "langgraph_rust.errors"."NodeError";
    /// `NodeCancelledError`.
    node_cancelled_error = "langgraph_rust.errors"."NodeCancelledError";
    /// `Runtime`.
    runtime_type = "langgraph_rust.runtime"."Runtime";
    /// `ExecutionInfo`.
    execution_info_type = "langgraph_rust.runtime"."ExecutionInfo";
    /// `ChannelWrite`.
    channel_write = "langgraph_rust.pregel._build.write"."ChannelWrite";
    /// `ChannelWriteEntry`.
    channel_write_entry = "langgraph_rust.pregel._build.write"."ChannelWriteEntry";
    /// `ChannelWriteTupleEntry`.
    channel_write_tuple_entry = "langgraph_rust.pregel._build.write"."ChannelWriteTupleEntry";
    /// `BranchWriter`.
    branch_writer = "langgraph_rust.graph._branch"."BranchWriter";
    /// The class of a recursion limit that nobody chose.
    unchosen_limit_type = "langgraph_rust._internal._config"."UnchosenRecursionLimit";
    /// What stored values of delta channels are wrapped in.
    delta_snapshot = "langgraph_rust.checkpoint.serde.types"."_DeltaSnapshot";
    /// `RunnableCallable`.
    runnable_callable = "langgraph_rust._internal._runnable"."RunnableCallable";
    /// `Pregel`.
    pregel_type = "langgraph_rust.pregel.main"."Pregel";
}
