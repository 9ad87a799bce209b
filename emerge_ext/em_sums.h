/* em_sums.h: sums of phasors by group of agents, for graphs whose agents sense sums and nothing else.
 *
 * A piece is what a block and a group have in common (em_groups.h tells its number); each worker writes the pieces of
 * its blocks, and the last arriver adds them up in their order. With one group, the shares of the blocks are its
 * pieces, and there are none here. The running sums are for the gossip schedule (em_gossip.h), in fixed point:
 * additions of whole numbers neither round nor depend on their order.
 */
#ifndef EM_SUMS_H
#define EM_SUMS_H

#include "em_atomic.h"
#include "em_base.h"
#include "em_groups.h"

typedef struct em_sums {
    int32_t groups;          /* most that a graph may have */
    double *total;           /* [groups][2] */
    double *piece;           /* [blocks + groups][2], or NULL: one group */
    em_word *running;        /* [groups][2] */
    struct em_sums *more;    /* those of the next channel, freed with these */
    struct em_sums *smaller; /* those in use before, freed with these */
} em_sums;

static inline void em_sums_free(em_sums *sums)
{
    while (sums != NULL) {
        em_sums *smaller = sums->smaller;
        em_sums_free(sums->more);
        em_base_free(sums->total);
        em_base_free(sums->piece);
        em_base_free(sums->running);
        em_base_free(sums);
        sums = smaller;
    }
}

static inline em_sums *em_sums_create(int channels, int32_t groups, int64_t blocks)
{
    em_sums *sums = em_base_alloc(sizeof *sums);
    if (sums == NULL) return NULL;
    *sums = (em_sums){.groups = groups};
    size_t pairs = 2 * (size_t)groups;
    sums->total = em_base_alloc(pairs * sizeof *sums->total);
    sums->running = em_base_alloc(pairs * sizeof *sums->running);
    if (groups > 1) sums->piece = em_base_alloc((pairs + 2 * (size_t)blocks) * sizeof *sums->piece);
    if (!sums->total || !sums->running || (groups > 1 && !sums->piece)) {
        em_sums_free(sums);
        return NULL;
    }
    for (size_t k = 0; k < pairs; k++) sums->total[k] = 0.0;
    for (size_t k = 0; k < pairs; k++) em_atomic_store(&sums->running[k], 0, memory_order_relaxed);
    if (channels > 1 && (sums->more = em_sums_create(channels - 1, groups, blocks)) == NULL) {
        em_sums_free(sums);
        return NULL;
    }
    return sums;
}

static inline int em_sums_channels(const em_sums *sums)
{
    return sums == NULL ? 0 : 1 + em_sums_channels(sums->more);
}

/* Bytes of these, of all channels, and of all smaller ones. */
static inline int64_t em_sums_size(const em_sums *sums, int64_t blocks)
{
    int64_t size = 0;
    for (; sums != NULL; sums = sums->smaller)
        size += em_sums_size(sums->more, blocks) + (int64_t)sizeof *sums + 32 * sums->groups +
                (sums->piece == NULL ? 0 : 16 * (blocks + sums->groups));
    return size;
}

/* Fixed point: the unit of a sum of n phasors, so that the sum of all fits 62 bits. */
static inline double em_sums_unit(int64_t n)
{
    return ldexp(1.0, 61 - ilogb((double)n));
}

static inline uint64_t em_sums_fixed(double share, double unit)
{
    return (uint64_t)(int64_t)(share * unit);
}

/* What an agent of `group` senses of all, itself included: by the running sums, or by the totals. */
static inline void em_sums_field(
    const em_sums *sums, const em_graph *graph, int32_t group, bool running, double *field)
{
    const double *weight = graph->between + (size_t)group * (size_t)graph->groups;
    const double unit = running ? em_sums_unit(graph->n) : 1.0;
    field[0] = field[1] = 0.0;
    for (int32_t b = 0; b < graph->groups; b++)
        for (int k = 0; k < 2; k++) {
            double sum = sums->total[2 * b + k];
            if (running)
                sum = (double)(int64_t)em_atomic_load(&sums->running[2 * b + k], memory_order_relaxed) / unit;
            field[k] += weight[b] * sum;
        }
}

/* For another graph: numbers that no piece has stay 0. */
static inline void em_sums_clear(em_sums *sums, const em_graph *graph)
{
    if (sums->piece == NULL) return;
    int64_t pieces = em_graph_blocks(graph->n) + graph->groups;
    for (int64_t k = 0; k < 2 * pieces; k++) sums->piece[k] = 0.0;
}

/* Adds up the pieces, or takes the sum of all as that of the one group. */
static inline void em_sums_add_up(em_sums *sums, const em_graph *graph, const double *all)
{
    if (graph->groups == 1) {
        sums->total[0] = all[0];
        sums->total[1] = all[1];
        return;
    }
    for (int32_t group = 0; group < graph->groups; group++) {
        int64_t first = graph->border[group] / EM_GRAPH_BLOCK,
                last = (graph->border[group + 1] - 1) / EM_GRAPH_BLOCK;
        double re = 0.0, im = 0.0;
        for (int64_t block = first; block <= last; block++) {
            re += sums->piece[2 * (block + group)];
            im += sums->piece[2 * (block + group) + 1];
        }
        sums->total[2 * group] = re;
        sums->total[2 * group + 1] = im;
    }
}

#endif
