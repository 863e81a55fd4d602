"""Python, and the command line, in a process of its own."""

import subprocess
import sys

NOETHER = [sys.executable, "-m", "noether"]
PIPES = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def python(*words, **options) -> subprocess.CompletedProcess:
    """Python with these words, to its end; what it printed is text."""
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, **options)


def command_line(*words, **options) -> subprocess.CompletedProcess:
    """The command line with these words, to its end."""
    return python("-m", "noether", *words, **options)
