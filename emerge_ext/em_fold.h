/* em_fold.h: rows in which ends stand beside their like.
 *
 * After em_build.h has closed rows, and if it has counted repeats:
 *
 *     block       blocks: of equal ends one stays; rows close up within their block
 *     close_up    once, alone: blocks close up
 *     trim        once, alone: does that and gives back the memory that is over
 *
 * Weights of equal ends are added in ascending order, whatever order they came in: so the sum is the same for any
 * workers, and on both sides of an undirected edge.
 */
#ifndef EM_FOLD_H
#define EM_FOLD_H

#include "em_build.h"

static inline int em_fold_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The sum of weights, added in ascending order, in which it leaves them. */
static inline double em_fold_add_up(double *weight, int64_t size)
{
    if (size == 2 && weight[1] < weight[0]) {
        double first = weight[0];
        weight[0] = weight[1], weight[1] = first;
    }
    if (size > 2) qsort(weight, (size_t)size, sizeof *weight, em_fold_compare);
    double sum = weight[0];
    for (int64_t k = 1; k < size; k++) sum += weight[k];
    return sum;
}

/* Of equal ends of a row one stays, with the sum of their weights; the row moves to `to`, which is not after it. Returns
 * how many are left. */
static inline int32_t em_fold_row(em_build *build, int64_t agent, int64_t from, int64_t to)
{
    int32_t *index = build->graph->indices, kept = 0;
    double *weight = build->graph->weights;
    const int64_t stop = from + build->graph->degree[agent];
    for (int64_t next; from < stop; from = next, kept++) {
        for (next = from + 1; next < stop && index[next] == index[from];) next++;
        index[to + kept] = index[from];
        if (weight == NULL) continue;
        double sum = em_fold_add_up(weight + from, next - from);
        weight[to + kept] = sum;
        if (sum != 1.0) em_build_mark(&build->uneven);
        if (!isfinite(sum))
            em_atomic_lower(
                &build->beyond, (uint64_t)agent << 32 | (uint32_t)index[to + kept], memory_order_relaxed);
    }
    return kept;
}

/* Folds the rows of a block, which close up within it. */
static inline void em_fold_block(em_build *build, int64_t block)
{
    em_graph *graph = build->graph;
    int64_t end, from = graph->start[block], to = from;
    for (int64_t i = em_build_agents(build, block, &end); i < end; i++) {
        int32_t kept = em_fold_row(build, i, from, to);
        from += graph->degree[i];
        to += graph->degree[i] = kept;
    }
}

/* Closes the gaps between blocks; returns how many ends there are. */
static inline int64_t em_fold_close_up(em_build *build)
{
    em_graph *graph = build->graph;
    int64_t blocks = em_graph_blocks(graph->n), to = 0;
    for (int64_t block = 0; block < blocks; block++) {
        int64_t end, size = 0, from = graph->start[block];
        for (int64_t i = em_build_agents(build, block, &end); i < end; i++) size += graph->degree[i];
        if (to != from && size > 0) {
            memmove(graph->indices + to, graph->indices + from, (size_t)size * sizeof *graph->indices);
            if (graph->weights != NULL)
                memmove(graph->weights + to, graph->weights + from, (size_t)size * sizeof *graph->weights);
        }
        graph->start[block] = to;
        to += size;
    }
    graph->start[blocks] = to;
    return to;
}

/* Closes the gaps that folding has left, and gives back the memory that is over. */
static inline void em_fold_trim(em_build *build)
{
    em_graph *graph = build->graph;
    int64_t whole = graph->ends, ends = em_fold_close_up(build), kept = ends + EM_GRAPH_MARGIN;
    graph->ends = ends;
    memset(graph->indices + ends, 0, EM_GRAPH_MARGIN * sizeof *graph->indices);
    em_base_give_back(
        graph->indices, (size_t)kept * sizeof *graph->indices,
        (size_t)(whole + EM_GRAPH_MARGIN) * sizeof *graph->indices);
    if (graph->weights == NULL) return;
    em_base_give_back(
        graph->weights, (size_t)ends * sizeof *graph->weights, (size_t)whole * sizeof *graph->weights);
}

#endif
