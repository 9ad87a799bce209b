/* Agents that fire, done by a team of plain threads: the same bits for any team, whoever does the small rounds. */
#include <stdint.h>

static int64_t check_few; /* what one worker does by itself */
#define EM_ROUND_FEW check_few

#include "em_round.h"
#include "em_team.h"

#include "check.h"
#include "phases.h"

enum { AGENTS = 9 * EM_GRAPH_BLOCK + 77, TICKS = 6, MOST = 1 << 20 };

typedef struct {
    em_swarm swarm;
    em_team *team;
    em_scratch *scratch;
    int part, tick;
} job;

/* What the last arriver does. */
static void alone(job *j, bool begins)
{
    em_swarm *swarm = &j->swarm;
    if (!begins && j->part != EM_ROUND_LAND) {
        j->part = em_round_next(swarm, j->part);
        return;
    }
    em_swarm_sum_up(swarm);
    if (!begins) j->tick++, swarm->tick++;
    if (j->tick < TICKS) j->part = em_round_begin(swarm);
}

static void *run(void *argument)
{
    check_member *member = argument;
    job *j = member->shared;
    em_swarm *swarm = &j->swarm;
    uint32_t ticket, size = (uint32_t)member->size;
    const int64_t begin = em_graph_deal(swarm->sense.graph, 1, member->rank, member->size);
    const int64_t end = em_graph_deal(swarm->sense.graph, 1, member->rank + 1, member->size);
    for (bool begins = true; begins || j->tick < TICKS; begins = false) {
        for (int64_t block = end - 1; block >= begin; block--) {
            if (begins)
                em_round_publish(swarm, block, true, j->scratch + member->rank);
            else
                em_round_unit(swarm, j->part, block, j->scratch + member->rank);
        }
        if (em_team_arrive(j->team, size, &ticket)) {
            alone(j, begins);
            em_team_open(j->team);
        } else {
            CHECK(em_team_wait(j->team, size, ticket, -1) == EM_OK);
        }
    }
    return NULL;
}

typedef struct {
    double phase[AGENTS], turned[AGENTS];
    em_avalanche_firing *kept;
    int64_t count;
} outcome;

static void begin(job *j, em_graph *graph, int size, em_act_kind act, bool keeps)
{
    em_swarm *swarm = &j->swarm;
    *j = (job){.team = em_base_alloc(sizeof(em_team))};
    em_swarm_init(swarm);
    em_team_init(j->team, 2);
    j->scratch = em_base_alloc((size_t)size * sizeof(em_scratch));
    swarm->n = swarm->living = AGENTS;
    swarm->state[0] = em_base_alloc(AGENTS * sizeof(double));
    swarm->frequency = em_base_alloc(AGENTS * sizeof(double));
    swarm->displacement = em_base_alloc(AGENTS * sizeof(double));
    swarm->cells = em_base_alloc(em_table_size(AGENTS, false));
    em_swarm_offer_wide(swarm, em_base_alloc(2 * em_table_size(AGENTS, false)));
    em_swarm_offer_sums(swarm, em_sums_create(1, 4, em_graph_blocks(AGENTS)));
    swarm->share = em_base_alloc((size_t)em_graph_blocks(AGENTS) * 2 * sizeof(double));
    swarm->avalanche = em_avalanche_create(AGENTS);
    swarm->avalanche->keeps = keeps;
    swarm->avalanche->most = MOST;
    swarm->dt = 0.1;
    swarm->act = act;
    swarm->sense.scale = 1.0;
    swarm->raw[EM_ACT_PULSE] = graph->kind == EM_GRAPH_GROUPS ? 0.003 : 0.2;
    swarm->raw[EM_ACT_BEND] = 1.0, swarm->raw[EM_ACT_TURN] = 2.0;
    em_act_prepare(act, swarm->raw, swarm->ready);
    CHECK(em_listen_make(graph));
    em_swarm_enter(swarm, graph);
    uint64_t seed = 42;
    double *start = calloc(AGENTS, sizeof *start), *frequency = calloc(AGENTS, sizeof *frequency);
    for (int i = 0; i < AGENTS; i++)
        start[i] = 6 * check_uniform(&seed), frequency[i] = 9 * check_uniform(&seed);
    for (int64_t b = 0; b < em_graph_blocks(AGENTS); b++) em_swarm_fill(swarm, b, start, frequency);
    memset(swarm->displacement, 0, AGENTS * sizeof(double));
    free(start), free(frequency);
}

static void ended(job *j, outcome *found)
{
    em_swarm *swarm = &j->swarm;
    em_avalanche *avalanche = swarm->avalanche;
    em_swarm_read_phase(swarm, found->phase);
    memcpy(found->turned, swarm->displacement, sizeof found->turned);
    found->count = avalanche->count;
    found->kept = calloc((size_t)found->count + 1, sizeof *found->kept);
    if (found->count > 0) memcpy(found->kept, avalanche->kept, (size_t)found->count * sizeof *found->kept);
    CHECK(avalanche->lost == 0);
    for (int64_t i = 0; i < AGENTS; i++) CHECK(em_avalanche_take(avalanche, i) == 0);
    em_base_free(swarm->state[0]), em_base_free(swarm->frequency), em_base_free(swarm->share);
    em_base_free(swarm->displacement), em_base_free(swarm->cells), em_base_free(em_swarm_wide(swarm));
    em_sums_free(em_swarm_offered(swarm)), em_avalanche_free(avalanche);
    em_base_free(j->scratch), em_base_free(j->team);
}

