/* em_table.h: tables of phasors: what neighbours see of an agent, in the form that its graph reads fastest.
 *
 * Pairs, cosine beside sine, serve gathers; cosines and sines apart serve sums along a line, and agents that look at
 * their own phasor only. Cells are float64 or float32. A table that others write at the same time (`latest`) is one
 * of relaxed 64-bit words and always of pairs: cosine and sine, if float64, may then be of different moments, which is
 * an error of the size of the staleness itself, and none at a fixed point.
 *
 * A phasor is read and added as a whole, by vector or by parts with the same bits; float32 is widened, exactly.
 * Block by block one worker writes; anybody reads what was written before the last join, or anything of `latest`.
 */
#ifndef EM_TABLE_H
#define EM_TABLE_H

#include "em_atomic.h"
#include "em_base.h"
#include "em_phase.h"

#if defined(__GNUC__)
typedef double em_table_pair __attribute__((vector_size(16), may_alias));
typedef float em_table_small __attribute__((vector_size(8), may_alias));
#define EM_TABLE_PART(pair, k)                 ((pair)[k])
#define EM_TABLE_ADD(sum, pair, w)             ((sum) += (w) * (pair))
#define EM_TABLE_PRODUCT(one, two)             ((one) * (two)) /* part by part */
#define EM_TABLE_WIDEN(small)                  __builtin_convertvector(small, em_table_pair)
/* Part by part, w times the product of two pairs. */
#define EM_TABLE_ADD_PRODUCT(sum, one, two, w) ((sum) += (w) * ((one) * (two)))
#else
typedef struct {
    double part[2];
} em_table_pair;
typedef struct {
    float part[2];
} em_table_small;
#define EM_TABLE_PART(pair, k) ((pair).part[k])
#define EM_TABLE_ADD(sum, pair, w)                                                                           \
    ((sum).part[0] += (w) * (pair).part[0], (sum).part[1] += (w) * (pair).part[1])
#define EM_TABLE_PRODUCT(one, two)                                                                           \
    ((em_table_pair){{(one).part[0] * (two).part[0], (one).part[1] * (two).part[1]}})
#define EM_TABLE_ADD_PRODUCT(sum, one, two, w)                                                               \
    ((sum).part[0] += (w) * ((one).part[0] * (two).part[0]),                                                 \
     (sum).part[1] += (w) * ((one).part[1] * (two).part[1]))
#define EM_TABLE_WIDEN(small) ((em_table_pair){{(double)(small).part[0], (double)(small).part[1]}})
#endif

typedef struct {
    void *cells;
    int64_t n;
    bool pairs;  /* cosine beside sine; else all cosines, then all sines */
    bool single; /* float32 */
    bool latest; /* relaxed words, written while they are read */
} em_table;

/* Where the sines begin in a table that keeps them apart, in cells: on a cache line of their own. */
static inline int64_t em_table_apart(int64_t n)
{
    return (n + 31) / 32 * 32;
}

static inline size_t em_table_size(int64_t n, bool single)
{
    return (size_t)(2 * em_table_apart(n)) * (single ? sizeof(float) : sizeof(double));
}

/* Whether a block may be worked on in the table itself, at em_table_cosines and em_table_sines. */
static inline bool em_table_is_plain(const em_table *table)
{
    return !table->pairs && !table->single;
}

static inline double *em_table_cosines(const em_table *table, int64_t first)
{
    return (double *)table->cells + first;
}

static inline double *em_table_sines(const em_table *table, int64_t first)
{
    return (double *)table->cells + em_table_apart(table->n) + first;
}

