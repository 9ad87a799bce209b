/* em_draw.h: random graphs, whose edges are drawn by their numbers and never kept.
 *
 * Two sources for em_build.h: `pairs`, any two agents, for G(n, M), and `ring`, a ring whose edges are redirected with
 * a probability, for small worlds. Each edge is a pure function of a key and its number (em_random.h). What is drawn
 * may come twice. So once rows are closed:
 *
 *     drop    blocks: of equal ends in a row one stays
 *     mend    once, alone: as many other edges are drawn as were dropped, and merged into the rows
 *
 * Invariant: after `mend` there are exactly as many distinct edges as were asked for, the same for any workers. Pairs
 * are the first distinct ones of one endless sequence, hence every set of so many is equally likely. A redirected edge
 * never goes where the ring has an edge, so one that finds nobody else has its own place to go back to.
 */
#ifndef EM_DRAW_H
#define EM_DRAW_H

#include "em_mend.h"

#define EM_DRAW_ATTEMPTS 64 /* of a redirected edge to find somebody, before it goes back */

typedef struct {
    uint64_t key;
    int64_t n;
    int64_t half;      /* neighbours on either side of the ring */
    double rewire;     /* probability that one of its edges is redirected */
    uint64_t *dropped; /* keys of the edges that were dropped */
    em_word drops;     /* how many */
} em_draw;

static inline void em_draw_init(em_draw *draw, uint64_t key, int64_t n, int64_t half, double rewire)
{
    *draw = (em_draw){.key = key, .n = n, .half = half, .rewire = rewire};
}

static inline void em_draw_pair(const em_draw *draw, int64_t number, int32_t *one, int32_t *other)
{
    uint64_t a, b;
    uint32_t i, j, attempt = 0;
    bool fair;
    do {
        em_random_draw(draw->key, (uint64_t)number, attempt++, EM_RANDOM_PAIR, &a, &b);
        fair = em_random_below(a, (uint32_t)draw->n, &i);
        fair &= em_random_below(b, (uint32_t)draw->n - 1, &j);
    } while (!fair);
    *one = (int32_t)i;
    *other = (int32_t)(j + (j >= i));
}

/* A source: any two agents. */
static inline void em_draw_pairs(const em_build *build, int64_t first, int size, int32_t *one, int32_t *other)
{
    for (int k = 0; k < size; k++) em_draw_pair(build->given, first + k, &one[k], &other[k]);
}

/* The agent so many places further on the ring. */
static inline int32_t em_draw_further(const em_draw *draw, int64_t agent, int64_t places)
{
    int64_t there = agent + places;
    return (int32_t)(there < draw->n ? there : there - draw->n);
}

/* Whom an edge of `agent` may be redirected to: one that is no neighbour on the ring. False as em_random_below. */
static inline bool em_draw_elsewhere(const em_draw *draw, int64_t agent, uint64_t word, int32_t *there)
{
    uint32_t chosen;
    bool fair = em_random_below(word, (uint32_t)(draw->n - 1 - 2 * draw->half), &chosen);
    *there = em_draw_further(draw, agent, draw->half + 1 + (int64_t)chosen);
    return fair;
}

/* The other end of an edge of the ring: edge `number` is kept by agent number / half. */
static inline int32_t em_draw_end(const em_draw *draw, int64_t number)
{
    int64_t agent = number / draw->half;
    uint64_t whether, whom;
    em_random_draw(draw->key, (uint64_t)number, 0, EM_RANDOM_REDIRECT, &whether, &whom);
    if (em_random_unit(whether) >= draw->rewire) return em_draw_further(draw, agent, number % draw->half + 1);
    int32_t there;
    for (uint32_t attempt = 1; !em_draw_elsewhere(draw, agent, whom, &there); attempt++)
        em_random_draw(draw->key, (uint64_t)number, attempt, EM_RANDOM_REDIRECT, &whether, &whom);
    return there;
}

/* A source: a ring's edges, some redirected. */
static inline void em_draw_ring(const em_build *build, int64_t first, int size, int32_t *one, int32_t *other)
{
    const em_draw *draw = build->given;
    for (int k = 0; k < size; k++) {
        one[k] = (int32_t)((first + k) / draw->half);
        other[k] = em_draw_end(draw, first + k);
    }
}

