/* em_check.h: whether the state of a swarm is consistent, while nobody is at work.
 *
 * Whatever threads did to it, phases are in range, frequencies finite, phasors the function of phase that they
 * should be, sums the sums of their parts, and the graph's rows in order. Each finding is one bit.
 */
#ifndef EM_CHECK_H
#define EM_CHECK_H

#include "em_gossip.h"

enum {
    EM_CHECK_PHASE = 1,     /* a phase is outside [0, 2 pi) */
    EM_CHECK_FREQUENCY = 2, /* a natural frequency is not finite */
    EM_CHECK_PHASOR = 4,    /* a phasor is not that of its phase */
    EM_CHECK_SUM = 8,       /* a sum of phasors is not that of its block */
    EM_CHECK_GRAPH = 16,    /* a row is out of order or out of range */
    EM_CHECK_LIVING = 32,   /* the number of living agents is not that of the marks */
    EM_CHECK_VELOCITY = 64, /* a velocity is not finite */
    EM_CHECK_ENERGY = 128,  /* an energy is negative, or more than an agent can hold */
    EM_CHECK_WEIGHT = 256,  /* a weight that adapts is not finite */
};

static inline int em_check_state(const em_swarm *swarm)
{
    int found = 0;
    int64_t living = 0;
    for (int64_t i = 0; i < swarm->n; i++) {
        double phase = swarm->state[0][i];
        if (!(phase >= 0.0 && phase < EM_PHASE_TURN)) found |= EM_CHECK_PHASE;
        if (!isfinite(swarm->frequency[i])) found |= EM_CHECK_FREQUENCY;
        if (swarm->variables > 1 && !isfinite(swarm->state[1][i])) found |= EM_CHECK_VELOCITY;
        if (swarm->energy.held != NULL && !em_energy_is_right(&swarm->energy, i)) found |= EM_CHECK_ENERGY;
        living += swarm->failed == NULL || !swarm->failed[i];
    }
    const double *weight = swarm->plastic.weight;
    for (int64_t e = 0; weight != NULL && e < swarm->sense.graph->ends; e++)
        if (!isfinite(weight[e])) found |= EM_CHECK_WEIGHT;
    return living == swarm->living ? found : found | EM_CHECK_LIVING;
}

/* The phasor of an agent that is there: in the table, or, if tables hold what others sense of it, in the ring. */
static inline em_table_pair em_check_own(const em_swarm *swarm, int64_t agent)
{
    const em_history *ring = &swarm->past.ring;
    if (!em_past_in_common(&swarm->past)) return em_table_read(&swarm->table[swarm->front][0], agent);
    return em_history_load(ring, em_history_slot(ring, swarm->drawn, 0), agent);
}

/* Phasors and shares as a tick would make them, against those that are there. */
static inline int em_check_phasors(em_swarm *swarm, em_scratch *scratch)
{
    const bool late = em_past_in_common(&swarm->past);
    const bool single = swarm->table[swarm->front][0].single && !late;
    const double *share = late ? swarm->past.share : swarm->share;
    int found = 0;
    for (int64_t block = 0; block < em_graph_blocks(swarm->n); block++) {
        int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
        double *cosine = scratch->phasor, *sine = scratch->phasor + EM_GRAPH_BLOCK, sum[2];
        em_swarm_sincos(
            swarm->failed, first, count, swarm->state[0] + first, scratch->copy, cosine, sine, sum);
        for (int64_t i = 0; i < count; i++) {
            em_table_pair there = em_check_own(swarm, first + i);
            double c = single ? (float)cosine[i] : cosine[i], s = single ? (float)sine[i] : sine[i];
            if (EM_TABLE_PART(there, 0) != c || EM_TABLE_PART(there, 1) != s) found |= EM_CHECK_PHASOR;
        }
        if (sum[0] != share[2 * block] || sum[1] != share[2 * block + 1]) found |= EM_CHECK_SUM;
    }
    return found;
}

static inline int em_check_graph(const em_graph *graph)
{
    for (int64_t block = 0; graph->kind == EM_GRAPH_STORED && block < em_graph_blocks(graph->n); block++) {
        em_rows_walk walk = em_rows_enter(graph, block);
        while (em_rows_next(&walk)) {
            if (walk.degree < 0 || walk.next > graph->start[block + 1]) return EM_CHECK_GRAPH;
            int32_t before = -1;
            for (int64_t e = 0; e < walk.degree; e++) {
                int32_t j = graph->indices[em_rows_place(&walk, e)];
                if (j <= before || j >= graph->n || j == walk.agent) return EM_CHECK_GRAPH;
                before = j;
            }
        }
        if (walk.next != graph->start[block + 1]) return EM_CHECK_GRAPH;
    }
    return 0;
}

#endif
