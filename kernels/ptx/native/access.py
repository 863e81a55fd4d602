"""Loads and stores of a translated kernel as C functions, with the checks of kernels/ptx/memory.py.

The lane loop leaves addresses, masks and values in arrays; then one call moves them. Addresses are made up,
2^40 apart for each argument. One after the other, as far as a mask lets them: one test of bounds. Else lane
by lane, after the bounds of all were tested, so that nothing is written where one lane is outside.

Where the address rises from lane to lane by the bytes of an element (kernels/ptx/affine.py), and the mask, if
there is one, takes the first `many` lanes, there is one address and no mask: `near`. Lanes beyond `many`
take `fill` where the kernel gives them a number before a load.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """One kind of access: the bytes of an element, how many, the words of the registers, whether the sign
    is extended, and whether it is under a mask."""

    store: bool
    size: int
    words: tuple[int, ...]
    signed: bool
    masked: bool
    near: bool = False
    filled: bool = False

    @property
    def name(self) -> str:
        """The name of its C function."""
        words = "_".join(str(w or "none") for w in self.words)
        verb, sign = "store" if self.store else "load", "s" if self.signed else ""
        how = "_near" * self.near + "_filled" * self.filled + "_masked" * self.masked
        return f"{verb}{8 * self.size}{sign}_{words}{how}"

    @property
    def values(self) -> str:
        """The parameters that hold what is moved, one for each number of an element."""
        kind = "const " * self.store
        return "".join(f", {kind}u{w or 32} *restrict v{j}" for j, w in enumerate(self.words))

    def near_text(self) -> str:
        """The C function of a piece of an array."""
        step, last = self.size * len(self.words), "many" if self.masked else "W"
        moves = "\n".join(self._move(j, f"at + l * {step}") for j in range(len(self.words)))
        some = moves.replace("l < W", f"l < {last}")
        rest = "".join(
            f"\n  for (int l = {last}; l < W; l++) v{j}[l] = fill;" for j in range(len(self.words))
        )
        more = ", s64 many" * self.masked + f", u{self.words[0]} fill" * self.filled
        whole = f"if ({last} == W) {{\n{moves}\n    return 0;\n  }}\n" if self.masked else ""
        return f"""
static __attribute__((noinline)) int {self.name}(const array *arrays, s64 count, fault *f, s64 place,
    s64 block, u64 first{more}{self.values}) {{
  typedef u{8 * self.size} __attribute__((aligned(1), may_alias)) cell;
  u8 *at = 0;
  {"if (many < 0) { failed(f, SCATTERED, place, block, first, first); return 1; }" * self.masked}
  if ({last} > 0) {{
    at = reach(arrays, count, f, place, block, first, first + ({last} - 1) * {step}, {step});
    if (!at) return 1;
  }}
  {whole}
{some}{rest if self.filled else ""}
  return 0;
}}
"""

    def text(self) -> str:
        """The C function. It returns 1 where a fault was recorded."""
        if self.near:
            return self.near_text()
        step, values = self.size * len(self.words), self.values
        near = "\n".join(self._move(j, f"at + l * {step}") for j in range(len(self.words)))
        far = "\n".join(
            self._move(j, "at + (a[l] - low)", "if (m[l]) " if self.masked else "")
            for j in range(len(self.words))
        )
        live = "m[l] & " if self.masked else ""
        skip = "if (!m[l]) continue; " if self.masked else ""
        return f"""
static __attribute__((noinline)) int {self.name}(const array *arrays, s64 count, fault *f, s64 place,
    s64 block, const u64 *restrict a{", const u32 *restrict m" if self.masked else ""}{values}) {{
  typedef u{8 * self.size} __attribute__((aligned(1), may_alias)) cell;
  u32 whole = ~0u;
  for (int l = 0; l < W; l++) whole &= {live}MASK32(a[l] == a[0] + (u64)l * {step});
  if (whole) {{
    u8 *at = reach(arrays, count, f, place, block, a[0], a[W - 1], {step});
    if (!at) return 1;
{near}
    return 0;
  }}
  u64 low = ~0ull, high = 0, all = ~0ull, any = 0;
  for (int l = 0; l < W; l++) {{
    {skip}low = a[l] < low ? a[l] : low; high = a[l] > high ? a[l] : high; all &= a[l]; any |= a[l];
  }}
  if (low > high) return 0;
  if ((low ^ high) >> SPACING) {{ failed(f, SCATTERED, place, block, low, high); return 1; }}
  u8 *at = reach(arrays, count, f, place, block, low, high, {step});
  if (!at) return 1;
  if ((all ^ any) & {step - 1}) {{ failed(f, MISALIGNED, place, block, low, high); return 1; }}
{far}
  return 0;
}}
"""

    def _move(self, j: int, at: str, guard: str = "") -> str:
        if self.words[j] == 0:
            return f"    (void)v{j};"
        cell = f"((cell *)({at}))[{j}]"
        if self.store:
            return f"    for (int l = 0; l < W; l++) {guard}{cell} = (cell)v{j}[l];"
        value = f"(s{8 * self.size}){cell}" if self.signed else cell
        return (
            f"    for (int l = 0; l < W; l++) {guard}v{j}[l] = (u{self.words[j]})(s{self.words[j]}){value};"
        )
