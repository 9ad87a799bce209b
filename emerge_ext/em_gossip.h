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

#include "em_swarm.h"

/* Fixed point: the unit of a sum of n phasors, so that the sum of all fits 62 bits. */
static inline double em_gossip_unit(int64_t n)
{
    return ldexp(1.0, 61 - ilogb((double)n));
}

static inline uint64_t em_gossip_fixed(double share, double unit)
{
    return (uint64_t)(int64_t)(share * unit);
}

/* While nobody is at work: the running sums of the shares as they are. */
static inline void em_gossip_sum(em_swarm *swarm)
{
    const double unit = em_gossip_unit(swarm->n);
    uint64_t sum[2] = {0, 0};
    for (int64_t k = 0; k < 2 * em_graph_blocks(swarm->n); k++)
        sum[k % 2] += em_gossip_fixed(swarm->share[k], unit);
    for (int k = 0; k < 2; k++) em_atomic_store(&swarm->running[k], sum[k], memory_order_relaxed);
}

/* A tick of one block. */
static inline void em_gossip_block(em_swarm *swarm, int64_t block, em_scratch *scratch)
{
    const double unit = em_gossip_unit(swarm->n);
    double *share = swarm->share + 2 * block, before[2] = {share[0], share[1]};
    em_sense now = swarm->sense;
    bool running = !em_graph_shares(now.graph);
    for (int k = 0; running && k < 2; k++)
        now.total[0][k] = (double)(int64_t)em_atomic_load(&swarm->running[k], memory_order_relaxed) / unit;
    em_swarm_rates(swarm, &now, block, scratch);
    em_swarm_combine(swarm, 0, block, scratch);
    em_swarm_phasors(swarm, block, scratch->next, swarm->front, scratch);
    for (int k = 0; running && k < 2; k++) {
        uint64_t change = em_gossip_fixed(share[k], unit) - em_gossip_fixed(before[k], unit);
        em_atomic_add(&swarm->running[k], change, memory_order_relaxed);
    }
}

#endif
