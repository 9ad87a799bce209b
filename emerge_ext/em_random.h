/* em_random.h: random numbers by counter: each a pure function of a key and of where it is used.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC '11, doi:10.1145/2063384.2063405) turns a key of 64 bits and a
 * counter of 128 into 128 random bits. Nothing is carried from one number to the next, so workers share nothing, and
 * what is drawn does not hang on who draws it, when, or how often.
 *
 * Here a counter is a number of 64 bits (which edge), an attempt, and a purpose: no two purposes ever use the same
 * counter, so streams of one key never meet. Anyone may call anything here.
 */
#ifndef EM_RANDOM_H
#define EM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    EM_RANDOM_PAIR = 1, /* pairs of agents */
    EM_RANDOM_REDIRECT, /* whether an edge is redirected, and to whom */
    EM_RANDOM_AGAIN,    /* to whom instead */
    EM_RANDOM_NOISE,    /* normal variates (em_noise.h) */
    EM_RANDOM_ATTACH,   /* to whom a new agent is attached */
    EM_RANDOM_SHUFFLE,  /* the tables of a permutation */
    EM_RANDOM_SWAP,     /* with which edge another swaps its ends */
} em_random_purpose;

#define EM_RANDOM_ROUNDS 10

typedef struct {
    uint32_t word[4];
} em_random_block;

static inline void em_random_round(
    uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d, uint32_t key0, uint32_t key1)
{
    const uint64_t one = UINT64_C(0xD2511F53) * *a, other = UINT64_C(0xCD9E8D57) * *c;
    *a = (uint32_t)(other >> 32) ^ *b ^ key0;
    *b = (uint32_t)other;
    *c = (uint32_t)(one >> 32) ^ *d ^ key1;
    *d = (uint32_t)one;
}

static inline void em_random_next_key(uint32_t *key0, uint32_t *key1)
{
    *key0 += 0x9E3779B9u;
    *key1 += 0xBB67AE85u;
}

static inline em_random_block em_random_philox(em_random_block counter, uint32_t key0, uint32_t key1)
{
    uint32_t *w = counter.word;
    for (int round = 0; round < EM_RANDOM_ROUNDS; round++) {
        em_random_round(&w[0], &w[1], &w[2], &w[3], key0, key1);
        em_random_next_key(&key0, &key1);
    }
    return counter;
}

/* Two words of 64 bits. */
static inline void em_random_draw(
    uint64_t key, uint64_t number, uint32_t attempt, em_random_purpose purpose, uint64_t *one,
    uint64_t *other)
{
    em_random_block counter = {{(uint32_t)number, (uint32_t)(number >> 32), attempt, (uint32_t)purpose}};
    em_random_block drawn = em_random_philox(counter, (uint32_t)key, (uint32_t)(key >> 32));
    *one = (uint64_t)drawn.word[1] << 32 | drawn.word[0];
    *other = (uint64_t)drawn.word[3] << 32 | drawn.word[2];
}

/* Scales a word to one of `choices`, 0 on, all equally likely; false if the word is one of the few that would make some
 * likelier than others: draw another (Lemire 2019, doi:10.1145/3230636). */
static inline bool em_random_below(uint64_t word, uint32_t choices, uint32_t *chosen)
{
    uint64_t high = (word >> 32) * choices, low = (word & UINT32_MAX) * choices;
    *chosen = (uint32_t)((high + (low >> 32)) >> 32);
    uint64_t rest = word * choices;
    return rest >= choices || rest >= (UINT64_MAX - choices + 1) % choices;
}

/* A float64 in [0, 1), of 53 random bits. */
static inline double em_random_unit(uint64_t word)
{
    return (double)(word >> 11) * 0x1p-53;
}

#endif
