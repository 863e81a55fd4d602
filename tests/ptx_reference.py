"""What each row of the PTX table gives, one number at a time, in exact fractions."""

import math
import operator
from fractions import Fraction

import numpy as np

from noether.kernels.ptx.table import width

# digits, least and too large exponent
FORMAT = {"bf16": (8, -133, 128), "f16": (11, -24, 16), "f32": (24, -149, 128), "f64": (53, -1074, 1024)}


DTYPE = {"f16": np.float16, "f32": np.float32, "f64": np.float64}


ROUND = {"rni": round, "rzi": math.trunc, "rmi": math.floor, "rpi": math.ceil}


OF_INTEGERS = {"add": operator.add, "sub": operator.sub, "neg": operator.neg, "min": min, "max": max}
OF_INTEGERS |= {"abs": abs, "and": operator.and_, "or": operator.or_, "xor": operator.xor}


def rounded(exact: Fraction, kind: str) -> float:
    """To nearest, ties to even; signed zeros are the caller's."""
    digits, least, most = FORMAT[kind]
    size = abs(exact)
    e = size.numerator.bit_length() - size.denominator.bit_length()
    e -= size < Fraction(2) ** e
    unit = Fraction(2) ** max(e - digits + 1, least)
    size = round(size / unit) * unit
    return math.copysign(math.inf if size >= 2**most else float(size), 1 if exact > 0 else -1)


def arithmetic(name, kind, x):
    if name == "div" and math.isfinite(x[0]) and x[1] != 0 and math.isfinite(x[1]):
        exact = Fraction(x[0]) / Fraction(x[1])
        return rounded(exact, kind) if exact else math.copysign(0.0, x[0]) * math.copysign(1.0, x[1])
    if name == "rcp":
        return arithmetic("div", kind, [1.0, *x])
    plain = {
        "add": lambda: x[0] + x[1],
        "sub": lambda: x[0] - x[1],
        "mul": lambda: x[0] * x[1],
        "div": lambda: float(np.float64(x[0]) / np.float64(x[1])),
        "fma": lambda: x[0] * x[1] + x[2],
    }[name]
    if not all(map(math.isfinite, x)):
        if name == "fma" and math.isfinite(x[0]) and math.isfinite(x[1]):
            return x[2]
        return plain()
    if name == "div":
        return plain()
    f = [Fraction(v) for v in x]
    exact = {
        "add": lambda: f[0] + f[1],
        "sub": lambda: f[0] - f[1],
        "mul": lambda: f[0] * f[1],
        "fma": lambda: f[0] * f[1] + f[2],
    }[name]()
    if exact:
        return rounded(exact, kind)
    if name == "fma" and 0 not in x[:2]:
        return 0.0 if exact == 0 else None
    return plain()


def root(x, kind):
    if x != x or x <= 0 or math.isinf(x):
        return math.nan if x < 0 else x
    _, least, _ = FORMAT[kind]
    scale = 2 ** (-2 * least + 200)
    n = math.isqrt(Fraction(x).numerator * scale * scale // Fraction(x).denominator)
    sticky = Fraction(2 * n + (Fraction(n, scale) ** 2 != Fraction(x)), 2 * scale)
    return rounded(sticky, kind)


def extreme(name, nan, a, b):
    if a != a or b != b:
        return math.nan if nan or (a != a and b != b) else (b if a != a else a)
    key = lambda v: (v, math.copysign(1, v))
    return (min if name == "min" else max)(a, b, key=key)


def compared(relation, a, b):
    unordered = a != a or b != b
    relation = {"lo": "lt", "ls": "le", "hi": "gt", "hs": "ge"}.get(relation, relation)
    if relation in ("num", "nan"):
        return unordered == (relation == "nan")
    if relation.endswith("u"):
        return unordered or compared(relation[:-1], a, b)
    if unordered:
        return False
    return {"eq": a == b, "ne": a != b, "lt": a < b, "le": a <= b, "gt": a > b, "ge": a >= b}[relation]


def whole(x, mode, source, result):
    n, signed = int(result[1:]), result[0] == "s"
    if x != x:
        return 0 if source != "f64" and n < 64 else 1 << (n - 1)
    low, high = (-(2 ** (n - 1)), 2 ** (n - 1) - 1) if signed else (0, 2**n - 1)
    return high if x == math.inf else low if x == -math.inf else min(max(ROUND[mode](Fraction(x)), low), high)


def integral(x, mode):
    if not math.isfinite(x):
        return x
    return math.copysign(float(ROUND[mode](Fraction(x))), x)


def flush(x):
    return math.copysign(0.0, x) if abs(x) < 2.0**-126 else x


def converted(words, kinds, x):
    a, b = kinds
    if a[0] == b[0] == "f":
        mode = next((w for w in words if w in ROUND), None)
        if mode:
            return integral(x, mode)
        return rounded(Fraction(x), a) if math.isfinite(x) and x else x
    if b[0] == "f":
        return whole(x, next(w for w in words if w in ROUND), b, a)
    return rounded(Fraction(x), a) if a[0] == "f" and x else x


def reference(mnemonic, x):
    """The value of one mnemonic; x: Python numbers of its source types."""
    name, *words = mnemonic.split(".")
    kinds = [w for w in words if w in FORMAT or (w[0] in "sub" and w[1:].isdigit())]
    kind = kinds[0] if kinds else "pred"
    if "ftz" in words:
        x = [flush(v) for v in x]
        out = reference(mnemonic.replace(".ftz", ""), x)
        return flush(out) if kind == "f32" and name != "setp" else out
    n = width(kind)
    if name == "setp":
        return compared(words[0], *x)
    if name == "selp":
        return x[0] if x[2] else x[1]
    if name == "mov":
        return x[0]
    if name == "cvt":
        return converted(words, kinds, x[0])
    if kind[0] == "f" and name in ("neg", "abs", "copysign"):
        return {
            "neg": lambda: -x[0],
            "abs": lambda: abs(x[0]),
            "copysign": lambda: math.copysign(x[1], x[0]),
        }[name]()
    if kind[0] == "f":
        if name in ("min", "max"):
            return extreme(name, "NaN" in words, *x)
        return root(x[0], kind) if name == "sqrt" else arithmetic(name, kind, x)
    if name in ("shl", "shr"):
        return x[0] << min(x[1], n) if name == "shl" else x[0] >> min(x[1], n)
    if name in ("mul", "mad"):
        product = x[0] * x[1] >> (n if "hi" in words else 0)
        return product + (x[2] if name == "mad" else 0)
    return ~x[0] % 2**n if name == "not" else OF_INTEGERS[name](*x)
