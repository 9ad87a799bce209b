/* em_order.h: the ordered schedule: one agent after another, each seeing all earlier updates.
 *
 * One worker, a given order, the same bits each time: for teaching, and for tests of what the others must
 * approach. Between ticks it leaves phasors and shares as the barrier schedule does.
 */
#ifndef EM_ORDER_H
#define EM_ORDER_H

#include "em_swarm.h"

/* A tick of one agent. */
static inline void em_order_agent(em_swarm *swarm, int64_t agent, em_scratch *scratch)
{
    bool failed = swarm->failed != NULL && swarm->failed[agent];
    const em_graph *graph = swarm->sense.graph;
    const em_table *table = &swarm->table[swarm->front];
    em_table_pair old = em_table_read(table, agent);
    double cosine = EM_TABLE_PART(old, 0), sine = EM_TABLE_PART(old, 1);
    em_sense_block(
        &swarm->sense, em_act_models[swarm->act].channels, agent, 1, &cosine, &sine, scratch->field);
    em_swarm_answer(swarm, 0, agent, 1, &cosine, &sine, scratch);
    em_inbox *inbox = em_swarm_inbox(swarm);
    uint64_t nudged = inbox == NULL ? 0 : em_inbox_take(inbox, agent);
    swarm->state[0][agent] = em_phase_wrap(scratch->wrapped[0] + em_phase_from_binary(nudged));
    if (swarm->displacement != NULL) swarm->displacement[agent] += em_phase_from_binary(nudged);
    em_phase_sincos(swarm->state[0][agent], &cosine, &sine);
    if (failed) cosine = sine = 0.0;
    em_table_store(table, agent, 1, &cosine, &sine);
    if (graph->kind == EM_GRAPH_GROUPS) {
        double *sum = swarm->sums->total + 2 * em_groups_of(graph, agent);
        sum[0] += cosine - EM_TABLE_PART(old, 0);
        sum[1] += sine - EM_TABLE_PART(old, 1);
    }
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
        em_swarm_phasors(
            swarm, block, swarm->state[0] + em_swarm_first(block), scratch->copy, &swarm->table[swarm->front],
            scratch);
}

#endif
