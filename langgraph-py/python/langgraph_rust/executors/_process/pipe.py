"""The home end of a worker's pipe, which nobody has to wait for.

The worker's end is a `multiprocessing.connection.Connection`, whose messages have their size in
front. Here they are read and written as far as it goes: a worker may stop amid one.
"""

from __future__ import annotations

import os
import select
import struct
import threading
from collections import deque
from collections.abc import Callable

_SMALL = struct.Struct("!i")
_LARGE = struct.Struct("!Q")
_READ = 1 << 20


class HomePipe:
    """A pipe to a worker.

    Args:
        number: The file descriptor of this end, of a pipe for both ways.
        close: Closes it.
    """

    def __init__(self, number: int, close: Callable[[], None]) -> None:
        self._number = number
        self.close = close
        os.set_blocking(number, False)
        self._out: deque[memoryview] = deque()
        self._in = bytearray()
        self._lock = threading.Lock()
        self._poll = select.poll()
        self._poll.register(self._number, select.POLLIN)

    def send(self, body: bytes) -> None:
        """Send a message, now as far as it goes, the rest while `receive` waits; from any thread.

        Raises:
            OSError: The worker is gone.
        """
        small = len(body) <= 0x7FFFFFFF
        head = _SMALL.pack(len(body)) if small else _SMALL.pack(-1) + _LARGE.pack(len(body))
        with self._lock:
            self._out += (memoryview(head), memoryview(body))
            self._flush()

    def receive(self, timeout: float) -> bytes | None:
        """Wait up to `timeout` seconds for what comes next; `None` if no message is whole by then.

        Raises:
            EOFError: The worker is gone.
            OSError: Likewise.
        """
        if (message := self._whole()) is not None:
            return message
        with self._lock:
            self._flush()
            wants = select.POLLIN | (select.POLLOUT if self._out else 0)
        self._poll.modify(self._number, wants)
        for _, events in self._poll.poll(timeout * 1000):
            if events & select.POLLOUT:
                with self._lock:
                    self._flush()
            if events & (select.POLLIN | select.POLLHUP | select.POLLERR):
                self._fill()
        return self._whole()

    def _flush(self) -> None:
        while self._out:
            try:
                sent = os.write(self._number, self._out[0][:_READ])
            except BlockingIOError:
                return
            rest = self._out[0][sent:]
            if rest:
                self._out[0] = rest
            else:
                self._out.popleft()

    def _fill(self) -> None:
        try:
            piece = os.read(self._number, _READ)
        except BlockingIOError:
            return
        if not piece:
            raise EOFError
        self._in += piece

    def _whole(self) -> bytes | None:
        if len(self._in) < _SMALL.size:
            return None
        (size,) = _SMALL.unpack_from(self._in)
        begin = _SMALL.size
        if size < 0:
            if len(self._in) < begin + _LARGE.size:
                return None
            (size,) = _LARGE.unpack_from(self._in, begin)
            begin += _LARGE.size
        if len(self._in) < begin + size:
            return None
        message = bytes(memoryview(self._in)[begin : begin + size])
        del self._in[: begin + size]
        return message
