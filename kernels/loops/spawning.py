"""Child processes that do not read the script of whoever calls: it may lack the usual guard, and would run
twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import spawn

SCRIPT = ("init_main_from_name", "init_main_from_path")
"""What multiprocessing tells a spawned child of the script of its parent, which the child then imports
(python 3.11 - 3.14)."""
_TURN = threading.Lock()  # two contexts that overlap would leave the change of one behind


@contextmanager
def main_unread() -> Iterator[None]:
    """A context in which the processes that this thread spawns do not import the caller's script. They can be
    sent nothing that the script defines."""
    mine = threading.get_ident()
    with _TURN:
        usual = spawn.get_preparation_data

        def told(name: str) -> dict:
            found = usual(name)
            if threading.get_ident() == mine:  # a child of another thread may need its script
                found = {word: value for word, value in found.items() if word not in SCRIPT}
            return found

        spawn.get_preparation_data = told
        try:
            yield
        finally:
            spawn.get_preparation_data = usual
