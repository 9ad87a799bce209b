/* Normal variates: those that Box and Muller's formula makes of published Philox words, agent by agent; and their
 * moments. */
#include "em_noise.h"

#include "check.h"

enum { AGENTS = 200000 };

/* Agent i's variate by the formula and the C library, from the words of its block. */
static double formula(uint64_t key, uint64_t tick, int64_t agent)
{
    const int64_t within = agent % EM_NOISE_GROUP, block = agent / EM_NOISE_GROUP * 8 + within % 8;
    const em_random_block drawn = em_random_philox(
        (em_random_block){{(uint32_t)block, (uint32_t)tick, (uint32_t)(tick >> 32), EM_RANDOM_NOISE}},
        (uint32_t)key, (uint32_t)(key >> 32));
    const uint64_t one = (uint64_t)drawn.word[1] << 32 | drawn.word[0],
                   other = (uint64_t)drawn.word[3] << 32 | drawn.word[2];
    const double unit = 1.0 - (double)(one >> 12) * 0x1p-52;
    const double angle = EM_PHASE_TURN * ((double)(other >> 12) * 0x1p-52 - 0.5);
    return sqrt(-2.0 * log(unit)) * (within < 8 ? cos(angle) : sin(angle));
}

/* The logarithm is within an ulp of the C library's, at the ends and everywhere between. */
static void logarithms(void)
{
    uint64_t seed = 5;
    CHECK(em_noise_log(1.0) == 0.0);
    CHECK(fabs(em_noise_log(0x1p-52) + 52 * log(2.0)) < 1e-14);
    for (int k = 0; k < 200000; k++) {
        const double x = ldexp(1.0 - check_uniform(&seed), -(int)(check_random(&seed) % 53));
        CHECK(fabs(em_noise_log(x) - log(x)) <= 0x1p-52 * fabs(log(x)));
    }
}

/* Known answers, to 20 digits: Philox word by word and the formula with 40 digits, in Python and mpmath. */
static void known(void)
{
    static const struct {
        uint64_t key, tick;
        int64_t agent;
        double expected;
    } asked[] = {
        {0, 0, 0, -2.420543188178344511},           {0, 0, 8, -0.041841168829928142222},
        {1, 2, 17, -0.71294958198060758529},        {UINT64_MAX, UINT64_MAX, 511, 0.38786995869718346981},
        {7, 1ull << 40, 3, 0.27951364148985508087},
    };
    for (size_t k = 0; k < sizeof asked / sizeof *asked; k++) {
        double out;
        em_noise_block(asked[k].key, asked[k].tick, asked[k].agent, 1, &out);
        CHECK(fabs(out - asked[k].expected) < 2e-15); /* the angle is rounded, at most pi */
    }
}

/* A block is what its agents are, wherever it begins and ends. */
static void cut(const double *all)
{
    static const int64_t cuts[][2] = {{0, 1}, {3, 29}, {15, 2}, {16, 16}, {8, 512}, {511, 33}, {1000, 24}};
    double some[512];
    for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
        em_noise_block(99, 12, cuts[c][0], cuts[c][1], some);
        CHECK(memcmp(some, all + cuts[c][0], (size_t)cuts[c][1] * sizeof *some) == 0);
    }
}

int main(int argc, char **argv)
{
    check_size(argc, argv);
    logarithms();
    known();
    double *all = malloc(AGENTS * sizeof *all), moment[5] = {0};
    em_noise_block(99, 12, 0, AGENTS, all);
    for (int64_t i = 0; i < AGENTS; i++) {
        CHECK(fabs(all[i] - formula(99, 12, i)) < 1e-14);
        for (int power = 1; power < 5; power++) moment[power] += pow(all[i], power) / AGENTS;
    }
    const double spread = 5.0 / sqrt(AGENTS); /* five standard errors, of variances 1, 2, 15 and 96 */
    CHECK(fabs(moment[1]) < spread && fabs(moment[2] - 1) < sqrt(2) * spread);
    CHECK(fabs(moment[3]) < sqrt(15) * spread && fabs(moment[4] - 3) < sqrt(96) * spread);
    cut(all);
    free(all);
    return 0;
}
