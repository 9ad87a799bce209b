/* em_groups.h: graphs of groups: every agent senses all of some groups of agents, and no edge is stored.
 *
 * Agents of a group follow each other. An agent of group a senses each agent of group b, itself left out, with
 * weight between[a][b]; 0 says that there is no edge. So its field is
 *
 *     H_i = (sum over b of between[a][b] * Z_b  -  between[a][a] * z_i) / n_i,      Z_b the sum of phasors of b:
 *
 * O(n + groups^2) for a tick. A block of agents may hold pieces of several groups. Piece (block, group) has the
 * number block + group: one of the two grows from each piece to the next, so numbers differ and ascend.
 *
 * Knows graphs and nothing else. A graph never changes, so any thread may read it.
 */
#ifndef EM_GROUPS_H
#define EM_GROUPS_H

#include "em_graph.h"

/* sizes [groups], all at least 1; weights [groups][groups], finite. */
static inline em_graph *em_groups_create(int32_t groups, const int64_t *sizes, const double *weights)
{
    em_graph *graph = em_base_alloc(sizeof *graph);
    if (graph == NULL) return NULL;
    size_t pairs = (size_t)groups * (size_t)groups;
    *graph = (em_graph){.kind = EM_GRAPH_GROUPS, .groups = groups};
    graph->border = em_base_alloc(((size_t)groups + 1) * sizeof *graph->border);
    graph->between = em_base_alloc(pairs * sizeof *graph->between);
    graph->share = em_base_alloc((size_t)groups * sizeof *graph->share);
    if (!graph->border || !graph->between || !graph->share) {
        em_graph_free(graph);
        return NULL;
    }
    memcpy(graph->between, weights, pairs * sizeof *weights);
    for (int32_t a = 0; a < groups; a++) {
        double strength = 0.0;
        int64_t degree = 0;
        for (int32_t b = 0; b < groups; b++) {
            double weight = weights[(size_t)a * (size_t)groups + (size_t)b];
            int64_t others = sizes[b] - (a == b);
            strength += fabs(weight) * (double)others;
            degree += weight != 0.0 ? others : 0;
        }
        graph->border[a] = graph->n;
        graph->share[a] = strength > 0.0 ? 1.0 / strength : 1.0;
        graph->n += sizes[a];
        graph->ends += sizes[a] * degree;
    }
    graph->border[groups] = graph->n;
    return graph;
}

/* The group of an agent. */
static inline int32_t em_groups_of(const em_graph *graph, int64_t agent)
{
    int32_t low = 0, high = graph->groups;
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;
        if (graph->border[middle] <= agent)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Where the piece of a group that holds agent `first` ends, at most at `end`. */
static inline int64_t em_groups_piece(const em_graph *graph, int32_t group, int64_t end)
{
    return graph->border[group + 1] < end ? graph->border[group + 1] : end;
}

/* The field of one piece, whose own phasors are `cosine` and `sine`; scale 0 divides by the sum of |weights|. */
static inline void em_groups_sense(
    const em_graph *graph, int32_t group, const double *field, double scale, int64_t count,
    const double *restrict cosine, const double *restrict sine, double *restrict re, double *restrict im)
{
    const double x = field[0], y = field[1], one = scale != 0.0 ? scale : graph->share[group];
    const double own = graph->between[(size_t)group * (size_t)graph->groups + (size_t)group];
    for (int64_t i = 0; i < count; i++) {
        re[i] = (x - own * cosine[i]) * one;
        im[i] = (y - own * sine[i]) * one;
    }
}

#endif
