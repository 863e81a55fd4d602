"""A shadow beside PyTorch: every tensor operation is done again in wide numbers with a running error.

While the mode is on, each operation that reaches the dispatcher runs as it is, and `operations.py` says what
it means without rounding and how far rounding may have taken it. The shadow of a tensor belongs to its
storage, so that views, slices and writes in place need nothing of their own. What is met for the first time
is taken as it stands, without error.

    unknown   operations whose meaning is not in the tables: their results are taken as they stand
    left      numbers that left the tensors with an error (item(), a comparison in Python): the shadow goes on
              with the number that was really computed
    kinds     types in which results were stored, and how often
    outside   how numbers were handed to what is no tensor operation (leaving.py)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode

from noether.optimizers import fused
from noether.optimizers.meaning import (
    aliases,
    bound,
    kind_of,
    laid,
    meaning,
    nth,
    plain,
    rounded_to,
    scalar,
)
from noether.optimizers.running import UNITS, WIDE, Running, rounding
from noether.optimizers.scope import Scope

SILENT = {"empty", "empty_like", "new_empty", "empty_strided", "resize", "set", "arange", "eye", "randn",
          "rand", "normal", "uniform", "bernoulli", "randn_like", "rand_like", "randint", "random",
          "randperm", "requires_grad", "record_stream", "lift_fresh", "is_same_size", "tensor"}  # fmt: skip
"""Operations after which a tensor is taken as it stands: nothing was computed from other numbers."""

ROOM = 64  # entries, before those of tensors that are gone are looked for


@dataclass
class Entry:
    """The shadow of one storage, flat."""

    storage: StorageWeakRef
    kind: str
    value: np.ndarray
    error: np.ndarray


@dataclass
class Told:
    """What a shadow has seen beside its numbers."""

    unknown: Counter = field(default_factory=Counter)
    left: Counter = field(default_factory=Counter)
    kinds: Counter = field(default_factory=Counter)
    outside: Counter = field(default_factory=Counter)
    off: float = 0.0  # the largest share by which a number that left was not what it means


class Real:
    """The operation that really runs: what it raises is its own."""

    def __init__(self, function):
        self.function, self._schema = function, function._schema
        self.error: Exception | None = None

    def __call__(self, *args, **kwargs):
        try:
            return self.function(*args, **kwargs)
        except Exception as error:
            self.error = error
            raise


class Shadow(TorchDispatchMode):
    """The mode; it can be entered again, and remembers its entries in between.

    rounds  whether errors count the roundings of the operations that really run; if not they are those of the
            shadow's own numbers alone
    scope   which operations are followed, all by default
    beside  shadows that see the same operations and are not entered themselves
    """

    def __init__(self, rounds: bool = True, scope: Scope | None = None, beside: Sequence[Shadow] = ()):
        super().__init__()
        self.rounds, self.scope, self.beside = rounds, scope or Scope(), tuple(beside)
        self.entries: dict[int, Entry] = {}
        self.room = ROOM
        self.told = Told()
        self.written: set[int] = set()  # storages that an operation has written to
        self.failure: Exception | None = None  # of this class, never of the operations that really run

    def forget(self) -> None:
        """Take all tensors as they stand from now on: errors begin again at 0."""
        for shadow in (self, *self.beside):
            shadow.entries.clear()
            shadow.scope.begin(shadow)

    def knows(self, x: torch.Tensor) -> bool:
        """Whether a tensor has a shadow already."""
        found = self.entries.get(x.untyped_storage()._cdata)
        return found is not None and not found.storage.expired()

    # ---- the shadows

    def of(self, x: torch.Tensor) -> Running:
        """The shadow of a tensor, in its shape."""
        kind = kind_of(x)
        if kind not in UNITS and kind != "bool":
            return Running(x.detach().double().numpy().astype(WIDE), WIDE(0))
        entry = self.entry(x)
        return Running(laid(entry.value, x).copy(), laid(entry.error, x).copy())

    def entry(self, x: torch.Tensor) -> Entry:
        """The entry of a tensor's storage, made of the numbers that stand there where there is none."""
        storage = x.untyped_storage()
        found = self.entries.get(storage._cdata)
        if found is None or found.storage.expired() or found.kind != kind_of(x):
            flat = torch.empty(0, dtype=x.dtype).set_(storage)
            numbers = flat.detach().double().numpy().astype(WIDE)
            if len(self.entries) >= self.room:  # what is gone costs memory, until there are twice as many
                self.entries = {key: x for key, x in self.entries.items() if not x.storage.expired()}
                self.room = max(ROOM, 2 * len(self.entries))
            found = Entry(StorageWeakRef(storage), kind_of(x), numbers, np.zeros_like(numbers))
            self.entries[storage._cdata] = found
        return found

    def put(self, x: torch.Tensor, found: Running) -> None:
        """Make `found` the shadow of a tensor."""
        entry = self.entry(x)
        self.written.add(x.untyped_storage()._cdata)
        laid(entry.value, x)[...] = found.value
        laid(entry.error, x)[...] = found.error

    def stands(self, x: torch.Tensor) -> None:
        """Take a tensor as it stands."""
        entry = self.entry(x)
        self.written.add(x.untyped_storage()._cdata)
        laid(entry.value, x)[...] = x.detach().double().numpy()
        laid(entry.error, x)[...] = 0

    # ---- an operation

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        real = Real(function)
        try:
            with torch._C.DisableTorchFunction():
                return self.dispatched(real, args, kwargs)
        except Exception as error:
            if error is not real.error:
                self.failure = error
            raise

    def dispatched(self, function, args, kwargs):
        """The operation as it runs, its result with a shadow."""
        given = bound(function, args, kwargs)
        name = function._schema.name.split("::")[1]
        ends = []
        for shadow in (self, *self.beside):
            with rounding(shadow.rounds):
                ends.append(shadow.begun(function, name, given))
        out = function(*args, **kwargs)
        for shadow, end in zip((self, *self.beside), ends, strict=True):
            with rounding(shadow.rounds):
                end(out)
        return out

    def begun(self, function, name: str, given: dict) -> Callable:
        """Read the operands of an operation before it runs; what is returned takes its result afterwards."""
        if name.startswith("_foreach_"):
            return self.each(function, name[len("_foreach_") :], given)
        if name.rstrip("_") in fused.FUSED:
            return self.fused(name.rstrip("_"), given)
        if not self.scope.concerns(self, name, given):
            return nothing
        if name in ("_local_scalar_dense", "item", "equal", "is_nonzero"):
            return self.leaves(name, given)
        operands = self.operands(given)

        def end(out):
            results = out if isinstance(out, (list, tuple)) else (out,)
            if len(results) > 1 and name in ("max", "min"):  # the value, and where it stands
                results = results[:1]
            for x in results:
                if isinstance(x, torch.Tensor):
                    self.follow(function, name.rstrip("_"), x, given, operands)

        return end

    def operands(self, given: dict) -> dict:
        """The shadows of all tensors among the arguments."""
        return {key: self.shadows(x) for key, x in given.items()}

    def shadows(self, x):
        """A tensor's shadow, a list of them, or what is no tensor as it is."""
        if isinstance(x, torch.Tensor):
            return self.of(x) if plain(x) else x
        if isinstance(x, (list, tuple)) and any(isinstance(y, torch.Tensor) for y in x):
            return [self.shadows(y) for y in x]
        return x

    def follow(self, function, name: str, out: torch.Tensor, given: dict, operands: dict) -> None:
        """The shadow of one result."""
        kind = kind_of(out)
        if not plain(out):
            self.told.unknown[f"{name} of {kind}" if kind not in UNITS else f"{name} of {out.layout}"] += 1
            return
        if kind not in UNITS and kind != "bool" or aliases(function, out, given):
            return
        if (found := meaning(name, kind, out, given, operands)) is not None:
            if kind in UNITS and out.ndim and np.any(found.error > 0):  # what is exact is in no type
                self.told.kinds[kind] += 1
            self.put(out, found)
            return
        self.stands(out)
        if name not in SILENT:
            self.told.unknown[name] += 1

    def each(self, function, name: str, given: dict) -> Callable:
        """An operation on lists of tensors, a row at a time."""
        lists = [x for x in given.values() if isinstance(x, (list, tuple)) and len(x)]
        rows = []
        for i in range(len(lists[0]) if lists else 0):
            row = {key: nth(x, i) for key, x in given.items()}
            rows.append((row, self.operands(row)) if self.scope.concerns(self, name, row) else None)

        def end(out):
            results = out if isinstance(out, (list, tuple)) and len(out) else next(iter(given.values()))
            for x, row in zip(results, rows, strict=False):
                if row is not None:
                    self.follow(function, name.rstrip("_"), x, *row)

        return end

    def fused(self, name: str, given: dict) -> Callable:
        """A whole step that is one operation."""
        options = {key: x for key, x in given.items() if key not in fused.LISTS}
        before = []
        for i in range(len(given["self"])):
            lists = {key: given[key][i] for key in fused.LISTS if given.get(key)}
            if self.scope.concerns(self, name, lists):
                before.append((i, lists, {key: self.of(x) for key, x in lists.items()}))
                for count in (given.get("state_steps") or ())[i : i + 1]:
                    self.stands(count)
        end = lambda out: [self.stepped(name, given, options, *row) for row in before]
        return end if before else nothing

    def stepped(self, name: str, given: dict, options: dict, i: int, lists: dict, state: dict) -> None:
        """The shadows of the i-th parameter after a fused step, and of its state."""
        kind = kind_of(lists["self"])
        p = {key: self.number(x, kind) for key, x in options.items()}
        p["step"] = float(given["state_steps"][i]) if given.get("state_steps") else 0.0
        if fused.skipped(given):
            return
        if p.get("grad_scale") is not None:
            state["grads"] = fused.unscaled(kind, state["grads"], p["grad_scale"])
            self.put(lists["grads"], state["grads"])
        for key, found in fused.FUSED[name](kind, state, p).items():
            self.put(lists[key], rounded_to(kind_of(lists[key]), kind, found))
        self.told.kinds[kind] += 1

    def number(self, x, kind: str):
        """An option of a fused step: a flag as it is, a number with its rounding to the type of the step."""
        if isinstance(x, torch.Tensor):
            return self.of(x)
        return x if isinstance(x, bool) or x is None or isinstance(x, list) else scalar(x, kind)

    def leaves(self, name: str, given: dict) -> Callable:
        """A number that leaves the tensors: remembered where it is not what it means."""
        for x in given.values():
            if isinstance(x, torch.Tensor) and plain(x) and kind_of(x) in (*UNITS, "bool"):
                shadow, real = self.of(x), x.detach().double().numpy()
                if np.any((shadow.value != real) | (shadow.error > 0) & (kind_of(x) == "bool")):
                    self.told.left[name] += 1
                    self.told.off = max(self.told.off, off(shadow, real))
        return nothing


def nothing(out) -> None:
    """What is done with the result of an operation that is not followed."""


def off(shadow: Running, real: np.ndarray) -> float:
    """How far numbers are from what they mean, as a share of it."""
    with np.errstate(all="ignore"):
        share = np.where(shadow.value == real, 0, abs(real - shadow.value) / abs(shadow.value))
    return float(np.max(share, initial=0))
