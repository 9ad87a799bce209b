/* Ticks of models and integrators, done by a team of plain threads: the same bits for any team and instruction set, with
 * parameters for all agents, some of them for each, or all, weights that adapt, and no memory taken. */
#include "em_isa.h"
#include "em_team.h"

#include "check.h"
#include "phases.h"

enum { AGENTS = 5 * EM_GRAPH_BLOCK + 77, TICKS = 6 };
enum { DEGREE = 6, ROWS = 4 + DEGREE }; /* most edges of an agent; rows of what is found */

typedef struct {
    em_act_kind act;
    em_step_kind step;
    int channels;
    bool energy;
    double raw[EM_ACT_PARAMETERS];
} law;

static const law LAWS[] = {
    {EM_ACT_KURAMOTO, EM_STEP_EULER, 1, true, {[EM_ACT_COUPLING] = 3, [EM_ACT_STRENGTHS] = 1}},
    {EM_ACT_KURAMOTO,
     EM_STEP_HEUN,
     4,
     false,
     {[EM_ACT_COUPLING] = 1.5,
      [EM_ACT_LAG] = 0.3,
      [EM_ACT_STRENGTHS] = 1,
      -0.5,
      0.25,
      0.1,
      [EM_ACT_NOISE] = 0.2}},
    {EM_ACT_FORCED,
     EM_STEP_RK4,
     1,
     false,
     {[EM_ACT_COUPLING] = 1, [EM_ACT_STRENGTHS] = 1, [EM_ACT_DRIVE] = 0.7, 2.0, 0.4}},
    {EM_ACT_HIGHER_ORDER,
     EM_STEP_HEUN,
     2,
     false,
     {[EM_ACT_COUPLING] = 0.6, [EM_ACT_STRENGTHS] = 1, [EM_ACT_TRIADIC] = 1.1, -0.7}},
    {EM_ACT_SIMPLICIAL,
     EM_STEP_RK4,
     1,
     false,
     {[EM_ACT_COUPLING] = 0.6, [EM_ACT_STRENGTHS] = 1, [EM_ACT_TRIADS] = 1.1}},
    {EM_ACT_SECOND_ORDER,
     EM_STEP_SEMI_IMPLICIT,
     1,
     true,
     {[EM_ACT_COUPLING] = 2, [EM_ACT_STRENGTHS] = 1, [EM_ACT_INERTIA] = 0.5, 0.3, [EM_ACT_NOISE] = 0.1}},
    {EM_ACT_SECOND_ORDER,
     EM_STEP_VERLET,
     2,
     true,
     {[EM_ACT_COUPLING] = 2, [EM_ACT_STRENGTHS] = 1, 0.5, [EM_ACT_INERTIA] = 0.5, 0.3}},
    {EM_ACT_SECOND_ORDER,
     EM_STEP_ADAPTIVE,
     2,
     false,
     {[EM_ACT_COUPLING] = 2, [EM_ACT_STRENGTHS] = 1, 0.5, [EM_ACT_INERTIA] = 0.5, 0.3}},
    {EM_ACT_KURAMOTO, EM_STEP_ADAPTIVE, 1, false, {[EM_ACT_COUPLING] = 3, [EM_ACT_STRENGTHS] = 1}},
};

typedef struct {
    em_swarm swarm;
    em_team *team;
    em_scratch *scratch;
    const em_isa *isa;
    int stage, done;
} job;

static bool adapts(const job *j)
{
    return j->swarm.step == EM_STEP_ADAPTIVE;
}

static void begin(job *j)
{
    em_swarm *swarm = &j->swarm;
    const double tick = (double)swarm->tick, next = (double)(swarm->tick + 1);
    j->stage = adapts(j) ? em_adapt_begin(&swarm->adapt, tick * swarm->dt, next * swarm->dt) : 0;
}

/* What the last arriver does after a stage. */
static void after(job *j)
{
    em_swarm *swarm = &j->swarm;
    if (!adapts(j) || em_stride_publishes(j->stage)) em_swarm_turn_over(swarm);
    if (j->stage == (adapts(j) ? EM_ADAPT_LAND : em_step_methods[swarm->step].stages - 1)) {
        j->done++;
        swarm->tick++;
        swarm->drawn++;
        begin(j);
    } else {
        j->stage = adapts(j) ? em_adapt_next(&swarm->adapt, j->stage, em_graph_blocks(AGENTS)) : j->stage + 1;
        CHECK(j->stage != EM_ADAPT_STUCK);
    }
    em_swarm_tune(
        swarm, adapts(j) ? em_adapt_time(&swarm->adapt, j->stage) : (double)swarm->tick * swarm->dt);
}

