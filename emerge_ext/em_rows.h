/* em_rows.h: stored graphs: rows of edges, laid out as a tick reads them.
 *
 * Row i lists, in ascending order, whom agent i senses. Within a block rows stand in the order of their degrees, so
 * that rows that are added side by side end together. Four rows make a strip: their first edges, then their second
 * ones, and so on as far as all four have any; then the rest of each. What is left of a block, up to three rows,
 * stands row by row. So edges are read from the first to the last and never looked for: `start` tells where those of
 * a block begin, `order` which agent a row belongs to; `degree` and `divisor` go with the rows, not the agents.
 *
 * Invariant: indices ascend in each row, lie in 0..n-1, and none is the row's own. The upper floor checks that
 * before em_rows_lay. Blocks are laid out, and shown as users see them, in any order and by any worker.
 */
#ifndef EM_ROWS_H
#define EM_ROWS_H

#include "em_graph.h"

/* Memory for a stored graph; what is in it is written by em_build.h. */
static inline em_graph *em_rows_create(int64_t n, int64_t ends, bool weighted)
{
    em_graph *graph = em_base_alloc(sizeof *graph);
    if (graph == NULL) return NULL;
    int64_t blocks = em_graph_blocks(n);
    *graph = (em_graph){.kind = EM_GRAPH_STORED, .n = n, .ends = ends};
    graph->degree = em_base_alloc((size_t)n * sizeof *graph->degree);
    graph->indices = em_base_alloc((size_t)(ends + EM_GRAPH_MARGIN) * sizeof *graph->indices);
    graph->start = em_base_alloc((size_t)(blocks + 1) * sizeof *graph->start);
    graph->order = em_base_alloc((size_t)n * sizeof *graph->order);
    if (weighted) graph->weights = em_base_alloc((size_t)ends * sizeof *graph->weights);
    if (!graph->degree || !graph->indices || !graph->start || !graph->order ||
        (weighted && !graph->weights)) {
        em_graph_free(graph);
        return NULL;
    }
    memset(graph->indices + ends, 0, EM_GRAPH_MARGIN * sizeof *graph->indices);
    graph->start[blocks] = ends;
    return graph;
}

/* A walk over the rows of a block as they stand. */
typedef struct {
    const em_graph *graph;
    int64_t agent;  /* whose row it is */
    int64_t degree; /* how many edges it has */
    int64_t row;    /* its number in the block */
    int64_t first;  /* agent of the block */
    int64_t count;  /* rows of the block */
    int64_t edge;   /* where its strip begins, or itself, if it is in none */
    int64_t next;   /* where the next of these begins */
} em_rows_walk;

static inline em_rows_walk em_rows_enter(const em_graph *graph, int64_t block)
{
    return (em_rows_walk){
        .graph = graph,
        .row = -1,
        .first = block * EM_GRAPH_BLOCK,
        .count = em_graph_count(graph->n, block),
        .next = graph->start[block],
    };
}

static inline bool em_rows_stripped(const em_rows_walk *walk)
{
    return walk->row - walk->row % EM_GRAPH_STRIP + EM_GRAPH_STRIP <= walk->count;
}

/* Goes to the next row; false after the last. */
static inline bool em_rows_next(em_rows_walk *walk)
{
    if (++walk->row >= walk->count) return false;
    const int32_t *degree = walk->graph->degree + walk->first + walk->row;
    walk->degree = *degree;
    walk->agent = walk->first + walk->graph->order[walk->first + walk->row];
    if (em_rows_stripped(walk) && walk->row % EM_GRAPH_STRIP != 0) return true;
    walk->edge = walk->next;
    for (int k = 0; k < (em_rows_stripped(walk) ? EM_GRAPH_STRIP : 1); k++) walk->next += degree[k];
    return true;
}

/* Where edge `e` of the row stands. */
static inline int64_t em_rows_place(const em_rows_walk *walk, int64_t e)
{
    const int strip = (int)(walk->row % EM_GRAPH_STRIP);
    const int32_t *degree = walk->graph->degree + walk->first + walk->row - strip;
    if (!em_rows_stripped(walk)) return walk->edge + e;
    if (e < degree[0]) return walk->edge + EM_GRAPH_STRIP * e + strip;
    int64_t place = walk->edge + (EM_GRAPH_STRIP - strip) * (int64_t)degree[0] + (e - degree[0]);
    for (int before = 0; before < strip; before++) place += degree[before];
    return place;
}

