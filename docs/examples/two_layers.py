"""Two linear layers, 4 -> 4 -> 4, without a bias: 32 parameters, whose symmetries nobody declares.

noether discover docs/examples/two_layers.py:loss --dim 32
"""

INPUTS = [[((7 * i + 3 * s) % 11 - 5) / 4 for i in range(4)] for s in range(9)]
TARGETS = [[((5 * i + 2 * s) % 7 - 3) / 2 for i in range(4)] for s in range(9)]


def loss(q, xp):
    second = [q[4 * i : 4 * i + 4] for i in range(4)]
    first = [q[16 + 4 * i : 20 + 4 * i] for i in range(4)]
    total = 0
    for x, y in zip(INPUTS, TARGETS, strict=True):
        hidden = [sum(w * t for w, t in zip(row, x, strict=True)) for row in first]
        for row, target in zip(second, y, strict=True):
            r = sum(w * t for w, t in zip(row, hidden, strict=True)) - target
            total = total + r * r
    return total / len(INPUTS)