static outcome *phases(em_graph *graph, int size, em_act_kind act, int64_t few, bool keeps)
{
    job *j = em_base_alloc(sizeof *j);
    outcome *found = calloc(1, sizeof *found);
    check_few = few;
    begin(j, graph, size, act, keeps);
    const int64_t live = em_base_live();
    check_together(size, run, j);
    CHECK(
        em_base_live() ==
        live + (j->swarm.avalanche->count > 0)); /* nothing is taken but for what is recorded */
    ended(j, found);
    em_base_free(j);
    return found;
}

static void compare(em_graph *graph, int size, em_act_kind act)
{
    outcome *one = phases(graph, 1, act, 0, true);
    CHECK(one->count > AGENTS / 4);
    for (int64_t k = 1; k < one->count; k++) CHECK(one->kept[k].time >= one->kept[k - 1].time);
    CHECK(one->kept[0].time >= 0.0 && one->kept[one->count - 1].time <= TICKS * 0.1 + 1e-12);
    for (int way = 0; way < 3; way++) {
        outcome *other = phases(graph, size, act, (int64_t[]){0, 64, INT64_MAX}[way], way < 2);
        CHECK(memcmp(one->phase, other->phase, sizeof one->phase) == 0);
        CHECK(memcmp(one->turned, other->turned, sizeof one->turned) == 0);
        CHECK(other->count == (way < 2 ? one->count : 0));
        for (int64_t k = 0; k < other->count; k++)
            CHECK(one->kept[k].time == other->kept[k].time && one->kept[k].agent == other->kept[k].agent);
        free(other->kept), free(other);
    }
    free(one->kept), free(one);
}

/* Curves against their inverses, and that nobody is taken out of [0, 2 pi] or past the order of phases. */
static void curves(void)
{
    const em_pulse_curve all[] = {EM_PULSE_INTEGRATE, EM_PULSE_CONCAVE, EM_PULSE_ADVANCE, EM_PULSE_SINE};
    for (int c = 0; c < 4; c++)
        for (double bend = 0.0; bend < 0.99; bend += 0.2) {
            if (c == 1 && bend == 0.0) continue;
            double before = -1.0;
            for (double phase = 0.0; phase < EM_PHASE_TURN; phase += 0.01) {
                const double up = em_pulse_jump(all[c], bend, phase, 0.1);
                CHECK(up >= 0.0 && up <= EM_PHASE_TURN && up >= before);
                CHECK(fabs(em_pulse_jump(all[c], bend, phase, 0.0) - phase) < 1e-13);
                if (c < 2 && up < EM_PHASE_TURN) {
                    const double back = em_pulse_jump(all[c], bend, up, -0.1);
                    CHECK(fabs(back - phase) < 1e-12);
                }
                before = up;
            }
            CHECK(em_pulse_jump(all[c], bend, EM_PULSE_LAST, 1.0) <= EM_PHASE_TURN);
            CHECK(c > 1 || em_pulse_jump(all[c], bend, 6.0, 0.9) == EM_PHASE_TURN);
            CHECK(c > 1 || em_pulse_jump(all[c], bend, 1.0, -0.9) == 0.0);
        }
}

/* Lists of who hears whom against the rows, and sums of weights that do not overflow. */
static void listed(const em_graph *graph)
{
    const em_listen *listen = graph->listen;
    int64_t found = 0;
    CHECK(listen->start[0] == 0 && listen->start[graph->n] == graph->ends);
    for (int64_t block = 0; block < em_graph_blocks(graph->n); block++) {
        em_rows_walk walk = em_rows_enter(graph, block);
        while (em_rows_next(&walk)) {
            uint64_t most = 0;
            for (int64_t e = 0; e < walk.degree; e++) {
                const int64_t at = em_rows_place(&walk, e);
                const int32_t j = graph->indices[at];
                for (int64_t k = listen->start[j]; k < listen->start[j + 1]; k++) {
                    if (listen->agent[k] != walk.agent) continue;
                    const double amount =
                        listen->amount == NULL ? 1.0 : (double)listen->amount[k] * listen->unit;
                    const double weight = graph->weights == NULL ? 1.0 : graph->weights[at];
                    CHECK(fabs(amount - weight) <= 0x1p-50);
                    if (listen->amount != NULL) most += (uint64_t)llabs(listen->amount[k]);
                    found++;
                }
            }
            CHECK(most <= UINT64_C(1) << EM_LISTEN_BITS);
        }
    }
    CHECK(found == graph->ends);
}

int main(int argc, char **argv)
{
    const int size = check_size(argc, argv);
    const int64_t before = em_base_live();
    const int64_t all = AGENTS, sizes[] = {700, 1, 1500, AGENTS - 2201}, plane[] = {5, AGENTS / 5};
    const double one = 1.0, between[] = {0.5, -1, 0, 2, 1, 1, 1, 0.25, 0, 0, 0, 1, 1, 0, 3, 1};
    em_graph *graphs[] = {
        phases_scattered(AGENTS, 6, 700, 7, false),
        phases_scattered(AGENTS, 6, 700, 8, true),
        em_groups_create(1, &all, &one),
        em_groups_create(4, sizes, between),
        em_lattice_create(2, plane, 2, false),
    };
    curves();
    for (size_t g = 0; g < sizeof graphs / sizeof *graphs; g++) {
        compare(graphs[g], size, EM_ACT_INTEGRATE);
        if (g < 2) compare(graphs[g], size, EM_ACT_SINE);
        if (g < 2) listed(graphs[g]);
        em_graph_free(graphs[g]);
    }
    CHECK(em_base_live() == before);
    return 0;
}
