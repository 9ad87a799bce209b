/* Blocks of a swarm, done by a team of plain threads: the same bits for any team, and no memory taken. */
#include "em_isa.h"
#include "em_team.h"

#include "check.h"
#include "phases.h"

enum { AGENTS = 9 * EM_GRAPH_BLOCK + 77, DEGREE = 6, TICKS = 30 };

/* Calls for memory, where the linker lets them through here (CHECK_MALLOC). */
static _Atomic long check_taken;

#ifdef CHECK_MALLOC
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
    atomic_fetch_add_explicit(&check_taken, 1, memory_order_relaxed);
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    atomic_fetch_add_explicit(&check_taken, 1, memory_order_relaxed);
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    atomic_fetch_add_explicit(&check_taken, 1, memory_order_relaxed);
    return __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    atomic_fetch_add_explicit(&check_taken, 1, memory_order_relaxed);
    return __real_aligned_alloc(alignment, size);
}
#endif

typedef struct {
    em_swarm swarm;
    em_team *team;
    em_scratch *scratch;
    const em_isa *isa;
    bool gossip;
} job;

static void *run(void *argument)
{
    check_member *member = argument;
    job *j = member->shared;
    em_swarm *swarm = &j->swarm;
    uint32_t ticket, size = (uint32_t)member->size;
    int64_t begin = em_graph_deal(swarm->sense.graph, 1, member->rank, member->size);
    int64_t end = em_graph_deal(swarm->sense.graph, 1, member->rank + 1, member->size);
    for (int tick = 0; tick <= TICKS; tick++) {
        for (int64_t block = end - 1; block >= begin; block--) {
            if (tick == 0)
                j->isa->publish(swarm, block, true, j->scratch + member->rank);
            else if (j->gossip)
                j->isa->gossip(swarm, block, j->scratch + member->rank);
            else
                j->isa->stage(swarm, 0, block, j->scratch + member->rank);
        }
        if (em_team_arrive(j->team, size, &ticket)) {
            if (tick > 0 && !j->gossip)
                em_swarm_turn_over(swarm);
            else
                em_swarm_sum_up(swarm);
            if (tick == 0 && j->gossip) em_gossip_sum(swarm);
            em_team_open(j->team);
        } else {
            CHECK(em_team_wait(j->team, size, ticket, -1) == EM_OK);
        }
    }
    return NULL;
}

/* Rows that were laid out are shown as they were. */
static void shown(const em_graph *graph, const int32_t *degree, const int32_t *indices, const double *weights)
{
    int32_t *again = calloc(AGENTS, sizeof *again), *ends = calloc((size_t)graph->ends, sizeof *ends);
    double *scales = calloc((size_t)graph->ends, sizeof *scales);
    for (int64_t b = 0; b < em_graph_blocks(AGENTS); b++) {
        em_rows_degrees(graph, b, again + b * EM_GRAPH_BLOCK, NULL);
        em_rows_show(graph, b, ends, weights == NULL ? NULL : scales);
    }
    CHECK(memcmp(again, degree, AGENTS * sizeof *again) == 0);
    CHECK(memcmp(ends, indices, (size_t)graph->ends * sizeof *ends) == 0);
    CHECK(weights == NULL || memcmp(scales, weights, (size_t)graph->ends * sizeof *scales) == 0);
    free(again), free(ends), free(scales);
}

static em_graph *scattered(uint64_t seed, bool weighted)
{
    int32_t *degree = calloc(AGENTS, sizeof *degree),
            *indices = calloc((size_t)AGENTS * DEGREE, sizeof *indices);
    double *weights = calloc((size_t)AGENTS * DEGREE, sizeof *weights);
    int64_t ends = 0;
    for (int32_t i = 0; i < AGENTS; i++) {
        int32_t j = (int32_t)(check_random(&seed) % 700);
        for (degree[i] = 0; degree[i] < i % (DEGREE + 1) && j < AGENTS;
             j += 1 + (int32_t)(check_random(&seed) % 900)) {
            if (j == i) continue;
            weights[ends] = check_uniform(&seed);
            indices[ends++] = j;
            degree[i]++;
        }
    }
    em_graph *graph = phases_stored(AGENTS, ends, degree, indices, weighted ? weights : NULL);
    shown(graph, degree, indices, weighted ? weights : NULL);
    free(degree), free(indices), free(weights);
    return graph;
}

