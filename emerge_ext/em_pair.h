/* em_pair.h: random graphs on which all agents have the same degree, by pairing edge ends at random.
 *
 * Agent i has the ends i * drawn .. i * drawn + drawn - 1, and a permutation (em_shuffle.h) pairs them: those that it
 * sends to 2k and to 2k + 1 belong together (the configuration model: Bollobás 1980,
 * doi:10.1016/S0195-6698(80)80030-8). So whom an end is paired with is computed at that end, and each row by itself:
 *
 *     fill     blocks: rows are computed, sorted, and what stands in them twice is counted
 *     find     blocks, if anything does: which edges are loops, or there already
 *     mend     once, alone: each of them swaps ends with a random good edge, so that two good ones come of it
 *     leave    blocks, if the degree is above half: each row becomes all others
 *
 * A row has the room of the degree asked for; `drawn` is that or, above half, how many are left out. So nothing is held
 * beside the graph but the few edges to mend: about (drawn^2 - 1) / 4, whatever n is (McKay, Wormald 1990,
 * doi:10.1016/0196-6774(90)90029-E).
 *
 * Invariant: every agent has `drawn` ends at any time, each edge stands in both its rows, and rows ascend. Mending makes
 * no edge bad and takes bad ones one by one, so it ends, or finds none to swap with: then another permutation is drawn.
 */
#ifndef EM_PAIR_H
#define EM_PAIR_H

#include "em_mend.h"
#include "em_shuffle.h"

#define EM_PAIR_ATTEMPTS                                                                                     \
    256 /* to find an edge to swap with: at degrees up to half, a fifth or more of all will do */

typedef struct {
    uint64_t key;
    int64_t degree;
    int64_t drawn;      /* ends of an agent that are paired: degree, or n - 1 - degree */
    em_shuffle shuffle; /* of all ends */
    uint64_t *bad;      /* keys of the edges to mend */
    em_word found;      /* how many */
} em_pair;

static inline void em_pair_init(em_pair *pair, uint64_t key, int64_t n, int64_t degree)
{
    const int64_t left_out = n - 1 - degree;
    *pair = (em_pair){.key = key, .degree = degree, .drawn = degree < left_out ? degree : left_out};
}

static inline int32_t *em_pair_row(const em_build *build, int64_t agent)
{
    const em_pair *pair = build->given;
    return build->graph->indices + agent * pair->degree;
}

/* The partners of the ends from `first` on, as agents. */
static inline void em_pair_partners(const em_pair *pair, int64_t first, int size, int32_t *agent)
{
    uint64_t end[EM_BUILD_BATCH];
    for (int k = 0; k < size; k++) end[k] = (uint64_t)(first + k);
    em_shuffle_forth(&pair->shuffle, end, size);
    for (int k = 0; k < size; k++) end[k] ^= 1;
    em_shuffle_back(&pair->shuffle, end, size);
    for (int k = 0; k < size; k++) agent[k] = (int32_t)(end[k] / (uint64_t)pair->drawn);
}

/* A phase, blocks. */
static inline void em_pair_fill(em_build *build, int64_t block)
{
    const em_pair *pair = build->given;
    em_graph *graph = build->graph;
    const int64_t drawn = pair->drawn;
    int64_t end, first = em_build_agents(build, block, &end);
    uint64_t repeats = 0;
    graph->start[block] = first * pair->degree;
    int32_t agent[EM_BUILD_BATCH];
    int64_t row = first, filled = 0; /* the next end to be written */
    for (int64_t at = first * drawn, size; at < end * drawn; at += size) {
        size = end * drawn - at < EM_BUILD_BATCH ? end * drawn - at : EM_BUILD_BATCH;
        em_pair_partners(pair, at, (int)size, agent);
        for (int k = 0; k < size; k++) {
            em_pair_row(build, row)[filled] = agent[k];
            if (++filled == drawn) filled = 0, row++;
        }
    }
    for (int64_t i = first; i < end; i++) {
        graph->degree[i] = (int32_t)pair->degree;
        repeats += em_build_sort_row(em_pair_row(build, i), NULL, (int32_t)drawn, graph->n);
    }
    if (repeats > 0) em_atomic_add(&build->repeats, repeats, memory_order_relaxed);
}

/* A phase, blocks: tells the key of each loop once, and of an edge that is there c times, c - 1 times. These are no more
 * than `repeats`: a loop stands twice in its row. */