static void *run(void *argument)
{
    check_member *member = argument;
    job *j = member->shared;
    em_swarm *swarm = &j->swarm;
    uint32_t ticket, size = (uint32_t)member->size;
    int64_t first = em_graph_deal(swarm->sense.graph, 1, member->rank, member->size);
    int64_t end = em_graph_deal(swarm->sense.graph, 1, member->rank + 1, member->size);
    for (bool published = false; j->done < TICKS; published = true) {
        for (int64_t block = end - 1; block >= first; block--) {
            if (!published)
                j->isa->publish(swarm, block, true, j->scratch + member->rank);
            else if (adapts(j))
                j->isa->stride(swarm, j->stage, block, j->scratch + member->rank);
            else
                j->isa->stage(swarm, j->stage, block, j->scratch + member->rank);
        }
        if (em_team_arrive(j->team, size, &ticket)) {
            if (published)
                after(j);
            else
                em_swarm_sum_up(swarm), begin(j);
            em_team_open(j->team);
        } else {
            CHECK(em_team_wait(j->team, size, ticket, -1) == EM_OK);
        }
    }
    return NULL;
}

/* Memory of so many rows of numbers, 0 to begin with. */
static double *rows(int64_t count)
{
    double *memory = em_base_alloc((size_t)(count * AGENTS) * sizeof *memory);
    CHECK(memory != NULL);
    memset(memory, 0, (size_t)(count * AGENTS) * sizeof *memory);
    return memory;
}

/* Agent i senses two agents somewhat further on, and those before them likewise. */
static em_triads *triads(void)
{
    int64_t *start = malloc((AGENTS + 1) * sizeof *start);
    int32_t *pair = malloc(4 * AGENTS * sizeof *pair);
    for (int i = 0; i <= AGENTS; i++) start[i] = 2 * i;
    for (int k = 0; k < 4 * AGENTS; k++) pair[k] = (k / 4 + 1 + 700 * (k % 4)) % AGENTS;
    em_triads *made = em_triads_create(AGENTS, 2 * AGENTS, start, pair, NULL, true);
    CHECK(made != NULL);
    free(start), free(pair);
    return made;
}

/* Weights of 1 that change quickly, some to a bound. */
static void learn(em_swarm *swarm, const em_graph *graph)
{
    em_plastic *plastic = &swarm->plastic;
    *plastic = (em_plastic){rows(DEGREE), rows(DEGREE), rows(DEGREE), {4.0, 1.0}, 2.0, 0.7, INFINITY};
    for (int64_t e = 0; e < graph->ends; e++) plastic->weight[e] = 1.0;
}

/* Euler's first tick in other words: each weight by its own two agents. */
static void check_learnt(const em_graph *graph)
{
    em_swarm swarm = {.n = AGENTS};
    double *phase = rows(1), field[2 * EM_GRAPH_BLOCK];
    uint64_t seed = 5;
    for (int i = 0; i < AGENTS; i++) phase[i] = 6 * check_uniform(&seed);
    em_table table = {em_base_alloc(em_table_size(AGENTS, false)), AGENTS, true, false, false};
    double *cosine = rows(1), *sine = rows(1);
    for (int i = 0; i < AGENTS; i++) em_phase_sincos(phase[i], &cosine[i], &sine[i]);
    em_table_store(&table, 0, AGENTS, cosine, sine);
    learn(&swarm, graph);
    em_sense sense = {.graph = graph, .table = {table}, .scale = 1.0};
    const em_plastic_move move = em_plastic_plan(&swarm.plastic, EM_STEP_EULER, 0, 0.05);
    for (int64_t block = 0; block < em_graph_blocks(AGENTS); block++) {
        double *c = cosine + block * EM_GRAPH_BLOCK, *s = sine + block * EM_GRAPH_BLOCK;
        CHECK(em_plastic_learn(&swarm.plastic, &sense, 1, &move, block, &c, &s, field) == -1);
        em_rows_walk walk = em_rows_enter(graph, block);
        while (em_rows_next(&walk)) {
            double sum = 0.0;
            for (int64_t e = 0; e < walk.degree; e++) {
                const int64_t at = em_rows_place(&walk, e);
                const double gap = phase[graph->indices[at]] - phase[walk.agent];
                const double next = 1.0 + 0.05 * (4.0 * cos(gap) + sin(gap) * -1.0 - 2.0);
                CHECK(fabs(swarm.plastic.weight[at] - (next < 0.7 ? 0.7 : next)) < 1e-14);
                sum += cosine[graph->indices[at]];
            }
            CHECK(fabs(field[walk.agent - walk.first] - sum) < 1e-13);
        }
    }
    em_base_free(phase), em_base_free(table.cells), em_base_free(cosine), em_base_free(sine);
    em_plastic_free(&swarm.plastic);
}

