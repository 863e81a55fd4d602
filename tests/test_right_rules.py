"""Right rules of one's own, written in ways that no rule of the catalogue is: no law calls them wrong."""

import numpy as np
import pytest

from noether.cases import CATALOG
from noether.cases.matrices import norm
from noether.cases.rule import Covector, Parameter, Rule, plain_force, with_decay
from noether.cases.rules import RULES
from noether.kernels.loops.launch import Job, run
from noether.kernels.programs import trace
from noether.kernels.programs.precision import parse, representable
from noether.kernels.programs.program import Op, Program
from noether.laws.exact import EXACT, update
from noether.laws.exact.certified import judge_inside
from noether.laws.exact.judge import spent_of
from noether.mechanics import iteration_bounds, sweep
from noether.mechanics.trajectory import Trajectory
from noether.verdicts.record import HOLDS, OUTSIDE, VIOLATED

NAMED = {case.name: case for case in CATALOG}
FLOOR = Parameter("floor", "the least that a buffer holds", choices=(0.02, 0.07))
MEMORY = Parameter("memory", "memory of the buffer", choices=(0.25, 0.5))


def rule(name: str, update, terms, **what) -> Rule:
    return Rule(name=name, step=("q' = ...",), source="a test", update=update, terms=terms, **what)


def heavy(name: str, moved: bool) -> Rule:
    """Heavy ball whose decoupled decay is under a schedule, and where `moved` is told so its step too."""
    rate = (lambda p: p.c) if moved else (lambda p: 1)

    def update(q, buffers, g, p, xp):
        w = [xp.store_buffer(p.beta * v - p.eta * x) for v, x in zip(buffers[0], g, strict=True)]
        shrunk = [x - p.eta * p.c * p.k * x for x in q]
        return [xp.store(x + rate(p) * y) for x, y in zip(shrunk, w, strict=True)], [w]

    def terms(q, buffers, new, g, p, xp):
        s = 1 - p.k * p.c * p.eta
        of_v = {"momentum": [p.beta * x for x in buffers[0]], "gradient": [-p.eta * x for x in g]}
        return {"q": [s * x for x in q], "the move": [rate(p) * x for x in new[0]]}, [of_v]

    covector = Covector("v", lambda p: p.beta, lambda p: p.eta, plain_force)
    return rule(name, update, terms, known=lambda n, p: {"c": 1 / (1 + 0.5 * n)}, covector=covector)


def remembering() -> Rule:
    """Heavy ball with a memory of its own, which is not called beta."""

    def update(q, buffers, g, p, xp):
        f = with_decay(q, g, p, xp)
        w = [xp.store_buffer(p.memory * v - p.eta * x) for v, x in zip(buffers[0], f, strict=True)]
        return [xp.store(x + y) for x, y in zip(q, w, strict=True)], [w]

    def terms(q, buffers, new, g, p, xp):
        of_v = {"momentum": [p.memory * x for x in buffers[0]], "gradient": [-p.eta * x for x in g]}
        return {"q": q, "v'": new[0]}, [of_v | {"decay": [-p.eta * p.k * x for x in q]}]

    covector = Covector("v", lambda p: p.memory, lambda p: p.eta, with_decay)
    return rule("remembering", update, terms, extra=(MEMORY,), covector=covector)


def floored() -> Rule:
    """A buffer that no operation rounds where it is a parameter: the larger of this and a small number."""
    held = lambda g, p, xp: [xp.maximum(2.0**-40 * x, p.floor) for x in g]

    def update(q, buffers, g, p, xp):
        m = [xp.store_buffer(x) for x in held(g, p, xp)]
        return [xp.store(x + y) for x, y in zip(q, m, strict=True)], [m]

    terms = lambda q, buffers, new, g, p, xp: ({"q": q, "m'": new[0]}, [{"m'": held(g, p, xp)}])
    return rule("floored", update, terms, buffers=("m",), extra=(FLOOR,))


def clipped() -> Rule:
    """Heavy ball along the direction of the gradient."""

    def update(q, buffers, g, p, xp):
        size = xp.maximum(norm(g, xp), 2.0**-10)
        w = [xp.store_buffer(p.beta * v - p.eta * x / size) for v, x in zip(buffers[0], g, strict=True)]
        return [xp.store(x + y) for x, y in zip(q, w, strict=True)], [w]

    def terms(q, buffers, new, g, p, xp):
        rate = p.eta / xp.maximum(xp.sqrt(sum(x * x for x in g)), 2.0**-10)
        of_v = {"momentum": [p.beta * x for x in buffers[0]], "gradient": [-rate * x for x in g]}
        return {"q": q, "v'": new[0]}, [of_v]

    scale = lambda q, g, p, xp: 1 / xp.maximum(norm(g, xp), 2.0**-10)
    covector = Covector("v", lambda p: p.beta, lambda p: p.eta, plain_force, scale)
    return rule("clipped", update, terms, covector=covector)