/* A phase, blocks: of equal ends one stays; each edge that goes is told once. */
static inline void em_draw_drop(em_build *build, int64_t block)
{
    em_draw *draw = build->given;
    const em_graph *graph = build->graph;
    int64_t end, row = graph->start[block];
    for (int64_t i = em_build_agents(build, block, &end); i < end; row += graph->degree[i++])
        for (int64_t k = row + 1; k < row + graph->degree[i]; k++) {
            int32_t j = graph->indices[k];
            if (j == graph->indices[k - 1] && i < j)
                draw->dropped[em_atomic_add(&draw->drops, 1, memory_order_relaxed)] = em_mend_key(i, j);
        }
    em_fold_block(build, block);
}

/* ---- what is done alone */

/* Draws pairs, from the number after the last on, until `lost` new ones are in the table. */
static inline void em_draw_more_pairs(em_build *build, uint64_t *table, int64_t lost)
{
    for (int64_t number = build->edges, found = 0; found < lost; number++) {
        int32_t i, j;
        em_draw_pair(build->given, number, &i, &j);
        if (!em_mend_has(build->graph, i, j))
            found += em_mend_take(table, 2 * lost, em_mend_edge(build, i, j));
    }
}

/* Makes of the keys that were dropped the numbers of the edges that lost them: of those that share a key the one told
 * first keeps it. */
static inline void em_draw_find_losers(em_draw *draw, int64_t lost)
{
    qsort(draw->dropped, (size_t)lost, sizeof *draw->dropped, em_mend_compare);
    for (int64_t k = 0, next; k < lost; k = next) {
        uint64_t key = draw->dropped[k];
        int64_t ends[2] = {(int64_t)(key >> 32), (int64_t)(key & UINT32_MAX)};
        for (next = k; next < lost && draw->dropped[next] == key;) next++;
        bool kept = false;
        int64_t to = k;
        for (int side = 0; side < 2; side++)
            for (int64_t number = ends[side] * draw->half; number < (ends[side] + 1) * draw->half; number++)
                if (em_draw_end(draw, number) == ends[1 - side]) {
                    if (kept) draw->dropped[to++] = (uint64_t)number;
                    kept = true;
                }
    }
    qsort(draw->dropped, (size_t)lost, sizeof *draw->dropped, em_mend_compare);
}

/* Redirects the edges that lost their place to somebody else, one after another. */
static inline void em_draw_redirect(em_build *build, uint64_t *table, int64_t lost)
{
    em_draw *draw = build->given;
    em_draw_find_losers(draw, lost);
    for (int64_t k = 0; k < lost; k++) {
        int64_t number = (int64_t)draw->dropped[k], agent = number / draw->half;
        bool done = false;
        for (uint32_t attempt = 0; attempt < EM_DRAW_ATTEMPTS && !done; attempt++) {
            uint64_t whom, unused;
            int32_t there;
            em_random_draw(draw->key, (uint64_t)number, attempt, EM_RANDOM_AGAIN, &whom, &unused);
            done = em_draw_elsewhere(draw, agent, whom, &there) && !em_mend_has(build->graph, agent, there) &&
                   em_mend_take(table, 2 * lost, em_mend_edge(build, agent, there));
        }
        int32_t back = em_draw_further(draw, agent, number % draw->half + 1);
        if (!done) em_mend_take(table, 2 * lost, em_mend_edge(build, agent, back));
    }
}

/* Draws as many edges as were dropped, and merges them. */
static inline em_status em_draw_mend(em_build *build)
{
    em_draw *draw = build->given;
    int64_t lost = (int64_t)em_atomic_load(&draw->drops, memory_order_relaxed);
    uint64_t *table = em_base_alloc((size_t)(2 * lost) * sizeof *table);
    if (table == NULL) return EM_NO_MEMORY;
    memset(table, 0, (size_t)(2 * lost) * sizeof *table);
    int64_t held = em_fold_close_up(build);
    if (build->source == em_draw_ring)
        em_draw_redirect(build, table, lost);
    else
        em_draw_more_pairs(build, table, lost);
    em_mend_merge(build, held, table, em_mend_spread(build, table, lost));
    em_base_free(table);
    return EM_OK;
}

#endif
