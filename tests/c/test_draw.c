/* Random graphs drawn by many threads: as many distinct edges as were asked for, and the same for any threads. */
#include "em_draw.h"

#include "check.h"
#include "phases.h"

enum { AGENTS = 3 * EM_GRAPH_BLOCK + 5 };

static em_graph *drawn(em_build_source source, em_draw *draw, int64_t edges, int threads, int64_t *lost)
{
    em_graph *graph = em_rows_create(draw->n, 2 * edges, false);
    em_build build;
    em_build_init(&build, graph, source, draw, edges);
    phases_all(&build, threads);
    *lost = (int64_t)em_atomic_load(&build.repeats, memory_order_relaxed) / 2;
    if (*lost > 0) {
        draw->dropped = em_base_alloc((size_t)*lost * sizeof *draw->dropped);
        phases_each(&build, em_draw_drop, em_graph_blocks(draw->n), threads);
        CHECK((int64_t)em_atomic_load(&draw->drops, memory_order_relaxed) == *lost);
        CHECK(em_draw_mend(&build) == EM_OK);
        em_base_free(draw->dropped);
    }
    em_build_free(&build);
    return graph;
}

/* Writes a graph into a matrix, and checks that rows ascend, nobody is in its own, and all is mutual. */
static void spread(const em_graph *graph, bool *matrix)
{
    int64_t n = graph->n, edge = 0;
    memset(matrix, 0, (size_t)(n * n));
    for (int64_t i = 0; i < n; i++) {
        if (i % EM_GRAPH_BLOCK == 0) CHECK(graph->start[i / EM_GRAPH_BLOCK] == edge);
        int32_t before = -1;
        for (int32_t k = 0; k < graph->degree[i]; k++, edge++) {
            CHECK(graph->indices[edge] > before && graph->indices[edge] < n && graph->indices[edge] != i);
            before = graph->indices[edge];
            matrix[i * n + before] = true;
        }
    }
    CHECK(edge == graph->ends && graph->start[em_graph_blocks(n)] == edge);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) CHECK(matrix[i * n + j] == matrix[j * n + i]);
}

/* The first distinct pairs of the sequence, one after another. */
static void first_pairs(const em_draw *draw, int64_t edges, bool *matrix)
{
    int64_t n = draw->n;
    memset(matrix, 0, (size_t)(n * n));
    for (int64_t number = 0; edges > 0; number++) {
        int32_t i, j;
        em_draw_pair(draw, number, &i, &j);
        CHECK(i >= 0 && i < n && j >= 0 && j < n && i != j);
        edges -= !matrix[i * n + j];
        matrix[i * n + j] = matrix[j * n + i] = true;
    }
}

static void pairs(int64_t n, int64_t edges, bool repeats, int threads)
{
    em_draw draw;
    em_draw_init(&draw, 42 + (uint64_t)edges, n, 0, 0.0);
    int64_t lost;
    bool *seen = malloc((size_t)(n * n)), *expected = malloc((size_t)(n * n));
    em_graph *graph = drawn(em_draw_pairs, &draw, edges, threads, &lost);
    CHECK((lost > 0) == repeats);
    spread(graph, seen);
    first_pairs(&draw, edges, expected);
    CHECK(memcmp(seen, expected, (size_t)(n * n)) == 0);
    draw.key++;
    first_pairs(&draw, edges, expected);
    CHECK((memcmp(seen, expected, (size_t)(n * n)) == 0) == (edges == 0 || edges == n * (n - 1) / 2));
    em_graph_free(graph);
    free(seen);
    free(expected);
}

static void ring(int64_t n, int64_t half, double rewire, int threads)
{
    em_draw draw, alone;
    em_draw_init(&draw, 7, n, half, rewire);
    em_draw_init(&alone, 7, n, half, rewire);
    int64_t lost, again, moved = 0;
    bool *seen = malloc((size_t)(n * n));
    em_graph *graph = drawn(em_draw_ring, &draw, n * half, threads, &lost);
    em_graph *same = drawn(em_draw_ring, &alone, n * half, 1, &again);
    CHECK(lost == again && (lost > 0) == (rewire > 0.0));
    CHECK(memcmp(graph->degree, same->degree, (size_t)n * sizeof *graph->degree) == 0);
    CHECK(memcmp(graph->indices, same->indices, (size_t)graph->ends * sizeof *graph->indices) == 0);
    spread(graph, seen);
    for (int64_t number = 0; number < n * half; number++) {
        int64_t agent = number / half, there = (agent + number % half + 1) % n;
        bool stays = em_draw_end(&draw, number) == there;
        if (stays) CHECK(seen[agent * n + there]);
        moved += !seen[agent * n + there];
    }
    CHECK(moved <= n * (n - 1 - 2 * half) / 2); /* as many places as there are off the ring */
    if (rewire == 0.0) CHECK(moved == 0);
    if (rewire == 1.0 && n > 16 * half) CHECK(moved == n * half);
    em_graph_free(graph);
    em_graph_free(same);
    free(seen);
}

int main(int argc, char **argv)
{
    int threads = check_size(argc, argv);
    int64_t before = em_base_live();
    pairs(AGENTS, 60000, true, threads);
    pairs(AGENTS, AGENTS * (AGENTS - 1) / 8, true, threads);
    pairs(AGENTS, 100, false, threads);
    pairs(2, 0, false, threads);
    pairs(4, 6, true, threads); /* all there are */
    ring(AGENTS, 20, 0.3, threads);
    ring(AGENTS, 20, 1.0, threads);
    ring(AGENTS, 3, 0.0, threads);
    ring(6, 2, 1.0, threads); /* three places for twelve edges: most go back */
    CHECK(em_base_live() == before);
    return 0;
}
