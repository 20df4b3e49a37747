"""A serializer that encrypts what another one produced."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any

from langgraph_rust.checkpoint.serde._default import default_serde, is_strict
from langgraph_rust.checkpoint.serde.base import CipherProtocol, SerializerProtocol
from langgraph_rust.checkpoint.serde.errors import StoredValueError

_NONCE_END = 16
_TAG_END = 32

_RANDOM_END = 11
_MARK = b"kind"


class EncryptedSerializer(SerializerProtocol):
    """Encrypts another serializer's bytes and adds the cipher's name to the tag: `msgpack+aes`.

    A value whose tag names no cipher is refused: whoever can write to the database could otherwise
    walk past the encryption. LangGraph reads such values, and so does drop-in mode that is not
    strict.

    The tag says how the plaintext is to be read, and LangGraph's format does not authenticate it.
    With AES in EAX mode it is, as far as values go that this package stored: one whose tag was
    changed is refused, too.

    Args:
        cipher: Encrypts and decrypts.
        serde: Makes and reads the plaintext; the default serializer if left out.
        accepts_plaintext: Whether to read values whose tag names no cipher: those from before
            encryption was on, until all are stored anew. By default only in drop-in mode that is
            not strict.
    """

    def __init__(
        self,
        cipher: CipherProtocol,
        serde: SerializerProtocol | None = None,
        *,
        accepts_plaintext: bool | None = None,
    ) -> None:
        self.accepts_plaintext = not is_strict() if accepts_plaintext is None else accepts_plaintext
        self.cipher = cipher
        self.serde = default_serde() if serde is None else serde

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Encode and encrypt `obj`, as `("<tag>+<cipher>", ciphertext)`."""
        tag, plaintext = self.serde.dumps_typed(obj)
        if isinstance(self.cipher, _AesCipher):
            cipher, ciphertext = self.cipher.encrypt(plaintext, tag)
        else:
            cipher, ciphertext = self.cipher.encrypt(plaintext)
        return f"{tag}+{cipher}", ciphertext

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Decrypt and decode a `(tag, bytes)` pair.

        Raises:
            StoredValueError: the value is not encrypted, and that is not accepted; or AES finds
                that the key is another one, or that value or tag were changed.
            Exception: whatever the cipher raises on bad data.
        """
        tag, body = data
        tag, encrypted, cipher = tag.partition("+")
        if not encrypted:
            if not self.accepts_plaintext:
                raise StoredValueError(
                    f"A stored value of kind {tag!r} is not encrypted. If it was stored before "
                    "encryption was on, read it with EncryptedSerializer(..., "
                    "accepts_plaintext=True) until all values are stored anew"
                )
            return self.serde.loads_typed(data)
        if isinstance(self.cipher, _AesCipher):
            return self.serde.loads_typed((tag, self.cipher.decrypt(cipher, body, tag)))
        return self.serde.loads_typed((tag, self.cipher.decrypt(cipher, body)))

    @classmethod
    def from_pycryptodome_aes(
        cls, serde: SerializerProtocol | None = None, **kwargs: Any
    ) -> EncryptedSerializer:
        """Return a serializer that encrypts with AES, in EAX mode unless `mode` says otherwise.

        Args:
            serde: Makes and reads the plaintext.
            **kwargs: `accepts_plaintext` as for the class; `key` of 16, 24 or 32 bytes, by default
                the environment variable `LANGGRAPH_AES_KEY`; everything else goes to
                `Crypto.Cipher.AES.new`.

        Raises:
            ImportError: pycryptodome is not installed.
            ValueError: no key was given, or the environment's has the wrong length.
        """
        try:
            from Crypto.Cipher import AES  # pyright: ignore[reportMissingImports] - optional
        except ImportError:
            raise ImportError(
                "Pycryptodome is not installed. Please install it with `pip install pycryptodome`."
            ) from None
        key = kwargs.pop("key") if "key" in kwargs else _key_from_environment()
        if kwargs.get("mode") is None:
            kwargs["mode"] = AES.MODE_EAX
        accepts_plaintext = kwargs.pop("accepts_plaintext", None)
        return cls(_AesCipher(AES, key, kwargs), serde, accepts_plaintext=accepts_plaintext)


def _key_from_environment() -> bytes:
    value = os.getenv("LANGGRAPH_AES_KEY")
    if value is None:
        raise ValueError("LANGGRAPH_AES_KEY environment variable is not set.")
    key = value.encode()
    if len(key) not in (16, 24, 32):
        raise ValueError("LANGGRAPH_AES_KEY must be 16, 24, or 32 bytes long.")
    return key


class _AesCipher(CipherProtocol):
    """AES by pycryptodome. Ciphertexts are nonce (16 bytes), tag (16 bytes), payload.

    A nonce must be unlike all others, and EAX authenticates it together with the payload; what it
    looks like is nobody's business. So ours say what kind of value is encrypted: a nonce is 11
    random bytes, a mark and a byte for the kind, encrypted as one block under a key of their own.
    To LangGraph it is 16 random bytes like any, and of one that LangGraph made there is one chance
    in four thousand million that it bears the mark.
    """

    def __init__(self, aes: Any, key: bytes, options: dict[str, Any]) -> None:
        self._aes = aes
        self._key = key
        self._options = options
        self._marks = options.keys() == {"mode"} and options["mode"] == aes.MODE_EAX

    def encrypt(self, plaintext: bytes, kind: str | None = None) -> tuple[str, bytes]:
        options = self._options
        if self._marks and kind is not None:
            block = os.urandom(_RANDOM_END) + _MARK + _byte_of(kind)
            options = {**options, "nonce": self._of_nonces().encrypt(block)}
        cipher = self._aes.new(self._key, **options)
        payload, tag = cipher.encrypt_and_digest(plaintext)
        return "aes", cipher.nonce + tag + payload

    def decrypt(self, ciphername: str, ciphertext: bytes, kind: str | None = None) -> bytes:
        assert ciphername == "aes", f"Unsupported cipher: {ciphername}"
        nonce, tag = ciphertext[:_NONCE_END], ciphertext[_NONCE_END:_TAG_END]
        cipher = self._aes.new(self._key, **self._options, nonce=nonce)
        try:
            plaintext = cipher.decrypt_and_verify(ciphertext[_TAG_END:], tag)
        except ValueError as error:
            raise StoredValueError(
                f"A stored value cannot be decrypted ({error}): it was encrypted with another key, "
                "or it was changed in the database"
            ) from error
        if self._marks and kind is not None:
            block = self._of_nonces().decrypt(nonce)
            if block[_RANDOM_END:-1] == _MARK and block[-1:] != _byte_of(kind):
                raise StoredValueError(
                    f"A stored value is said to be of kind {kind!r}, which is not what was "
                    "encrypted: somebody has changed its type in the database"
                )
        return plaintext

    def _of_nonces(self) -> Any:
        key = hmac.digest(self._key, b"langgraph-rust nonces that say what is encrypted", "sha256")
        return self._aes.new(key, self._aes.MODE_ECB)


def _byte_of(kind: str) -> bytes:
    """Return what stands for a kind of value: those that serializers here have differ in it."""
    return hashlib.sha256(kind.encode()).digest()[:1]