/* The rows of a block in the order of the degrees of its agents, those of one degree ascending: a counting sort, and
 * an insertion sort of the few that have very many. */
static inline void em_rows_sort(em_graph *graph, int64_t block, const int32_t *degree)
{
    enum { DEGREES = 512 };
    uint16_t place[DEGREES + 1] = {0};
    const int64_t first = block * EM_GRAPH_BLOCK, count = em_graph_count(graph->n, block);
    uint16_t *order = graph->order + first;
    for (int64_t i = 0; i < count; i++) place[degree[i] < DEGREES ? degree[i] : DEGREES]++;
    const int64_t few = count - place[DEGREES];
    for (int d = 0, before = 0; d <= DEGREES; d++) {
        int here = place[d];
        place[d] = (uint16_t)before;
        before += here;
    }
    for (int64_t i = 0; i < count; i++)
        order[place[degree[i] < DEGREES ? degree[i] : DEGREES]++] = (uint16_t)i;
    for (int64_t k = few + 1; k < count; k++) {
        uint16_t one = order[k];
        int64_t at = k;
        for (; at > few && degree[order[at - 1]] > degree[one]; at--) order[at] = order[at - 1];
        order[at] = one;
    }
    for (int64_t k = 0; k < count; k++) graph->degree[first + k] = degree[order[k]];
}

/* The degrees of the agents of a block, and where their rows begin if all rows of the graph follow each other. */
static inline void em_rows_degrees(const em_graph *graph, int64_t block, int32_t *degree, int64_t *row)
{
    const int64_t first = block * EM_GRAPH_BLOCK, count = em_graph_count(graph->n, block);
    int64_t edge = graph->start[block];
    for (int64_t k = 0; k < count; k++) degree[graph->order[first + k]] = graph->degree[first + k];
    for (int64_t i = 0; row != NULL && i < count; i++) {
        row[i] = edge;
        edge += degree[i];
    }
}

/* Lays out a block, whose `start` is told, from rows that follow each other; `degree` is that of its agents, `indices`
 * and `weights`, or NULL, are those of the block. */
static inline void em_rows_lay(
    em_graph *graph, int64_t block, const int32_t *degree, const int32_t *indices, const double *weights)
{
    int64_t row[EM_GRAPH_BLOCK];
    int32_t own[EM_GRAPH_BLOCK];
    em_rows_sort(graph, block, degree);
    em_rows_degrees(graph, block, own, row);
    em_rows_walk walk = em_rows_enter(graph, block);
    while (em_rows_next(&walk)) {
        const int64_t from = row[walk.agent - walk.first] - graph->start[block];
        for (int64_t e = 0; e < walk.degree; e++) {
            int64_t to = em_rows_place(&walk, e);
            graph->indices[to] = indices[from + e];
            if (weights != NULL) graph->weights[to] = weights[from + e];
        }
    }
}

/* The rows of a block as users see them; `indices` and `weights`, or NULL, are those of the whole graph. */
static inline void em_rows_show(const em_graph *graph, int64_t block, int32_t *indices, double *weights)
{
    int64_t row[EM_GRAPH_BLOCK];
    int32_t degree[EM_GRAPH_BLOCK];
    em_rows_degrees(graph, block, degree, row);
    em_rows_walk walk = em_rows_enter(graph, block);
    while (em_rows_next(&walk)) {
        const int64_t to = row[walk.agent - walk.first];
        for (int64_t e = 0; e < walk.degree; e++) {
            int64_t from = em_rows_place(&walk, e);
            indices[to + e] = graph->indices[from];
            if (weights != NULL) weights[to + e] = graph->weights[from];
        }
    }
}

/* Numbers of edges, one for each end: those of a block from where users see them, rows of the whole graph one after
 * another, to where its rows stand. */
static inline void em_rows_lay_ends(const em_graph *graph, int64_t block, const double *shown, double *laid)
{
    int64_t row[EM_GRAPH_BLOCK];
    int32_t degree[EM_GRAPH_BLOCK];
    em_rows_degrees(graph, block, degree, row);
    em_rows_walk walk = em_rows_enter(graph, block);
    while (em_rows_next(&walk))
        for (int64_t e = 0; e < walk.degree; e++)
            laid[em_rows_place(&walk, e)] = shown[row[walk.agent - walk.first] + e];
}

