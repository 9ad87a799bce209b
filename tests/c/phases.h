/* phases.h: the phases of a build, their pieces taken by plain threads. */
#ifndef PHASES_H
#define PHASES_H

#include "em_build.h"

#include "check.h"

typedef struct {
    em_build *build;
    em_build_phase phase;
    int64_t pieces;
    em_word next;
} phases_job;

static void *phases_take(void *argument)
{
    phases_job *job = ((check_member *)argument)->shared;
    int64_t piece;
    while ((piece = (int64_t)em_atomic_add(&job->next, 1, memory_order_relaxed)) < job->pieces)
        job->phase(job->build, piece);
    return NULL;
}

static inline void phases_each(em_build *build, em_build_phase phase, int64_t pieces, int size)
{
    phases_job job = {.build = build, .phase = phase, .pieces = pieces};
    check_together(size, phases_take, &job);
}

/* A stored graph of rows that follow each other; weights or NULL. */
static inline em_graph *phases_stored(
    int64_t n, int64_t ends, const int32_t *degree, const int32_t *indices, const double *weights)
{
    em_graph *graph = em_rows_create(n, ends, weights != NULL);
    em_build_rows rows = {degree, indices, weights};
    em_build build;
    CHECK(graph != NULL);
    em_build_init(&build, graph, NULL, &rows, 0);
    phases_each(&build, em_build_copy_degrees, em_graph_blocks(n), 1);
    CHECK(em_build_begin(&build) == EM_OK);
    phases_each(&build, em_build_copy_rows, em_graph_blocks(n), 1);
    phases_each(&build, em_build_settle, em_graph_blocks(n), 1);
    return graph;
}

/* Agent i senses i % (degree + 1) others, as far as there are any: the first below `spread`, the next ones less than
 * `spread` further on each. */
static inline em_graph *phases_scattered(
    int32_t n, int degree_most, int32_t spread, uint64_t seed, bool weighted)
{
    int32_t *degree = calloc((size_t)n, sizeof *degree),
            *indices = calloc((size_t)n * (size_t)degree_most, sizeof *indices);
    double *weights = calloc((size_t)n * (size_t)degree_most, sizeof *weights);
    int64_t ends = 0;
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = (int32_t)(check_random(&seed) % (uint64_t)spread);
             degree[i] < i % (degree_most + 1) && j < n;
             j += 1 + (int32_t)(check_random(&seed) % (uint64_t)spread)) {
            if (j == i) continue;
            weights[ends] = check_uniform(&seed);
            indices[ends++] = j;
            degree[i]++;
        }
    em_graph *graph = phases_stored(n, ends, degree, indices, weighted ? weights : NULL);
    free(degree), free(indices), free(weights);
    return graph;
}

/* All phases until the rows are closed, of edges in so many pieces. */
static inline void phases_pieces(em_build *build, int64_t pieces, int size)
{
    const int64_t blocks = em_graph_blocks(build->graph->n);
    phases_each(build, em_build_clear, blocks, size);
    phases_each(build, em_build_count, pieces, size);
    phases_each(build, em_build_sum, blocks, size);
    CHECK(em_build_begin(build) == EM_OK);
    CHECK(build->graph->start[blocks] == build->graph->ends);
    phases_each(build, em_build_open, blocks, size);
    phases_each(build, em_build_scatter, pieces, size);
    phases_each(build, em_build_close, blocks, size);
}

static inline void phases_all(em_build *build, int size)
{
    phases_pieces(build, em_build_chunks(build->edges), size);
}

#endif
