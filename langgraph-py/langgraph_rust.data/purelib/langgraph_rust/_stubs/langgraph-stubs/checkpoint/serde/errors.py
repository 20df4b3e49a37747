# Written by `make places`.
from langgraph_rust.checkpoint.serde.errors import EncryptedValueError as EncryptedValueError
from langgraph_rust.checkpoint.serde.errors import StoredValueError as StoredValueError
from langgraph_rust.checkpoint.serde.errors import TypeNotAllowedError as TypeNotAllowedError
from langgraph_rust.checkpoint.serde.errors import shortened as shortened