static inline void em_pair_find(em_build *build, int64_t block)
{
    em_pair *pair = build->given;
    int64_t end;
    for (int64_t i = em_build_agents(build, block, &end); i < end; i++) {
        const int32_t *row = em_pair_row(build, i);
        int64_t loop_ends = 0;
        for (int64_t k = 0; k < pair->drawn; k++) {
            loop_ends += row[k] == i;
            bool bad = row[k] == i ? loop_ends % 2 == 0 : row[k] > i && k > 0 && row[k] == row[k - 1];
            if (bad) pair->bad[em_atomic_add(&pair->found, 1, memory_order_relaxed)] = em_mend_key(i, row[k]);
        }
    }
}

/* Puts j in place of one of i's neighbours. */
static inline void em_pair_replace(em_build *build, int64_t i, int32_t neighbour, int32_t j)
{
    const em_pair *pair = build->given;
    int32_t *row = em_pair_row(build, i);
    int64_t from = em_mend_place(row, pair->drawn, neighbour), to = em_mend_place(row, pair->drawn, j);
    if (to > from) {
        to--; /* the neighbour itself goes */
        memmove(row + from, row + from + 1, (size_t)(to - from) * sizeof *row);
    } else {
        memmove(row + to + 1, row + to, (size_t)(from - to) * sizeof *row);
    }
    row[to] = j;
}

/* Makes of the edge (a, b) and of the edge at one end of c, drawn by `word`, the edges (a, c) and (b, d), if that one is
 * good and those will be. */
static inline bool em_pair_swap(em_build *build, int32_t a, int32_t b, const uint64_t *word)
{
    const em_pair *pair = build->given;
    uint32_t c, e;
    bool fair = em_random_below(word[0], (uint32_t)build->graph->n, &c);
    fair &= em_random_below(word[1], (uint32_t)pair->drawn, &e);
    const int32_t *row = em_pair_row(build, c);
    const int32_t d = row[e], other = (int32_t)c;
    if (!fair || d == other || (e > 0 && row[e - 1] == d) || (e + 1 < pair->drawn && row[e + 1] == d))
        return false;
    if (a == other || em_mend_stands(em_pair_row(build, a), pair->drawn, other)) return false;
    if (b == d || em_mend_stands(em_pair_row(build, b), pair->drawn, d)) return false;
    em_pair_replace(build, a, b, other);
    em_pair_replace(build, b, a, d);
    em_pair_replace(build, other, d, a);
    em_pair_replace(build, d, other, b);
    return true;
}

/* Mends all that was found; false if an edge finds none to swap with. */
static inline bool em_pair_mend(em_build *build)
{
    em_pair *pair = build->given;
    const int64_t found = (int64_t)em_atomic_load(&pair->found, memory_order_relaxed);
    qsort(pair->bad, (size_t)found, sizeof *pair->bad, em_mend_compare);
    for (int64_t k = 0; k < found; k++) {
        const int32_t a = (int32_t)(pair->bad[k] >> 32), b = (int32_t)(pair->bad[k] & UINT32_MAX);
        bool done = false;
        for (uint32_t attempt = 0; attempt < EM_PAIR_ATTEMPTS && !done; attempt++) {
            uint64_t word[2];
            em_random_draw(pair->key, (uint64_t)k, attempt, EM_RANDOM_SWAP, &word[0], &word[1]);
            done = em_pair_swap(build, a, b, word);
        }
        if (!done) return false;
    }
    return true;
}

/* A phase, blocks: rows become whom they do not name. */
static inline void em_pair_leave(em_build *build, int64_t block)
{
    const em_pair *pair = build->given;
    em_graph *graph = build->graph;
    int32_t *out = em_base_alloc((size_t)(pair->drawn + 1) * sizeof *out);
    if (out == NULL) {
        em_atomic_store(&build->failed, 1, memory_order_relaxed);
        return;
    }
    int64_t end;
    for (int64_t i = em_build_agents(build, block, &end); i < end; i++) {
        int32_t *row = em_pair_row(build, i);
        memcpy(out, row, (size_t)pair->drawn * sizeof *out);
        out[pair->drawn] = (int32_t)graph->n;
        const int32_t *next = out;
        for (int32_t j = 0; j < graph->n; j++) {
            if (j == *next)
                next++;
            else if (j != i)
                *row++ = j;
        }
    }
    em_base_free(out);
}

#endif
