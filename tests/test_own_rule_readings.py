"""What is read off a rule of one's own: where its decay is, whatever its number is called, and what it keeps.

Each rule here is right. The laws once accused the first seven: beta was taken for 0 in all of a rule whose
covector keeps nothing, and decay for none where its number is not k, or for coupled alone where it is both.
"""

import pytest

from noether import verify
from noether.cases import CATALOG
from noether.cases.rule import HEAVY, LIGHT, Covector, Parameter, Rule, plain_force
from noether.cases.rules import RULES
from noether.laws.exact import EXACT as EXACT_LAWS
from noether.verdicts.record import HOLDS, VIOLATED

LAM = Parameter("lam", "a weight decay of its own", low=0.03125, high=0.25)
PLAIN = Covector("v", lambda p: p.beta, lambda p: p.eta, plain_force)
EXACT = ("D0", "D1", "D2", "D3", "D4", "D5", "D6", "D10", "D11", "D14")
CASES = ("mexican-hat", "rayleigh-2", "free-particle")


def heavy(
    name,
    left=lambda p: 1,
    force=plain_force,
    beside=None,
    rate=lambda p: p.eta,
    kept=lambda p: p.beta,
    **more,
):
    """v' = kept v - rate f,  q' = left q + v', and what is beside."""

    def update(q, buffers, g, p, xp):
        f = force(q, g, p, xp)
        v = [xp.store_buffer(kept(p) * a - rate(p) * x) for a, x in zip(buffers[0], f, strict=True)]
        other = beside(q, p) if beside else [0] * len(q)
        return [xp.store(left(p) * a + b + c) for a, b, c in zip(q, v, other, strict=True)], [v]

    def terms(q, buffers, new, g, p, xp):
        f = force(q, g, p, xp)
        of_q = {"q": [left(p) * x for x in q], "v'": new[0]} | ({"beside": beside(q, p)} if beside else {})
        return of_q, [{"old": [kept(p) * x for x in buffers[0]], "force": [-rate(p) * x for x in f]}]

    about = dict(
        source="own", step=("v' = a v - b f", "q' = s q + v'"), covector=Covector("v", kept, rate, force)
    )
    return Rule(name=name, update=update, terms=terms, **{**about, **more})


def with_lam(q, g, p, xp):
    return [gi + p.lam * qi for qi, gi in zip(q, g, strict=True)]


def in_two(q, buffers, g, p, xp):
    """Nesterov's method with the gradient step in a buffer of its own, the first, which keeps nothing."""
    a = [xp.store_buffer(-p.eta * (gi + p.k * qi)) for gi, qi in zip(g, q, strict=True)]
    b = [xp.store_buffer(p.beta * old + ai) for ai, old in zip(a, buffers[1], strict=True)]
    return [xp.store(qi + ai + p.beta * bi) for qi, ai, bi in zip(q, a, b, strict=True)], [a, b]


def terms_of_two(q, buffers, new, g, p, xp):
    of_a = {"g": [-p.eta * x for x in g], "k": [-p.eta * p.k * x for x in q]}
    of_b = {"old": [p.beta * x for x in buffers[1]], "a'": new[0]}
    return {"q": q, "a'": new[0], "beta b'": [p.beta * x for x in new[1]]}, [of_a, of_b]


def rms(q, buffers, g, p, xp):
    v = [xp.store_buffer(-p.eta * x) for x in g]
    s = [xp.store_buffer(p.beta * a + (1 - p.beta) * x * x) for a, x in zip(buffers[1], g, strict=True)]
    return [xp.store(a + b / (xp.sqrt(c) + 0.125)) for a, b, c in zip(q, v, s, strict=True)], [v, s]


def terms_of_rms(q, buffers, new, g, p, xp):
    move = [b / (xp.sqrt(c) + 0.125) for b, c in zip(*new, strict=True)]
    of_s = {"old": [p.beta * x for x in buffers[1]], "g^2": [(1 - p.beta) * x * x for x in g]}
    return {"q": q, "step": move}, [{"g": [-p.eta * x for x in g]}, of_s]


