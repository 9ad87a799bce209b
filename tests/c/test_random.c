/* Philox against the vectors that its authors publish, and the scaling of words without bias. */
#include "em_random.h"

#include "check.h"

typedef struct {
    uint32_t counter[4], key[2], expected[4];
} vector;

/* kat_vectors of Random123 1.14, philox4x32 with 10 rounds. */
static const vector VECTORS[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void published(void)
{
    for (size_t v = 0; v < sizeof VECTORS / sizeof *VECTORS; v++) {
        const uint32_t *c = VECTORS[v].counter, *k = VECTORS[v].key;
        em_random_block drawn = em_random_philox((em_random_block){{c[0], c[1], c[2], c[3]}}, k[0], k[1]);
        for (int w = 0; w < 4; w++) CHECK(drawn.word[w] == VECTORS[v].expected[w]);
        uint64_t one, other;
        em_random_draw(
            (uint64_t)k[1] << 32 | k[0], (uint64_t)c[1] << 32 | c[0], c[2], (em_random_purpose)c[3], &one,
            &other);
        CHECK(one == ((uint64_t)drawn.word[1] << 32 | drawn.word[0]));
        CHECK(other == ((uint64_t)drawn.word[3] << 32 | drawn.word[2]));
        em_random_block off = em_random_philox((em_random_block){{c[0] ^ 1, c[1], c[2], c[3]}}, k[0], k[1]);
        CHECK(off.word[0] != drawn.word[0] && off.word[3] != drawn.word[3]);
    }
}

/* The upper half of word * choices by schoolbook digits of 16 bits, another way than the one tested. */
static uint32_t upper(uint64_t word, uint32_t choices)
{
    uint64_t carry = 0;
    for (int digit = 0; digit < 4; digit++) carry = (carry + (word >> 16 * digit & 0xffff) * choices) >> 16;
    return (uint32_t)carry;
}

static void unbiased(void)
{
    uint64_t seed = 88172645463325252ull;
    for (int k = 0; k < 200000; k++) {
        uint64_t word = check_random(&seed);
        uint32_t choices = (uint32_t)(check_random(&seed) >> (32 + k % 32)) | 1, chosen;
        CHECK(em_random_below(word, choices, &chosen)); /* one in 2^32 is refused */
        CHECK(chosen == upper(word, choices) && chosen < choices);
        double unit = em_random_unit(word);
        CHECK(unit >= 0.0 && unit < 1.0);
    }
    /* 2^64 is one more than a multiple of 3: one word is refused, and the rest makes equal shares. */
    uint32_t chosen;
    CHECK(!em_random_below(0, 3, &chosen) && em_random_below(1, 3, &chosen) && chosen == 0);
    CHECK(em_random_below(0x5555555555555555, 3, &chosen) && chosen == 0);
    CHECK(em_random_below(0x5555555555555556, 3, &chosen) && chosen == 1);
    CHECK(em_random_below(0xaaaaaaaaaaaaaaaa, 3, &chosen) && chosen == 1);
    CHECK(em_random_below(0xaaaaaaaaaaaaaaab, 3, &chosen) && chosen == 2);
    CHECK(em_random_below(0, 4, &chosen) && em_random_below(UINT64_MAX, 4, &chosen) && chosen == 3);
    CHECK(em_random_below(UINT64_MAX, 1, &chosen) && chosen == 0);
    CHECK(em_random_unit(UINT64_MAX) < 1.0 && em_random_unit(0) == 0.0);
}

int main(int argc, char **argv)
{
    check_size(argc, argv);
    published();
    unbiased();
    return 0;
}
