# Written by `make places`.
from langgraph_rust.checkpoint.serde.base import CipherProtocol as CipherProtocol
from langgraph_rust.checkpoint.serde.base import SerializerCompat as SerializerCompat
from langgraph_rust.checkpoint.serde.base import SerializerProtocol as SerializerProtocol
from langgraph_rust.checkpoint.serde.base import UntypedSerializerProtocol as UntypedSerializerProtocol
from langgraph_rust.checkpoint.serde.base import maybe_add_typed_methods as maybe_add_typed_methods
