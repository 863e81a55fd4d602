"""A kernel of many rows of the PTX table at once: each row has its own arrays, so that one compilation serves
many."""

import numpy as np

from noether.kernels.ptx.table import width

LITERALS = {
    "bfe": [("5", "9"), ("23", "8"), ("31", "60"), ("200", "200"), ("0", "0")],
    "prmt": [("0x7632U",), ("0x5410",), ("0xFB40",)],
}


def variants(op):
    """(op, literal operands at the end): rows that take literals only stand once for each choice."""
    return [(op, x) for x in LITERALS.get(op.meaning, [()])]


def kernel(rows):
    """PTX text of 128 threads a block, and (row, what it reads, what it writes) as types of arrays, in order
    of parameters."""
    text = Text()
    about = [(op, *text.row(op, literals)) for op, literals in rows]
    k = len(text.heads)
    registers = (
        f".reg .pred %p<{k}>; .reg .b16 %h<{k}>; .reg .b32 %w<{k}>, %t<3>; .reg .b64 %d<{k}>, %rd<{k}>;"
    )
    start = "mov.u32 %t1, %tid.x; mov.u32 %t2, %ctaid.x; shl.b32 %t2, %t2, 7; add.u32 %t1, %t1, %t2;"
    body = "\n".join([f"{{ {registers}", start, *text.lines, "ret;", "}"])
    return f".entry rows({', '.join(text.heads)})\n.reqntid 128\n{body}\n", about


class Text:
    """The kernel as it grows: heads, its parameters, and lines; each row says which arrays it reads and
    writes."""

    def __init__(self):
        self.heads, self.lines = [], []

    def array(self, kind):
        """One more array: bits of an element, its number, and the register for an element."""
        n, k = 32 if kind == "pred" else width(kind), len(self.heads)
        self.heads.append(f".param .u64 .ptr .global .align 1 p{k}")
        self.lines.append(f"ld.param.b64 %rd{k}, [p{k}]; mad.wide.u32 %rd{k}, %t1, {n // 8}, %rd{k};")
        return n, k, "%" + {8: "h", 16: "h", 32: "w", 64: "d"}[n] + str(k)

    def row(self, op, literals):
        kinds = {"param": self.parameter, "load": self.load, "store": self.store}
        return kinds[op.meaning](op) if op.meaning in kinds else self.arithmetic(op, literals)

    def parameter(self, op):
        name = f"p{len(self.heads)}"
        self.heads.append(f".param .{op.result[0]} {name}")
        n, at, register = self.array("b" + str(max(16, width(op.result[0]))))
        self.lines.append(f"{op.mnemonic} {register}, [{name}]; st.global.b{n} [%rd{at}], {register};")
        return ["number"], [f"b{n}"]

    def load(self, op):
        at = self.several(op.result)
        self.results(op, [f"[%rd{at}]"])
        return ["+".join(op.result)], list(op.result)

    def store(self, op):
        kinds = op.sources[1:]
        use = [self.operand(kind) for kind in kinds]
        at = self.several(kinds)
        self.lines[-1] += f" {op.mnemonic} [%rd{at}], {{{', '.join(use)}}};"
        return list(kinds), ["+".join(kinds)]

    def arithmetic(self, op, literals):
        kinds = op.sources[: len(op.sources) - len(literals)]
        self.results(op, [*(self.operand(kind) for kind in kinds), *literals])
        return list(kinds), list(op.result)

    def several(self, kinds):
        """An array of so many numbers a thread; its number."""
        n, at, _ = self.array(kinds[0])
        self.lines.append(f"mad.wide.u32 %rd{at}, %t1, {n // 8 * (len(kinds) - 1)}, %rd{at};")
        return at

    def operand(self, kind):
        """The register into which an element of a new array was read."""
        n, at, register = self.array(kind)
        self.lines.append(f"ld.global.b{n} {register}, [%rd{at}];")
        if kind != "pred":
            return register
        self.lines.append(f"setp.ne.b32 %p{at}, {register}, 0;")
        return f"%p{at}"

    def results(self, op, use):
        """The instruction, and its results stored into arrays of their own."""
        outs = [(kind, *self.array(kind)) for kind in op.result]
        names = [f"%p{at}" if kind == "pred" else register for kind, _, at, register in outs]
        target = "|".join(names) if op.result == ("pred", "pred") else f"{{{', '.join(names)}}}"
        self.lines.append(f"{op.mnemonic} {target}, {', '.join(use)};")
        for kind, n, at, register in outs:
            if kind == "pred":
                self.lines.append(f"selp.b32 {register}, 1, 0, %p{at};")
            self.lines.append(f"st.global.b{n} [%rd{at}], {register};")


def odd(kind, lanes, rng):
    """Values of a type as bits: edges, ordinary numbers, random bits."""
    n = 32 if kind == "pred" else width(kind)
    word = np.dtype(f"u{n // 8}")
    if kind == "pred":
        return rng.integers(0, 2, lanes, dtype=word)
    pool = [0, 1, 2, 3, n - 1, n, n + 1, 2 ** (n - 1) - 1, 2 ** (n - 1), 2 ** (n - 1) + 1, 2**n - 1, 2**n - 2]
    bits = (
        rng.integers(0, 2**n, lanes, dtype=word, endpoint=False)
        if n < 64
        else rng.integers(0, 2**64, lanes, dtype=np.uint64)
    )
    if kind[0] == "f" and kind != "f16x2":
        real = np.dtype(f"f{n // 8}")
        info = np.finfo(real)
        some = [0.0, 1.0, 0.5, 1.5, 2.5, 0.1, info.max, info.tiny, info.smallest_subnormal, np.inf, np.nan]
        some += [40000.7, 65519.0, 65520.0]
        some += [2.0**e for e in (-25, -24, -14, 15, 16, 31, 32, 63, 64) if abs(e) < info.maxexp]
        with np.errstate(over="ignore"):
            pool = [int(x) for x in np.array([*some, *(-x for x in some)]).astype(real).view(word)]
            near = (rng.normal(size=lanes) * 10.0 ** rng.integers(-3, 4, lanes)).astype(real).view(word)
        bits = np.where(rng.random(lanes) < 0.5, bits, near)
    return np.where(rng.random(lanes) < 0.4, rng.choice(np.array(pool, word), lanes), bits)


def arguments(about, lanes, rng):
    """Arrays and numbers for the parameters; and the written ones with their types."""
    args, written = [], []
    for op, reads, writes in about:
        for kind in reads:
            if kind == "number":
                value = odd(op.result[0], 1, rng)
                args.append(value.view(f"f{value.itemsize}")[0] if op.result[0][0] == "f" else int(value[0]))
            else:
                parts = [odd(k, lanes, rng) for k in kind.split("+")]
                args.append(np.stack(parts, axis=1).copy())
        for kind in writes:
            parts = kind.split("+")
            n = 32 if kind == "pred" else width(parts[0])
            args.append(np.zeros((lanes, len(parts)), f"u{n // 8}"))
            written.append((op, parts[0], args[-1]))
    return args, written


def same(kind, a, b):
    """Equal bits; any NaN equals any NaN."""
    if kind == "f16x2":
        return (
            same("f16", a.view(np.uint16), b.view(np.uint16)).reshape(len(a), -1).all(axis=1, keepdims=True)
        )
    equal = a == b
    if kind[0] == "f":
        x, y = (v.view(f"f{v.itemsize}") for v in (a, b))
        equal |= np.isnan(x) & np.isnan(y)
    return equal
