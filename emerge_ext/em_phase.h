/* em_phase.h: angles: wrap, difference, sine and cosine, and the binary angle.
 *
 * A phase is kept in [0, 2 pi), 2 pi being the nearest double. Loops over these functions are free of branches
 * and calls, so that a compiler makes vectors of them; with contraction and reassociation off, vector and
 * scalar code of any instruction set give the same bits.
 *
 * Sine and cosine: |error| <= 2 ulp of 1 (4.4e-16) for |x| <= EM_PHASE_REACH, against long double
 * (tests/c/test_phase.c). Reduction by pi/2 in two parts after Cody & Waite, 1980; polynomials are those of
 * fdlibm's __kernel_sin and __kernel_cos (Sun Microsystems, 1993), without their tail terms and added in pairs.
 *
 * A binary angle is a 64-bit word in which 2^64 is one turn: it wraps by itself, and a sum of binary angles
 * does not depend on the order of its parts.
 */
#ifndef EM_PHASE_H
#define EM_PHASE_H

#include "em_lane.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define EM_PHASE_TURN  6.283185307179586476925 /* 2 pi, rounded to the nearest double */
#define EM_PHASE_REACH 1048576.0 /* a step that ends beyond this many rad is an error, never wrapped */
#define EM_PHASE_SHIFT 0x1.8p52  /* added and taken away, rounds to the nearest whole number */

static inline uint64_t em_phase_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double em_phase_from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* False beyond reach and for NaN. */
static inline bool em_phase_within_reach(double x)
{
    return fabs(x) <= EM_PHASE_REACH;
}

/* x taken into [0, 2 pi); x itself, to the bit, if it is there. For |x| <= EM_PHASE_REACH. */
static inline double em_phase_wrap(double x)
{
    double turns = (x * (1.0 / EM_PHASE_TURN) - 0.5 + EM_PHASE_SHIFT) - EM_PHASE_SHIFT;
    double r = x - turns * EM_PHASE_TURN;
    r = r < 0.0 ? r + EM_PHASE_TURN : r;
    return r >= EM_PHASE_TURN ? r - EM_PHASE_TURN : r;
}

/* x, less whole turns of 2 pi if it is far: two such numbers add up within reach. fmod rounds nothing. NaN for
 * infinity and NaN. Branches, and calls: not for the loops of a tick. */
static inline double em_phase_draw_near(double x)
{
    return fabs(x) <= EM_PHASE_REACH / 2 ? x : fmod(x, EM_PHASE_TURN);
}

/* The same bits as em_phase_wrap, for half the work, where em_phase_is_near. */
static inline double em_phase_wrap_near(double x)
{
    double r = x < 0.0 ? x + EM_PHASE_TURN : x;
    return r >= EM_PHASE_TURN ? r - EM_PHASE_TURN : r;
}

static inline bool em_phase_is_near(double x)
{
    return fabs(x - EM_PHASE_TURN / 2) < EM_PHASE_TURN;
}

/* The shortest way from b to a, in [-pi, pi). For |a - b| <= EM_PHASE_REACH. */
static inline double em_phase_difference(double a, double b)
{
    return em_phase_wrap(a - b + EM_PHASE_TURN / 2) - EM_PHASE_TURN / 2;
}

#define EM_PHASE_S1 (-1.66666666666666324348e-01)
#define EM_PHASE_S2 8.33333333332248946124e-03
#define EM_PHASE_S3 (-1.98412698298579493134e-04)
#define EM_PHASE_S4 2.75573137070700676789e-06
#define EM_PHASE_S5 (-2.50507602534068634195e-08)
#define EM_PHASE_S6 1.58969099521155010221e-10
#define EM_PHASE_C1 4.16666666666666019037e-02
#define EM_PHASE_C2 (-1.38888888888741095749e-03)
#define EM_PHASE_C3 2.48015872894767294178e-05
#define EM_PHASE_C4 (-2.75573143513906633035e-07)
#define EM_PHASE_C5 2.08757232129817482790e-09
#define EM_PHASE_C6 (-1.13596475577881948265e-11)

#define EM_PHASE_TWO_BY_PI    0.63661977236758134308
#define EM_PHASE_HALF_PI      0x1.921fb544p+0 /* 33 bits, so that a quadrant times it is exact */
#define EM_PHASE_HALF_PI_REST 0x1.0b4611a626331p-34

