"""What a compilation ahead of time leaves out changes no instruction of the PTX that a GPU would run.

A loop is compiled for vectors of one element a thread. There Triton's pass TritonGPUCoalesce has nothing to
choose. It takes half of the time and is left out, and so are source lines.
"""

import re
from importlib.metadata import version

import pytest
from test_large_cases import NET

from noether.cases import CORE
from noether.cases.rules import RULES
from noether.kernels.loops import backends
from noether.kernels.programs.precision import parse
from noether.laws.exact.cell import rules_of
from noether.laws.exact.screen import prepare
from noether.laws.normalisation.launches import drawn
from noether.mechanics import sweep

pytest.importorskip("triton")

import ptx_kernels
from test_fused_kernels import ALL, made

from noether.kernels.loops.compiled import compile_ptx

pytestmark = pytest.mark.skipif(version("triton").startswith("3.6."), reason="Triton 3.6 is left to do all")
LABELS = ("float64", "float32", "float16", "bfloat16", "float16/eager", "bfloat16/mixed", "float32")
CASES = {c.name: c for c in CORE}


def trajectory(case, turn):
    rules = rules_of(case)
    return sweep.draw(case, RULES[rules[turn % len(rules)]], parse(LABELS[turn]), lanes=3, steps=2, seed=0)


def screening(name):
    return prepare(
        CASES[name], sweep.draw(CASES[name], RULES["heavy-ball"], parse("float64"), lanes=3, steps=2, seed=0)
    )[0]


JOBS = {f"trajectory {c.name}": lambda c=c, i=i: trajectory(c, i) for i, c in enumerate(CORE)}
JOBS["trajectory in memory"] = lambda: trajectory(NET, 1)
JOBS |= {f"screen {name}": lambda name=name: screening(name) for name in ("mexican-hat", "deformed-rayleigh")}
JOBS["noise"] = lambda: drawn("heavy-ball", "float64", "turning", 2, windows=3, every=4)
JOBS |= {f"step {rule.name}": lambda rule=rule: made(rule, "bfloat16", 130) for rule in ALL[:2]}


LINES = re.compile(r"^\s*(\.loc\b.*|\$L__(tmp|func_begin|func_end)\d+:|//.*)?\n|\s*//.*", re.MULTILINE)


def code(kernel):
    """The PTX without comments and source lines, which are those of wherever it was compiled."""
    return LINES.sub("", kernel.ptx.split("\t.file\t")[0].split(".section")[0])


@pytest.mark.parametrize("arch", [80, 90])
@pytest.mark.parametrize("name", JOBS)
def test_the_ptx_of_a_loop_is_that_of_all_of_tritons_passes(name, arch):
    job = JOBS[name]()
    signature = {name: backends.POINTER[kind] for name, kind in job.pointers.items()}
    signature |= dict.fromkeys(job.scalars, "i32")
    whole = compile_ptx(job.kernel(), signature, job.constexprs(backends.LANES), arch=arch)
    mine, theirs = code(backends.compiled(job, arch)), code(whole)
    assert mine == theirs and f".target sm_{arch}" in mine and mine.count(";") > 20
    assert ".loc" in whole.ptx and ".loc" not in backends.compiled(job, arch).ptx


def test_where_a_thread_has_two_elements_the_pass_changes_the_ptx():
    """The switch is no idle one, and nothing is said of vectors that are longer than threads."""
    signature = {"x_ptr": "*fp64", "trace_ptr": "*fp64", "n": "i32", "steps": "i32"}
    options = dict(constexprs={"D": 2, "BLOCK": 256}, aligned=("x_ptr", "trace_ptr", "n"))
    made = [compile_ptx(ptx_kernels.wander64, signature, **options, bare=x).ptx for x in (False, True)]
    assert made[0] != made[1] and "v2.b64" in made[0] and "v2.b64" not in made[1]
