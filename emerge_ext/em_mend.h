/* em_mend.h: edges put into rows that are closed already, in place of those that were dropped from them.
 *
 * A random graph whose edges are drawn all at once has a few that came twice. Once those are dropped, other edges are
 * chosen for them, one after another, and kept in a table of keys; then all are merged into the rows at once. Keys hold
 * the agent of the row in the high half; that of an undirected edge, the lesser agent.
 *
 * Invariant: what is merged is not in the rows yet, and there is room for it. All this is done alone, after the phase
 * that closed the rows and before the one that settles them; only what looks, and changes nothing, may be called by many.
 */
#ifndef EM_MEND_H
#define EM_MEND_H

#include "em_fold.h"
#include "em_random.h"

static inline uint64_t em_mend_key(int64_t one, int64_t other)
{
    return (uint64_t)one << 32 | (uint64_t)other;
}

/* The key of an edge of either kind. */
static inline uint64_t em_mend_edge(const em_build *build, int64_t one, int64_t other)
{
    return build->directed || one < other ? em_mend_key(one, other) : em_mend_key(other, one);
}

/* Where the row of an agent begins, as long as rows follow each other. */
static inline int64_t em_mend_row(const em_graph *graph, int64_t agent)
{
    int64_t first = agent - agent % EM_GRAPH_BLOCK, edge = graph->start[agent / EM_GRAPH_BLOCK];
    for (int64_t i = first; i < agent; i++) edge += graph->degree[i];
    return edge;
}

/* Where j stands in a row that ascends, or would stand. */
static inline int64_t em_mend_place(const int32_t *row, int64_t degree, int32_t j)
{
    int64_t low = 0;
    while (low < degree) {
        int64_t middle = (low + degree) / 2;
        if (row[middle] < j)
            low = middle + 1;
        else
            degree = middle;
    }
    return low;
}

static inline bool em_mend_stands(const int32_t *row, int64_t degree, int32_t j)
{
    int64_t place = em_mend_place(row, degree, j);
    return place < degree && row[place] == j;
}

static inline bool em_mend_has(const em_graph *graph, int64_t i, int32_t j)
{
    return em_mend_stands(graph->indices + em_mend_row(graph, i), graph->degree[i], j);
}

/* ---- a table of keys: `room` words, of which at most half are ever taken and 0 is none */

/* Where a key stands, or would stand. */
static inline int64_t em_mend_look(const uint64_t *table, int64_t room, uint64_t key)
{
    int64_t place = (int64_t)(em_random_unit(key * UINT64_C(0x9E3779B97F4A7C15)) * (double)room);
    while (table[place] != 0 && table[place] != key) place = place + 1 < room ? place + 1 : 0;
    return place;
}

static inline bool em_mend_holds(const uint64_t *table, int64_t room, uint64_t key)
{
    return table[em_mend_look(table, room, key)] == key;
}

/* Puts a key into the table; false if it is there. */
static inline bool em_mend_take(uint64_t *table, int64_t room, uint64_t key)
{
    int64_t place = em_mend_look(table, room, key);
    if (table[place] == key) return false;
    table[place] = key;
    return true;
}

/* ---- what is done alone */

static inline int em_mend_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Makes of a table of `lost` keys their ends, ascending, of undirected edges both; returns how many. */
static inline int64_t em_mend_spread(const em_build *build, uint64_t *table, int64_t lost)
{
    int64_t size = 0;
    for (int64_t k = 0; k < 2 * lost; k++)
        if (table[k] != 0) table[size++] = table[k];
    for (int64_t k = 0; k < lost && !build->directed; k++) table[size++] = table[k] << 32 | table[k] >> 32;
    qsort(table, (size_t)size, sizeof *table, em_mend_compare);
    return size;
}

/* Moves an end, its weight with it. */
static inline void em_mend_move(em_graph *graph, int64_t to, int64_t from)
{
    graph->indices[to] = graph->indices[from];
    if (graph->weights != NULL) graph->weights[to] = graph->weights[from];
}

/* Merges ascending ends into the rows, which hold `held` ends without gaps: from the last row down, so that nothing is
 * overwritten before it was moved. Their weights are left to be written. */
static inline void em_mend_merge(em_build *build, int64_t held, const uint64_t *ends, int64_t size)
{
    em_graph *graph = build->graph;
    int64_t from = held, to = held + size;
    for (int64_t i = graph->n - 1; size > 0; i--) {
        int64_t row = from - graph->degree[i];
        for (; size > 0 && (int64_t)(ends[size - 1] >> 32) == i; size--) {
            int32_t j = (int32_t)(ends[size - 1] & UINT32_MAX);
            while (from > row && graph->indices[from - 1] > j) em_mend_move(graph, --to, --from);
            graph->indices[--to] = j;
            graph->degree[i]++;
        }
        while (from > row) em_mend_move(graph, --to, --from);
    }
    for (int64_t block = 0; block < em_graph_blocks(graph->n); block++) em_build_sum(build, block);
    for (int64_t block = 0; block < em_graph_blocks(graph->n); block++)
        graph->start[block + 1] += graph->start[block];
}

#endif
