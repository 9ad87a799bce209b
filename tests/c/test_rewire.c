/* Edges redirected by many threads: as many as were asked for, to where none was, each with its weight, and the same
 * graph for any threads. */
#include "em_draw.h"
#include "em_rewire.h"

#include "check.h"
#include "phases.h"

/* The first `edges` distinct pairs of a sequence, or with `half` a ring, laid out; the weights tell edges apart. */
static em_graph *made(int64_t n, int64_t edges, int64_t half, bool directed, bool weighted)
{
    uint64_t *key = malloc((size_t)edges * sizeof *key), *table = calloc((size_t)(2 * edges), sizeof *table);
    double *weight = malloc((size_t)edges * sizeof *weight);
    em_draw draw;
    em_draw_init(&draw, 13, n, half, 0.0);
    em_graph *graph = em_rows_create(n, directed ? edges : 2 * edges, weighted);
    em_build build;
    em_build_init(&build, graph, em_build_unpack, key, edges);
    build.directed = directed;
    for (int64_t number = 0, found = 0; found < edges; number++) {
        int32_t i, j;
        if (half > 0)
            i = (int32_t)(number / half), j = em_draw_end(&draw, number);
        else
            em_draw_pair(&draw, number, &i, &j);
        weight[found] = (double)found + 1.0;
        key[found] = em_mend_edge(&build, i, j);
        found += em_mend_take(table, 2 * edges, key[found]);
    }
    if (weighted) build.weight = weight;
    phases_all(&build, 1);
    phases_each(&build, em_build_settle, em_graph_blocks(n), 1);
    em_build_free(&build);
    free(key), free(table), free(weight);
    return graph;
}

static em_graph *rewired(
    const em_graph *old, int64_t moves, int64_t half, bool directed, int threads, int64_t *losers)
{
    const int64_t blocks = em_graph_blocks(old->n);
    em_graph *graph = em_rows_create(old->n, old->ends, old->weights != NULL);
    em_rewire rewire;
    em_build build;
    CHECK(em_rewire_init(&rewire, old, 14, (uint64_t)moves, half) == EM_OK);
    em_build_init(&build, graph, NULL, &rewire, 0);
    build.directed = directed;
    build.walk = em_rewire_walk_block;
    phases_each(&build, em_rewire_number, blocks, threads);
    CHECK(em_rewire_begin(&build) == EM_OK);
    phases_pieces(&build, blocks, threads);
    *losers = 0;
    const uint64_t repeats = em_atomic_load(&build.repeats, memory_order_relaxed);
    if (repeats > 0) {
        rewire.wanted = em_base_alloc((size_t)repeats * sizeof *rewire.wanted);
        phases_each(&build, em_rewire_drop, blocks, threads);
        CHECK(em_rewire_table(&build) == EM_OK);
        phases_each(&build, em_rewire_find, blocks, threads);
        *losers = (int64_t)em_atomic_load(&rewire.losers, memory_order_relaxed);
        CHECK(2 * *losers == rewire.room);
        em_rewire_mend(&build);
    }
    em_rewire_free(&rewire);
    em_build_free(&build);
    return graph;
}

/* Writes a weight, or 1, for each end into a matrix, whichever way the rows stand. */
static void spread(const em_graph *graph, bool laid, double *matrix)
{
    const int64_t n = graph->n;
    memset(matrix, 0, (size_t)(n * n) * sizeof *matrix);
    for (int64_t i = 0; i < n; i++) {
        em_rows_walk walk = {0};
        if (laid) walk = em_rows_find(graph, i);
        const int64_t row = laid ? 0 : em_mend_row(graph, i), degree = laid ? walk.degree : graph->degree[i];
        for (int64_t k = 0; k < degree; k++) {
            const int64_t place = laid ? em_rows_place(&walk, k) : row + k;
            const int32_t j = graph->indices[place];
            CHECK(j >= 0 && j < n && j != i && matrix[i * n + j] == 0.0);
            if (k > 0 && !laid) CHECK(graph->indices[place - 1] < j);
            matrix[i * n + j] = graph->weights == NULL ? 1.0 : graph->weights[place];
        }
    }
}

static void check(
    int64_t n, int64_t edges, int64_t half, int64_t moves, bool directed, bool weighted, int threads)
{
    int64_t losers, again, moved = 0, ends = directed ? edges : 2 * edges;
    double *was = malloc((size_t)(n * n) * sizeof *was), *is = malloc((size_t)(n * n) * sizeof *is);
    bool *seen = calloc((size_t)edges + 1, sizeof *seen);
    em_graph *old = made(n, edges, half, directed, weighted);
    em_graph *graph = rewired(old, moves, half, directed, threads, &losers);
    em_graph *same = rewired(old, moves, half, directed, 1, &again);
    CHECK(losers == again && graph->start[em_graph_blocks(n)] == ends);
    CHECK(memcmp(graph->degree, same->degree, (size_t)n * sizeof *graph->degree) == 0);
    CHECK(memcmp(graph->indices, same->indices, (size_t)ends * sizeof *graph->indices) == 0);
    if (weighted) CHECK(memcmp(graph->weights, same->weights, (size_t)ends * sizeof *graph->weights) == 0);
    spread(old, true, was);
    spread(graph, false, is);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++) {
            if (!directed) CHECK(is[i * n + j] == is[j * n + i]);
            if (is[i * n + j] == 0.0) continue;
            const bool stays = was[i * n + j] != 0.0;
            moved += !stays && (directed || i < j);
            if (stays) CHECK(was[i * n + j] == is[i * n + j]);
            if (weighted && (directed || i < j)) {
                CHECK(
                    !seen[(int)is[i * n + j]]); /* each edge once, and of those that move one agent is kept */
                seen[(int)is[i * n + j]] = true;
            }
        }
    const int64_t room = (directed ? n * (n - 1) : n * (n - 1) / 2) - edges;
    CHECK(moved <= moves && moved <= room);
    if (4 * moves < room) CHECK(moved == moves);
    if (edges > 1000 && room > 0 && 4 * moves > room)
        CHECK(losers > 0 && moved > (room < moves ? room : moves) * 9 / 10);
    for (int64_t i = 0; i < n && half > 0; i++) { /* each agent keeps `half` edges */
        int64_t degree = graph->degree[i];
        CHECK(degree >= half);
    }
    em_graph_free(old);
    em_graph_free(graph);
    em_graph_free(same);
    free(was), free(is), free(seen);
}

int main(int argc, char **argv)
{
    int threads = check_size(argc, argv);
    int64_t before = em_base_live();
    const int64_t n = EM_GRAPH_BLOCK + 77, few = 90;
    for (int kind = 0; kind < 4; kind++) {
        const bool directed = kind & 1, weighted = kind & 2;
        check(n, 5 * n, 0, n, directed, weighted, threads);
        check(n, 5 * n, 0, 5 * n, directed, weighted, threads);
        check(few, few * (few - 1) / 2 - 300, 0, few * (few - 1) / 2 - 300, directed, weighted, threads);
        check(few, few * (few - 1) / 2, 0, few * (few - 1) / 2, directed, weighted, threads);
        check(n, 40, 0, 0, directed, weighted, threads);
        check(2, 1, 0, 1, directed, weighted, threads);
        check(3, 1, 0, 1, directed, weighted, threads);
        check(3, 0, 0, 0, directed, weighted, threads);
    }
    check(n, 20 * n, 20, 10 * n, false, false, threads);
    check(few + 1, 30 * (few + 1), 30, 30 * (few + 1), false, true, threads);
    CHECK(em_base_live() == before);
    return 0;
}
