"""Faults planted into copies of PyTorch's own optimizers, each of which an audit must name.

A plant is a change of a few letters in the source of a module of torch.optim. The copy is executed under
another name, and nothing of the installed package changes. The letters are those of torch 2.13: a plant whose
letters are not there is refused.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field

from noether.campaigns.audit.subject import Subject


@dataclass(frozen=True)
class Plant:
    """One fault in a copy of an optimizer.

    name     what is wrong
    module   of torch.optim, as "adam";  cls  its class;  like  what it is claimed to be
    changes  (letters, other letters), all of which must be there
    names    what the audit must say of it
    options  what the optimizer is made with
    """

    name: str
    module: str
    cls: str
    like: str
    changes: tuple[tuple[str, str], ...]
    names: str
    options: dict = field(default_factory=dict)

    def make(self) -> Callable:
        """The class of the changed copy. Raises ValueError where the letters are not there."""
        original = importlib.import_module(f"torch.optim.{self.module}")
        text = inspect.getsource(original)
        for old, new in self.changes:
            if old not in text:
                raise ValueError(f"plant {self.name}: torch.optim.{self.module} has no {old!r}")
            text = text.replace(old, new)
        name = f"torch.optim.planted_{self.module}"
        module = types.ModuleType(name)
        module.__package__, module.__file__ = "torch.optim", original.__file__
        sys.modules[name] = module
        exec(compile(text, f"planted {self.module}", "exec"), vars(module))
        return getattr(module, self.cls)

    @property
    def subject(self) -> Subject:
        """What is audited: the for-loop of the changed copy."""
        return Subject(self.name, self.make(), {**self.options, "foreach": False})


STEP = "param.addcdiv_(exp_avg, denom, value=-step_size)"
BELOW = "(exp_avg_sq.sqrt() / bias_correction2_sqrt).add_(eps)"
SHRINK = "param.mul_(1 - lr * weight_decay)"
SQUARE = "exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)"
GRAD = "grad = grads[i] if not maximize else -grads[i]"
DECAYS, KICKS = {"weight_decay": 0.1}, {"momentum": 0.9}


def adam(name: str, names: str, *changes: tuple[str, str], cls="AdamW", **options) -> Plant:
    """A plant in Adam, or in AdamW, which is Adam with another decay."""
    like = {"Adam": "adam", "AdamW": "adamw"}[cls]
    if cls == "AdamW":
        options["decoupled_weight_decay"] = True
    options.setdefault("weight_decay", 0.1)
    return Plant(name, "adam", "Adam", like, changes, names, options)


def sgd(name: str, names: str, *changes: tuple[str, str], **options) -> Plant:
    """A plant in SGD."""
    return Plant(name, "sgd", "SGD", "sgd", changes, names, options)


def rmsprop(name: str, names: str, *changes: tuple[str, str], **options) -> Plant:
    """A plant in RMSprop."""
    return Plant(name, "rmsprop", "RMSprop", "rmsprop", changes, names, options)


def adagrad(name: str, names: str, *changes: tuple[str, str], **options) -> Plant:
    """A plant in Adagrad."""
    return Plant(name, "adagrad", "Adagrad", "adagrad", changes, names, options)


PLANTS = (
    adam("decay of AdamW is coupled", "decay is added to the gradient",
         ("if decoupled_weight_decay:", "if not decoupled_weight_decay:")),
    adam("decay of Adam is decoupled", "shrinks the parameter by lr times k",
         ("if decoupled_weight_decay:", "if not decoupled_weight_decay:"), cls="Adam"),
    adam("decay is not times lr", "not times lr", (SHRINK, "param.mul_(1 - weight_decay)")),
    adam("decay has the wrong sign", "wrong sign", (SHRINK, "param.mul_(1 + lr * weight_decay)")),
    adam("decay enters twice", "decay enters twice",
         (SHRINK, f"grad = grad.add(param, alpha=weight_decay); {SHRINK}")),
    adam("decay is ignored", "no decay", ("if weight_decay != 0:", "if False:")),
    adam("decay comes after the step", "after the step",
         (SHRINK, "pass"), (STEP, f"{STEP}; {SHRINK} #")),
    adam("decay is a tenth", "weight decay is 0.01",
         (SHRINK, "param.mul_(1 - lr * weight_decay * 0.1)")),
    adam("the start of the momentum is not corrected", "the start of the momentum is not corrected",
         ("bias_correction1 = 1 - beta1**step", "bias_correction1 = 1.0")),
    adam("the start of the second moment is not corrected", "the start of the second moment is not corrected",
         ("bias_correction2 = 1 - beta2**step", "bias_correction2 = 1.0")),
    adam("the momentum is corrected twice", "momentum is corrected twice",
         ("step_size = lr / bias_correction1", "step_size = lr / bias_correction1 / bias_correction1")),
    adam("the second moment is corrected twice", "second moment is corrected twice",
         ("bias_correction2_sqrt = bias_correction2**0.5", "bias_correction2_sqrt = bias_correction2")),
    adam("the momentum is corrected by beta2", "corrected by another memory",
         ("bias_correction1 = 1 - beta1**step", "bias_correction1 = 1 - beta2**step")),
    adam("eps stands inside the root", "eps is added inside the root",
         (BELOW, "(exp_avg_sq / bias_correction2).add(eps).sqrt()")),
    adam("eps stands inside the root, uncorrected", "inside the root, before its correction",
         (BELOW, "exp_avg_sq.add(eps).sqrt() / bias_correction2_sqrt")),
    adam("eps stands before the correction", "eps is added to the root before its correction",
         (BELOW, "exp_avg_sq.sqrt().add_(eps) / bias_correction2_sqrt")),
    adam("eps is ten times as large", "eps is 1e-07", (BELOW, BELOW.replace("(eps)", "(10 * eps)"))),
    adam("no root is taken", "no root is taken",
         (BELOW, "(exp_avg_sq / bias_correction2).add_(eps)")),
    adam("steps count from 2", "steps count from 2",
         ("step = _get_value(step_t)", "step = _get_value(step_t) + 1")),
    adam("beta is .9 times 1 - 2^-10", "beta is 0.89912",
         ("exp_avg.lerp_(grad, 1 - device_beta1)",
          "beta1 = 0.9 * (1 - 2.0**-10); exp_avg.lerp_(grad, 1 - beta1)")),
    adam("the momentum keeps beta2", "beta is 0.999",
         ("exp_avg.lerp_(grad, 1 - device_beta1)", "beta1 = beta2; exp_avg.lerp_(grad, 1 - beta1)")),
    adam("the second moment keeps beta", "beta2 is 0.9",
         (SQUARE, f"beta2 = beta1; {SQUARE}")),
    adam("the new square has no share", "the share of a new square",
         (SQUARE, "exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1.0)")),
    adam("squares of the momentum are averaged", "squared momentum",
         (SQUARE, "exp_avg_sq.mul_(beta2).addcmul_(exp_avg, exp_avg, value=1 - beta2)")),
    adam("sizes are averaged unsquared", "unsquared",
         (SQUARE, "exp_avg_sq.mul_(beta2).add_(grad.abs(), alpha=1 - beta2)")),
    adam("what was not foreseen is averaged", "did not foresee",
         (SQUARE, "exp_avg_sq.mul_(beta2).addcmul_(grad - exp_avg, grad - exp_avg, value=1 - beta2)")),
    adam("amsgrad is ignored", "the present second moment divides",
         ("denom = (max_exp_avg_sqs[i].sqrt() / bias_correction2_sqrt).add_(eps)", f"denom = {BELOW}"),
         amsgrad=True, betas=(0.9, 0.9)),
    adam("maximize is ignored", "the loss falls", (GRAD, "grad = grads[i]"), maximize=True),
    adam("the gradient has the wrong sign", "the loss grows", (GRAD, "grad = -grads[i]")),
    adam("lr is times 1 + 2^-10", "lr is 0.0010009765",
         ("step_size = lr / bias_correction1", "step_size = lr * (1 + 2.0**-10) / bias_correction1")),
    adam("the step follows the gradient", "no momentum", (STEP, STEP.replace("exp_avg,", "grad,")),
         ("bias_correction1 = 1 - beta1**step", "bias_correction1 = 1.0")),
    adam("the step looks ahead", "looks ahead (Nesterov)",
         (STEP, STEP.replace("exp_avg,", "exp_avg.lerp(grad, 1 - beta1),"))),
    adam("the momentum passes through bfloat16", "bfloat16",
         (STEP, f"exp_avg.copy_(exp_avg.bfloat16()); {STEP}")),
    adam("the second moment is kept in float16", "float16",
         ("exp_avg_sq.sqrt()", "exp_avg_sq.half().to(exp_avg_sq.dtype).sqrt()")),
    adam("one second moment for all", "one second moment for all",
         (BELOW, "(exp_avg_sq.mean().sqrt() / bias_correction2_sqrt).add_(eps)")),
    adam("the sixth step is left out", "first in step 6",
         (STEP, f"{STEP} if step != 6 else None #")),
    sgd("the first buffer is dampened", "a dampened sum, b' = beta b + (1 - tau) g, from 0",
        ("buf = grad.detach().clone()", "buf = grad.detach().clone().mul_(1 - dampening)"),
        momentum=0.9, dampening=0.25),
    sgd("dampening is ignored", "a sum of gradients",
        ("add_(grad, alpha=1 - dampening)", "add_(grad)"), momentum=0.9, dampening=0.25),
    sgd("Nesterov is ignored", "the step follows the momentum",
        ("grad = grad.add(buf, alpha=momentum)", "grad = buf"), momentum=0.9, nesterov=True),
    sgd("the momentum is an average", "average of gradients",
        ("add_(grad, alpha=1 - dampening)", "add_(grad, alpha=1 - momentum)"), **KICKS),
    sgd("momentum is forgotten", "no momentum", ("buf.mul_(momentum)", "buf.zero_()"), **KICKS),
    sgd("decay has the wrong sign", "it is taken from the gradient",
        ("grad = grad.add(param, alpha=weight_decay)", "grad = grad.add(param, alpha=-weight_decay)"),
        **KICKS, **DECAYS),
    sgd("decay is added to the momentum", "decay shrinks the parameter by lr times k",
        ("        if weight_decay != 0:", "        if False:"),
        ("                grad = buf\n", "                grad = buf.add(param, alpha=weight_decay)\n"),
        **KICKS, **DECAYS),
    sgd("maximize is ignored", "the loss falls", (GRAD, "grad = grads[i]"), maximize=True, **KICKS),
    sgd("momentum is times 1 - 2^-10", "beta is 0.89912",
        ("buf.mul_(momentum)", "buf.mul_(momentum * (1 - 2.0**-10))"), **KICKS),
    sgd("the step is a sign", "the sign of the update", ("param.add_(grad, alpha=-lr)",
        "param.add_(grad.sign(), alpha=-lr)")),
    rmsprop("eps stands inside the root", "eps is added inside the root",
            ("avg = square_avg.sqrt()", "avg = square_avg.add(eps).sqrt()"),
            ("avg = avg.add_(eps)", "pass")),
    rmsprop("the new square is weighed by alpha", "the share of a new square",
            ("addcmul_(grad, grad, value=1 - alpha)", "addcmul_(grad, grad, value=alpha)")),
    rmsprop("centered is ignored", "the average of squared gradients",
            ("        if centered:\n            grad_avg", "        if False:\n            grad_avg"),
            centered=True),
    rmsprop("momentum is carried before the division", "momentum is of gradients",
            ("buf.mul_(momentum).addcdiv_(grad, avg)", "buf.mul_(momentum).add_(grad)"),
            ("param.add_(buf, alpha=-lr)", "param.addcdiv_(buf, avg, value=-lr)"), **KICKS),
    rmsprop("the second moment is corrected", "the start of the second moment is corrected",
            ("avg = square_avg.sqrt()", "avg = (square_avg / (1 - alpha ** float(step))).sqrt()")),
    adagrad("lr decay counts one step more", "steps count from 2",
            ("clr = lr / (1 + (step - 1) * lr_decay)", "clr = lr / (1 + step * lr_decay)"), lr_decay=0.1),
    adagrad("lr decay is ignored", "lr is constant",
            ("clr = lr / (1 + (step - 1) * lr_decay)", "clr = lr"), lr_decay=0.1),
    adagrad("eps stands inside the root", "eps is added inside the root",
            ("std = state_sum.sqrt().add_(eps)", "std = state_sum.add(eps).sqrt()")),
    adagrad("squares are averaged", "the average of squared gradients",
            ("state_sum.addcmul_(grad, grad, value=1)",
             "state_sum.mul_(0.9).addcmul_(grad, grad, value=0.1)")),
)  # fmt: skip