/* Whether weights can adapt. */
static bool may_learn(const law *chosen, const em_graph *graph)
{
    return em_plastic_serves(chosen->step) && graph->kind == EM_GRAPH_STORED &&
           chosen->act != EM_ACT_SIMPLICIAL;
}

static void prepare(job *j, const law *chosen, em_graph *graph, em_act_spread spread, bool learns)
{
    em_swarm *swarm = &j->swarm;
    const int64_t blocks = em_graph_blocks(AGENTS);
    swarm->n = swarm->living = AGENTS;
    swarm->act = chosen->act, swarm->step = chosen->step;
    swarm->channels = chosen->channels, swarm->variables = em_act_models[chosen->act].rates;
    swarm->noisy = chosen->raw[EM_ACT_NOISE] > 0.0;
    swarm->key = 77, swarm->dt = 0.05;
    memcpy(swarm->raw, chosen->raw, sizeof swarm->raw);
    em_act_prepare(swarm->act, swarm->raw, swarm->ready);
    for (int v = 0; v < swarm->variables; v++) swarm->state[v] = rows(1), swarm->now[v] = rows(1);
    swarm->frequency = rows(1), swarm->displacement = rows(1);
    swarm->work = rows(EM_ACT_VARIABLES);
    swarm->share = rows(1);
    swarm->cells = em_base_alloc((size_t)chosen->channels * em_table_size(AGENTS, false));
    em_swarm_offer_wide(swarm, em_base_alloc(2 * (size_t)chosen->channels * em_table_size(AGENTS, false)));
    em_swarm_offer_sums(swarm, em_sums_create(chosen->channels, 4, blocks));
    for (int p = spread == EM_ACT_EACH ? 0 : EM_ACT_OWN; spread != EM_ACT_ONE && p < EM_ACT_PARAMETERS; p++) {
        if (!em_act_reads(swarm->act, chosen->channels, p)) continue;
        swarm->each[p] = rows(1);
        for (int i = 0; i < AGENTS; i++) swarm->each[p][i] = swarm->ready[p];
    }
    if (chosen->energy) {
        swarm->energy = (em_energy){.held = rows(1), .all = {0.1, 1.0, 0.4}};
        for (int i = 0; i < AGENTS; i++) swarm->energy.held[i] = 0.1;
    }
    em_adapt_place(&swarm->adapt, rows(EM_ADAPT_ARRAYS * swarm->variables), swarm->variables, AGENTS);
    swarm->adapt.error = rows(1), swarm->adapt.worst = (int64_t *)rows(1);
    swarm->adapt.absolute = swarm->adapt.relative = 1e-4;
    swarm->adapt.next = swarm->dt / 3, swarm->adapt.most = INFINITY;
    if (chosen->act == EM_ACT_SIMPLICIAL) swarm->sense.triads = triads();
    if (learns) learn(swarm, graph);
    em_swarm_enter(swarm, graph);
    uint64_t seed = 42;
    double *start = rows(1), *frequency = rows(1);
    for (int i = 0; i < AGENTS; i++)
        start[i] = 20 * check_uniform(&seed) - 10, frequency[i] = check_uniform(&seed);
    for (int64_t b = 0; b < blocks; b++) em_swarm_fill(swarm, b, start, frequency);
    em_base_free(start), em_base_free(frequency);
}

