# Written by `make places`.
from langgraph_rust.checkpoint.serde.event_hooks import SerdeEvent as SerdeEvent
from langgraph_rust.checkpoint.serde.event_hooks import SerdeEventListener as SerdeEventListener
from langgraph_rust.checkpoint.serde.event_hooks import emit_serde_event as emit_serde_event
from langgraph_rust.checkpoint.serde.event_hooks import register_serde_event_listener as register_serde_event_listener
