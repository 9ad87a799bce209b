/* Prints the bits that every instruction set gives here, on each kind of graph in each precision, a line for each
 * instruction set: what a processor of another kind must print, too (tests/test_isa.py). */
#include "em_isa.h"

#include "check.h"
#include "phases.h"

enum { AGENTS = 9 * EM_GRAPH_BLOCK + 77, DEGREE = 9, TICKS = 50 };

/* The phases after some ticks, as one number. */
static uint64_t bits(const em_graph *graph, const em_isa *isa, bool single)
{
    em_swarm swarm;
    em_scratch *scratch = em_base_alloc(sizeof *scratch);
    uint64_t seed = 42, sum = 0;
    em_swarm_init(&swarm);
    swarm.n = swarm.living = AGENTS;
    swarm.single = single;
    swarm.state[0] = em_base_alloc(AGENTS * sizeof(double));
    swarm.frequency = em_base_alloc(AGENTS * sizeof(double));
    swarm.cells = em_base_alloc(em_table_size(AGENTS, false));
    em_swarm_offer_wide(&swarm, em_base_alloc(2 * em_table_size(AGENTS, false)));
    em_swarm_offer_sums(&swarm, em_sums_create(1, 1, em_graph_blocks(AGENTS)));
    swarm.share = em_base_alloc((size_t)em_graph_blocks(AGENTS) * 2 * sizeof(double));
    swarm.dt = 0.05;
    swarm.ready[0] = 1.5; /* no lag: what the library makes of cosines is not ours */
    for (int i = 0; i < AGENTS; i++)
        swarm.state[0][i] = 6 * check_uniform(&seed), swarm.frequency[i] = check_uniform(&seed);
    em_swarm_enter(&swarm, graph);
    for (int64_t b = 0; b < em_graph_blocks(AGENTS); b++) isa->publish(&swarm, b, true, scratch);
    em_swarm_sum_up(&swarm);
    for (int tick = 0; tick < TICKS; tick++) {
        for (int64_t b = 0; b < em_graph_blocks(AGENTS); b++) isa->stage(&swarm, 0, b, scratch);
        em_swarm_turn_over(&swarm);
    }
    for (int i = 0; i < AGENTS; i++) sum = sum * 31 + em_phase_bits(swarm.state[0][i]);
    em_base_free(swarm.state[0]), em_base_free(swarm.frequency), em_base_free(swarm.share);
    em_base_free(swarm.cells), em_base_free(em_swarm_wide(&swarm)), em_sums_free(em_swarm_offered(&swarm));
    em_base_free(scratch);
    return sum;
}

int main(void)
{
    const int64_t all = AGENTS, plane[] = {5, AGENTS / 5};
    const double one = 1.0;
    em_graph *graphs[] = {
        phases_scattered(AGENTS, DEGREE, 900, 7, false), em_groups_create(1, &all, &one),
        em_lattice_create(2, plane, 2, true)};
    const em_isa *isas[3];
    int count = em_isa_list(isas);
    for (int k = 0; k < count; k++) {
        printf("%s", isas[k]->name);
        for (int g = 0; g < 6; g++)
            printf(" %016llx", (unsigned long long)bits(graphs[g / 2], isas[k], g % 2 == 1));
        printf("\n");
    }
    for (int g = 0; g < 3; g++) em_graph_free(graphs[g]);
    return 0;
}
