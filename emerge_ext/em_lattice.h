/* em_lattice.h: rings, grids and tori: who senses whom is told by the shape, and no edge is stored.
 *
 * Agents are numbered row by row: neighbours along the last side are next to each other. Along each side an agent
 * senses `reach` agents on either hand, over the ends where the lattice wraps and the side is longer than 2 * reach, so
 * that no neighbour is met twice: the upper floor admits no other longer than 2.
 *
 * The order of addition: from the neighbours of lower number along the first side, farthest first, to those of
 * higher number along the first side, farthest last; over an end the place in this order is kept. Within a line
 * along the last side, away from its ends, neighbours are at the same distances for all agents.
 *
 * Knows graphs and nothing else. A graph never changes, so any thread may read it.
 */
#ifndef EM_LATTICE_H
#define EM_LATTICE_H

#include "em_graph.h"

#define EM_LATTICE_SHIFTS 8192 /* most neighbours of an agent: a worker has 32 kB for them on its stack */

/* Whether the ends of a side are joined. */
static inline bool em_lattice_joins(const em_graph *graph, int side)
{
    return graph->wraps && graph->side[side] > 2 * (int64_t)graph->reach;
}

static inline em_graph *em_lattice_create(int sides, const int64_t *side, int reach, bool wraps)
{
    em_graph *graph = em_base_alloc(sizeof *graph);
    if (graph == NULL) return NULL;
    *graph = (em_graph){.kind = EM_GRAPH_LATTICE, .n = 1, .sides = sides, .reach = reach, .wraps = wraps};
    for (int s = 0; s < sides; s++) graph->n *= graph->side[s] = side[s];
    for (int s = 0; s < sides; s++)
        for (int64_t k = 1; k <= reach && k < side[s];
             k++) { /* all agents of a line but those k from its end */
            int64_t lost = em_lattice_joins(graph, s) ? 0 : k;
            graph->ends += 2 * (graph->n / side[s]) * (side[s] - lost);
        }
    return graph;
}

/* Neighbours of an agent as distances from it, in the order of addition; returns how many. */
static inline int em_lattice_shifts(const em_graph *graph, int64_t agent, int32_t *shift)
{
    const int reach = graph->reach;
    int64_t at[EM_GRAPH_SIDES], stride[EM_GRAPH_SIDES], rest = agent, step = 1;
    int count = 0;
    for (int s = graph->sides - 1; s >= 0; s--) {
        stride[s] = step;
        at[s] = rest % graph->side[s];
        rest /= graph->side[s];
        step *= graph->side[s];
    }
    for (int hand = -1; hand <= 1; hand += 2)
        for (int k = 0; k < graph->sides; k++) {
            int s = hand < 0 ? k : graph->sides - 1 - k;
            for (int j = 1; graph->side[s] > 1 && j <= reach; j++) {
                int64_t to = at[s] + hand * (hand < 0 ? reach + 1 - j : j), size = graph->side[s];
                if (!em_lattice_joins(graph, s) && (to < 0 || to >= size)) continue;
                to = to < 0 ? to + size : to >= size ? to - size : to;
                shift[count++] = (int32_t)((to - at[s]) * stride[s]);
            }
        }
    return count;
}

/* Where the inner part of the line that holds `agent` begins and ends: agents there have the same shifts. */
static inline void em_lattice_inner(const em_graph *graph, int64_t agent, int64_t *begin, int64_t *end)
{
    int64_t size = graph->side[graph->sides - 1], line = agent - agent % size;
    int64_t margin = size > 1 ? graph->reach : 0;
    *begin = line + margin;
    *end = line + size - margin;
}

#endif
