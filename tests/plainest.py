"""What many tests write, in a short form: the plainest record and case, of which a test names the fields that
it cares for, and long lists of words."""

from noether.cases.case import Case, linear
from noether.verdicts.record import HOLDS, OUTSIDE, Record

UNMEASURED = dict(predicted=None, measured=None, bound=None, spent=None)
RESCALE = linear([[1, 0], [0, -1]], "rescale")  # q0 grows as q1 shrinks: their product stays


def record(law="D0", **facts) -> Record:
    """A record that holds."""
    plain = dict(case="c", rule="r", backend="numpy", precision="float64", lanes=1, steps=1, parameters={})
    plain |= dict(predicted=0.0, measured=0.0, bound=1.0, spent=0.5, verdict=HOLDS, reason="")
    return Record(law=law, **{**plain, **facts})


def silent(**facts) -> Record:
    """A record that measured nothing."""
    return record(**{**UNMEASURED, "verdict": OUTSIDE, **facts})


def case(name, loss, breaking, **fields) -> Case:
    """A case in two dimensions whose loss keeps a rescaling."""
    plain = dict(title="t", source="own", box=((0.5, 1.5), (0.5, 1.5)), symmetries=(RESCALE,))
    return Case(name=name, loss=loss, breaking=breaking, **{**plain, **fields})


def listed(text: str) -> list[str]:
    """What stands between semicolons."""
    return [x.strip() for x in text.split(";")]
