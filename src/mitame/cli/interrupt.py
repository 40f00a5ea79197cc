"""Ctrl-C, SIGTERM and a closed terminal end a command within seconds."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType

SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # Windows has no SIGHUP
]
GRACE_S = 2.5
"""Longest time to unwind; a registration or a worker thread may take a minute."""


def watch(end_at_once: Callable[[], None]) -> None:
    """Turn the signals into `KeyboardInterrupt`; make sure that it is heard.

    Python raises it when the main thread's current call returns, which may be a
    minute of compiled code, and unwinding then waits for worker threads. So another
    thread gets the signal, too, and ends the process when the grace time is over.

    Parameters
    ----------
    end_at_once : callable
        Cleans up and ends the process; called in another thread.
    """
    heard, caught = socket.socketpair()
    caught.setblocking(False)
    signal.set_wakeup_fd(caught.fileno(), warn_on_full_buffer=False)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)

    def wait() -> None:
        with heard, caught:
            heard.recv(1)
            time.sleep(GRACE_S)
            end_at_once()

    threading.Thread(target=wait, daemon=True).start()


def no_more_interrupts() -> None:
    """Ignore the signals that `watch` watches; without `watch`, do nothing.

    Only the main thread may; any other is about to end the process anyway.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for number in SIGNALS:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, signal.SIG_IGN)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    no_more_interrupts()  # a second Ctrl-C must not disturb the cleaning up
    raise KeyboardInterrupt
