/* em_build.h: rows made of edges by many workers at once, in the memory that stays.
 *
 * A walk hands over the edges of a piece of them, the same whenever it is asked; the usual one asks a source for edges
 * by their numbers. Rows are made in phases. The pieces of a phase, blocks of agents or pieces of edges, may be done by
 * anybody in any order; all of them are done before the next phase begins:
 *
 *     clear, count, sum       blocks, pieces, blocks: degrees, and how many ends each block has
 *     begin                   once, alone: where blocks start
 *     open, scatter, close    blocks, pieces, blocks: ends are put into their rows, rows sorted
 *     settle                  blocks: rows, which followed each other until now, are laid out as em_rows.h says
 *
 * Workers meet in the degrees and the cursors of rows, which are changed by atomic additions alone. Between `open` and
 * `close` the degree of an agent is its cursor: where in its block its next end goes. So nothing is held beside the
 * graph, unless a block has more ends than a cursor can count (`wide`).
 *
 * Invariant: an end is put where nobody else puts one, within its block. In which order ends come into a row is left to
 * chance, and sorting takes it out again: the rows are the same for any workers. The caller orders the phases, as a
 * parallel region's end does; walks hand over edges of different agents, below n. A walk whose edges are others when it
 * is asked again does no harm beyond the rows: they are then filled in part, which `close` finds, or hold edges of both
 * times.
 */
#ifndef EM_BUILD_H
#define EM_BUILD_H

#include "em_atomic.h"
#include "em_rows.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "32-bit atomic words must be lock-free");

#define EM_BUILD_CHUNK 16384 /* edges of a piece: half a millisecond's work */
#define EM_BUILD_BATCH 128   /* edges whose memory is asked for at once, before any of it is needed */
#define EM_BUILD_SHORT 24    /* ends of a row that are sorted by insertion */
#define EM_BUILD_PAGE  512   /* weights of a page of memory, the smallest there is */
#define EM_BUILD_EMPTY (-1)  /* where no end was put */

typedef struct em_build em_build;

/* Tells the ends of the edges `first` to `first + size - 1`, at most EM_BUILD_BATCH. */
typedef void (*em_build_source)(const em_build *build, int64_t first, int size, int32_t *one, int32_t *other);

/* Takes at most EM_BUILD_BATCH edges; their weights, or NULL. */
typedef void (*em_build_take)(
    em_build *build, const int32_t *one, const int32_t *other, const double *weight, int size);

/* Hands over the edges of a piece, with their weights if `weighted`. */
typedef void (*em_build_walk)(em_build *build, int64_t piece, bool weighted, em_build_take take);

typedef void (*em_build_phase)(em_build *build, int64_t piece);

struct em_build {
    em_graph *graph;
    em_word *wide;  /* [n]: cursors of all rows, or NULL: the degrees are */
    int64_t narrow; /* ends of a block that such a cursor can count */
    int64_t edges;
    bool directed; /* whether only the first agent of an edge senses the second */
    em_build_walk walk;
    em_build_source source;
    void *given;          /* what the walk or the source draws from */
    const double *weight; /* [edges], or NULL */
    em_word failed;       /* not 0: there was no memory to settle a block */
    em_word strayed;      /* not 0: edges were others when they were asked for again */
    em_word repeats;      /* ends that stand beside their like in a closed row */
    em_word uneven;       /* not 0: a folded row has a weight that is not 1 */
    em_word
        beyond; /* the least folded end whose weights add up to no finite number, its row in the high half */
};

static inline int64_t em_build_chunks(int64_t edges)
{
    return (edges + EM_BUILD_CHUNK - 1) / EM_BUILD_CHUNK;
}

static inline int em_build_size(int64_t left)
{
    return left < EM_BUILD_BATCH ? (int)left : EM_BUILD_BATCH;
}

/* A walk: edges by their numbers, from a source. */
static inline void em_build_walk_numbers(em_build *build, int64_t piece, bool weighted, em_build_take take)
{
    int32_t one[EM_BUILD_BATCH], other[EM_BUILD_BATCH];
    int64_t first = piece * EM_BUILD_CHUNK, left = build->edges - first;
    if (left > EM_BUILD_CHUNK) left = EM_BUILD_CHUNK;
    for (int size; left > 0; first += size, left -= size) {
        size = em_build_size(left);
        build->source(build, first, size, one, other);
        take(build, one, other, weighted ? build->weight + first : NULL, size);
    }
}

