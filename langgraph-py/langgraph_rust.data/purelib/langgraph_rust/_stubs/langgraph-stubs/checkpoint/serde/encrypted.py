# Written by `make places`.
from langgraph_rust.checkpoint.serde.encrypted import EncryptedSerializer as EncryptedSerializer
