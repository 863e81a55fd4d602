"""What the fused optimizers share: PyTorch's interface around one launch for each parameter."""

from __future__ import annotations

import numpy as np
import torch

from noether.cases.rule import Rule
from noether.kernels.fused.launch import Step, Undecayed, options, precision_of
from noether.kernels.fused.torch_checks import KINDS, check_gradient, check_numbers, check_parameter
from noether.kernels.loops.backends import WARPS
from noether.kernels.loops.launch import run

BACKENDS = {
    "gpu": "triton-gpu",
    "interpreted": "triton-interpreted",
    "ptx": "triton-ptx",
    "cpu": "triton-cpu",
}
"""How `backend` is spelled -> the backend of kernels/loops/backends.py."""
BLOCK_ON_GPU = 1024


class Fused(torch.optim.Optimizer):
    """What the optimizers share: one launch for each parameter that has a gradient.

    backend     gpu: launched by Triton; interpreted: Triton's interpreter; ptx: its PTX evaluated on the CPU;
                cpu: its PTX translated to C; auto: gpu for tensors of a GPU, ptx for others
    stochastic  whether bfloat16 parameters are rounded at random, with the mean that was computed
    seed        of those roundings, which depend on it, the step, the parameter and the element alone
    """

    names: tuple[str, ...] = ()

    def __init__(self, params, defaults: dict, *, backend: str, stochastic: bool, seed: int):
        if backend not in ("auto", *BACKENDS):
            raise ValueError(f"backend is {backend!r}, must be one of auto, {', '.join(BACKENDS)}")
        if not isinstance(seed, int) or not 0 <= seed < 2**64:
            raise ValueError(f"seed is {seed!r}, must be a whole number from 0 to 2^64 - 1")
        self.backend, self.stochastic, self.seed = backend, bool(stochastic), seed
        super().__init__(params, defaults)

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        for name, usual in (("backend", "auto"), ("stochastic", False), ("seed", 0)):
            self.__dict__.setdefault(name, usual)

    # ---- what a kind of optimizer says

    def rule(self, group: dict) -> Rule:
        """The rule of a group."""
        raise NotImplementedError

    def own(self, group: dict) -> dict[str, float]:
        """The parameters of the rule, by its names, but eps."""
        raise NotImplementedError

    def stepped(self, group: dict) -> Rule | Undecayed:
        """The rule of a group, without the lines of a decay that it has not."""
        return self.rule(group) if float(group["weight_decay"]) else Undecayed(self.rule(group))

    def keeps(self, group: dict) -> bool:
        """Whether the buffers of the rule are stored."""
        return True

    # ---- PyTorch's interface

    def add_param_group(self, param_group: dict) -> None:
        """Add parameters with options of their own. Raises ValueError, TypeError for what cannot be."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        try:
            check_numbers(group)
            for p in group["params"]:
                check_parameter(p, self.stochastic)
        except (TypeError, ValueError):
            self.param_groups.pop()
            raise

    @torch.no_grad()
    def step(self, closure=None):
        """One step of every parameter that has a gradient; gives what the closure gives.

        closure  evaluates the loss again, with gradients
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        place = 0
        for group in self.param_groups:
            check_numbers(group)
            for p in group["params"]:
                if p.grad is not None:
                    self.advance(p, group, place)
                place += 1
        return loss

    def load_state_dict(self, state_dict: dict) -> None:
        """As of PyTorch, but that buffers keep their type: PyTorch casts them to that of the parameter."""
        super().load_state_dict(state_dict)
        saved = [i for group in state_dict["param_groups"] for i in group["params"]]
        mine = [p for group in self.param_groups for p in group["params"]]
        for p, i in zip(mine, saved, strict=True):
            kept = state_dict["state"].get(i, {})
            for name in self.names:
                if name in kept:
                    whole = kept[name].detach().to(p.device, buffer_type(p), copy=True)
                    self.state[p][name] = whole.contiguous()

    # ---- one parameter

    def advance(self, p: torch.Tensor, group: dict, place: int) -> None:
        """One step of one parameter, its number `place` of all."""
        check_gradient(p)
        state, names = self.state[p], self.names if self.keeps(group) else ()
        n = int(state.get("step", 0)) + 1
        first = not names or any(name not in state for name in names)
        empty = lambda: torch.zeros(p.shape, dtype=buffer_type(p), device=p.device)
        kept = [state[name] if name in state else empty() for name in names]
        if p.numel():
            # A buffer that begins now takes its first step, whatever was done without it.
            numbers = numbers_of(self.rule(group), self.own(group), 1 if first else n)
            about = (self.stepped(group), numbers, bool(group["maximize"]), self.stream(n, place))
            q, g = p.detach().contiguous(), p.grad.detach().contiguous()
            if p.is_cuda and self.backend in ("auto", "gpu"):
                on_gpu(q, g, kept, *about)
                written(p, q)
            else:
                self.on_cpu(p, q, g, kept, *about)
        state["step"] = torch.tensor(n)
        state.update(zip(names, kept, strict=True))

    def stream(self, n: int, place: int) -> np.ndarray | None:
        """What random roundings depend on, (4,) int32; None where there are none."""
        if not self.stochastic:
            return None
        words = (self.seed % 2**32, self.seed >> 32, n % 2**32, place)
        return np.array(words, np.uint32).view(np.int32)

    def on_cpu(self, p, q, g, kept, rule, numbers, maximize, stream) -> None:
        """The step of p on this CPU, from contiguous q and g. Raises BackendMissing."""
        if self.backend == "gpu" or p.device.type != "cpu":
            raise ValueError(
                f"backend is {self.backend!r} and a parameter is on {p.device}: gpu takes tensors of a GPU, "
                "interpreted, ptx and cpu take tensors of the CPU, auto takes both"
            )
        arrays = [as_array(x) for x in (q, g, *kept)]
        precision = precision_of(KINDS[p.dtype])
        job = Step(rule, precision, arrays[0], arrays[1], tuple(arrays[2:]), numbers, maximize, stream)
        done = run(job, BACKENDS.get(self.backend, "triton-ptx"))
        for tensor, new in zip((p, *kept), (done.q, *done.buffers), strict=True):
            # Through PyTorch, which so learns that a parameter is another one.
            tensor.copy_(torch.from_numpy(new).view(tensor.dtype).reshape(tensor.shape))