static inline void em_build_init(
    em_build *build, em_graph *graph, em_build_source source, void *given, int64_t edges)
{
    *build = (em_build){
        .graph = graph,
        .narrow = INT32_MAX,
        .edges = edges,
        .walk = em_build_walk_numbers,
        .source = source,
        .given = given,
        .beyond = {UINT64_MAX},
    };
}

/* The agents of a block: from the one returned up to `*end`. */
static inline int64_t em_build_agents(const em_build *build, int64_t block, int64_t *end)
{
    int64_t first = block * EM_GRAPH_BLOCK, n = build->graph->n;
    *end = first + EM_GRAPH_BLOCK < n ? first + EM_GRAPH_BLOCK : n;
    return first;
}

/* A source: keys that hold the first agent in the high half and the second in the low one. */
static inline void em_build_unpack(
    const em_build *build, int64_t first, int size, int32_t *one, int32_t *other)
{
    const int64_t *key = (const int64_t *)build->given + first;
    for (int k = 0; k < size; k++) {
        one[k] = (int32_t)(key[k] >> 32);
        other[k] = (int32_t)(key[k] & UINT32_MAX);
    }
}

/* Adds to a degree or a narrow cursor; returns what it was before. */
static inline int32_t em_build_add(int32_t *count, int32_t more)
{
    return atomic_fetch_add_explicit((_Atomic int32_t *)count, more, memory_order_relaxed);
}

/* How many equal rows follow each other from the k-th on: keys that ascend have many, and cost one addition. */
static inline int em_build_run(const int32_t *row, int k, int size)
{
    int end = k + 1;
    while (end < size && row[end] == row[k]) end++;
    return end - k;
}

static inline void em_build_count_ends(em_build *build, const int32_t *row, int size)
{
    int32_t *degree = build->graph->degree;
    for (int k = 0; k < size; k++) EM_BASE_FETCH_TO_WRITE(&degree[row[k]]);
    for (int k = 0, run; k < size; k += run) {
        run = em_build_run(row, k, size);
        em_build_add(&degree[row[k]], run);
    }
}

/* Takes the next places of a row; returns the first, or -1 if they are not all in the row's block. */
static inline int64_t em_build_reserve(em_build *build, int32_t row, int32_t places)
{
    const int64_t *start = &build->graph->start[(uint32_t)row / EM_GRAPH_BLOCK];
    int64_t first;
    if (build->wide != NULL)
        first = (int64_t)em_atomic_add(&build->wide[row], (uint64_t)places, memory_order_relaxed);
    else
        first = start[0] + em_build_add(&build->graph->degree[row], places);
    return first >= start[0] && first + places <= start[1] ? first : -1;
}

/* Says yes in a word that many look at and few have to change. */
static inline void em_build_mark(em_word *word)
{
    if (em_atomic_load(word, memory_order_relaxed) == 0) em_atomic_store(word, 1, memory_order_relaxed);
}

static inline void em_build_put_ends(
    em_build *build, const int32_t *row, const int32_t *sensed, const double *weight, int size)
{
    em_graph *graph = build->graph;
    int64_t place[EM_BUILD_BATCH];
    for (int k = 0; k < size; k++)
        EM_BASE_FETCH_TO_WRITE(build->wide ? (void *)&build->wide[row[k]] : &graph->degree[row[k]]);
    for (int k = 0, run; k < size; k += run) {
        run = em_build_run(row, k, size);
        int64_t first = em_build_reserve(build, row[k], run);
        if (first < 0) return em_build_mark(&build->strayed);
        for (int r = 0; r < run; r++) place[k + r] = first + r;
        EM_BASE_FETCH_TO_WRITE(&graph->indices[first]);
        if (weight != NULL) EM_BASE_FETCH_TO_WRITE(&graph->weights[first]);
    }
    for (int k = 0; k < size; k++) graph->indices[place[k]] = sensed[k];
    for (int k = 0; weight != NULL && k < size; k++) graph->weights[place[k]] = weight[k];
}

/* ---- phases */

static inline void em_build_clear(em_build *build, int64_t block)
{
    int64_t end, first = em_build_agents(build, block, &end);
    memset(build->graph->degree + first, 0, (size_t)(end - first) * sizeof(int32_t));
}

static inline void em_build_take_count(
    em_build *build, const int32_t *one, const int32_t *other, const double *weight, int size)
{
    (void)weight;
    em_build_count_ends(build, one, size);
    if (!build->directed) em_build_count_ends(build, other, size);
}

