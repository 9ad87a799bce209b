/* Blocks of a swarm, done by a team of plain threads: the same bits for any team, and no memory taken. */
#include "em_isa.h"
#include "em_team.h"

#include "check.h"

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
    int64_t begin = em_graph_deal(swarm->sense.graph, member->rank, member->size);
    int64_t end = em_graph_deal(swarm->sense.graph, member->rank + 1, member->size);
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
    em_graph *graph = em_graph_create_stored(AGENTS, ends, degree, indices, weighted ? weights : NULL);
    CHECK(graph != NULL);
    free(degree), free(indices), free(weights);
    return graph;
}

/* Runs a swarm on the graph and leaves its phases in `phase`; returns its coherence. */
static double phases(em_graph *graph, const em_isa *isa, int size, bool gossip, double *phase)
{
    job j = {.isa = isa, .gossip = gossip, .team = em_base_alloc(sizeof(em_team))};
    em_swarm *swarm = &j.swarm;
    em_swarm_init(swarm);
    em_team_init(j.team, 2);
    j.scratch = em_base_alloc((size_t)size * sizeof(em_scratch));
    swarm->n = swarm->living = AGENTS;
    swarm->state[0] = em_base_alloc(AGENTS * sizeof(double));
    swarm->frequency = em_base_alloc(AGENTS * sizeof(double));
    for (int b = 0; b < (em_graph_shares(graph) ? 2 : 1); b++)
        swarm->phasor[b] = em_base_alloc(2 * AGENTS * sizeof(double));
    swarm->share = em_base_alloc((size_t)em_graph_blocks(AGENTS) * 2 * sizeof(double));
    swarm->sense.graph = graph;
    swarm->sense.latest = gossip;
    swarm->running = em_base_alloc(2 * sizeof(em_word));
    swarm->dt = 0.05;
    swarm->parameters[0] = 1.5, swarm->parameters[1] = 0.3;
    em_act_models[swarm->act].prepare(swarm->parameters);
    CHECK(em_graph_strengthen(graph));
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
        uint64_t running[2];
        for (int k = 0; k < 2; k++) running[k] = em_atomic_load(&swarm->running[k], memory_order_relaxed);
        em_gossip_sum(swarm);
        for (int k = 0; k < 2; k++)
            CHECK(running[k] == em_atomic_load(&swarm->running[k], memory_order_relaxed));
    }
    em_swarm_read_phase(swarm, phase);
    double coherence = em_swarm_coherence(swarm), order[2];
    em_swarm_order(AGENTS, phase, NULL, j.scratch, order);
    CHECK(hypot(order[0], order[1]) / AGENTS == coherence);
    em_base_free(swarm->state[0]), em_base_free(swarm->frequency), em_base_free(swarm->share);
    em_base_free(swarm->phasor[0]), em_base_free(swarm->phasor[1]);
    em_base_free(j.scratch), em_base_free(j.team), em_base_free(swarm->running);
    free(start), free(frequency);
    return coherence;
}

static void deals(const em_graph *graph)
{
    for (int64_t size = 1; size <= 20; size++) {
        int64_t last = 0;
        for (int64_t rank = 0; rank <= size; rank++) {
            int64_t first = em_graph_deal(graph, rank, size);
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
    em_graph *graphs[] = {scattered(7, false), scattered(8, true), em_graph_create_complete(AGENTS)};
    const em_isa *isas[3];
    int count = em_isa_list(isas);
    double *phase = calloc(AGENTS, sizeof *phase), *other = calloc(AGENTS, sizeof *other);
    for (int g = 0; g < 3; g++) {
        deals(graphs[g]);
        double coherence = phases(graphs[g], isas[0], 1, false, phase);
        CHECK(coherence > 0.01 && coherence < 1.0);
        for (int k = 0; k < count; k++) {
            CHECK(phases(graphs[g], isas[k], size, false, other) == coherence);
            CHECK(memcmp(phase, other, AGENTS * sizeof *phase) == 0);
            CHECK(fabs(phases(graphs[g], isas[k], size, true, other) - coherence) < 0.1);
            CHECK(memcmp(phase, other, AGENTS * sizeof *phase) != 0);
        }
        em_graph_free(graphs[g]);
    }
    free(phase), free(other);
    CHECK(em_base_live() == before);
#ifdef CHECK_MALLOC
    CHECK(atomic_load_explicit(&check_taken, memory_order_relaxed) > 0); /* the count does count */
#endif
    return 0;
}