def buffer_type(p: torch.Tensor) -> torch.dtype:
    """The type of a parameter's buffers, which is that of its arithmetic."""
    return torch.float64 if p.dtype == torch.float64 else torch.float32


def numbers_of(rule: Rule, own: dict[str, float], n: int) -> np.ndarray:
    """The numbers of step n, from 1, in the order of Rule.inputs, float64."""
    own = {**{name: float(x) for name, x in own.items()}, "eps": 0.0}
    values = np.array([own[name] for name in rule.parameters])
    known = rule.known_numbers(values[:, None], 1, begun=n - 1)[0, :, 0]
    return np.concatenate([values, known])


def as_array(x: torch.Tensor) -> np.ndarray:
    """A contiguous tensor of the CPU as a vector that shares its memory; bfloat16 as its 16 bits."""
    x = x.detach().reshape(-1)
    return (x.view(torch.uint16) if x.dtype == torch.bfloat16 else x).numpy()


def written(p: torch.Tensor, q: torch.Tensor) -> None:
    """Give p what stands in q, and let PyTorch know where they are one memory."""
    if p.data_ptr() != q.data_ptr():
        p.copy_(q)
    else:
        torch.autograd.graph.increment_version(p)


def on_gpu(q, g, kept: list, rule: Rule, numbers: np.ndarray, maximize: bool, stream) -> None:
    """The step launched by Triton, in the tensors as they are."""
    from noether.kernels.fused.elementwise import elementwise

    raw = lambda x: x.view(torch.uint16) if x.dtype == torch.bfloat16 else x
    first, second = [*kept, *kept, q][:2] if kept else (q, q)  # what is not kept is not read either
    sent = torch.from_numpy(numbers).to(q.device)
    words = torch.from_numpy(np.zeros(4, np.int32) if stream is None else stream).to(q.device)
    arrays = [raw(x.detach()) for x in (q, g, first, second)]
    given = options(
        rule, precision_of(KINDS[q.dtype]), bool(kept), maximize, stream is not None, BLOCK_ON_GPU
    )
    grid = (-(-q.numel() // BLOCK_ON_GPU),)
    with torch.cuda.device(q.device):
        # Without contraction: the bits are those of the rule's lines on every backend.
        elementwise[grid](*arrays, sent, words, q.numel(), **given, num_warps=WARPS, enable_fp_fusion=False)
