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
    text, heads, about, k = [], [], [], 0

    def array(kind):
        nonlocal k
        n = 32 if kind == "pred" else width(kind)
        heads.append(f".param .u64 .ptr .global .align 1 p{k}")
        text.append(f"ld.param.b64 %rd{k}, [p{k}]; mad.wide.u32 %rd{k}, %t1, {n // 8}, %rd{k};")
        k += 1
        return n, k - 1, "%" + {8: "h", 16: "h", 32: "w", 64: "d"}[n] + str(k - 1)

    for op, literals in rows:
        if op.meaning == "param":
            heads.append(f".param .{op.result[0]} p{k}")
            name = f"p{k}"
            k += 1
            n, at, register = array("b" + str(max(16, width(op.result[0]))))
            text.append(f"{op.mnemonic} {register}, [{name}]; st.global.b{n} [%rd{at}], {register};")
            about.append((op, ["number"], [f"b{n}"]))
            continue
        use, reads = [], []
        if op.meaning == "load":
            n, at, _ = array(op.result[0])
            text.append(f"mad.wide.u32 %rd{at}, %t1, {n // 8 * (len(op.result) - 1)}, %rd{at};")
            use, reads = [f"[%rd{at}]"], ["+".join(op.result)]
        for kind in op.sources if op.meaning not in ("load", "store") else op.sources[1:]:
            if len(use) < len(op.sources) - len(literals) or op.meaning == "store":
                n, at, register = array(kind)
                text.append(f"ld.global.b{n} {register}, [%rd{at}];")
                if kind == "pred":
                    text.append(f"setp.ne.b32 %p{at}, {register}, 0;")
                    register = f"%p{at}"
                use.append(register)
                reads.append(kind)
        if op.meaning == "store":
            n, at, _ = array(op.sources[1])
            text.append(
                f"mad.wide.u32 %rd{at}, %t1, {n // 8 * (len(use) - 1)}, %rd{at}; {op.mnemonic} [%rd{at}], "
                f"{{{', '.join(use)}}};"
            )
            about.append((op, reads, ["+".join(op.sources[1:])]))
            continue
        outs = [array(kind) for kind in op.result]
        names = [
            f"%p{at}" if kind == "pred" else register
            for (_, at, register), kind in zip(outs, op.result, strict=True)
        ]
        target = "|".join(names) if op.result == ("pred", "pred") else f"{{{', '.join(names)}}}"
        text.append(f"{op.mnemonic} {target}, {', '.join([*use, *literals])};")
        for (n, at, register), kind in zip(outs, op.result, strict=True):
            if kind == "pred":
                text.append(f"selp.b32 {register}, 1, 0, %p{at};")
            text.append(f"st.global.b{n} [%rd{at}], {register};")
        about.append((op, reads, list(op.result)))
    registers = (
        f".reg .pred %p<{k}>; .reg .b16 %h<{k}>; .reg .b32 %w<{k}>, %t<3>; .reg .b64 %d<{k}>, %rd<{k}>;"
    )
    start = "mov.u32 %t1, %tid.x; mov.u32 %t2, %ctaid.x; shl.b32 %t2, %t2, 7; add.u32 %t1, %t1, %t2;"
    return f".entry rows({', '.join(heads)})\n.reqntid 128\n{{ {registers}\n{start}\n" + "\n".join(
        text
    ) + "\nret;\n}\n", about


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
        some = [
            0.0,
            1.0,
            0.5,
            1.5,
            2.5,
            0.1,
            info.max,
            info.tiny,
            info.smallest_subnormal,
            np.inf,
            np.nan,
            40000.7,
            65519.0,
            65520.0,
        ]
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