def judged(of: Rule, case: str, precision: str) -> list:
    """The records of every exact law that speaks of a rule, on a launch of a case."""
    here, about = NAMED[case], dict(case=case, rule=of.name, backend="numpy", precision=precision)
    job = sweep.draw(here, of, parse(precision), lanes=61, steps=16, seed=1)
    t = Trajectory.launched(here, job, *run(job, "numpy").wide())
    laws = [key for key, law in EXACT.items() if law.concerns(here, of, precision)]
    return judge_inside(here, job, t, laws, about=about | dict(parameters={}, cell="x"))


def one_step(of: Rule, case: str, precision: str, lanes: int = 2000) -> Trajectory:
    """A launch of many lanes from random places, with parameters that narrow types do not have."""
    here, p, rng = NAMED[case], parse(precision), np.random.default_rng(0)
    q0 = representable(here.draw(rng, lanes), p.q_store)
    own = [x.draw(rng, lanes) for x in of.extra]
    numbers = [rng.uniform(0.1, 0.5, lanes), rng.uniform(0.1, 0.9, lanes), *np.zeros((2, lanes)), *own]
    params = representable(np.stack(numbers), p.arith)
    v0 = np.zeros((len(of.buffers) * here.dim, lanes))
    job = Job(trace.gradient(here), of, p, q0, v0, params, 1)
    return Trajectory.launched(here, job, *run(job, "numpy").wide())


RIGHT = [
    (heavy("scheduled", moved=True), ("D0", "D2", "D3", "D6")),
    (heavy("scheduled-decay", moved=False), ("D0", "D2", "D3", "D6", "D10")),
    (remembering(), ("D0", "D2", "D3", "D6")),
    (clipped(), ("D0", "D2", "D3")),
]


@pytest.mark.parametrize("precision", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize(("of", "laws"), RIGHT, ids=lambda x: getattr(x, "name", ""))
def test_no_law_calls_a_right_rule_wrong(of, laws, precision):
    found = [r for case in ("free-particle", "complex-phase") for r in judged(of, case, precision)]
    assert not [(r.law, r.case, r.symmetry, r.spent) for r in found if r.verdict == VIOLATED]
    if precision == "float64":
        assert {r.law for r in found if r.verdict == HOLDS} == set(laws)


def test_a_law_of_beta_says_nothing_of_a_rule_whose_memory_is_another_number():
    assert RULES["heavy-ball"].keeps_beta and RULES["gradient-descent"].keeps_beta
    assert not remembering().keeps_beta


def test_a_rule_that_the_screen_cannot_trace_is_not_screened():
    assert not clipped().screened and RULES["heavy-ball"].screened


@pytest.mark.parametrize("precision", ["bfloat16/eager", "float16/eager", "bfloat16"])
def test_a_parameter_that_is_rounded_where_nothing_is_computed_is_within_its_bound(precision):
    spent = spent_of(update(one_step(floored(), "product", precision)))
    assert (spent <= 1).all() and spent.max() > 0.5


def test_the_bound_of_an_iteration_holds_its_constants():
    """x -> a x, where a is rounded before the product is."""
    a, p = 3.4445, parse("bfloat16/eager")
    program = Program(1, (Op("input"), Op("const", value=a), Op("mul", (0, 1))), (2,), ("x[0]", "q[0]"))
    x = representable(np.random.default_rng(0).uniform(0.5, 1, 1000), "bfloat16")
    error = np.abs(program.evaluate([x.astype(np.float32)] * 2, p)[0] - a * x)
    own = iteration_bounds.of_once(program, x[None, None], np.zeros((1, 1000)), p)
    assert (error <= own).all()
    assert (error > 2.0**-8 * a * x).any(), "the rounding of the product alone is more than it is off"


def test_a_step_from_where_the_gradient_is_infinite_is_not_judged():
    """The sum of the weights is 0, whose logarithm is taken: rounded, it need not be, and the step is
    finite."""
    case, p = NAMED["categorical-fisher"], parse("bfloat16/eager")
    q0 = np.array([[-2.78125], [0.5234375], [0.9296875], [1.328125]])
    params = np.array([0.5, 0.5, 0.1, 0.0, 0.999, 2.0**-7])[:, None]
    params = representable(params, p.arith)
    v0 = np.concatenate([np.zeros((4, 1)), np.full((4, 1), 0.03125)])
    job = Job(trace.gradient(case), RULES["lamb"], p, q0, v0, params, 1)
    t = Trajectory.launched(case, job, *run(job, "numpy").wide())
    assert q0.sum() == 0 and t.finite.all() and not np.isfinite(t.g).any()
    about = dict(case=case.name, rule="lamb", backend="numpy", precision=p.label, parameters={}, cell="x")
    found = judge_inside(case, job, t, ["D0", "D2", "D14", "D16"], about=about)
    assert {r.verdict for r in found} == {OUTSIDE}
