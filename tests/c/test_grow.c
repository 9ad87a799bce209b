/* Graphs grown by many threads: those that attaching one agent after another gives, in whatever order pieces are done. */
#include "em_grow.h"

#include "check.h"
#include "phases.h"

/* One agent after another, with the same draws. */
static void attach_in_order(const em_grow *grow, int32_t *target)
{
    const int64_t m = grow->m;
    for (int64_t k = 0; k < m; k++) target[k] = 0;
    for (int64_t k = m; k < grow->bundles * m; k++)
        for (uint32_t attempt = 0;; attempt++) {
            em_grow_end end = em_grow_draw(grow, k / m, k % m, attempt);
            if (end.place < 0) continue;
            CHECK(end.place < k - k % m); /* an edge that an earlier agent brought */
            target[k] = end.known >= 0 ? end.known : target[end.place];
            if (!em_grow_has(target + k - k % m, k % m, target[k])) break;
        }
}

static int64_t pieces_turned;

/* Pieces from the last to the first. */
static void attach_backward(em_build *build, int64_t piece)
{
    em_grow_attach(build, pieces_turned - 1 - piece);
}

static void grown(int64_t n, int64_t m, bool backward, int threads)
{
    const int64_t edges = m * (n - m);
    em_graph *graph = em_rows_create(n, 2 * edges, false);
    em_grow grow;
    em_build build;
    em_grow_init(&grow, 11, n, m);
    em_build_init(&build, graph, em_grow_edges, &grow, edges);
    grow.target = em_base_alloc((size_t)edges * sizeof *grow.target);
    phases_each(&build, em_grow_clear, em_build_chunks(edges), threads);
    pieces_turned = em_grow_pieces(&grow);
    uint64_t left, before = UINT64_MAX;
    do {
        em_atomic_store(&grow.left, 0, memory_order_relaxed);
        phases_each(&build, backward ? attach_backward : em_grow_attach, pieces_turned, threads);
        left = em_atomic_load(&grow.left, memory_order_relaxed);
        CHECK(left == 0 || left < before); /* the first that was left is not any more */
        before = left;
    } while (left > 0);
    int32_t *expected = malloc((size_t)edges * sizeof *expected);
    attach_in_order(&grow, expected);
    CHECK(memcmp(grow.target, expected, (size_t)edges * sizeof *expected) == 0);
    phases_all(&build, threads);
    CHECK(em_atomic_load(&build.repeats, memory_order_relaxed) == 0);
    int64_t edge = 0;
    for (int64_t i = 0; i < n;
         i++) { /* a row names first whom its agent was attached to, then who came later */
        CHECK(graph->degree[i] >= (i > m ? m : 1));
        for (int32_t k = 0; k < graph->degree[i]; k++, edge++) {
            CHECK(graph->indices[edge] != i);
            if (i > m) CHECK((graph->indices[edge] < i) == (k < m));
        }
    }
    em_build_free(&build);
    em_base_free(grow.target);
    em_graph_free(graph);
    free(expected);
}

int main(int argc, char **argv)
{
    int threads = check_size(argc, argv);
    int64_t before = em_base_live();
    grown(2, 1, false, threads);
    grown(7, 6, false, threads);
    grown(9, 5, true, threads);
    grown(9000, 1, false, threads);
    grown(4000, 5, false, threads);
    grown(4000, 5, true, threads);
    grown(400, 200, false, threads);
    CHECK(em_base_live() == before);
    return 0;
}
