"""A pool of worker processes as an executor of concurrent.futures, in which a worker that dies costs one
call.

The standard library's pool is broken as a whole when one of its processes dies, and does not say what that
one was doing. Here each thread of the executor has a process of its own (harness/runs/worker.py): who died,
what it was doing and for how long is known, and the thread starts another.
"""

from __future__ import annotations

import os
import pickle
import queue
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future
from contextlib import suppress
from multiprocessing.connection import Connection

from noether.kernels.signals import deaf
from noether.runs.worker import Setting, environment, prepare
from noether.system.machine import importable
from noether.system.usage import CannotRun

# Seconds in which a worker must be ready on a busy machine.
STARTS = 120.0
# Seconds beyond a call's own limit before its process is killed: inside, the limit names the line.
GRACE = 5.0
# Seconds in which a worker that is told to leave is gone.
LEAVES = 2.0
# Seconds between two looks whether a process is still there: what it forked may keep its link open.
LOOK = 0.25
ENDED = "the run was ended"
BEGIN = "import sys; from noether.runs.worker import serve; serve(*map(int, sys.argv[1:]))"


class Died(RuntimeError):
    """Raised when a worker process ended in the middle of a call."""


class Overdue(RuntimeError):
    """Raised when a call did not end within its time and its process was killed."""


class Unloadable(RuntimeError):
    """Raised when what was sent cannot be made again in another process."""


class Raised(RuntimeError):
    """Raised when the call itself raised; the message is the traceback in the worker."""


class Worker:
    """One worker process, which takes calls once it was made ready. Raises CannotRun where it cannot be
    started."""

    def __init__(self, setting: Setting):
        self.setting = setting
        here, there = socket.socketpair()
        lifeline, self._held = os.pipe()
        command = [sys.executable, "-c", BEGIN, str(there.fileno()), str(lifeline)]
        try:
            own = {**importable(), **environment(setting.threads)}
            files = dict(stdin=subprocess.DEVNULL, pass_fds=(there.fileno(), lifeline))
            self.process = subprocess.Popen(command, env=own, **files)
        except OSError as error:
            os.close(self._held)
            here.close()
            raise CannotRun(
                f"no worker process can be started: {error.strerror or error}; --jobs 1 needs the fewest"
            ) from None
        finally:
            there.close()
            os.close(lifeline)
        self.link = Connection(here.detach())

    def make_ready(self) -> None:
        """Wait until it has prepared what its setting says. Raises CannotRun where it ends before."""
        try:
            self.call(pickle.dumps((prepare, (self.setting,))), STARTS)
        except (Died, Overdue, Raised) as error:
            self.kill()
            why = str(error).strip().splitlines()[-1]
            raise CannotRun(f"a worker process cannot be made ready: {why}") from None

    def call(self, raw: bytes, seconds: float | None = None):
        """The result of one pickled call. Raises Died, Overdue, Unloadable, Raised."""
        end = None if seconds is None else time.monotonic() + seconds
        try:
            self.link.send_bytes(raw)
            while not self.link.poll(LOOK):
                if self.process.poll() is not None and not self.link.poll(0):
                    raise EOFError
                if end is not None and time.monotonic() > end:
                    self.kill()
                    raise Overdue(
                        f"did not end within {seconds:g} s, and its process was killed (--cell-seconds sets "
                        "another limit)"
                    )
            word, value = pickle.loads(self.link.recv_bytes())
        except (EOFError, OSError):
            self.kill()
            raise Died(f"its worker process {ended(self.process.returncode)}") from None
        if word == "done":
            return value
        raise (Unloadable if word == "unloadable" else Raised)(value)

    def kill(self) -> None:
        """End it and, through the lifeline that it no longer sees, nothing else: its own children it has
        killed, or they see its end."""
        with suppress(OSError):
            os.close(self._held)
        self._held = -1
        with suppress(OSError):
            self.link.close()
        try:
            self.process.wait(LEAVES)  # by itself, with its children and its temporary folders
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def ended(code: int | None) -> str:
    """How a process ended, by its exit code."""
    if code is not None and code < 0:
        return f"was ended by signal {-code}" + (" (out of memory, or killed)" if code == -9 else "")
    return f"ended by itself, with exit code {code}"


class Crew(Executor):
    """A pool of `jobs` workers. `submit(function, *arguments)` as any executor; `send` takes what is pickled
    already.

    Raises CannotRun where not one thread can be started.
    """

    def __init__(self, jobs: int, setting: Setting = Setting()):  # noqa: B008
        self.setting, self._queue, self._closed = setting, queue.SimpleQueue(), False
        self._ended, self._turn = False, threading.Lock()  # what runs is ended; both are changed in turn
        self._workers: dict[int, Worker] = {}
        self._threads = []
        for number in range(max(1, jobs)):
            thread = threading.Thread(target=self._work, args=(number,), daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                if self._threads:
                    break  # fewer than were asked for
                raise CannotRun(f"no thread can be started: {error}; --jobs 1 needs the fewest") from None
            self._threads.append(thread)

    def submit(self, function, /, *arguments, **words) -> Future:
        """The future of a call, as of any executor."""
        if words:
            raise TypeError("submit takes no named arguments")
        return self.send(pickle.dumps((function, arguments)))

    def send(self, raw: bytes, setting: Setting | None = None, seconds: float | None = None) -> Future:
        """The future of one pickled call, in a worker of this setting; seconds: its limit, of which the
        worker knows too."""
        if self._closed:
            raise RuntimeError("the crew has been dismissed")
        future: Future = Future()
        self._queue.put((future, raw, setting or self.setting, None if seconds is None else seconds + GRACE))
        return future

    def _work(self, number: int) -> None:
        deaf()
        while (item := self._queue.get()) is not None:
            future, raw, setting, seconds = item
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = self._worker(number, setting).call(raw, seconds)
            except BaseException as error:
                if not isinstance(error, Raised | Unloadable):
                    self._drop(number)
                future.set_exception(error)
            else:
                future.set_result(result)
        self._drop(number)

    def _worker(self, number: int, setting: Setting) -> Worker:
        """The worker of this thread, ready for a call. Raises CannotRun, and Died once the crew was ended."""
        if self._ended:
            raise Died(ENDED)
        known = self._workers.get(number)
        if known is not None and known.setting == setting:
            return known
        self._drop(number)
        worker = Worker(setting)
        with self._turn:  # before it is ready: whoever ends the crew must find a worker that starts, too
            self._workers[number] = worker
            ended = self._ended
        if ended:
            raise Died(ENDED)
        try:
            worker.make_ready()
        except CannotRun:
            if self._ended:
                raise Died(ENDED) from None
            raise
        return worker

    def _drop(self, number: int) -> None:
        with self._turn:
            worker = self._workers.pop(number, None)
        if worker is not None:
            worker.kill()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As any executor's; with cancel_futures what runs or starts is ended too, for a call cannot be
        interrupted from outside."""
        with self._turn:
            self._closed, self._ended = True, self._ended or cancel_futures
        if cancel_futures:
            with suppress(queue.Empty):
                while True:
                    item = self._queue.get_nowait()
                    if item is not None:
                        item[0].cancel()
                        item[0].set_running_or_notify_cancel()  # who waits for it is told
            with self._turn:
                for worker in self._workers.values():
                    worker.process.kill()
        for _ in self._threads:
            self._queue.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def __exit__(self, kind, *_):
        self.shutdown(wait=True, cancel_futures=kind is not None)
        return False