/* A polynomial in q, for doubles and vectors of them; terms are added in pairs, so that no long chain waits. */
#define EM_PHASE_POLYNOMIAL(name)                                                                            \
    (((name##1) + q * (name##2)) + q2 * ((name##3) + q * (name##4))) + q4 *((name##5) + q * (name##6))

static inline void em_phase_sincos(double x, double *restrict cosine, double *restrict sine)
{
    const double shifted = x * EM_PHASE_TWO_BY_PI + EM_PHASE_SHIFT, quarter = shifted - EM_PHASE_SHIFT;
    const double r = (x - quarter * EM_PHASE_HALF_PI) - quarter * EM_PHASE_HALF_PI_REST;
    const double q = r * r, q2 = q * q, q4 = q2 * q2;
    const double s = r + r * q * (EM_PHASE_POLYNOMIAL(EM_PHASE_S));
    const double c = 1.0 - (0.5 * q - q2 * (EM_PHASE_POLYNOMIAL(EM_PHASE_C)));
    const uint64_t turn = em_phase_bits(shifted); /* its low two bits number the quadrant */
    const uint64_t odd = 0 - (turn & 1);
    const uint64_t s_bits = em_phase_bits(s), c_bits = em_phase_bits(c);
    const uint64_t other = (s_bits ^ c_bits) & odd;
    *sine = em_phase_from_bits(s_bits ^ other ^ ((turn & 2) << 62));
    *cosine = em_phase_from_bits(c_bits ^ other ^ (((turn + 1) & 2) << 62));
}

#if EM_LANE_VECTORS
/* The same of `abreast` vectors, which is a constant, and their sums by lanes; `kept` becomes a copy of the phases. */
static EM_BASE_INLINE void em_phase_sincos_lanes(
    int abreast, const double *phase, double *kept, double *cosine, double *sine, em_lane *re, em_lane *im)
{
    em_lane shifted[EM_LANE_ABREAST], rest[EM_LANE_ABREAST], s[EM_LANE_ABREAST], c[EM_LANE_ABREAST];
    for (int w = 0; w < abreast; w++) {
        const em_lane x = *(const em_lane_of *)(phase + EM_LANE_WIDTH * w);
        *(em_lane_of *)(kept + EM_LANE_WIDTH * w) = x;
        shifted[w] = x * EM_PHASE_TWO_BY_PI + EM_PHASE_SHIFT;
        const em_lane quarter = shifted[w] - EM_PHASE_SHIFT;
        rest[w] = (x - quarter * EM_PHASE_HALF_PI) - quarter * EM_PHASE_HALF_PI_REST;
    }
    for (int w = 0; w < abreast; w++) {
        const em_lane r = rest[w], q = r * r, q2 = q * q, q4 = q2 * q2;
        s[w] = r + r * q * (EM_PHASE_POLYNOMIAL(EM_PHASE_S));
        c[w] = 1.0 - (0.5 * q - q2 * (EM_PHASE_POLYNOMIAL(EM_PHASE_C)));
    }
    for (int w = 0; w < abreast; w++) {
        const em_lane_bits turn = (em_lane_bits)shifted[w], odd = 0 - (turn & 1);
        const em_lane_bits other = ((em_lane_bits)s[w] ^ (em_lane_bits)c[w]) & odd;
        const em_lane y = (em_lane)((em_lane_bits)s[w] ^ other ^ ((turn & 2) << 62));
        const em_lane x = (em_lane)((em_lane_bits)c[w] ^ other ^ (((turn + 1) & 2) << 62));
        *(em_lane_of *)(sine + EM_LANE_WIDTH * w) = y;
        *(em_lane_of *)(cosine + EM_LANE_WIDTH * w) = x;
        re[w % EM_LANE_PARTS] += x, im[w % EM_LANE_PARTS] += y;
    }
}
#endif

/* Sine and cosine of a block, apart, and their sums, by lanes; `kept`, another block, becomes a copy of the phases. */
static inline void em_phase_sincos_block(
    int64_t count, const double *restrict phase, double *restrict kept, double *restrict cosine,
    double *restrict sine, double *restrict sum)
{
    double re[EM_LANE_COUNT] = {0.0}, im[EM_LANE_COUNT] = {0.0};
    int64_t i = 0;
#if EM_LANE_VECTORS
    enum { FEW = EM_LANE_ABREAST * EM_LANE_WIDTH };
    em_lane x[EM_LANE_PARTS] = {0}, y[EM_LANE_PARTS] = {0};
    for (; i + FEW <= count; i += FEW)
        em_phase_sincos_lanes(EM_LANE_ABREAST, phase + i, kept + i, cosine + i, sine + i, x, y);
    for (; i + EM_LANE_COUNT <= count; i += EM_LANE_COUNT)
        em_phase_sincos_lanes(EM_LANE_PARTS, phase + i, kept + i, cosine + i, sine + i, x, y);
    for (int p = 0; p < EM_LANE_PARTS; p++) {
        *(em_lane_of *)(re + EM_LANE_WIDTH * p) = x[p];
        *(em_lane_of *)(im + EM_LANE_WIDTH * p) = y[p];
    }
#endif
    for (; i < count; i++) {
        kept[i] = phase[i];
        em_phase_sincos(phase[i], &cosine[i], &sine[i]);
        re[i % EM_LANE_COUNT] += cosine[i];
        im[i % EM_LANE_COUNT] += sine[i];
    }
    sum[0] = em_lane_tree(re);
    sum[1] = em_lane_tree(im);
}

/* A finite angle in rad as a binary angle, to the rounding of angle / 2 pi. */
static inline uint64_t em_phase_to_binary(double angle)
{
    double turns = angle / EM_PHASE_TURN;
    turns -= nearbyint(turns);
    if (turns >= 0.5) turns -= 1.0;
    return (uint64_t)(int64_t)(turns * 0x1p64);
}

/* A binary angle in rad, in [-pi, pi]. */
static inline double em_phase_from_binary(uint64_t binary)
{
    return (double)(int64_t)binary * (EM_PHASE_TURN * 0x1p-64);
}

#endif
