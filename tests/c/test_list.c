/* Lists in arrays, with edges that repeat: rows made by many threads hold each end once and the sum of its weights. */
#include "em_fold.h"
#include "em_list.h"

#include "check.h"
#include "phases.h"

enum { AGENTS = 3 * EM_GRAPH_BLOCK + 17, EDGES = 5 * EM_BUILD_CHUNK + 77, HUB = 600 };

typedef struct {
    int64_t end; /* row in the high half */
    double weight;
} entry;

static int compare(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->end != y->end) return x->end < y->end ? -1 : 1;
    return x->weight < y->weight ? -1 : x->weight > y->weight;
}

/* Any two agents, some of them one and the same; every other edge is one of a few, and one row has very many. */
static void draw(int64_t (*pair)[2], double *weight)
{
    uint64_t seed = 99;
    for (int64_t k = 0; k < EDGES; k++) {
        int64_t i = (int64_t)(check_random(&seed) % AGENTS), j = (int64_t)(check_random(&seed) % AGENTS);
        if (k % 2 == 0) i %= 7, j %= 40;
        if (k % 16 == 1) i = HUB;
        pair[k][0] = k % 3 == 0 ? j : i;
        pair[k][1] = k % 3 == 0 ? i : j;
        weight[k] = (check_uniform(&seed) - 0.5) * (double)(1 << check_random(&seed) % 30);
    }
}

/* The rows that there must be, by one sort of all ends; returns how many ends there are. */
static int64_t folded(int64_t (*pair)[2], const double *weight, bool directed, entry *end)
{
    int64_t size = 0, kept = 0;
    for (int64_t k = 0; k < EDGES; k++) {
        if (pair[k][0] == pair[k][1]) continue;
        end[size++] = (entry){pair[k][0] << 32 | pair[k][1], weight[k]};
        if (!directed) end[size++] = (entry){pair[k][1] << 32 | pair[k][0], weight[k]};
    }
    qsort(end, (size_t)size, sizeof *end, compare);
    for (int64_t k = 0; k < size; k++)
        if (kept > 0 && end[kept - 1].end == end[k].end)
            end[kept - 1].weight += end[k].weight;
        else
            end[kept++] = end[k];
    return kept;
}

static em_list listed(em_list_arrays *arrays, int64_t limit)
{
    em_list list;
    em_list_init(
        &list, em_list_read_arrays, arrays, em_build_chunks(arrays->edges), limit, arrays->weight != NULL);
    return list;
}

static void look(em_list *list, int threads)
{
    em_build build;
    em_build_init(&build, NULL, NULL, list, 0);
    phases_each(&build, em_list_look, list->pieces, threads);
}

static uint64_t found(const em_word *word)
{
    return em_atomic_load(word, memory_order_relaxed);
}

static void made(em_list_arrays *arrays, int64_t (*pair)[2], const double *weight, bool directed, int threads)
{
    static entry end[2 * EDGES];
    int64_t ends = folded(pair, weight, directed, end), edge = 0;
    em_list list = listed(arrays, AGENTS);
    look(&list, threads);
    CHECK(!found(&list.odd) && found(&list.edges) == EDGES && found(&list.loops) > 0);
    CHECK(found(&list.least) == 0 && found(&list.most) == AGENTS - 1);
    CHECK((found(&list.uneven) != 0) == (arrays->weight != NULL));
    int64_t sides = directed ? 1 : 2, all = sides * (EDGES - (int64_t)found(&list.loops));
    em_graph *graph = em_rows_create(AGENTS, all, arrays->weight != NULL);
    em_build build;
    em_build_init(&build, graph, NULL, &list, all / sides);
    build.walk = em_list_walk;
    build.directed = directed;
    phases_pieces(&build, list.pieces, threads);
    CHECK(found(&build.strayed) == 0 && (int64_t)found(&build.repeats) == all - ends);
    phases_each(&build, em_fold_block, em_graph_blocks(AGENTS), threads);
    em_fold_trim(&build);
    CHECK(graph->ends == ends && graph->start[em_graph_blocks(AGENTS)] == ends);
    CHECK(found(&build.beyond) == UINT64_MAX);
    for (int64_t i = 0; i < AGENTS; i++)
        for (int32_t k = 0; k < graph->degree[i]; k++, edge++) {
            CHECK(end[edge].end == (i << 32 | graph->indices[edge]));
            if (graph->weights != NULL) CHECK(end[edge].weight == graph->weights[edge]);
        }
    CHECK(edge == ends);
    for (int k = 0; k < EM_GRAPH_MARGIN; k++) CHECK(graph->indices[ends + k] == 0);
    em_build_free(&build);
    em_graph_free(graph);
}