/* Runs a swarm on the graph and leaves its phases in `phase`; returns its coherence. */
static double phases(em_graph *graph, const em_isa *isa, int size, bool gossip, bool single, double *phase)
{
    job j = {.isa = isa, .gossip = gossip, .team = em_base_alloc(sizeof(em_team))};
    em_swarm *swarm = &j.swarm;
    em_swarm_init(swarm);
    em_team_init(j.team, 2);
    j.scratch = em_base_alloc((size_t)size * sizeof(em_scratch));
    swarm->n = swarm->living = AGENTS;
    swarm->state[0] = em_base_alloc(AGENTS * sizeof(double));
    swarm->frequency = em_base_alloc(AGENTS * sizeof(double));
    swarm->cells = em_base_alloc(em_table_size(AGENTS, false));
    em_swarm_offer_wide(swarm, em_base_alloc(2 * em_table_size(AGENTS, false)));
    em_swarm_offer_sums(swarm, em_sums_create(1, 4, em_graph_blocks(AGENTS)));
    swarm->share = em_base_alloc((size_t)em_graph_blocks(AGENTS) * 2 * sizeof(double));
    swarm->latest = gossip;
    swarm->single = single;
    swarm->dt = 0.05;
    swarm->raw[0] = 1.5, swarm->raw[1] = 0.3;
    em_act_prepare(swarm->act, swarm->raw, swarm->ready);
    CHECK(graph->kind != EM_GRAPH_STORED || em_rows_divide(graph));
    em_swarm_enter(swarm, graph);
    uint64_t seed = 42;
    double *start = calloc(AGENTS, sizeof *start), *frequency = calloc(AGENTS, sizeof *frequency);
    for (int i = 0; i < AGENTS; i++)
        start[i] = 20 * check_uniform(&seed) - 10, frequency[i] = check_uniform(&seed);
    for (int64_t b = 0; b < em_graph_blocks(AGENTS); b++) em_swarm_fill(swarm, b, start, frequency);
    int64_t live = em_base_live();
    long taken = atomic_load_explicit(&check_taken, memory_order_relaxed);
    check_together(size, run, &j);
    CHECK(em_base_live() == live); /* ticks take no memory, from us or from anybody */
    CHECK(atomic_load_explicit(&check_taken, memory_order_relaxed) == taken);
    if (gossip && !em_graph_shares(graph)) { /* what was added, bit by bit, is the sum of what there is */
        uint64_t running[8];
        const em_word *word = swarm->sums[0]->running;
        for (int k = 0; k < 2 * graph->groups; k++)
            running[k] = em_atomic_load(word + k, memory_order_relaxed);
        em_gossip_sum(swarm);
        for (int k = 0; k < 2 * graph->groups; k++)
            CHECK(running[k] == em_atomic_load(word + k, memory_order_relaxed));
    }
    em_swarm_read_phase(swarm, phase);
    double coherence = em_swarm_coherence(swarm), order[2];
    em_swarm_order(AGENTS, phase, NULL, j.scratch, order);
    CHECK(hypot(order[0], order[1]) / AGENTS == coherence);
    em_base_free(swarm->state[0]), em_base_free(swarm->frequency), em_base_free(swarm->share);
    em_base_free(swarm->cells), em_base_free(em_swarm_wide(swarm)), em_sums_free(em_swarm_offered(swarm));
    em_base_free(j.scratch), em_base_free(j.team);
    free(start), free(frequency);
    return coherence;
}

static void deals(const em_graph *graph)
{
    for (int64_t size = 1; size <= 20; size++) {
        int64_t last = 0;
        for (int64_t rank = 0; rank <= size; rank++) {
            int64_t first = em_graph_deal(graph, 1, rank, size);
            CHECK(first >= last && (rank > 0 || first == 0));
            last = first;
        }
        CHECK(last == em_graph_blocks(graph->n));
    }
}

int main(int argc, char **argv)
{
    int size = check_size(argc, argv);
    int64_t before = em_base_live();
    const int64_t all = AGENTS, sizes[] = {700, 1, 1500, AGENTS - 2201}, line = AGENTS,
                  plane[] = {5, AGENTS / 5};
    const double one = 1.0, between[] = {0.5, -1, 0, 2, 1, 1, 1, 0.25, 0, 0, 0, 1, 1, 0, 3, 1};
    em_graph *graphs[] = {
        scattered(7, false),
        scattered(8, true),
        em_groups_create(1, &all, &one),
        em_groups_create(4, sizes, between),
        em_lattice_create(1, &line, 5, true),
        em_lattice_create(2, plane, 2, false),
    };
    const em_isa *isas[3];
    int count = em_isa_list(isas);
    double *phase = calloc(AGENTS, sizeof *phase), *other = calloc(AGENTS, sizeof *other);
    for (size_t g = 0; g < 2 * (sizeof graphs / sizeof *graphs); g++) {
        em_graph *graph = graphs[g / 2];
        const bool single = g % 2;
        CHECK(graph->n == AGENTS);
        deals(graph);
        double coherence = phases(graph, isas[0], 1, false, single, phase);
        CHECK(coherence > 0.01 && coherence < 1.0);
        for (int k = 0; k < count; k++) {
            CHECK(phases(graph, isas[k], size, false, single, other) == coherence);
            CHECK(memcmp(phase, other, AGENTS * sizeof *phase) == 0);
            CHECK(fabs(phases(graph, isas[k], size, true, single, other) - coherence) < 0.1);
            CHECK(memcmp(phase, other, AGENTS * sizeof *phase) != 0);
        }
        if (single) em_graph_free(graph);
    }
    free(phase), free(other);
    CHECK(em_base_live() == before);
#ifdef CHECK_MALLOC
    CHECK(atomic_load_explicit(&check_taken, memory_order_relaxed) > 0); /* the count does count */
#endif
    return 0;
}
