/* Regular graphs by many threads: every degree is what was asked for, and the graph the same for any threads. */
#include "em_pair.h"

#include "check.h"
#include "phases.h"

static em_graph *paired(int64_t n, int64_t degree, int threads, uint64_t *repeats)
{
    em_graph *graph = em_rows_create(n, n * degree, false);
    const int64_t blocks = em_graph_blocks(n);
    em_pair pair;
    em_build build;
    em_pair_init(&pair, 12, n, degree);
    em_build_init(&build, graph, NULL, &pair, 0);
    bool done = false;
    for (uint32_t sample = 0; !done; sample++) {
        CHECK(sample < 50);
        CHECK(em_shuffle_init(&pair.shuffle, pair.key, sample, (uint64_t)(n * pair.drawn)) == EM_OK);
        em_atomic_store(&build.repeats, 0, memory_order_relaxed);
        em_atomic_store(&pair.found, 0, memory_order_relaxed);
        phases_each(&build, em_pair_fill, blocks, threads);
        *repeats = em_atomic_load(&build.repeats, memory_order_relaxed);
        pair.bad = em_base_alloc((size_t)*repeats * sizeof *pair.bad);
        phases_each(&build, em_pair_find, blocks, threads);
        uint64_t found = em_atomic_load(&pair.found, memory_order_relaxed);
        CHECK(found <= *repeats && (found > 0) == (*repeats > 0));
        done = em_pair_mend(&build);
        em_base_free(pair.bad);
        em_shuffle_free(&pair.shuffle);
    }
    if (pair.drawn < degree) phases_each(&build, em_pair_leave, blocks, threads);
    return graph;
}

static void regular(int64_t n, int64_t degree, int threads)
{
    uint64_t repeats, again;
    em_graph *graph = paired(n, degree, threads, &repeats), *same = paired(n, degree, 1, &again);
    bool *matrix = calloc((size_t)(n * n), sizeof *matrix);
    CHECK(repeats == again);
    CHECK(memcmp(graph->indices, same->indices, (size_t)graph->ends * sizeof *graph->indices) == 0);
    for (int64_t i = 0; i < n; i++) {
        CHECK(
            graph->degree[i] == degree &&
            graph->start[i / EM_GRAPH_BLOCK] == i / EM_GRAPH_BLOCK * 512 * degree);
        for (int64_t k = 0; k < degree; k++) {
            const int32_t j = graph->indices[i * degree + k];
            CHECK(j >= 0 && j < n && j != i && (k == 0 || graph->indices[i * degree + k - 1] < j));
            matrix[i * n + j] = true;
        }
    }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) CHECK(matrix[i * n + j] == matrix[j * n + i]);
    em_graph_free(graph);
    em_graph_free(same);
    free(matrix);
}

int main(int argc, char **argv)
{
    int threads = check_size(argc, argv);
    int64_t before = em_base_live();
    for (int64_t n = 1; n < 9; n++)
        for (int64_t degree = 0; degree < n; degree++)
            if (n * degree % 2 == 0) regular(n, degree, threads);
    regular(2 * EM_GRAPH_BLOCK + 6, 10, threads);
    regular(2 * EM_GRAPH_BLOCK + 6, 1020, threads);
    regular(EM_GRAPH_BLOCK + 89, 300, threads); /* half of all: a fourth of the pairs is mended */
    CHECK(em_base_live() == before);
    return 0;
}
