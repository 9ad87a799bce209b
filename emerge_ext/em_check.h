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
};

static inline int em_check_state(const em_swarm *swarm)
{
    int found = 0;
    int64_t living = 0;
    for (int64_t i = 0; i < swarm->n; i++) {
        double phase = swarm->state[0][i];
        if (!(phase >= 0.0 && phase < EM_PHASE_TURN)) found |= EM_CHECK_PHASE;
        if (!isfinite(swarm->frequency[i])) found |= EM_CHECK_FREQUENCY;
        living += swarm->failed == NULL || !swarm->failed[i];
    }
    return living == swarm->living ? found : found | EM_CHECK_LIVING;
}

/* Phasors and shares as a tick would make them, against those that are there. */
static inline int em_check_phasors(em_swarm *swarm, em_scratch *scratch)
{
    const bool shared = em_graph_shares(swarm->sense.graph);
    int found = 0;
    for (int64_t block = 0; block < em_graph_blocks(swarm->n); block++) {
        int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
        double *cosine = scratch->phasor, *sine = scratch->phasor + count;
        em_phase_sincos_block(count, swarm->state[0] + first, cosine, sine);
        em_swarm_silence(swarm->failed, first, count, cosine, sine);
        const double *z = swarm->phasor[swarm->front] + 2 * first;
        for (int64_t i = 0; i < count; i++) {
            em_sense_pair there = {z[i], z[count + i]};
            if (shared) there = em_sense_read(swarm->phasor[swarm->front], first + i, swarm->sense.latest);
            if (EM_SENSE_PART(there, 0) != cosine[i] || EM_SENSE_PART(there, 1) != sine[i])
                found |= EM_CHECK_PHASOR;
        }
        if (em_swarm_sum(count, cosine) != swarm->share[2 * block]) found |= EM_CHECK_SUM;
        if (em_swarm_sum(count, sine) != swarm->share[2 * block + 1]) found |= EM_CHECK_SUM;
    }
    return found;
}

static inline int em_check_graph(const em_graph *graph)
{
    int64_t edge = 0;
    for (int64_t i = 0; graph->kind == EM_GRAPH_STORED && i < graph->n; i++) {
        if (graph->degree[i] < 0 || edge + graph->degree[i] > graph->ends) return EM_CHECK_GRAPH;
        if (i % EM_GRAPH_BLOCK == 0 && graph->start[i / EM_GRAPH_BLOCK] != edge) return EM_CHECK_GRAPH;
        int32_t before = -1;
        for (int64_t end = edge + graph->degree[i]; edge < end; edge++) {
            int32_t j = graph->indices[edge];
            if (j <= before || j >= graph->n || j == i) return EM_CHECK_GRAPH;
            before = j;
        }
    }
    return graph->kind == EM_GRAPH_COMPLETE || edge == graph->ends ? 0 : EM_CHECK_GRAPH;
}

#endif