/* The other way. */
static inline void em_rows_show_ends(const em_graph *graph, int64_t block, const double *laid, double *shown)
{
    int64_t row[EM_GRAPH_BLOCK];
    int32_t degree[EM_GRAPH_BLOCK];
    em_rows_degrees(graph, block, degree, row);
    em_rows_walk walk = em_rows_enter(graph, block);
    while (em_rows_next(&walk))
        for (int64_t e = 0; e < walk.degree; e++)
            shown[row[walk.agent - walk.first] + e] = laid[em_rows_place(&walk, e)];
}

/* The walk at the row of one agent: O(block). */
static inline em_rows_walk em_rows_find(const em_graph *graph, int64_t agent)
{
    em_rows_walk walk = em_rows_enter(graph, agent / EM_GRAPH_BLOCK);
    while (em_rows_next(&walk) && walk.agent != agent) continue;
    return walk;
}

/* Where rows stand, for whoever looks for many of them: 4 bytes an agent. */
typedef struct {
    uint16_t *row;  /* [n]: number of an agent's row in its block */
    int64_t *strip; /* [blocks][EM_GRAPH_BLOCK / EM_GRAPH_STRIP]: where each four rows begin */
} em_rows_index;

static inline void em_rows_free(em_rows_index *index)
{
    em_base_free(index->row);
    em_base_free(index->strip);
}

static inline em_status em_rows_reserve(em_rows_index *index, const em_graph *graph)
{
    const int64_t strips = em_graph_blocks(graph->n) * (EM_GRAPH_BLOCK / EM_GRAPH_STRIP);
    index->row = em_base_alloc((size_t)graph->n * sizeof *index->row);
    index->strip = em_base_alloc((size_t)strips * sizeof *index->strip);
    return index->row == NULL || index->strip == NULL ? EM_NO_MEMORY : EM_OK;
}

/* Enters the rows of a block into an index. */
static inline void em_rows_note(const em_graph *graph, int64_t block, em_rows_index *index)
{
    em_rows_walk walk = em_rows_enter(graph, block);
    while (em_rows_next(&walk)) {
        index->row[walk.agent] = (uint16_t)walk.row;
        if (walk.row % EM_GRAPH_STRIP == 0)
            index->strip[(walk.first + walk.row) / EM_GRAPH_STRIP] = walk.edge;
    }
}

/* Asks for what em_rows_seek will read of an agent, once its entry in `row` is there. */
static inline void em_rows_fetch(const em_graph *graph, const em_rows_index *index, int64_t agent)
{
    const int64_t row = agent - agent % EM_GRAPH_BLOCK + index->row[agent];
    EM_BASE_FETCH(&index->strip[row / EM_GRAPH_STRIP]);
    EM_BASE_FETCH(&graph->degree[row]);
}

/* As em_rows_find, by an index: O(1). */
static inline em_rows_walk em_rows_seek(const em_graph *graph, const em_rows_index *index, int64_t agent)
{
    em_rows_walk walk = em_rows_enter(graph, agent / EM_GRAPH_BLOCK);
    const int32_t *degree = graph->degree + walk.first;
    walk.agent = agent;
    walk.row = index->row[agent];
    walk.degree = degree[walk.row];
    walk.edge = index->strip[(walk.first + walk.row) / EM_GRAPH_STRIP];
    for (int64_t k = walk.row - walk.row % EM_GRAPH_STRIP; k < walk.row && !em_rows_stripped(&walk); k++)
        walk.edge += degree[k];
    return walk;
}

/* Makes what divides the fields of a graph that has weights, once; false if there is no memory. Not for two threads
 * at once, and before anybody reads it. Who senses nobody has the field 0, whatever divides it. */
static inline bool em_rows_divide(em_graph *graph)
{
    if (graph->weights == NULL || graph->divisor != NULL) return true;
    double *divisor = em_base_alloc((size_t)graph->n * sizeof *divisor);
    if (divisor == NULL) return false;
    for (int64_t block = 0; block < em_graph_blocks(graph->n); block++) {
        em_rows_walk walk = em_rows_enter(graph, block);
        while (em_rows_next(&walk)) {
            double strength = 0.0;
            for (int64_t e = 0; e < walk.degree; e++)
                strength += fabs(graph->weights[em_rows_place(&walk, e)]);
            divisor[walk.first + walk.row] = strength > 0.0 ? 1.0 / strength : 1.0;
        }
    }
    graph->divisor = divisor;
    return true;
}

#endif
