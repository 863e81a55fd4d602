"""Standard output and error of a command: no write to them fails, and none changes an exit code.

A reader that has gone, a full disk, a stream that was never open: the write is dropped and the fault kept,
for whoever has to say so. A letter that the encoding lacks is escaped.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys

from noether.system.outside import Guarded

OUTLETS: dict[str, Outlet] = {}
"""stdout and stderr of this process, once they are guarded."""


class Outlet(io.RawIOBase):
    """A stream whose bytes are written at once, and whose failures are kept instead of raised.

    fault     what the first write that failed raised
    patient   go on after a fault; else nothing more is written, so that what a reader has is a beginning of
              the whole
    """

    def __init__(self, fd: int, *, fault: OSError | None = None, patient: bool = False):
        self.fd, self.fault, self.patient = fd, fault, patient

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.fd

    def isatty(self) -> bool:
        return os.isatty(self.fd)

    def text(self, encoding: str) -> io.TextIOWrapper:
        self.encoding = encoding
        return io.TextIOWrapper(io.BufferedWriter(self), encoding, "backslashreplace", line_buffering=True)

    def write(self, data) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        while left and (self.patient or self.fault is None):
            try:
                left = left[os.write(self.fd, left) :]
            except BlockingIOError:  # somebody made the pipe or terminal non-blocking: wait, as it did before
                select.select([], [self.fd], [])
            except OSError as error:
                self.fault = self.fault or error
                break
        return size


def guard() -> None:
    """Replace sys.stdout and sys.stderr, and open what is closed, so that no file of a run becomes number 1.

    A stream that python found closed at its start is None.
    """
    if OUTLETS:
        return
    closed = [stream is None for stream in (sys.stdin, sys.stdout, sys.stderr)]
    numbers = [devnull(fd) if shut else fd for fd, shut in enumerate(closed)]
    if closed[0]:
        sys.stdin = open(os.devnull, encoding="utf-8")
    for name, fd, shut in zip(("stdout", "stderr"), numbers[1:], closed[1:], strict=True):
        fault = OSError(errno.EBADF, "it is closed") if shut else None
        outlet = Outlet(fd, fault=fault, patient=name == "stderr")
        encoding = getattr(getattr(sys, name), "encoding", None) or "utf-8"
        OUTLETS[name] = outlet
        setattr(sys, name, outlet.text(encoding))


def devnull(fd: int) -> int:
    """Open /dev/null as the number `fd`, also for children; as another number where `fd` is taken by now."""
    try:
        os.fstat(fd)
    except OSError:
        pass
    else:
        return os.open(os.devnull, os.O_RDWR)
    opened = os.open(os.devnull, os.O_RDWR)
    os.dup2(opened, fd, inheritable=True)
    if opened != fd:
        os.close(opened)
    os.set_inheritable(fd, True)
    return fd


def guard_worker() -> None:
    """Send what a loss prints in a worker process to stderr: stdout is for tables and --json."""
    guard()
    if "stdout" in OUTLETS:
        os.dup2(OUTLETS["stderr"].fd, OUTLETS["stdout"].fd)
        sys.stdout = sys.stderr = Guarded(sys.stderr)


def restore() -> None:
    """Put the streams back where a case file has replaced or closed one."""
    flush()
    for name, old in list(OUTLETS.items()):
        if getattr(getattr(getattr(sys, name), "buffer", None), "raw", None) is not old or old.closed:
            OUTLETS[name] = Outlet(old.fd, fault=old.fault, patient=old.patient)
            setattr(sys, name, OUTLETS[name].text(old.encoding))


def flush() -> None:
    """Write what the streams still hold."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # not ours: replaced, closed or None
            pass


def faults() -> dict[str, str]:
    """Which streams could not be written, name -> why."""
    flush()
    return {name: str(o.fault.strerror or o.fault) for name, o in OUTLETS.items() if o.fault}


def reader_left() -> bool:
    """Whether stdout failed only because its reader has gone, as `head` does after the lines that it
    wanted."""
    fault = OUTLETS["stdout"].fault if "stdout" in OUTLETS else None
    return fault is not None and fault.errno == errno.EPIPE
