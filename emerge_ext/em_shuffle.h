/* em_shuffle.h: a random permutation of any size, computed at one number, forth and back.
 *
 * A number is a high and a low half, as near to each other in range as may be. In turn, each half is changed by a random
 * function of the other: the high one by addition, modulo how many there are, the low one by exclusive or. These are the
 * rounds of Feistel with random functions (Luby, Rackoff 1988, doi:10.1137/0217022). The halves have a few values more
 * than there are numbers; whoever lands there goes on until he is back (cycle walking: Black, Rogaway 2002,
 * doi:10.1007/3-540-45760-7_9). The functions are tables drawn by counters (em_random.h): together some 12 sqrt(size)
 * words.
 *
 * So a permutation takes no memory to speak of, and any worker can ask where any number goes, or where it came from. Once
 * made it never changes: any number of threads may read it. Not all permutations are equally likely, since there are more
 * of them than keys; tests show what is even: places, and all matchings of a few.
 */
#ifndef EM_SHUFFLE_H
#define EM_SHUFFLE_H

#include "em_base.h"
#include "em_random.h"

enum {
    EM_SHUFFLE_ROUNDS =
        6, /* of both halves; after 4 pairs of 40 numbers are not quite even, those of 200 are */
    EM_SHUFFLE_ROUNDS_FEW = 24, /* of few numbers, whose functions have few values to mix with */
    EM_SHUFFLE_FEW = 256,
};

typedef struct {
    uint64_t size;
    int rounds;
    int bits;      /* of the low half */
    uint32_t high; /* values of the high half */
    uint32_t
        *table; /* [rounds][2^bits + high]: what the low half adds to the high one, then what that flips */
} em_shuffle;

/* Draws a table of `size` numbers below `choices`; returns what comes after it. */
static inline uint32_t *em_shuffle_draw(
    uint64_t key, uint32_t sample, uint32_t *table, uint32_t size, uint32_t choices, uint64_t *number)
{
    for (uint32_t k = 0; k < size; (*number)++) {
        uint64_t word[2];
        em_random_draw(key, *number, sample, EM_RANDOM_SHUFFLE, &word[0], &word[1]);
        for (int w = 0; w < 2 && k < size; w++) k += em_random_below(word[w], choices, &table[k]);
    }
    return table + size;
}

/* Makes a permutation of 0 .. size - 1, `size` being at most 2^62; samples of one key are other permutations. */
static inline em_status em_shuffle_init(em_shuffle *shuffle, uint64_t key, uint32_t sample, uint64_t size)
{
    int bits = 0;
    while (UINT64_C(1) << 2 * bits < size) bits++;
    const uint32_t low = UINT32_C(1) << bits;
    *shuffle = (em_shuffle){
        .size = size,
        .rounds = size <= EM_SHUFFLE_FEW ? EM_SHUFFLE_ROUNDS_FEW : EM_SHUFFLE_ROUNDS,
        .bits = bits,
        .high = size > 0 ? (uint32_t)((size - 1) >> bits) + 1 : 1,
    };
    shuffle->table =
        em_base_alloc((size_t)shuffle->rounds * ((size_t)low + shuffle->high) * sizeof *shuffle->table);
    if (shuffle->table == NULL) return EM_NO_MEMORY;
    uint32_t *table = shuffle->table;
    uint64_t number = 0;
    for (int round = 0; round < shuffle->rounds; round++) {
        table = em_shuffle_draw(key, sample, table, low, shuffle->high, &number);
        table = em_shuffle_draw(key, sample, table, shuffle->high, low, &number);
    }
    return EM_OK;
}

static inline void em_shuffle_free(em_shuffle *shuffle)
{
    em_base_free(shuffle->table);
    shuffle->table = NULL;
}

/* All rounds for each number. Numbers take turns within a round, so that none waits for the tables of another. */
static inline void em_shuffle_do(const em_shuffle *shuffle, uint64_t *number, int count)
{
    const size_t low_size = (size_t)1 << shuffle->bits;
    const uint32_t *add = shuffle->table;
    for (int round = 0; round < shuffle->rounds; round++, add += low_size + shuffle->high)
        for (int k = 0; k < count; k++) {
            uint64_t high = number[k] >> shuffle->bits, low = number[k] & (low_size - 1);
            high += add[low];
            high -= high >= shuffle->high ? shuffle->high : 0;
            number[k] = high << shuffle->bits | (low ^ add[low_size + high]);
        }
}

static inline void em_shuffle_undo(const em_shuffle *shuffle, uint64_t *number, int count)
{
    const size_t low_size = (size_t)1 << shuffle->bits;
    for (int round = shuffle->rounds - 1; round >= 0; round--) {
        const uint32_t *add = shuffle->table + (size_t)round * (low_size + shuffle->high);
        for (int k = 0; k < count; k++) {
            uint64_t high = number[k] >> shuffle->bits, low = number[k] & (low_size - 1);
            low ^= add[low_size + high];
            high += high < add[low] ? shuffle->high : 0;
            number[k] = (high - add[low]) << shuffle->bits | low;
        }
    }
}

/* Puts in place of each number where it goes. */
static inline void em_shuffle_forth(const em_shuffle *shuffle, uint64_t *number, int count)
{
    em_shuffle_do(shuffle, number, count);
    for (int k = 0; k < count; k++)
        while (number[k] >= shuffle->size) em_shuffle_do(shuffle, &number[k], 1);
}

/* Puts in place of each number the one that goes there. */
static inline void em_shuffle_back(const em_shuffle *shuffle, uint64_t *number, int count)
{
    em_shuffle_undo(shuffle, number, count);
    for (int k = 0; k < count; k++)
        while (number[k] >= shuffle->size) em_shuffle_undo(shuffle, &number[k], 1);
}

#endif