static void let_go(job *j)
{
    em_swarm *swarm = &j->swarm;
    for (int v = 0; v < swarm->variables; v++) em_base_free(swarm->state[v]), em_base_free(swarm->now[v]);
    for (int p = 0; p < EM_ACT_PARAMETERS; p++) em_base_free(swarm->each[p]);
    em_base_free(swarm->frequency), em_base_free(swarm->displacement), em_base_free(swarm->work);
    em_base_free(swarm->share), em_base_free(swarm->cells), em_base_free(em_swarm_wide(swarm));
    em_base_free(swarm->energy.held), em_sums_free(em_swarm_offered(swarm));
    em_triads_free((em_triads *)swarm->sense.triads);
    em_plastic_free(&swarm->plastic);
    em_base_free(swarm->adapt.base[0]), em_base_free(swarm->adapt.error), em_base_free(swarm->adapt.worst);
}

/* Runs a swarm and leaves all of its state in `found`, rows of agents. */
static void ticks(
    em_graph *graph, const law *chosen, const em_isa *isa, int size, em_act_spread spread, bool learns,
    double *found)
{
    job j = {.isa = isa, .team = em_base_alloc(sizeof(em_team))};
    const size_t row = AGENTS * sizeof(double);
    em_swarm_init(&j.swarm);
    em_team_init(j.team, 2);
    j.scratch = em_base_alloc((size_t)size * sizeof(em_scratch));
    prepare(&j, chosen, graph, spread, learns);
    const int64_t live = em_base_live();
    check_together(size, run, &j);
    CHECK(em_base_live() == live); /* ticks take no memory */
    CHECK(em_atomic_load(&j.swarm.fault, memory_order_relaxed) == EM_SWARM_NOBODY);
    memset(found, 0, ROWS * row);
    memcpy(found, j.swarm.state[0], row);
    if (j.swarm.variables > 1) memcpy(found + AGENTS, j.swarm.state[1], row);
    if (chosen->energy) memcpy(found + 2 * AGENTS, j.swarm.energy.held, row);
    memcpy(found + 3 * AGENTS, j.swarm.displacement, row);
    if (j.swarm.plastic.weight != NULL)
        memcpy(found + 4 * AGENTS, j.swarm.plastic.weight, (size_t)graph->ends * sizeof(double));
    let_go(&j);
    em_base_free(j.scratch), em_base_free(j.team);
}

int main(int argc, char **argv)
{
    const int size = check_size(argc, argv);
    const int64_t before = em_base_live(), sizes[] = {700, AGENTS - 700}, line = AGENTS;
    const double between[] = {1.0, 0.3, 0.2, 1.0};
    em_graph *graphs[] = {
        phases_scattered(AGENTS, DEGREE, 900, 7, false),
        em_groups_create(2, sizes, between),
        em_lattice_create(1, &line, 5, true),
    };
    const em_isa *isas[3];
    const int count = em_isa_list(isas);
    const size_t all = ROWS * AGENTS * sizeof(double);
    double *first = malloc(all), *other = malloc(all);
    for (size_t l = 0; l < sizeof LAWS / sizeof *LAWS; l++)
        for (size_t g = 0; g < 2 * (sizeof graphs / sizeof *graphs); g++) {
            em_graph *graph = graphs[g / 2];
            const bool learns = g % 2 == 1;
            if (learns && !may_learn(&LAWS[l], graph)) continue;
            ticks(graph, &LAWS[l], isas[0], 1, EM_ACT_ONE, learns, first);
            double moved = 0.0;
            for (int i = 0; i < AGENTS; i++) moved += fabs(first[3 * AGENTS + i]) / AGENTS;
            CHECK(moved > 0.01 && moved < 10.0);
            for (int k = 0; k < count; k++) {
                ticks(
                    graph, &LAWS[l], isas[k], size, (em_act_spread)(((size_t)k + g / 2) % 3), learns, other);
                CHECK(memcmp(first, other, all) == 0);
            }
        }
    check_learnt(graphs[0]);
    for (size_t g = 0; g < sizeof graphs / sizeof *graphs; g++) em_graph_free(graphs[g]);
    free(first), free(other);
    CHECK(em_base_live() == before);
    return 0;
}
