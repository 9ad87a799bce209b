/* em_graph.h: a topology as the machine sees it.
 *
 * Stored graphs are compressed rows: row i lists, in ascending order, whom agent i senses. A row is told by its
 * degree (int32), and each block of EM_GRAPH_BLOCK agents by where its edges start (int64): rows are walked
 * block by block, so an offset for each row would be read and never needed. Complete graphs store nothing.
 *
 * Invariant: indices ascend in each row, lie in 0..n-1, and none is the row's own. The upper floor checks that
 * before em_graph_create; afterwards a graph never changes, so any number of threads may read it.
 */
#ifndef EM_GRAPH_H
#define EM_GRAPH_H

#include "em_base.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define EM_GRAPH_BLOCK 512 /* agents of a block: whole cache lines of every state array; scratch fits L1 */

typedef enum { EM_GRAPH_STORED, EM_GRAPH_COMPLETE } em_graph_kind;

typedef struct {
    em_graph_kind kind;
    int64_t n;
    int64_t ends;     /* edge ends: the sum of all degrees */
    int32_t *degree;  /* [n], stored graphs only, as those below */
    int32_t *indices; /* [ends] */
    double *weights;  /* [ends], or NULL: all 1 */
    double *strength; /* [n]: sum of |weights| of each row, or NULL: not asked for yet */
    int64_t *start;   /* [blocks + 1] */
} em_graph;

static inline int64_t em_graph_blocks(int64_t n)
{
    return (n + EM_GRAPH_BLOCK - 1) / EM_GRAPH_BLOCK;
}

static inline void em_graph_free(em_graph *graph)
{
    if (graph == NULL) return;
    em_base_free(graph->degree);
    em_base_free(graph->indices);
    em_base_free(graph->weights);
    em_base_free(graph->strength);
    em_base_free(graph->start);
    em_base_free(graph);
}

static inline em_graph *em_graph_create_complete(int64_t n)
{
    em_graph *graph = em_base_alloc(sizeof *graph);
    if (graph == NULL) return NULL;
    *graph = (em_graph){.kind = EM_GRAPH_COMPLETE, .n = n, .ends = n * (n - 1)};
    return graph;
}

/* Rows that are still to be filled (em_build.h does it); only the end of the last block is told already. */
static inline em_graph *em_graph_create_rows(int64_t n, int64_t ends, bool weighted)
{
    em_graph *graph = em_base_alloc(sizeof *graph);
    if (graph == NULL) return NULL;
    int64_t blocks = em_graph_blocks(n);
    *graph = (em_graph){.kind = EM_GRAPH_STORED, .n = n, .ends = ends};
    graph->degree = em_base_alloc((size_t)n * sizeof *graph->degree);
    graph->indices = em_base_alloc((size_t)ends * sizeof *graph->indices);
    graph->start = em_base_alloc((size_t)(blocks + 1) * sizeof *graph->start);
    if (weighted) graph->weights = em_base_alloc((size_t)ends * sizeof *graph->weights);
    if (!graph->degree || !graph->indices || !graph->start || (weighted && !graph->weights)) {
        em_graph_free(graph);
        return NULL;
    }
    graph->start[blocks] = ends;
    return graph;
}

/* Copies the rows; weights may be NULL. */
static inline em_graph *em_graph_create_stored(
    int64_t n, int64_t ends, const int32_t *degree, const int32_t *indices, const double *weights)
{
    em_graph *graph = em_graph_create_rows(n, ends, weights != NULL);
    if (graph == NULL) return NULL;
    int64_t blocks = em_graph_blocks(n);
    memcpy(graph->degree, degree, (size_t)n * sizeof *degree);
    if (ends > 0) memcpy(graph->indices, indices, (size_t)ends * sizeof *indices);
    if (weights != NULL && ends > 0) memcpy(graph->weights, weights, (size_t)ends * sizeof *weights);
    int64_t edge = 0;
    for (int64_t i = 0; i < n; i++) {
        if (i % EM_GRAPH_BLOCK == 0) graph->start[i / EM_GRAPH_BLOCK] = edge;
        edge += degree[i];
    }
    graph->start[blocks] = edge;
    return graph;
}

/* What a sense reads of a block, for dealing blocks out: edges, plus what an agent costs by itself. */
static inline int64_t em_graph_work(const em_graph *graph, int64_t block)
{
    const int64_t agent = 8; /* an agent by itself costs about as much as this many edges */
    int64_t before = block * EM_GRAPH_BLOCK < graph->n ? block * EM_GRAPH_BLOCK : graph->n;
    return agent * before + (graph->kind == EM_GRAPH_STORED ? graph->start[block] : 0);
}

/* First block of worker `rank` of `size`: equal shares of the work, worker `size` starts at the end. */
static inline int64_t em_graph_deal(const em_graph *graph, int64_t rank, int64_t size)
{
    int64_t low = 0, high = em_graph_blocks(graph->n);
    int64_t all = em_graph_work(graph, high);
    int64_t share = all / size * rank + all % size * rank / size;
    if (rank >= size) return high;
    while (low < high) { /* the first block with that much work, or more, before it */
        int64_t middle = (low + high) / 2;
        if (em_graph_work(graph, middle) < share)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whether agents read each other's phasors. Then a tick needs two buffers of them, one to read while the other
 * is written; where only sums are sensed, each agent's own is all that is kept. */
static inline bool em_graph_shares(const em_graph *graph)
{
    return graph->kind != EM_GRAPH_COMPLETE;
}

/* Makes the sums of |weights| of a graph that has weights, once; false if there is no memory. Not for two threads
 * at once, and before anybody reads them. */
static inline bool em_graph_strengthen(em_graph *graph)
{
    if (graph->weights == NULL || graph->strength != NULL) return true;
    double *strength = em_base_alloc((size_t)graph->n * sizeof *strength);
    if (strength == NULL) return false;
    const double *weight = graph->weights;
    for (int64_t i = 0; i < graph->n; i++) {
        strength[i] = 0.0;
        for (int32_t k = 0; k < graph->degree[i]; k++) strength[i] += fabs(*weight++);
    }
    graph->strength = strength;
    return true;
}

/* Where the edges of one row of a stored graph start, for those who do not walk it block by block: O(block). */
static inline int64_t em_graph_row(const em_graph *graph, int64_t agent)
{
    int64_t first = agent - agent % EM_GRAPH_BLOCK, edge = graph->start[agent / EM_GRAPH_BLOCK];
    for (int64_t i = first; i < agent; i++) edge += graph->degree[i];
    return edge;
}

#endif
