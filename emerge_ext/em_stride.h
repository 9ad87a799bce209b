/* em_stride.h: what one worker does with one block in one stage of an adaptive step (em_adapt.h).
 *
 * The state of the swarm is that of the last tick until LAND makes the next one: an attempt that fails has changed
 * nothing. Stages up to LAST and AGAIN publish the phasors from which the next stage senses.
 */
#ifndef EM_STRIDE_H
#define EM_STRIDE_H

#include "em_stage.h"

static inline bool em_stride_senses(int stage)
{
    return stage <= EM_ADAPT_ERROR;
}

static inline bool em_stride_publishes(int stage)
{
    return stage != EM_ADAPT_ERROR;
}

/* The slope of a stage, where the block is; the first one of a step that begins at a tick brings its base. */
static inline void em_stride_slope(
    em_swarm *swarm, int stage, const em_sense *sense, int64_t block, em_scratch *scratch)
{
    em_adapt *adapt = &swarm->adapt;
    const int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    double *cosine[EM_SENSE_CHANNELS] = {NULL}, *sine[EM_SENSE_CHANNELS] = {NULL};
    em_stage_sense(swarm, 0, sense, block, scratch, cosine, sine);
    const em_act_view view = em_stage_view(swarm, stage, first, count, cosine, sine, scratch);
    em_stage_rate(swarm, &view, scratch->rate);
    for (int v = 0; v < swarm->variables; v++) {
        const size_t size = (size_t)count * sizeof(double);
        memcpy(adapt->slope[v][stage] + first, scratch->rate + v * EM_GRAPH_BLOCK, size);
        if (stage == EM_ADAPT_FRESH) memcpy(adapt->base[v] + first, swarm->state[v] + first, size);
    }
}

/* The end of one step becomes the base of the next; the slope there is known. */
static inline void em_stride_advance(em_swarm *swarm, int64_t first, int64_t count)
{
    em_adapt *adapt = &swarm->adapt;
    em_stage_wrap(count, adapt->end[0] + first, adapt->base[0] + first);
    for (int v = 0; v < swarm->variables; v++) {
        const size_t size = (size_t)count * sizeof(double);
        if (v > 0) memcpy(adapt->base[v] + first, adapt->end[v] + first, size);
        memcpy(adapt->slope[v][0] + first, adapt->slope[v][EM_ADAPT_ERROR] + first, size);
    }
}

/* Where the next stage begins, in scratch. */
static inline void em_stride_reach(
    em_swarm *swarm, int stage, int64_t first, int64_t count, em_scratch *scratch)
{
    const int next = stage == EM_ADAPT_AGAIN ? 1 : stage + 1;
    for (int v = 0; v < swarm->variables; v++) {
        double *where = scratch->next + v * EM_GRAPH_BLOCK;
        em_adapt_reach(&swarm->adapt, v, next, first, count, where);
        if (stage == EM_ADAPT_LAST)
            memcpy(swarm->adapt.end[v] + first, where, (size_t)count * sizeof(double));
    }
}

/* Adds to how far agents have turned. The step in hand and the state of the last tick may be whole turns apart: the turn
 * that is meant is the one nearest to what the rate at the end makes of a tick. */
static inline void em_stride_displace(
    em_swarm *swarm, int64_t first, int64_t count, const double *restrict next, const double *restrict rate)
{
    double *turned = em_swarm_turned(swarm, first);
    const double *phase = swarm->state[0] + first;
    for (int64_t i = 0; turned != NULL && i < count; i++) {
        const double way = next[i] - phase[i];
        turned[i] += way + EM_PHASE_TURN * nearbyint((swarm->dt * rate[i] - way) / EM_PHASE_TURN);
    }
}

/* The state at a tick. */
static inline void em_stride_land(em_swarm *swarm, int64_t block, em_scratch *scratch)
{
    const int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    for (int v = 0; v < swarm->variables; v++)
        em_adapt_land(
            &swarm->adapt, v, first, count, scratch->next + v * EM_GRAPH_BLOCK,
            scratch->rate + v * EM_GRAPH_BLOCK);
    em_stride_displace(swarm, first, count, scratch->next, scratch->rate);
    if (swarm->extent != NULL) em_stage_note_extent(swarm, block, count, scratch->rate);
    em_stage_wrap(count, scratch->next, scratch->wrapped);
    em_stage_finish(swarm, block, em_stage_back(swarm), scratch);
}

static inline void em_stride_block(
    em_swarm *swarm, int stage, const em_sense *sense, int64_t block, em_scratch *scratch)
{
    const int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    if (stage == EM_ADAPT_LAND) {
        em_stride_land(swarm, block, scratch);
        return;
    }
    if (em_stride_senses(stage)) em_stride_slope(swarm, stage, sense, block, scratch);
    if (stage == EM_ADAPT_ERROR) {
        em_adapt_measure(&swarm->adapt, swarm->variables, block, first, count, scratch->next);
        return;
    }
    if (stage == EM_ADAPT_AGAIN && swarm->adapt.advances) em_stride_advance(swarm, first, count);
    em_stride_reach(swarm, stage, first, count, scratch);
    em_stage_go_on(swarm, 1.0, block, em_stage_back(swarm), scratch);
}

/* One stage for one unit. */
static inline void em_stride_unit(em_swarm *swarm, int stage, int64_t unit, em_scratch *scratch)
{
    const int64_t first = unit * swarm->unit, blocks = em_graph_blocks(swarm->n);
    const bool tiled = swarm->tiles != NULL && em_stride_senses(stage);
    em_sense sense = swarm->sense;
    if (tiled) em_tiles_add_up(swarm->tiles, &sense.table[0], unit, scratch->panel);
    for (int64_t block = first; block < first + swarm->unit && block < blocks; block++) {
        if (tiled) sense.ready = scratch->panel + (block - first) * EM_GRAPH_BLOCK;
        em_stride_block(swarm, stage, &sense, block, scratch);
    }
}

#endif
