/* em_graph.h: a topology as the machine sees it.
 *
 * Agents come in blocks of EM_GRAPH_BLOCK, which are what workers do. Stored graphs are rows, laid out as em_rows.h
 * says. Other kinds are told by a rule and store no edges. Groups (em_groups.h): every agent senses all of some groups of
 * agents, with one weight for each pair of groups; one group that senses itself is the complete graph, two that sense
 * each other, one of them a single agent, are a star. Lattices (em_lattice.h): rings, grids and tori.
 *
 * Once made, a graph never changes, so any number of threads may read it.
 */
#ifndef EM_GRAPH_H
#define EM_GRAPH_H

#include "em_base.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define EM_GRAPH_BLOCK 512 /* agents of a block: whole cache lines of every state array; scratch fits L1 */

#define EM_GRAPH_STRIP  4   /* rows that are added side by side */
#define EM_GRAPH_MARGIN 256 /* indices after the last, so that a loop may look ahead: 0 */
#define EM_GRAPH_SIDES  16  /* most dimensions of a lattice */

typedef enum { EM_GRAPH_STORED, EM_GRAPH_GROUPS, EM_GRAPH_LATTICE } em_graph_kind;

typedef struct { /* the edges of a stored graph once more: see em_tiles.h */
    int64_t bands, columns;
    int64_t *run;   /* [bands][columns + 1]: where the words of each tile of a band begin */
    uint32_t *word; /* [ends], and some more to look ahead */
} em_tiles;

typedef struct {     /* the rows of a stored graph the other way round: see em_listen.h */
    int64_t *start;  /* [n + 1]: where the list of those who sense an agent begins */
    int32_t *agent;  /* [ends]: they */
    int64_t *amount; /* [ends]: with which weight, in units; or NULL: all 1 */
    double *share;   /* [n]: 1 / sum of |weights| that an agent senses */
    double unit;
} em_listen;

typedef struct {
    em_graph_kind kind;
    int64_t n;
    int64_t ends; /* edge ends: the sum of all degrees */

    int64_t *start;            /* [blocks + 1], stored graphs only, as those below */
    uint16_t *order;           /* [n]: the agent of each row, counted from the first of its block */
    int32_t *degree;           /* [n]: of each row */
    int32_t *indices;          /* [ends + EM_GRAPH_MARGIN] */
    double *weights;           /* [ends], or NULL: all 1 */
    double *divisor;           /* [n]: 1 / sum of |weights| of each row, or NULL: not asked for yet */
    _Atomic(em_tiles *) tiles; /* or NULL: nobody has asked for them */
    em_listen *listen;         /* or NULL: no swarm of pulses has */

    int32_t groups;  /* groups only, as those below; their agents follow each other */
    int64_t *border; /* [groups + 1]: first agent of each */
    double *between; /* [groups][groups]: weight with which an agent of the one senses those of the other */
    double *share;   /* [groups]: 1 / sum of |weights| of an agent of the group */

    int sides; /* lattices only, as those below; the last side's neighbours are next to each other */
    int64_t side[EM_GRAPH_SIDES];
    int reach;  /* neighbours on either hand along each side */
    bool wraps; /* the ends of each side are joined */
} em_graph;

static inline int64_t em_graph_blocks(int64_t n)
{
    return (n + EM_GRAPH_BLOCK - 1) / EM_GRAPH_BLOCK;
}

static inline void em_graph_free_tiles(em_tiles *tiles)
{
    if (tiles == NULL) return;
    em_base_free(tiles->run);
    em_base_free(tiles->word);
    em_base_free(tiles);
}

static inline void em_graph_free_listen(em_listen *listen)
{
    if (listen == NULL) return;
    em_base_free(listen->start);
    em_base_free(listen->agent);
    em_base_free(listen->amount);
    em_base_free(listen->share);
    em_base_free(listen);
}

static inline void em_graph_free(em_graph *graph)
{
    if (graph == NULL) return;
    em_graph_free_listen(graph->listen);
    em_graph_free_tiles(atomic_load_explicit(&graph->tiles, memory_order_relaxed));
    em_base_free(graph->degree);
    em_base_free(graph->indices);
    em_base_free(graph->weights);
    em_base_free(graph->divisor);
    em_base_free(graph->start);
    em_base_free(graph->order);
    em_base_free(graph->border);
    em_base_free(graph->between);
    em_base_free(graph->share);
    em_base_free(graph);
}

/* Agents of a block. */
static inline int64_t em_graph_count(int64_t n, int64_t block)
{
    int64_t left = n - block * EM_GRAPH_BLOCK;
    return left < EM_GRAPH_BLOCK ? left : EM_GRAPH_BLOCK;
}

/* What a sense reads of a block, for dealing blocks out: edges, plus what an agent costs by itself. */
static inline int64_t em_graph_work(const em_graph *graph, int64_t block)
{
    const int64_t agent = 8; /* an agent by itself costs about as much as this many edges */
    int64_t before = block * EM_GRAPH_BLOCK < graph->n ? block * EM_GRAPH_BLOCK : graph->n;
    return agent * before + (graph->kind == EM_GRAPH_STORED ? graph->start[block] : 0);
}

/* Workers are dealt units, of so many blocks each. */
static inline int64_t em_graph_units(const em_graph *graph, int64_t unit)
{
    return (em_graph_blocks(graph->n) + unit - 1) / unit;
}

/* First unit of worker `rank` of `size`: equal shares of the work, worker `size` starts at the end. */
static inline int64_t em_graph_deal(const em_graph *graph, int64_t unit, int64_t rank, int64_t size)
{
    const int64_t blocks = em_graph_blocks(graph->n), all = em_graph_work(graph, blocks);
    const int64_t share = all / size * rank + all % size * rank / size;
    int64_t low = 0, high = em_graph_units(graph, unit);
    if (rank >= size) return high;
    while (low < high) { /* the first unit with that much work, or more, before it */
        int64_t middle = (low + high) / 2;
        if (em_graph_work(graph, middle * unit) < share)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whether agents read each other's phasors. Then a tick needs two tables of them, one to read while the other
 * is written; where only sums are sensed, each agent's own is all that is kept. */
static inline bool em_graph_shares(const em_graph *graph)
{
    return graph->kind != EM_GRAPH_GROUPS;
}

#endif