static inline void em_build_count(em_build *build, int64_t piece)
{
    build->walk(build, piece, false, em_build_take_count);
}

/* Tells where the next block starts as if this one started at 0. */
static inline void em_build_sum(em_build *build, int64_t block)
{
    int64_t end, sum = 0;
    for (int64_t i = em_build_agents(build, block, &end); i < end; i++) sum += build->graph->degree[i];
    build->graph->start[block + 1] = sum;
}

/* Tells where each block starts, and takes wide cursors if there must be some. */
static inline em_status em_build_begin(em_build *build)
{
    em_graph *graph = build->graph;
    int64_t most = 0;
    graph->start[0] = 0;
    for (int64_t block = 0; block < em_graph_blocks(graph->n); block++) {
        if (graph->start[block + 1] > most) most = graph->start[block + 1];
        graph->start[block + 1] += graph->start[block];
    }
    if (most <= build->narrow) return EM_OK;
    build->wide = em_base_alloc((size_t)graph->n * sizeof *build->wide);
    return build->wide == NULL ? EM_NO_MEMORY : EM_OK;
}

/* Sets the cursors to where rows begin, and marks all places of the block as empty. */
static inline void em_build_open(em_build *build, int64_t block)
{
    em_graph *graph = build->graph;
    int64_t end, edge = graph->start[block], stop = graph->start[block + 1];
    int32_t before = 0;
    for (int64_t i = em_build_agents(build, block, &end); i < end; i++) {
        int32_t degree = graph->degree[i];
        if (build->wide != NULL)
            em_atomic_store(&build->wide[i], (uint64_t)edge, memory_order_relaxed);
        else
            graph->degree[i] = before;
        before = build->wide != NULL ? 0 : before + degree;
        edge += degree;
    }
    for (int64_t k = graph->start[block]; k < stop; k++) graph->indices[k] = EM_BUILD_EMPTY;
    for (int64_t k = graph->start[block]; graph->weights && k < stop; k += EM_BUILD_PAGE)
        graph->weights[k] = 0;
}

static inline void em_build_take_put(
    em_build *build, const int32_t *one, const int32_t *other, const double *weight, int size)
{
    em_build_put_ends(build, one, other, weight, size);
    if (!build->directed) em_build_put_ends(build, other, one, weight, size);
}

static inline void em_build_scatter(em_build *build, int64_t piece)
{
    build->walk(build, piece, build->graph->weights != NULL, em_build_take_put);
}

/* Brings indices without a bit before those with it, weights with them; returns how many are without. A swap for each,
 * since guessing wrong every other time would cost more. */
static inline int64_t em_build_part(int32_t *index, double *weight, int64_t size, int bit)
{
    int64_t low = 0;
    for (int64_t k = 0; k < size; k++) {
        int32_t i = index[k];
        index[k] = index[low], index[low] = i;
        if (weight != NULL) {
            double w = weight[k];
            weight[k] = weight[low], weight[low] = w;
        }
        low += !(i >> bit & 1);
    }
    return low;
}

static inline void em_build_insert(int32_t *index, double *weight, int64_t size)
{
    for (int64_t k = 1; k < size; k++) {
        int32_t i = index[k];
        double w = weight == NULL ? 0.0 : weight[k];
        int64_t to = k;
        for (; to > 0 && index[to - 1] > i; to--) {
            index[to] = index[to - 1];
            if (weight != NULL) weight[to] = weight[to - 1];
        }
        index[to] = i;
        if (weight != NULL) weight[to] = w;
    }
}

/* Sorts a row in place, its weights with it: long ones by their bits from the highest on, which takes no more than
 * O(size * bits) whatever they hold. */
static inline void em_build_sort(int32_t *index, double *weight, int64_t size, int bit)
{
    for (; size > EM_BUILD_SHORT && bit >= 0; bit--) {
        int64_t low = em_build_part(index, weight, size, bit);
        em_build_sort(index + low, weight == NULL ? NULL : weight + low, size - low, bit - 1);
        size = low;
    }
    if (size <= EM_BUILD_SHORT) em_build_insert(index, weight, size);
}

static inline bool em_build_ascends(const int32_t *index, int64_t size)
{
    for (int64_t k = 1; k < size; k++)
        if (index[k] < index[k - 1]) return false;
    return true;
}

