/* em_noise.h: normal variates: each a pure function of a key, an agent and a tick.
 *
 * Box & Muller (Ann. Math. Stat. 29, 610, 1958) make two variates of two uniform ones, which are one block of Philox
 * (em_random.h). Agents come by sixteen: agents 16 g + l and 16 g + 8 + l share block 8 g + l, so that eight lanes work
 * side by side. Logarithm: fdlibm's __ieee754_log (Sun Microsystems, 1993), below 1 ulp; sine and cosine: em_phase.h.
 * No branches and no calls: the same bits for vectors of any width.
 */
#ifndef EM_NOISE_H
#define EM_NOISE_H

#include "em_phase.h"
#include "em_random.h"

#define EM_NOISE_LANES 8
#define EM_NOISE_GROUP (2 * EM_NOISE_LANES)

#define EM_NOISE_SQRT_2 1.41421356237309504880
#define EM_NOISE_LN2_HI 6.93147180369123816490e-01
#define EM_NOISE_LN2_LO 1.90821492927058770002e-10

/* ln x for x in (0, 1], no subnormal number. */
static inline double em_noise_log(double x)
{
    const uint64_t bits = em_phase_bits(x);
    const double whole = em_phase_from_bits((bits >> 52) | 0x4330000000000000u) - (0x1p52 + 1023.0);
    const double mantissa = em_phase_from_bits((bits & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u);
    const bool upper = mantissa > EM_NOISE_SQRT_2;
    const double k = upper ? whole + 1.0 : whole, f = (upper ? 0.5 * mantissa : mantissa) - 1.0;
    const double s = f / (2.0 + f), z = s * s, w = z * z, half = 0.5 * f * f;
    const double odd =
        w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
    const double even =
        z * (6.666666666666735130e-01 +
             w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    return k * EM_NOISE_LN2_HI - ((half - (s * (half + (odd + even)) + k * EM_NOISE_LN2_LO)) - f);
}

/* Variates of the agents of a group. */
static EM_BASE_OUTLINE void em_noise_group(uint64_t key, uint64_t tick, int64_t group, double *restrict out)
{
    uint32_t a[EM_NOISE_LANES], b[EM_NOISE_LANES], c[EM_NOISE_LANES], d[EM_NOISE_LANES];
    uint32_t key0 = (uint32_t)key, key1 = (uint32_t)(key >> 32);
    for (int l = 0; l < EM_NOISE_LANES; l++) {
        a[l] = (uint32_t)(EM_NOISE_LANES * group + l);
        b[l] = (uint32_t)tick;
        c[l] = (uint32_t)(tick >> 32);
        d[l] = EM_RANDOM_NOISE;
    }
    for (int round = 0; round < EM_RANDOM_ROUNDS; round++) {
        for (int l = 0; l < EM_NOISE_LANES; l++) em_random_round(&a[l], &b[l], &c[l], &d[l], key0, key1);
        em_random_next_key(&key0, &key1);
    }
    for (int l = 0; l < EM_NOISE_LANES; l++) {
        const uint64_t one = (uint64_t)b[l] << 32 | a[l], other = (uint64_t)d[l] << 32 | c[l];
        const double unit = 2.0 - em_phase_from_bits(one >> 12 | 0x3FF0000000000000u);
        const double turn = em_phase_from_bits(other >> 12 | 0x3FF0000000000000u) - 1.5;
        const double radius = sqrt(-2.0 * em_noise_log(unit));
        double cosine, sine;
        em_phase_sincos(turn * EM_PHASE_TURN, &cosine, &sine);
        out[l] = radius * cosine;
        out[EM_NOISE_LANES + l] = radius * sine;
    }
}

/* Variates of agents first .. first + count - 1, a block or one agent. */
static inline void em_noise_block(
    uint64_t key, uint64_t tick, int64_t first, int64_t count, double *restrict out)
{
    double few[EM_NOISE_GROUP];
    for (int64_t i = first; i < first + count;) {
        const int64_t group = i / EM_NOISE_GROUP, begin = group * EM_NOISE_GROUP,
                      end = begin + EM_NOISE_GROUP;
        if (i == begin && end <= first + count) {
            em_noise_group(key, tick, group, out + (i - first));
            i = end;
            continue;
        }
        em_noise_group(key, tick, group, few);
        for (; i < end && i < first + count; i++) out[i - first] = few[i - begin];
    }
}

#endif
