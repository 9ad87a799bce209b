/* em_tiles.h: a stage with tiles gives the bits of one without, for any worker that takes any panel in any order. */
#define EM_TILES_COLUMN 9 /* small tiles, so that there are many */

#include "check.h"
#include "phases.h"
#include "em_stage.h"

enum { AGENTS = 41 * EM_GRAPH_BLOCK + 77, DEGREE = 9 };

typedef struct {
    em_graph *graph;
    em_tiles *tiles;
    em_swarm *swarm;
} job;

static em_swarm *swarm_on(const em_graph *graph, size_t panel_room)
{
    em_swarm *swarm = em_base_alloc(sizeof *swarm);
    em_swarm_init(swarm);
    swarm->n = swarm->living = AGENTS;
    swarm->single = true;
    swarm->panel_room = panel_room;
    swarm->state[0] = em_base_alloc(AGENTS * sizeof(double));
    swarm->frequency = em_base_alloc(AGENTS * sizeof(double));
    swarm->cells = em_base_alloc(em_table_size(AGENTS, false));
    swarm->share = em_base_alloc((size_t)em_graph_blocks(AGENTS) * 2 * sizeof(double));
    swarm->dt = 0.05;
    swarm->raw[0] = 1.5, swarm->raw[1] = 0.3;
    em_act_prepare(swarm->act, swarm->raw, swarm->ready);
    uint64_t seed = 42;
    em_scratch *scratch = em_base_alloc(sizeof *scratch);
    for (int i = 0; i < AGENTS; i++)
        swarm->state[0][i] = 6 * check_uniform(&seed), swarm->frequency[i] = check_uniform(&seed);
    em_swarm_enter(swarm, graph);
    for (int64_t b = 0; b < em_graph_blocks(AGENTS); b++) em_swarm_publish(swarm, b, true, scratch);
    em_swarm_sum_up(swarm);
    em_base_free(scratch);
    return swarm;
}

static void forget(em_swarm *swarm)
{
    em_base_free(swarm->state[0]), em_base_free(swarm->frequency), em_base_free(swarm->share);
    em_base_free(swarm->cells), em_base_free(swarm);
}

static void *cut(void *argument)
{
    check_member *member = argument;
    job *j = member->shared;
    for (int64_t band = member->rank; band < j->tiles->bands; band += member->size)
        em_tiles_cut(j->tiles, j->graph, band);
    return NULL;
}

static void *stage(void *argument)
{
    check_member *member = argument;
    job *j = member->shared;
    em_scratch *scratch = em_base_alloc(sizeof *scratch);
    scratch->panel = em_base_alloc(em_tiles_sums_size(j->tiles));
    int64_t units = em_graph_units(j->graph, j->swarm->unit);
    for (int64_t unit = units - 1 - member->rank; unit >= 0; unit -= member->size)
        em_stage_unit(j->swarm, 0, unit, scratch);
    em_base_free(scratch->panel), em_base_free(scratch);
    return NULL;
}

int main(int argc, char **argv)
{
    const int size = check_size(argc, argv);
    const int64_t before = em_base_live();
    job plain = {.graph = phases_scattered(AGENTS, DEGREE, 4000, 3, false)}, tiled = plain;
    plain.tiles = tiled.tiles = em_tiles_create(tiled.graph);
    CHECK(tiled.tiles != NULL && tiled.tiles->columns > 40 && tiled.tiles->bands > 5);
    plain.swarm = swarm_on(plain.graph, 0);
    CHECK(plain.swarm->tiles == NULL && plain.swarm->unit == 1);
    check_together(size, cut, &tiled);
    em_tiles_offer(tiled.graph, tiled.tiles);
    tiled.swarm = swarm_on(tiled.graph, em_tiles_sums_size(tiled.tiles));
    CHECK(tiled.swarm->tiles == tiled.tiles && tiled.swarm->unit == em_tiles_panel(tiled.tiles));
    for (int tick = 0; tick < 5; tick++) {
        check_together(1, stage, &plain);
        check_together(size, stage, &tiled);
        em_swarm_turn_over(plain.swarm), em_swarm_turn_over(tiled.swarm);
        CHECK(memcmp(plain.swarm->state[0], tiled.swarm->state[0], AGENTS * sizeof(double)) == 0);
        CHECK(plain.swarm->total[0] == tiled.swarm->total[0]);
    }
    tiled.tiles->word[77] ^= 1; /* another neighbour gives other bits: the comparison does compare */
    check_together(1, stage, &plain);
    check_together(size, stage, &tiled);
    CHECK(memcmp(plain.swarm->state[0], tiled.swarm->state[0], AGENTS * sizeof(double)) != 0);
    CHECK(!em_tiles_pay(tiled.graph, true));
    forget(plain.swarm), forget(tiled.swarm), em_graph_free(tiled.graph);
    CHECK(em_base_live() == before);
    return 0;
}