static inline int em_build_highest_bit(int64_t n)
{
    int bit = 0;
    while ((n - 1) >> (bit + 1) > 0) bit++;
    return bit;
}

/* Whether the row was filled, neither with too few ends nor with too many. */
static inline bool em_build_is_filled(const em_build *build, int64_t block, int64_t edge, int32_t degree)
{
    if (degree < 0 || degree > build->graph->start[block + 1] - edge) return false;
    int32_t all = 0;
    for (int32_t k = 0; k < degree; k++) all |= build->graph->indices[edge + k];
    return all >= 0;
}

/* Sorts a row of n agents' neighbours; returns how many ends stand beside their like. */
static inline uint64_t em_build_sort_row(int32_t *index, double *weight, int32_t degree, int64_t n)
{
    uint64_t repeats = 0;
    if (degree <= EM_BUILD_SHORT)
        em_build_insert(index, weight, degree);
    else if (!em_build_ascends(index, degree))
        em_build_sort(index, weight, degree, em_build_highest_bit(n));
    for (int32_t k = 1; k < degree; k++) repeats += index[k] == index[k - 1];
    return repeats;
}

/* Makes degrees of the cursors, sorts the rows, and counts what stands in them twice. */
static inline void em_build_close(em_build *build, int64_t block)
{
    em_graph *graph = build->graph;
    int64_t end, edge = graph->start[block];
    int32_t before = 0;
    uint64_t repeats = 0;
    for (int64_t i = em_build_agents(build, block, &end); i < end; i++) {
        int32_t filled = graph->degree[i];
        if (build->wide == NULL) graph->degree[i] = filled - before, before = filled;
        if (!em_build_is_filled(build, block, edge, graph->degree[i])) return em_build_mark(&build->strayed);
        repeats += em_build_sort_row(
            graph->indices + edge, graph->weights ? graph->weights + edge : NULL, graph->degree[i], graph->n);
        edge += graph->degree[i];
    }
    if (edge != graph->start[block + 1]) em_build_mark(&build->strayed);
    if (repeats > 0) em_atomic_add(&build->repeats, repeats, memory_order_relaxed);
}

/* Lays a block out, by way of a copy of its edges. */
static inline void em_build_settle(em_build *build, int64_t block)
{
    em_graph *graph = build->graph;
    const int64_t first = graph->start[block], size = graph->start[block + 1] - first;
    const size_t bytes = (size_t)size * sizeof(int32_t),
                 extra = graph->weights ? (size_t)size * sizeof(double) : 0;
    int32_t degree[EM_GRAPH_BLOCK];
    char *copy = em_base_alloc(extra + bytes);
    if (copy == NULL) {
        em_build_mark(&build->failed);
        return;
    }
    double *weights = graph->weights ? (double *)copy : NULL;
    int32_t *indices = (int32_t *)(copy + extra);
    memcpy(
        degree, graph->degree + block * EM_GRAPH_BLOCK,
        (size_t)em_graph_count(graph->n, block) * sizeof *degree);
    if (size > 0) memcpy(indices, graph->indices + first, bytes);
    if (weights != NULL && size > 0) memcpy(weights, graph->weights + first, extra);
    em_rows_lay(graph, block, degree, indices, weights);
    em_base_free(copy);
}

static inline void em_build_free(em_build *build)
{
    em_base_free(build->wide);
}

/* ---- rows that are there already: copied by `copy_degrees`, `begin` and `copy_rows`, blocks each */

typedef struct {
    const int32_t *degree, *indices;
    const double *weights;
} em_build_rows;

static inline void em_build_copy_degrees(em_build *build, int64_t block)
{
    const em_build_rows *rows = build->given;
    int64_t end, first = em_build_agents(build, block, &end);
    memcpy(build->graph->degree + first, rows->degree + first, (size_t)(end - first) * sizeof(int32_t));
    em_build_sum(build, block);
}

static inline void em_build_copy_rows(em_build *build, int64_t block)
{
    const em_build_rows *rows = build->given;
    em_graph *graph = build->graph;
    int64_t first = graph->start[block], size = graph->start[block + 1] - first;
    if (size == 0) return;
    memcpy(graph->indices + first, rows->indices + first, (size_t)size * sizeof *graph->indices);
    if (rows->weights == NULL) return;
    memcpy(graph->weights + first, rows->weights + first, (size_t)size * sizeof *graph->weights);
}

#endif