/* Edges that become others between the phases: the rows are told to be wrong, and nothing else is written to. */
static void strays(em_list_arrays *arrays, int64_t (*pair)[2])
{
    em_list list = listed(arrays, AGENTS);
    static int64_t kept[9000][2];
    look(&list, 1);
    int64_t ends = 2 * (EDGES - (int64_t)found(&list.loops)), blocks = em_graph_blocks(AGENTS);
    for (int way = 0; way < 4;
         way++) { /* the last two: so many go to the last row that it ends after the last block */
        em_graph *graph = em_rows_create(AGENTS, ends, false);
        em_build build;
        em_build_init(&build, graph, NULL, &list, ends / 2);
        build.walk = em_list_walk;
        if (way % 2 == 0) build.narrow = 100;
        phases_each(&build, em_build_clear, blocks, 1);
        phases_each(&build, em_build_count, list.pieces, 1);
        phases_each(&build, em_build_sum, blocks, 1);
        CHECK(em_build_begin(&build) == EM_OK && graph->start[blocks] == ends);
        phases_each(&build, em_build_open, blocks, 1);
        const int64_t changed = way < 2 ? EDGES - 1 : EDGES - 9000;
        memcpy(kept, pair[changed], (size_t)(EDGES - changed) * sizeof *kept);
        for (int64_t k = changed; k < EDGES; k++)
            pair[k][0] = way == 0 ? AGENTS : way > 1 ? AGENTS - 1 : pair[k][1] < 5 ? 9 : 3;
        phases_each(&build, em_build_scatter, list.pieces, 1);
        phases_each(&build, em_build_close, blocks, 1);
        CHECK(found(&build.strayed) != 0);
        memcpy(pair[changed], kept, (size_t)(EDGES - changed) * sizeof *kept);
        em_build_free(&build);
        em_graph_free(graph);
    }
}

/* What may not be in a list is odd, wherever it stands. */
static void odd(em_list_arrays *arrays, int64_t (*pair)[2], double *weight)
{
    static const int64_t wrong[] = {-1, AGENTS, INT64_MIN, INT64_MAX, (int64_t)1 << 32};
    for (int64_t k = 0; k < EDGES; k += EDGES - 1) {
        for (size_t way = 0; way < 2 * sizeof wrong / sizeof *wrong; way++) {
            int64_t kept = pair[k][way % 2];
            pair[k][way % 2] = wrong[way / 2];
            em_list list = listed(arrays, AGENTS);
            look(&list, 2);
            CHECK(found(&list.odd));
            pair[k][way % 2] = kept;
        }
        double kept = weight[k];
        weight[k] = k == 0 ? (double)NAN : (double)INFINITY;
        em_list list = listed(arrays, AGENTS);
        look(&list, 2);
        CHECK(found(&list.odd));
        weight[k] = kept;
    }
}

/* The order of equal weights, and sums beyond all numbers. */
static void sums(void)
{
    double two[] = {3, -1}, many[40], up = 0;
    CHECK(em_fold_add_up(two, 2) == 2 && two[0] == -1);
    for (int k = 0; k < 40; k++) many[k] = (k * 17 % 40) * 0.1;
    for (int k = 0; k < 40; k++) up += k * 0.1;
    CHECK(em_fold_add_up(many, 40) == up);
    int64_t one[] = {0, 3, 3, 1, 1}, other[] = {3, 1, 1, 2, 2};
    double heavy[] = {1, 1e308, 1e308, -1e308, -1e308};
    em_list_arrays arrays = {{(char *)one, 8, true}, {(char *)other, 8, true}, (char *)heavy, 8, 5};
    em_list list = listed(&arrays, 4);
    em_graph *graph = em_rows_create(4, 10, true);
    em_build build;
    em_build_init(&build, graph, NULL, &list, 5);
    build.walk = em_list_walk;
    phases_pieces(&build, 1, 1);
    em_fold_block(&build, 0);
    CHECK(found(&build.beyond) == ((uint64_t)1 << 32 | 2) && found(&build.uneven));
    em_graph_free(graph);
}

int main(int argc, char **argv)
{
    static int64_t pair[EDGES][2];
    static int32_t one[EDGES], other[EDGES];
    static double weight[EDGES];
    int threads = check_size(argc, argv);
    int64_t before = em_base_live();
    draw(pair, weight);
    for (int64_t k = 0; k < EDGES; k++)
        one[k] = (int32_t)pair[k][0], other[EDGES - 1 - k] = (int32_t)pair[k][1];
    em_list_arrays wide = {
        {(char *)pair, 16, true}, {(char *)pair + 8, 16, true}, (char *)weight, sizeof *weight, EDGES};
    em_list_arrays narrow = {
        {(char *)one, 4, false}, {(char *)(other + EDGES - 1), -4, false}, NULL, 0, EDGES};
    made(&wide, pair, weight, false, threads);
    made(&wide, pair, weight, true, threads);
    made(&narrow, pair, weight, false, threads);
    if (threads == 1) {
        odd(&wide, pair, weight);
        sums();
        wide.weight = NULL;
        strays(&wide, pair);
    }
    CHECK(em_base_live() == before);
    return 0;
}