/* A pair of a table of pairs; what a table is like is told by constants, so that loops have no branches. */
static EM_BASE_INLINE em_table_pair em_table_pick(const void *cells, int64_t j, bool single, bool latest)
{
    if (latest && single) {
        uint64_t word = em_atomic_load((const em_word *)cells + j, memory_order_relaxed);
        em_table_small small;
        memcpy(&small, &word, sizeof small);
        return EM_TABLE_WIDEN(small);
    }
    if (latest) {
        const em_word *word = (const em_word *)cells + 2 * j;
        return (em_table_pair){
            em_phase_from_bits(em_atomic_load(word, memory_order_relaxed)),
            em_phase_from_bits(em_atomic_load(word + 1, memory_order_relaxed))};
    }
    if (single) return EM_TABLE_WIDEN(((const em_table_small *)cells)[j]);
    return ((const em_table_pair *)cells)[j];
}

/* The phasor of an agent, of any table. */
static inline em_table_pair em_table_read(const em_table *table, int64_t j)
{
    if (table->pairs) return em_table_pick(table->cells, j, table->single, table->latest);
    int64_t apart = em_table_apart(table->n);
    if (table->single) {
        const float *cell = (const float *)table->cells + j;
        return (em_table_pair){cell[0], cell[apart]};
    }
    const double *cell = (const double *)table->cells + j;
    return (em_table_pair){cell[0], cell[apart]};
}

/* The phasors of agents first .. first + count - 1, apart. */
static inline void em_table_load(
    const em_table *table, int64_t first, int64_t count, double *restrict cosine, double *restrict sine)
{
    if (table->pairs && !table->single && !table->latest) {
        const double *restrict cell = (const double *)table->cells + 2 * first;
        for (int64_t i = 0; i < count; i++) cosine[i] = cell[2 * i], sine[i] = cell[2 * i + 1];
    } else if (table->pairs && !table->latest) {
        const float *restrict cell = (const float *)table->cells + 2 * first;
        for (int64_t i = 0; i < count; i++) cosine[i] = cell[2 * i], sine[i] = cell[2 * i + 1];
    } else {
        for (int64_t i = 0; i < count; i++) {
            em_table_pair one = em_table_read(table, first + i);
            cosine[i] = EM_TABLE_PART(one, 0);
            sine[i] = EM_TABLE_PART(one, 1);
        }
    }
}

/* Writes them, while others read if the table is `latest`; by the one worker that has the block. */
static inline void em_table_store(
    const em_table *table, int64_t first, int64_t count, const double *restrict cosine,
    const double *restrict sine)
{
    if (table->latest && table->single) {
        for (int64_t i = 0; i < count; i++) {
            float cell[2] = {(float)cosine[i], (float)sine[i]};
            uint64_t word;
            memcpy(&word, cell, sizeof word);
            em_atomic_store((em_word *)table->cells + first + i, word, memory_order_relaxed);
        }
    } else if (table->latest) {
        em_word *word = (em_word *)table->cells + 2 * first;
        for (int64_t i = 0; i < count; i++) {
            em_atomic_store(word + 2 * i, em_phase_bits(cosine[i]), memory_order_relaxed);
            em_atomic_store(word + 2 * i + 1, em_phase_bits(sine[i]), memory_order_relaxed);
        }
    } else if (table->pairs && table->single) {
        float *restrict cell = (float *)table->cells + 2 * first;
        for (int64_t i = 0; i < count; i++) cell[2 * i] = (float)cosine[i], cell[2 * i + 1] = (float)sine[i];
    } else if (table->pairs) {
        double *restrict cell = (double *)table->cells + 2 * first;
        for (int64_t i = 0; i < count; i++) cell[2 * i] = cosine[i], cell[2 * i + 1] = sine[i];
    } else if (table->single) {
        float *restrict cell = (float *)table->cells + first;
        for (int64_t i = 0; i < count; i++) cell[i] = (float)cosine[i];
        for (int64_t i = 0; i < count; i++) cell[em_table_apart(table->n) + i] = (float)sine[i];
    } else {
        memcpy(em_table_cosines(table, first), cosine, (size_t)count * sizeof *cosine);
        memcpy(em_table_sines(table, first), sine, (size_t)count * sizeof *sine);
    }
}

#endif
