/* em_order.h: the ordered schedule: one agent after another, each seeing all earlier updates.
 *
 * One worker, a given order, the same bits each time: for teaching, and for tests of what the others must
 * approach. Between ticks it leaves phasors and shares as the barrier schedule does.
 */
#ifndef EM_ORDER_H
#define EM_ORDER_H

#include "em_stage.h"

/* The phasors of one agent in all channels into the tables, and their changes into the sums of its group. */
static inline void em_order_publish(em_swarm *swarm, int64_t agent, const em_table_pair *old)
{
    const em_graph *graph = swarm->sense.graph;
    double cosine[EM_SENSE_CHANNELS], sine[EM_SENSE_CHANNELS];
    em_phase_sincos(swarm->state[0][agent], &cosine[0], &sine[0]);
    if (swarm->failed != NULL && swarm->failed[agent]) cosine[0] = sine[0] = 0.0;
    for (int h = 0; h < swarm->channels; h++) {
        if (h > 0)
            em_swarm_harmonic(1, &cosine[h - 1], &sine[h - 1], &cosine[0], &sine[0], &cosine[h], &sine[h]);
        em_table_store(&swarm->table[swarm->front][h], agent, 1, &cosine[h], &sine[h]);
        if (graph->kind != EM_GRAPH_GROUPS) continue;
        double *sum = swarm->sums[h]->total + 2 * em_groups_of(graph, agent);
        sum[0] += cosine[h] - EM_TABLE_PART(old[h], 0);
        sum[1] += sine[h] - EM_TABLE_PART(old[h], 1);
    }
}

/* A tick of one agent. */
static inline void em_order_agent(em_swarm *swarm, int64_t agent, em_scratch *scratch)
{
    em_table_pair old[EM_SENSE_CHANNELS];
    double own[2 * EM_SENSE_CHANNELS], *cosine[EM_SENSE_CHANNELS], *sine[EM_SENSE_CHANNELS];
    for (int h = 0; h < swarm->channels; h++) {
        old[h] = em_table_read(&swarm->table[swarm->front][h], agent);
        cosine[h] = &own[2 * h], sine[h] = &own[2 * h + 1];
        *cosine[h] = EM_TABLE_PART(old[h], 0), *sine[h] = EM_TABLE_PART(old[h], 1);
    }
    em_sense_block(&swarm->sense, swarm->channels, agent, 1, cosine, sine, scratch->field);
    em_stage_answer(swarm, 0, agent, 1, cosine, sine, scratch);
    em_inbox *inbox = em_swarm_inbox(swarm);
    uint64_t nudged = inbox == NULL ? 0 : em_inbox_take(inbox, agent);
    swarm->state[0][agent] = em_phase_wrap(scratch->wrapped[0] + em_phase_from_binary(nudged));
    if (swarm->displacement != NULL) swarm->displacement[agent] += em_phase_from_binary(nudged);
    for (int v = 1; v < swarm->variables; v++) swarm->state[v][agent] = scratch->next[v * EM_GRAPH_BLOCK];
    em_order_publish(swarm, agent, old);
    if (swarm->extent == NULL || (swarm->failed != NULL && swarm->failed[agent])) return;
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
    const em_past_moment then = {swarm->drawn + 1, 0.0};
    for (int64_t block = 0; block < blocks; block++)
        em_swarm_phasors(
            swarm, then, block, swarm->state[0] + em_swarm_first(block), scratch->copy,
            swarm->table[swarm->front], scratch);
}

#endif
