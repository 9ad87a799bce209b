/* em_gossip.h: the gossip schedule: within a tick nobody waits for anybody.
 *
 * A block reads the newest phasors there are, some of this tick and some of the last, from one table of relaxed
 * words, and writes its own there at once. Workers meet once a tick, so clocks never differ by more than one.
 * At a fixed point old and new are the same, so fixed points with zero mean frequency are exact; elsewhere a
 * stale neighbour acts like a small lag, an error of first order in dt.
 *
 * Where only sums are sensed there is no table: the sum of all phasors is kept running. Each block adds the
 * change of its share, in fixed point, so that the running sum is at every moment exactly the sum of shares that
 * some workers have told, however often it is changed: additions of whole numbers neither round nor depend on
 * their order. An integrator of several stages has no meaning here; the upper floor refuses it.
 */
#ifndef EM_GOSSIP_H
#define EM_GOSSIP_H

#include "em_stage.h"

/* The sums that a block has told of group `group`: its piece, or its share where there is one group. */
static inline double *em_gossip_piece(em_swarm *swarm, int channel, int64_t block, int32_t group)
{
    return swarm->sense.graph->groups == 1 ? em_swarm_share(swarm, channel, block)
                                           : swarm->sums[channel]->piece + 2 * (block + group);
}

/* While nobody is at work: the running sums of the pieces as they are. */
static inline void em_gossip_sum(em_swarm *swarm)
{
    const em_graph *graph = swarm->sense.graph;
    const double unit = em_sums_unit(swarm->n);
    if (graph->kind != EM_GRAPH_GROUPS) return;
    for (int32_t k = 0; k < swarm->channels * graph->groups; k++) {
        const int channel = k / graph->groups;
        const int32_t group = k % graph->groups;
        int64_t last = (graph->border[group + 1] - 1) / EM_GRAPH_BLOCK;
        uint64_t sum[2] = {0, 0};
        for (int64_t block = graph->border[group] / EM_GRAPH_BLOCK; block <= last; block++)
            for (int part = 0; part < 2; part++)
                sum[part] += em_sums_fixed(em_gossip_piece(swarm, channel, block, group)[part], unit);
        for (int part = 0; part < 2; part++)
            em_atomic_store(
                &swarm->sums[channel]->running[2 * group + part], sum[part], memory_order_relaxed);
    }
}

/* Adds what the pieces of a block have changed by, or with `sign` -1 takes away what they were. */
static inline void em_gossip_tell(em_swarm *swarm, int channel, int64_t block, int sign, uint64_t *change)
{
    const em_graph *graph = swarm->sense.graph;
    const double unit = em_sums_unit(swarm->n);
    const int64_t first = em_swarm_first(block), end = first + em_swarm_count(swarm, block);
    em_word *running = swarm->sums[channel]->running;
    int32_t group = em_groups_of(graph, first);
    for (int64_t i = first; i < end; i = em_groups_piece(graph, group, end), group++) {
        const double *piece = em_gossip_piece(swarm, channel, block, group);
        for (int k = 0; k < 2; k++, change++) {
            uint64_t fixed = em_sums_fixed(piece[k], unit);
            if (sign < 0)
                *change = 0 - fixed;
            else
                em_atomic_add(&running[2 * group + k], *change + fixed, memory_order_relaxed);
        }
    }
}

/* A tick of one block. */
static inline void em_gossip_block(em_swarm *swarm, int64_t block, em_scratch *scratch)
{
    em_sense now = swarm->sense;
    uint64_t change[EM_SENSE_CHANNELS][2 * EM_GRAPH_BLOCK];
    double *cosine[EM_SENSE_CHANNELS] = {NULL}, *sine[EM_SENSE_CHANNELS] = {NULL};
    now.running = now.graph->kind == EM_GRAPH_GROUPS;
    for (int h = 0; now.running && h < swarm->channels; h++) em_gossip_tell(swarm, h, block, -1, change[h]);
    em_stage_sense(swarm, 0, &now, block, scratch, cosine, sine);
    em_stage_combine(swarm, 0, block, cosine, sine, swarm->table[swarm->front], scratch);
    for (int h = 0; now.running && h < swarm->channels; h++) em_gossip_tell(swarm, h, block, 1, change[h]);
}

#endif
