/* Rows made by many threads are those that sorting all ends makes. */
#include "em_build.h"

#include "check.h"
#include "phases.h"

enum { AGENTS = 5 * EM_GRAPH_BLOCK + 33, EDGES = 6 * EM_BUILD_CHUNK + 99, HUB = 700 };

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Distinct edges, i < j, in no order: every other agent with the hub, the rest anywhere. Returns how many. */
static int64_t edges(int64_t *key)
{
    uint64_t seed = 12345;
    int64_t size = 0;
    for (int64_t j = 0; j < AGENTS; j++)
        if (j != HUB) key[size++] = j < HUB ? j << 32 | HUB : (int64_t)HUB << 32 | j;
    while (size < EDGES) {
        int64_t i = (int64_t)(check_random(&seed) % AGENTS), j = (int64_t)(check_random(&seed) % AGENTS);
        if (i < j) key[size++] = i << 32 | j;
    }
    qsort(key, (size_t)size, sizeof *key, ascending);
    int64_t kept = 1;
    for (int64_t k = 1; k < size; k++)
        if (key[k] != key[kept - 1]) key[kept++] = key[k];
    for (int64_t k = kept - 1; k > kept / 2; k--) { /* the first half stays ascending: runs of equal rows */
        int64_t other = kept / 2 + (int64_t)(check_random(&seed) % (uint64_t)(k - kept / 2 + 1)),
                swap = key[k];
        key[k] = key[other], key[other] = swap;
    }
    return kept;
}

/* What an edge weighs, whichever of its ends asks. */
static double weight_of(int64_t i, int64_t j)
{
    return i < j ? (double)(i * 10000 + j) : (double)(j * 10000 + i);
}

/* The ends that there must be, by sorting them all. */
static int64_t *ends_of(const int64_t *key, int64_t size, bool directed)
{
    int64_t *end = em_base_alloc((size_t)(2 * size) * sizeof *end), count = 0;
    for (int64_t k = 0; k < size; k++) {
        end[count++] = key[k];
        if (!directed) end[count++] = (key[k] & UINT32_MAX) << 32 | key[k] >> 32;
    }
    qsort(end, (size_t)count, sizeof *end, ascending);
    return end;
}

static void made(
    const int64_t *key, const double *weight, int64_t size, bool directed, int64_t narrow, int threads)
{
    int64_t edge = 0, *end = ends_of(key, size, directed);
    em_graph *graph = em_rows_create(AGENTS, directed ? size : 2 * size, weight != NULL);
    em_build build;
    em_build_init(&build, graph, em_build_unpack, (void *)key, size);
    build.directed = directed;
    build.weight = weight;
    build.narrow = narrow;
    phases_all(&build, threads);
    CHECK((build.wide != NULL) == (narrow < INT32_MAX));
    CHECK(em_atomic_load(&build.repeats, memory_order_relaxed) == 0);
    for (int64_t i = 0; i < AGENTS; i++) {
        if (i % EM_GRAPH_BLOCK == 0) CHECK(graph->start[i / EM_GRAPH_BLOCK] == edge);
        for (int32_t k = 0; k < graph->degree[i]; k++, edge++) {
            CHECK(end[edge] == (i << 32 | graph->indices[edge]));
            if (weight != NULL) CHECK(graph->weights[edge] == weight_of(i, graph->indices[edge]));
        }
    }
    CHECK(edge == graph->ends);
    em_build_free(&build);
    em_graph_free(graph);
    em_base_free(end);
}

/* A row of any length, with repeats: sorted, its weights with it, and nothing lost. */
static void sorts(void)
{
    static int32_t index[5000], copy[5000];
    static double weight[5000];
    uint64_t seed = 7;
    for (int64_t size = 0; size <= 5000; size = size * 3 / 2 + 1)
        for (int shape = 0; shape < 4; shape++) {
            uint64_t sum = 0, after = 0;
            for (int64_t k = 0; k < size; k++) {
                int32_t drawn = (int32_t)(check_random(&seed) >> 34);
                index[k] = shape == 0 ? drawn : shape == 1 ? drawn % 3 : shape == 2 ? 9 : (int32_t)(size - k);
                copy[k] = index[k];
                weight[k] = -(double)index[k];
                sum += (uint64_t)index[k] * (uint64_t)index[k];
            }
            em_build_sort(index, weight, size, 30);
            CHECK(em_build_ascends(index, size));
            for (int64_t k = 0; k < size; k++) {
                CHECK(weight[k] == -(double)index[k]);
                after += (uint64_t)index[k] * (uint64_t)index[k];
            }
            CHECK(sum == after);
            em_build_sort(copy, NULL, size, 30);
            CHECK(memcmp(index, copy, (size_t)size * sizeof *index) == 0);
        }
    CHECK(em_build_highest_bit(1) == 0 && em_build_highest_bit(2) == 0 && em_build_highest_bit(3) == 1);
    CHECK(em_build_highest_bit(1 << 20) == 19 && em_build_highest_bit((1 << 20) + 1) == 20);
    CHECK(em_build_highest_bit(INT32_MAX) == 30);
}

/* Chunks that nobody counted are missed. */
static void miscounted(const int64_t *key, int64_t size)
{
    em_graph *graph = em_rows_create(AGENTS, 2 * size, false);
    em_build build;
    em_build_init(&build, graph, em_build_unpack, (void *)key, size);
    phases_each(&build, em_build_clear, em_graph_blocks(AGENTS), 1);
    phases_each(&build, em_build_count, em_build_chunks(size) - 1, 1);
    phases_each(&build, em_build_sum, em_graph_blocks(AGENTS), 1);
    CHECK(em_build_begin(&build) == EM_OK);
    CHECK(graph->start[em_graph_blocks(AGENTS)] < graph->ends);
    em_build_free(&build);
    em_graph_free(graph);
}

int main(int argc, char **argv)
{
    int threads = check_size(argc, argv);
    int64_t before = em_base_live();
    int64_t *key = em_base_alloc(EDGES * sizeof *key), size = edges(key);
    double *weight = em_base_alloc(EDGES * sizeof *weight);
    for (int64_t k = 0; k < size; k++) weight[k] = weight_of(key[k] >> 32, key[k] & UINT32_MAX);
    CHECK(size > 5 * EM_BUILD_CHUNK);
    made(key, NULL, size, false, INT32_MAX, threads);
    made(key, weight, size, false, INT32_MAX, threads);
    made(key, weight, size, true, INT32_MAX, threads);
    made(key, weight, size, false, 1000, threads);
    made(key, NULL, 0, false, INT32_MAX, threads);
    if (threads == 1) sorts();
    if (threads == 1) miscounted(key, size);
    em_base_free(key);
    em_base_free(weight);
    CHECK(em_base_live() == before);
    return 0;
}
