"""A walk through a network while it runs: what each of its operations demands of a symmetry.

While the mode is on, every operation of PyTorch runs as it is, and `demands.py` and `layers.py` say what it
demands of the exponents of its operands. So the walk needs no source, no graph and no list of module types:
whatever a network does with tensors is seen, functional code, tied weights and parametrizations too.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from noether.networks.demands import SOFTMAX, TABLE, stands
from noether.networks.exponents import CONSTANT, DATA, NOTHING, Exponents, distinct
from noether.networks.layers import LAYERS
from noether.networks.marks import Entry, Normalised, Shifted
from noether.optimizers.meaning import COPIES, JOINED, MOVED, aliases, bound, laid

SILENT = {"empty", "empty_like", "new_empty", "zeros", "ones", "zeros_like", "ones_like", "full",
          "full_like", "arange", "rand", "randn", "rand_like", "randn_like", "bernoulli", "eye", "fill",
          "scalar_tensor", "zero", "randint", "new_zeros", "new_ones", "new_full", "normal", "uniform",
          "lift_fresh"}  # fmt: skip
"""Operations whose results are constants, whatever stood there before."""
MOVES = MOVED | JOINED
MOVES |= {"constant_pad_nd", "_unsafe_view", "reflection_pad2d", "replication_pad2d", "unfold", "im2col"}


class Walk(TorchDispatchMode):
    """The mode, for one call of a model whose hooks may be set."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model, self.entries, self.unknown = model, {}, set()
        self.parameters = {
            n: p for n, p in model.named_parameters() if p.requires_grad and p.is_floating_point()
        }
        self.starts, at = {}, 2
        for name, p in self.parameters.items():
            self.starts[name] = at
            at += p.numel()
        self.equations = Exponents(at - 2)
        self.where: list[str] = [""]
        self.norms: list[Normalised] = []
        self.shifts: list[Shifted] = []
        self.axes: list[tuple[str, np.ndarray]] = []  # who produced variables, and which
        self.together: dict[bytes, np.ndarray] = {}  # variables that one sum runs over
        self.maps: dict[bytes, np.ndarray] = {}  # channels that go through one map
        self.bends: list[np.ndarray] = []
        self._shift, self._made = [], []
        for name, p in self.parameters.items():
            self.put(p, np.arange(self.starts[name], self.starts[name] + p.numel()).reshape(p.shape))

    def run(self, args, kwargs):
        """Call the model and end with its outputs, which do not scale."""
        for x in tree_leaves((args, kwargs)):
            if isinstance(x, torch.Tensor) and x.is_floating_point():
                self.put(x, np.full(tuple(x.shape), DATA, np.int64))
        hooks = [self.named(name, module) for name, module in self.model.named_modules()]
        try:
            with self:
                found = self.model(*args, **kwargs)
        finally:
            for pair in hooks:
                for hook in pair:
                    hook.remove()
        self.where = ["the outputs"]
        for x in tree_leaves(
            vars(found) if hasattr(found, "__dict__") and not isinstance(found, torch.Tensor) else found
        ):
            if isinstance(x, torch.Tensor) and x.is_floating_point():
                self.equations.vanish(self.ids(x))
                self.shifts_end(x, None, by="sample", of_loss=True)
        return found

    def named(self, name: str, module: torch.nn.Module):
        """Hooks that say in which module an operation is."""

        def leave(*_) -> None:  # what a hook returns would take the place of the output
            self.where.pop()

        enter = module.register_forward_pre_hook(lambda *_: self.where.append(name))
        return enter, module.register_forward_hook(leave, always_call=True)

    # ---- what the tables ask for

    def entry(self, x: torch.Tensor) -> Entry:
        storage = x.untyped_storage()
        found = self.entries.get(storage._cdata)
        if found is None or found.storage.expired():
            size = max(1, storage.nbytes() // x.element_size())
            found = Entry(StorageWeakRef(storage), np.full(size, CONSTANT, np.int64))
            self.entries[storage._cdata] = found
        return found

    def ids(self, x: torch.Tensor) -> np.ndarray:
        """The variables of a tensor's exponents, in its shape."""
        if not x.is_floating_point():
            return np.full(tuple(x.shape), CONSTANT, np.int64)
        return laid(self.entry(x).ids, x).copy()

    def number(self, x: torch.Tensor) -> np.ndarray:
        """The same, with NOTHING where a constant is 0 or infinite."""
        found = self.ids(x)
        if not found.any():
            values = x.detach().double().cpu().numpy()
            found = np.where((values == 0) | np.isinf(values), NOTHING, found)
        return found

    def tensors(self, given: dict) -> list[torch.Tensor]:
        return [x for x in tree_leaves(given) if isinstance(x, torch.Tensor) and x.is_floating_point()]

    def is_same(self, x: torch.Tensor, given: dict) -> bool:
        """Whether a result lies where an operand does: a view that is not called one."""
        home = x.untyped_storage()._cdata
        return any(y.untyped_storage()._cdata == home for y in self.tensors(given))

    def is_parameter(self, x: torch.Tensor) -> bool:
        """Whether a tensor lies where a parameter does."""
        return any(x.untyped_storage()._cdata == p.untyped_storage()._cdata for p in self.parameters.values())

    def is_weight(self, ids: np.ndarray) -> bool:
        return self.equations.is_untouched(ids)

    def made_of_weights(self, ids: np.ndarray) -> bool:
        return bool(((ids >= 2) & (ids < self.equations.end)).all())

    def bend(self, ids: np.ndarray) -> None:
        """Only factors of single channels go through, no mixture."""
        self.bends.append(distinct(ids[ids > DATA]))

    def read_together(self, rows: np.ndarray) -> None:
        """One sum runs over each of these rows."""
        for row in rows:
            self.together.setdefault(row.tobytes(), row)

    def carried(self, channels: np.ndarray) -> None:
        """These channels go through one linear map of their own, as the values of one head do."""
        self.maps.setdefault(channels.tobytes(), channels)

    def produced(self, variables: np.ndarray) -> None:
        self.axes.append((self.where[-1], np.asarray(variables)))

    def normalised(self, variables: np.ndarray, eps: float, power: int) -> None:
        self.norms.append(Normalised(self.where[-1], np.asarray(variables), float(eps), power))

    def told_eps(self, ids: np.ndarray, eps: float) -> None:
        self.norms.append(Normalised(self.where[-1], np.unique(ids), eps, 1))

    def product(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The exponents of a @ b for numbers that are no untouched weights, (..., m, n)."""
        a3, b3 = a.reshape(-1, *a.shape[-2:]), np.broadcast_to(b, (*a.shape[:-2], *b.shape[-2:]))
        out, seen = [], {}
        for x, y in zip(a3, b3.reshape(-1, *b.shape[-2:]), strict=True):
            key = (x.tobytes(), y.tobytes())
            if key not in seen:
                seen[key] = self.one_product(x, y)
            out.append(seen[key])
        return np.stack(out).reshape(*a.shape[:-1], b.shape[-1])

    def one_product(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        rows, at = np.unique(a, axis=0, return_inverse=True)
        columns, to = np.unique(b, axis=1, return_inverse=True)
        made = self.equations.fresh(rows.shape[0] * columns.shape[1]).reshape(rows.shape[0], -1)
        self.read_together(rows)
        self.read_together(columns.T)
        if (b == b[:1]).all():  # a sum over places: these channels go through one map, which others do not
            self.carried(b[0])
        for i, row in enumerate(rows):
            for j in range(columns.shape[1]):
                pairs = np.unique(np.stack([row, columns[:, j]]), axis=1)
                for x, y in pairs.T.tolist():
                    self.equations.row((1, x), (1, y), (-1, int(made[i, j])))
        return made[at.ravel()][:, to.ravel()]

    # ---- biases

    def made_by(self, weights: np.ndarray | None) -> None:
        """The result is made by these weights, (inputs, outputs); None where something else made it."""
        self._made = [] if weights is None else [weights]

    def shifts_begin(self, bias: torch.Tensor, shape: tuple[int, ...]) -> None:
        if self.is_parameter(bias):
            self._shift = [np.broadcast_to(self.ids(bias), shape)]

    def shifts_add(self, a: torch.Tensor, b: torch.Tensor) -> None:
        shape = torch.broadcast_shapes(a.shape, b.shape)
        own = [np.broadcast_to(self.ids(x), shape) for x in (a, b) if x.ndim and self.is_parameter(x)]
        self._shift = own + [np.broadcast_to(s, shape) for x in (a, b) for s in self.shifts_of(x)]
        self._made = [*self.entry(a).made, *self.entry(b).made]

    def shifts_of(self, x: torch.Tensor) -> list[np.ndarray]:
        return [laid(s, x) for s in self.entry(x).shifts]

    def shifts_end(self, x: torch.Tensor, groups, by: str, of_loss: bool = False) -> None:
        """Where a mean is subtracted, or a softmax comes: biases that may be moved together.

        groups  indices of channels whose mean is one; None where it is over the last axis
        """
        for shift in self.shifts_of(x):
            if by == "channel":
                row = np.moveaxis(shift, 1, 0).reshape(shift.shape[1], -1)[:, 0]
                found = [row[np.ravel(group)] for group in groups]
            else:
                found = list(np.unique(shift.reshape(-1, shift.shape[-1]), axis=0)) if shift.ndim else []
            if found and all((f >= 2).all() and len(set(f)) == len(f) for f in found):
                self.shifts.append(Shifted(self.where[-1], np.stack(found), of_loss))
        for made in self.entry(x).made if by == "sample" and x.ndim else ():
            if len(distinct(made)) == made.size and made.shape[1] == x.shape[-1]:
                self.shifts.append(Shifted(self.where[-1], made, of_loss))

    def shifted_keys(self, key: torch.Tensor, axis: int) -> None:
        """A bias of keys adds one number to all scores of a query: its components may be moved one by one."""
        for shift in self.shifts_of(key):
            rows = np.moveaxis(shift, axis, -1).reshape(-1, shift.shape[axis])
            per_head = np.unique(rows, axis=0)
            if len(per_head) and (per_head >= 2).all() and len(np.unique(per_head)) == per_head.size:
                self.shifts.append(Shifted(self.where[-1], per_head.reshape(-1, 1)))

    # ---- an operation

    def put(self, x: torch.Tensor, ids: np.ndarray) -> None:
        entry = self.entry(x)
        laid(entry.ids, x)[...] = ids
        entry.shifts, entry.made = [], []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        given = bound(function, args, kwargs)
        name = function._schema.name.split("::")[1].rstrip("_")
        self._shift, self._made = [], []
        found = self.demand(function, name, given)
        out = function(*args, **kwargs)
        first = out[0] if isinstance(out, (list, tuple)) and len(out) else out
        if found is None or not isinstance(first, torch.Tensor) or not first.is_floating_point():
            return out
        if aliases(function, first, given) or self.is_same(first, given) and not function._schema.is_mutable:
            return out
        self.put(first, np.broadcast_to(found, tuple(first.shape)))
        entry = self.entry(first)
        entry.made = self._made
        for shift in self._shift:
            flat = np.zeros_like(entry.ids)
            laid(flat, first)[...] = np.broadcast_to(shift, tuple(first.shape))
            entry.shifts.append(flat)
        return out

    def demand(self, function, name: str, given: dict) -> np.ndarray | None:
        """The exponents of the first result; None where there is none or it is a view."""
        name = name.rstrip("_") if name not in TABLE and name not in LAYERS else name
        if name in SILENT or not self.tensors(given):
            return np.zeros((), np.int64) if name in SILENT else None
        if name in SOFTMAX:
            return stands(self, given)
        if name in COPIES:
            source = given.get("src", given.get("self"))
            self._shift, self._made = self.shifts_of(source), self.entry(source).made
            return self.ids(source)
        if name in LAYERS or name in TABLE:
            if name in ("mul", "div") and not isinstance(given["other"], torch.Tensor):
                self._shift, self._made = self.shifts_of(given["self"]), self.entry(given["self"]).made
            return (LAYERS.get(name) or TABLE[name])(self, given)
        if name in MOVES:
            return self.moved(function, given)
        result = function._schema.returns
        if result and result[0].alias_info is not None and not result[0].alias_info.is_write:
            return None
        self.unknown.add(name)
        return stands(self, given)

    def moved(self, function, given: dict) -> np.ndarray:
        """The operation, done with the variables."""
        swap = lambda x: (
            torch.from_numpy(self.number(x)) if isinstance(x, torch.Tensor) and x.is_floating_point() else x
        )
        changed = {
            k: [swap(y) for y in x] if isinstance(x, (list, tuple)) else swap(x) for k, x in given.items()
        }
        if function._schema.name == "aten::constant_pad_nd":
            value = given.get("value", 0)
            changed["value"] = NOTHING if value == 0 or not np.isfinite(value) else CONSTANT
        positional = [
            changed.pop(a.name) for a in function._schema.arguments if not a.kwarg_only and a.name in changed
        ]
        return function(*positional, **changed).numpy()
