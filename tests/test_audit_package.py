"""Every optimizer of a package is found once and made as its signature asks, or refused in its own words."""

import sys

import pytest

torch = pytest.importorskip("torch")

from noether.campaigns.audit import package  # noqa: E402
from noether.system.usage import UsageError  # noqa: E402

SOURCE = {
    "__init__.py": """
        from .plain import Plain, Renamed
        from .odd import *
    """,
    "plain.py": """
        from abc import ABC, abstractmethod
        from torch.optim import SGD, Optimizer

        class Base(Optimizer):
            def __init__(self, params, defaults):
                super().__init__(params, defaults)
            def step(self, closure=None): ...

        class Abstract(Base, ABC):
            def __init__(self, params):
                super().__init__(params, {})
            @abstractmethod
            def update(self): ...

        class Without(Optimizer):
            def __init__(self, params):
                super().__init__(params, {})

        class Plain(Base):
            def __init__(self, params, lr=0.1):
                super().__init__(params, {"lr": lr})

        Renamed = Plain
    """,
    "odd.py": """
        import torch
        from .plain import Base

        class NeedsRate(Base):
            def __init__(self, params, lr, num_iterations):
                super().__init__(params, {"lr": lr, "n": num_iterations})

        class NeedsMomentum(Base):
            def __init__(self, params, lr=0.1, momentum=0.0):
                if not momentum:
                    raise NotImplementedError("there must be momentum")
                super().__init__(params, {"lr": lr})

        class OfModel(Base):
            def __init__(self, model, lr=0.1):
                super().__init__(list(model.parameters()), {"lr": lr})

        class OfNames(Base):
            def __init__(self, params, lr=0.1):
                params = list(params)
                if not isinstance(params[0], tuple):
                    raise TypeError("names are needed")
                super().__init__([p for _, p in params], {"lr": lr})

        class Around(Base):
            def __init__(self, optimizer, k=5):
                self.inner = optimizer
                super().__init__(optimizer.param_groups, {})

        class Sharp(Base):
            def __init__(self, model, params, base_optimizer, rho=0.05, **more):
                assert isinstance(model, torch.nn.Module)
                self.inner = base_optimizer(params, **more)
                super().__init__(params, {})

        class Groups(Base):
            def __init__(self, param_groups):
                super().__init__([{"params": g["params"], "kind": g["use_muon"]} for g in param_groups], {})

        class Impossible(Base):
            def __init__(self, params, oracle):
                super().__init__(params, {})
    """,
    "broken.py": "import a_module_that_is_nowhere\n",
    "tests/__init__.py": "raise SystemExit('imported')\n",
    "deep/__init__.py": "",
    "deep/deeper.py": """
        from ..plain import Plain
        class Plain(Plain): ...
    """,
}
WAYS = {
    "Plain": ({}, ""), "NeedsRate": ({"lr": 1e-3, "num_iterations": 100}, ""),
    "NeedsMomentum": ({"lr": 1e-3, "momentum": 0.9}, ""), "OfModel": ({}, "model: a module"),
    "OfNames": ({}, "names and parameters"), "Around": ({}, "optimizer: SGD of lr 0.001"),
    "Sharp": ({"lr": 1e-3}, "model: a module, params: parameters, base_optimizer: torch.optim.SGD"),
    "Groups": ({}, "groups with use_muon"),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    for name, text in SOURCE.items():
        path = folder / "several_optimizers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = text.splitlines()
        blank = min((len(x) - len(x.lstrip()) for x in lines if x.strip()), default=0)
        path.write_text("\n".join(x[blank:] for x in lines) + "\n")
    sys.path.insert(0, str(folder))
    yield package.classes("several_optimizers")
    sys.path.remove(str(folder))


def test_each_class_is_listed_once_where_a_user_imports_it_from(found):
    words = [x.word for x in found.listed]
    assert words == sorted(words) and len(set(words)) == len(words)
    here = {x.removeprefix("several_optimizers:") for x in words}
    assert here == {*WAYS, "Impossible", "several_optimizers.deep.deeper:Plain"}


@pytest.mark.parametrize("name", WAYS)
def test_what_a_signature_asks_for_is_given_and_told(found, name):
    one = next(x for x in found.listed if x.word == f"several_optimizers:{name}")
    assert (one.options, one.way, one.refused) == (*WAYS[name], "")
    made = package.subject(one)
    p = torch.nn.Parameter(torch.ones(4, 6))
    optimizer = made.make([p], **made.options)
    assert any(x is p for group in optimizer.param_groups for x in group["params"])


def test_a_class_that_cannot_be_made_is_refused_in_its_own_words(found):
    one = next(x for x in found.listed if x.word.endswith("Impossible"))
    assert "oracle" in one.refused and one.refused.startswith("TypeError")
    with pytest.raises(UsageError, match="cannot be made: TypeError"):
        package.subject(one)


def test_modules_that_fail_are_told_and_tests_are_not_imported(found):
    assert list(found.failed) == ["several_optimizers.broken"]
    assert "a_module_that_is_nowhere" in found.failed["several_optimizers.broken"]
    assert "several_optimizers.tests" not in sys.modules


def test_a_package_that_is_not_there_is_wrong_usage():
    with pytest.raises(UsageError, match="must be an installed package"):
        package.classes("a_package_that_is_nowhere")


def test_every_public_class_of_torch_is_found_and_made():
    some = package.classes("torch.optim").listed
    public = {f"torch.optim:{n}" for n, x in vars(torch.optim).items() if package.is_optimizer(x)}
    assert {x.word for x in some} == public and len(public) >= 14
    assert not [x for x in some if x.refused or x.options or x.way]
