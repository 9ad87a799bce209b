/* em_order.h: the ordered schedule: one agent after another, each seeing all earlier updates.
 *
 * One worker, a given order, the same bits each time: for teaching, and for tests of what the others must
 * approach. Between ticks it leaves phasors and shares as the barrier schedule does.
 */
#ifndef EM_ORDER_H
#define EM_ORDER_H

#include "em_swarm.h"

/* Where the cosine of an agent is kept; `apart` is how far from it its sine is. */
static inline double *em_order_phasor(em_swarm *swarm, int64_t agent, int64_t *apart)
{
    int64_t block = agent / EM_GRAPH_BLOCK, first = em_swarm_first(block);
    bool shared = em_graph_shares(swarm->sense.graph);
    *apart = shared ? 1 : em_swarm_count(swarm, block);
    return swarm->phasor[swarm->front] + (shared ? 2 * agent : first + agent);
}

/* A tick of one agent. */
static inline void em_order_agent(em_swarm *swarm, int64_t agent, em_scratch *scratch)
{
    bool failed = swarm->failed != NULL && swarm->failed[agent];
    const em_graph *graph = swarm->sense.graph;
    int64_t apart, edge = em_graph_shares(graph) ? em_graph_row(graph, agent) : 0;
    double *z = em_order_phasor(swarm, agent, &apart);
    em_swarm_act(swarm, &swarm->sense, agent, 1, edge, z, z + apart, scratch);
    em_step_methods[swarm->step].combine(
        0, 1, swarm->dt, swarm->state[0] + agent, scratch->rate, NULL, scratch->next);
    if (failed) scratch->next[0] = swarm->state[0][agent];
    em_swarm_wrap(swarm, agent, 1, scratch->next);
    em_inbox *inbox = em_swarm_inbox(swarm);
    uint64_t nudged = inbox == NULL ? 0 : em_inbox_take(inbox, agent);
    swarm->state[0][agent] = em_phase_wrap(scratch->next[0] + em_phase_from_binary(nudged));
    double cosine, sine;
    em_phase_sincos(swarm->state[0][agent], &cosine, &sine);
    if (failed) cosine = sine = 0.0;
    swarm->sense.total[0][0] += cosine - z[0];
    swarm->sense.total[0][1] += sine - z[apart];
    z[0] = cosine;
    z[apart] = sine;
    if (swarm->extent == NULL || failed) return;
    double *extent = swarm->extent + 2 * (agent / EM_GRAPH_BLOCK);
    extent[0] = fmin(extent[0], scratch->rate[0]);
    extent[1] = fmax(extent[1], scratch->rate[0]);
}

/* A tick: the agents in `order`. */
static inline void em_order_tick(em_swarm *swarm, const int64_t *order, em_scratch *scratch)
{
    int64_t blocks = em_graph_blocks(swarm->n);
    for (int64_t block = 0; swarm->extent != NULL && block < blocks; block++) {
        swarm->extent[2 * block] = INFINITY;
        swarm->extent[2 * block + 1] = -INFINITY;
    }
    for (int64_t k = 0; k < swarm->n; k++) em_order_agent(swarm, order[k], scratch);
    for (int64_t block = 0; block < blocks; block++)
        em_swarm_phasors(swarm, block, swarm->state[0] + em_swarm_first(block), swarm->front, scratch);
}

#endif
