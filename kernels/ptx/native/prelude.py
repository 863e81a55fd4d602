"""The C that every translated kernel begins with: types, bits, binary16, rounding, checked memory.

Registers are unsigned words of 32 or 64 bits; 16-bit values stand zero-extended in 32; predicates are masks,
all ones or zero. Everything is arithmetic on masks: gcc turns a select into a branch where it pleases, gives
up on the loop without a word, and the kernel runs 4 to 9 times slower (gcc 12).
"""

SPACING = 40
"""Bits between the made-up addresses of two arguments, as in kernels/ptx/memory.py."""

WORDS = r"""
#include <stdint.h>
#include <string.h>
typedef uint8_t u8; typedef uint16_t u16; typedef uint32_t u32; typedef uint64_t u64;
typedef int8_t s8; typedef int16_t s16; typedef int32_t s32; typedef int64_t s64;
typedef float f32; typedef double f64;
#define INLINE static inline __attribute__((always_inline, unused))
INLINE f64 real64(u64 x) { f64 y; memcpy(&y, &x, 8); return y; }
INLINE u64 bits64(f64 x) { u64 y; memcpy(&y, &x, 8); return y; }
INLINE f32 real32(u32 x) { f32 y; memcpy(&y, &x, 4); return y; }
INLINE u32 bits32(f32 x) { u32 y; memcpy(&y, &x, 4); return y; }
#define MASK32(c) (0u - (u32)(c))
#define MASK64(c) (0ull - (u64)(c))
#define PICK(m, a, b) (((a) & (m)) | ((b) & ~(m)))
"""

FLUSH = r"""
/* A subnormal becomes the zero of its sign. */
INLINE f32 flush(f32 x) {
  u32 u = bits32(x), e = (u >> 23) & 255u;
  return real32(u & ((0u - ((e + 255u) >> 8)) | 0x80000000u));
}
"""

HALF = r"""
/* binary16 in integers: nearest, ties to even; a sum with 2^-1 (2^28 in f64) rounds at 2^-24, the subnormal
   unit. No float32 here is subnormal: it costs 100 cycles. */
INLINE f32 half(u32 h) {
  u32 sign = (h & 0x8000u) << 16, e = h & 0x7fffu;
  u32 small = bits32((f32)(s32)e * 0x1p-24f), special = MASK32(e > 0x7bffu);
  return real32(sign | PICK(MASK32(e < 0x400u), small, (e << 13) + 0x38000000u + (special & 0x38000000u)));
}
INLINE u32 to_half(f32 x) {
  u32 u = bits32(x), sign = (u >> 16) & 0x8000u, a = u & 0x7fffffffu;
  u32 normal = (a + 0xfffu + ((a >> 13) & 1u) - 0x38000000u) >> 13;
  u32 small = bits32(real32(a) + 0.5f) - 0x3f000000u;
  u32 h = PICK(MASK32(a < 0x38800000u), small, normal);
  h = PICK(MASK32(a > 0x477fefffu), 0x7c00u, h);
  return PICK(MASK32(a > 0x7f800000u), 0x7fffu, h | sign);
}
INLINE u32 to_half64(f64 x) {
  u64 u = bits64(x), sign = (u >> 48) & 0x8000u, a = u & 0x7fffffffffffffffull;
  u64 normal = (a + 0x1ffffffffffull + ((a >> 42) & 1u) - 0x3f00000000000000ull) >> 42;
  u64 small = bits64(real64(a) + 0x1p28) - 0x41b0000000000000ull;
  u64 h = PICK(MASK64(a < 0x3f10000000000000ull), small, normal);
  h = PICK(MASK64(a > 0x40effdffffffffffull), 0x7c00u, h);
  return (u32)PICK(MASK64(a > 0x7ff0000000000000ull), 0x7fffu, h | sign);
}
"""

BFLOAT = r"""
INLINE u32 to_bfloat(f32 x) {
  u32 u = bits32(x);
  return PICK(MASK32((u & 0x7fffffffu) > 0x7f800000u), 0x7fffu, (u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}
"""