TWO = dict(source="own", step=("two buffers",), metric="euclidean")
NONE = dict(kept=lambda p: 0)
DAMPED = dict(rate=lambda p: p.eta * (1 - p.beta), **NONE)
RISING = dict(known=lambda n, p: {"kk": p.k * (1 + n / 8)})
BESIDE = dict(beside=lambda q, p: [-p.eta * p.k * x for x in q])
V_ALONE = Covector("v", lambda p: 0, lambda p: p.eta, plain_force)
RMS = dict(buffers=("v", "s"), covector=V_ALONE) | TWO | {"metric": "adaptive"}
RIGHT = [
    (Rule(name="in-two", update=in_two, terms=terms_of_two, buffers=("a", "b"), **TWO), "coupled", False),
    (Rule(name="rms-two", update=rms, terms=terms_of_rms, **RMS), "none", False),
    (heavy("damped", **DAMPED), "none", False),
    (heavy("lam-decay", left=lambda p: 1 - p.eta * p.lam, extra=(LAM,)), "none", True),
    (heavy("rising-decay", left=lambda p: 1 - p.eta * p.kk, **RISING), "decoupled", True),
    (heavy("const-decay", left=lambda p: 1 - p.eta * 0.0625), "none", True),
    (heavy("both-decays", left=lambda p: 1 - p.eta * p.k, force=HEAVY.force), "both", True),
    (heavy("lam-force", force=with_lam, extra=(LAM,)), "none", False),
    (heavy("damped-decay", force=LIGHT.force, **DAMPED), "coupled", False),
    (heavy("decay-beside", **BESIDE), "decoupled", False),
]
BY_NAME = {c.name: c for c in CATALOG}
NAMED = {rule.name: rule for rule, _, _ in RIGHT}
ASKED = dict(precisions="float64,bfloat16", backend="numpy", lanes=24, steps=12)


@pytest.mark.parametrize(("rule", "decay", "shrinks"), RIGHT, ids=NAMED)
def test_a_right_rule_is_read_as_it_is_and_no_law_accuses_it(rule, decay, shrinks):
    assert (rule.decay, rule.shrinks) == (decay, shrinks)
    laws = ",".join(law for law in EXACT if any(EXACT_LAWS[law].concerns(BY_NAME[c], rule) for c in CASES))
    found = verify(*CASES, rules=rule, laws=laws, **ASKED)
    told = {(r.law, r.verdict) for r in found.records if not r.fault}
    assert VIOLATED not in {verdict for _, verdict in told} and ("D0", HOLDS) in told
    assert (("D2", HOLDS) in told) == (rule.covector is not None)
    assert (("D10", HOLDS) in told) == shrinks
    assert found.exit_code == 0


def test_a_charge_decays_alone_where_no_decay_of_ones_own_draws_q_back():
    assert NAMED["lam-force"].always_drawn_back and not NAMED["rising-decay"].always_drawn_back
    assert not NAMED["both-decays"].always_drawn_back and not RULES["heavy-ball"].always_drawn_back
    (shift, *_) = BY_NAME["free-particle"].symmetries
    assert not EXACT_LAWS["D3"].suits(NAMED["lam-force"], shift)
    assert EXACT_LAWS["D3"].suits(RULES["heavy-ball"], shift)


def test_what_no_step_reads_is_nothing_and_what_one_reads_is_kept():
    assert NAMED["damped"].unread == {"k"} and not NAMED["rising-decay"].unread
    assert RULES["gradient-descent"].unread == {"beta"} and not RULES["adam"].unread & {"beta"}


def test_the_law_of_a_plain_step_is_asked_of_the_usual_force_alone():
    """D11 has eta |g|^2 in it: a force that is multiplied by another number has other terms."""
    assert RULES["gradient-descent"].usual_force and RULES["heavy-ball-maximize"].usual_force
    assert not NAMED["damped-decay"].usual_force and not NAMED["lam-force"].usual_force


@pytest.mark.parametrize("name", RULES)
def test_a_rule_of_the_catalogue_shrinks_q_where_its_decay_is_decoupled(name):
    assert RULES[name].shrinks == (RULES[name].decoupled and name != "lamb")  # whose decay is in its move
