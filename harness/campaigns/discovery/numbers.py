"""The trained numbers of a small module of PyTorch as one vector, and its gradients at many points.

Every point has a fresh minibatch of the same kind as the inputs, and a fresh derivative of the loss by the
outputs: what holds at all of them holds whatever the data and the loss are. Half of the points lie around
the parameters, half around 0, so that a unit of ReLU that the parameters have switched off is on at some;
where a gradient is not finite around 0, as of the root of a parameter, all lie around the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.utils._pytree import tree_map

from noether.networks.twin import Call, gradients_of, outputs, run, twin
from noether.system.usage import UsageError

MOST = 40
"""Trained numbers: 1640 unknowns."""
FEW = 8
"""Different values of an input that is a mask or a constant, rather than data."""


@dataclass(frozen=True)
class Sample:
    """Gradients at some points, (n, d) each: the points, the gradients in float64, and what float32 lacks."""

    points: np.ndarray
    wide: np.ndarray
    apart: np.ndarray

    @property
    def is_finite(self) -> bool:
        return bool(np.isfinite(self.wide).all() and np.isfinite(self.apart).all())

    def and_also(self, other: Sample) -> Sample:
        """The points of both."""
        pairs = [(getattr(self, x), getattr(other, x)) for x in ("points", "wide", "apart")]
        return Sample(*map(np.concatenate, pairs))


class Numbers:
    """The trained numbers of a module as one vector, and its gradients in float64 and in float32.

    Raises UsageError where they are more than MOST.
    """

    def __init__(self, model: torch.nn.Module, call: Call):
        self.parameters = {
            name: p for name, p in model.named_parameters() if p.requires_grad and p.is_floating_point()
        }
        self.starts, self.d = {}, 0
        for name, p in self.parameters.items():
            self.starts[name] = self.d
            self.d += p.numel()
        if self.d > MOST:
            raise UsageError(
                f"it has {self.d} numbers that are trained, must have at most {MOST} for --discover, which "
                "tries every affine motion of them"
            )
        self.call = call
        self.twins = [twin(model, dtype).cpu() for dtype in (torch.float64, torch.float32)]
        to_cpu = lambda x: x.detach().cpu() if isinstance(x, torch.Tensor) else x
        self.given = tree_map(to_cpu, (call.args, call.kwargs))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(
            f"{name}[{', '.join(map(str, at))}]" if p.ndim else name
            for name, p in self.parameters.items()
            for at in np.ndindex(*p.shape)
        )

    def vector(self, by_name: dict) -> np.ndarray:
        """(d,) float64 of tensors by name."""
        return np.concatenate([by_name[n].detach().double().cpu().numpy().ravel() for n in self.parameters])

    def sample(self, count: int, rng: np.random.Generator, generator: torch.Generator) -> Sample:
        """Gradients at so many points. Raises NoTwin."""
        found = self.at(count, rng, generator, centres=(1.0, 0.0))
        return found if found.is_finite else self.at(count, rng, generator, centres=(1.0, 1.0))

    def at(self, count, rng, generator, centres: tuple[float, float]) -> Sample:
        """The same, around these multiples of the parameters in turn, twice as far around 0."""
        centre, sizes = self.box()
        parts = np.resize(centres, count)[:, None]
        points = parts * centre + (2 - parts) * sizes * rng.uniform(-1, 1, (count, self.d))
        points = points.astype(np.float32).astype(np.float64)  # so that float32 can hold them
        pairs = [self.gradients(q, self.minibatch(generator)) for q in points]
        wide, narrow = (np.array([pair[k] for pair in pairs]) for k in (0, 1))
        return Sample(points, wide, wide - narrow)

    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Where points are drawn: around the parameters, as far as those of a tensor or of all are large."""
        q = self.vector(self.parameters)
        whole = np.sqrt((q * q).mean()) or 1.0
        sizes = [
            np.full(p.numel(), max(float(p.detach().double().square().mean()) ** 0.5, whole))
            for p in self.parameters.values()
        ]
        return q, np.concatenate(sizes)

    def minibatch(self, generator: torch.Generator) -> Call:
        """A fresh call of the same shape, with random numbers and slopes of its own."""
        args, kwargs = tree_map(lambda x: fresh(x, generator), self.given)
        masks = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
        call = Call(args, kwargs, {"cpu": masks.get_state()}, self.call.training)
        with torch.no_grad():
            found = outputs(run(self.twins[1], call, torch.float32))
        call.cotangents = [torch.randn(y.shape, generator=generator) for y in found]
        return call

    def gradients(self, q: np.ndarray, call: Call) -> tuple[np.ndarray, np.ndarray]:
        """In float64 and in float32, (d,) each, at a point that float32 can hold. Raises NoTwin."""
        both = []
        for model, dtype in zip(self.twins, (torch.float64, torch.float32), strict=True):
            own = dict(model.named_parameters())
            with torch.no_grad():
                for name, start in self.starts.items():
                    p = own[name]
                    p.copy_(torch.from_numpy(q[start : start + p.numel()]).reshape(p.shape))
            both.append(self.vector(gradients_of(model, [call], dtype)))
        return both[0], both[1]


def fresh(x, generator: torch.Generator):
    """Another input of the same kind: normal numbers of the same mean and deviation, whole numbers drawn from
    those that are there. A mask or a constant stays as it is."""
    if not isinstance(x, torch.Tensor) or x.dtype == torch.bool or x.is_complex():
        return x
    if not x.is_floating_point():
        at = torch.randint(max(1, x.numel()), x.shape, generator=generator)
        return x.reshape(-1)[at] if x.numel() else x
    if not bool(torch.isfinite(x).all()) or len(x.unique()) <= FEW:
        return x
    return x.mean() + x.std() * torch.randn(x.shape, generator=generator, dtype=x.dtype)