EXTREME = r"""
/* A NaN loses, -0 is below +0; with nan set, a NaN wins. Compared as `real`, chosen as bits. */
#define EXTREME(name, U, M, real, above, join) INLINE U name(U a, U b, int nan) { \
  U less = M(real(a) above real(b)), same = M(real(a) == real(b)); \
  U bad_a = M(real(a) != real(a)), bad_b = M(real(b) != real(b)); \
  U r = PICK(bad_b, a, PICK(less, a, b)); r = PICK(same, a join b, r); return nan ? r | bad_a | bad_b : r; }
EXTREME(max_f64, u64, MASK64, real64, >, &) EXTREME(min_f64, u64, MASK64, real64, <, |)
EXTREME(max_f32, u32, MASK32, real32, >, &) EXTREME(min_f32, u32, MASK32, real32, <, |)
EXTREME(max_f16, u32, MASK32, half, >, &) EXTREME(min_f16, u32, MASK32, half, <, |)
"""

WHOLE = r"""
/* A whole real -> integer, saturating; C leaves conversions out of range undefined, so they see 0. */
#define WHOLE(name, R, S, U, M, real, bits, least, beyond, most, nan) INLINE S name(R t) { \
  S r = (S)real(bits(t) & M((t > (R)least) & (t < (R)beyond))); \
  return (S)((U)r | ((U)most & -(U)(t >= (R)beyond)) | ((U)(S)least & -(U)(t <= (R)least)) \
    | ((U)nan & -(U)(t != t))); }
#define WHOLES(f, M, real, bits, wide) \
  WHOLE(whole_s16_##f, f, s32, u32, M, real, bits, -32768, 32768.0, 32767, (wide ? -32768 : 0)) \
  WHOLE(whole_u16_##f, f, u32, u32, M, real, bits, 0, 65536.0, 65535, (wide ? 32768 : 0)) \
  WHOLE(whole_s32_##f, f, s32, u32, M, real, bits, -2147483648.0, 2147483648.0, 0x7fffffff, \
    (wide ? 0x80000000u : 0u)) \
  WHOLE(whole_u32_##f, f, u32, u32, M, real, bits, 0, 4294967296.0, 0xffffffffu, (wide ? 0x80000000u : 0u)) \
  WHOLE(whole_s64_##f, f, s64, u64, M, real, bits, -0x1p63, 0x1p63, 0x7fffffffffffffffull, \
    0x8000000000000000ull) \
  WHOLE(whole_u64_##f, f, u64, u64, M, real, bits, 0, 0x1p64, 0xffffffffffffffffull, 0x8000000000000000ull)
WHOLES(f32, MASK32, real32, bits32, 0) WHOLES(f64, MASK64, real64, bits64, 1)
"""

LIMIT = r"""
/* How many lanes that rise from `first` by `stride` are below `limit`: the first so many. -1 where they pass
   the largest number of their type, `top`, and are no longer the first ones. */
INLINE s64 below(s64 first, s64 stride, s64 limit, s64 top) {
  if (first > top - (W - 1) * stride) return -1;
  if (first >= limit) return 0;
  u64 many = ((u64)limit - (u64)first - 1) / (u64)stride + 1;
  return many < W ? (s64)many : W;
}
"""

MEMORY = r"""
typedef struct { u8 *at; s64 bytes; s64 there; } array;
typedef struct { s64 code, place, block; u64 first, last; } fault;
enum { NOWHERE = 1, OUTSIDE, MISALIGNED, SCATTERED, ENDLESS };

static void failed(fault *f, s64 code, s64 place, s64 block, u64 first, u64 last) {
#pragma omp critical
  if (!f->code || block < f->block) {
    f->place = place; f->block = block; f->first = first; f->last = last;
    __atomic_store_n(&f->code, code, __ATOMIC_RELEASE);
  }
}

/* Where [first, last + size) lies in one argument; NULL and a fault when it does not. */
static u8 *reach(const array *arrays, s64 count, fault *f, s64 place, s64 block, u64 first, u64 last,
    s64 size) {
  s64 index = ((s64)first >> SPACING) - 1;
  if (index < 0 || index >= count || !arrays[index].there) {
    failed(f, NOWHERE, place, block, first, last); return 0;
  }
  u64 base = (u64)(index + 1) << SPACING, low = first - base, high = last - base + (u64)size;
  if (last < first || high > (u64)arrays[index].bytes) {
    failed(f, OUTSIDE, place, block, first, last); return 0;
  }
  if (low % (u64)size) { failed(f, MISALIGNED, place, block, first, last); return 0; }
  return arrays[index].at + low;
}
"""
