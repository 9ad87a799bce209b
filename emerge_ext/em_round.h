/* em_round.h: a tick of agents that fire: avalanches in the order of time, then the flow to its end.
 *
 * What a worker does with a block in a part of a round (em_avalanche.h), and at the end of a tick; and which part is
 * next, which the last arriver decides. Between pulses an agent turns at its rate, so a tick in which nobody fires is one
 * pass. Rounds that concern few agents the last arriver does by itself while the others wait: the bits are the same,
 * since all that order could change is sums of whole numbers.
 */
#ifndef EM_ROUND_H
#define EM_ROUND_H

#include "em_pulse.h"
#include "em_stage.h"

#ifndef EM_ROUND_FEW
#define EM_ROUND_FEW                                                                                         \
    512 /* columns, firings, or agents of groups that one worker does by itself; a test wants none */
#endif

enum { EM_ROUND_LAND, EM_ROUND_HEAR, EM_ROUND_SEND };

/* A parameter of an agent, ready for use. */
static inline double em_round_of(const em_swarm *swarm, int parameter, int64_t agent)
{
    return swarm->each[parameter] == NULL ? swarm->ready[parameter] : swarm->each[parameter][agent];
}

/* Whether an agent turns, hears and fires: it has not failed, and does not leave reach in a tick. */
static inline bool em_round_lives(const em_swarm *swarm, int64_t agent, double rate)
{
    return (swarm->failed == NULL || !swarm->failed[agent]) && em_phase_within_reach(rate * swarm->dt);
}

static inline bool em_round_integrates(const em_swarm *swarm)
{
    return swarm->act == EM_ACT_INTEGRATE;
}

/* How fast an agent turns between pulses. */
static inline double em_round_rate(const em_swarm *swarm, int64_t agent)
{
    return em_round_integrates(swarm) ? em_round_of(swarm, EM_ACT_TURN, agent) : swarm->frequency[agent];
}

/* The same of a block; 0 for who does not live. Whether anybody would leave reach. */
static inline bool em_round_rates(const em_swarm *swarm, int64_t first, int64_t count, double *restrict rate)
{
    const double *given = em_round_integrates(swarm) ? swarm->each[EM_ACT_TURN] : swarm->frequency;
    uint64_t far = 0;
    for (int64_t i = 0; given == NULL && i < count; i++) rate[i] = swarm->ready[EM_ACT_TURN];
    if (given != NULL) memcpy(rate, given + first, (size_t)count * sizeof *rate);
    for (int64_t i = 0; i < count; i++) far |= em_phase_within_reach(rate[i] * swarm->dt) ? 0 : UINT64_MAX;
    if (far == 0 && swarm->failed == NULL) return false;
    for (int64_t i = 0; i < count; i++) rate[i] = em_round_lives(swarm, first + i, rate[i]) ? rate[i] : 0.0;
    return far != 0;
}

/* Notes the first of a block that would leave reach in this tick, unless all such have failed. */
static inline void em_round_blame(em_swarm *swarm, int64_t first, int64_t count)
{
    for (int64_t i = first; i < first + count; i++) {
        if (em_phase_within_reach(em_round_rate(swarm, i) * swarm->dt)) continue;
        if (swarm->failed != NULL && swarm->failed[i]) continue;
        em_atomic_lower(&swarm->fault, (uint64_t)i, memory_order_relaxed);
    }
}

/* Makes a block ready to go on: its inbox is drained, phasors are made if that turned anybody or they are stale, and
 * where agents fire it is noted when. */
static inline void em_round_publish(em_swarm *swarm, int64_t block, bool stale, em_scratch *scratch)
{
    const int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    em_swarm_publish(swarm, block, stale, scratch);
    if (swarm->avalanche == NULL) return;
    em_round_rates(swarm, first, count, scratch->rate);
    em_avalanche_time(swarm->avalanche, block, count, swarm->state[0] + first, scratch->rate);
}

/* The flow of a block to the end of the tick, nudges, new phasors, and when its agents will fire next. */
static inline void em_round_land(em_swarm *swarm, int64_t block, em_scratch *scratch)
{
    const int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    double *restrict rate = scratch->rate, *restrict next = scratch->next,
                     *turned = em_swarm_turned(swarm, first);
    const double *restrict phase = swarm->state[0] + first;
    if (em_round_rates(swarm, first, count, rate)) em_round_blame(swarm, first, count);
    for (int64_t i = 0; i < count; i++) {
        const double there = phase[i] + rate[i] * swarm->dt;
        next[i] = there < EM_PULSE_LAST ? there : EM_PULSE_LAST; /* rounding lets nobody pass unheard */
    }
    for (int64_t i = 0; turned != NULL && i < count; i++) turned[i] += rate[i] * swarm->dt;
    em_stage_wrap(count, next, scratch->wrapped);
    em_swarm_drain(swarm, block, scratch->wrapped, scratch);
    em_avalanche_time(swarm->avalanche, block, count, scratch->wrapped, rate);
    const em_past_moment then = {swarm->drawn + 1, 0.0};
    em_swarm_phasors(
        swarm, then, block, scratch->wrapped, swarm->state[0] + first, swarm->table[swarm->front], scratch);
}

/* What an agent does that hears a weight, or nothing, at this moment; returns when it will fire next. */
static inline double em_round_answer(em_swarm *swarm, int64_t agent, double weight)
{
    em_avalanche *avalanche = swarm->avalanche;
    const double rate = em_round_rate(swarm, agent), now = avalanche->now;
    double *phase = &swarm->state[0][agent];
    if (!em_round_lives(swarm, agent, rate)) return INFINITY;
    const double due = em_avalanche_due(*phase, rate);
    if (avalanche->last[agent] == avalanche->number || (due > now && weight == 0.0)) return due;
    const double flown = *phase + rate * now,
                 here = rate < 0.0 ? em_phase_wrap(flown) : fmin(flown, EM_PULSE_LAST);
    const double charge = em_round_of(swarm, EM_ACT_PULSE, agent) * weight;
    const double there = due <= now ? EM_PHASE_TURN
                                    : em_pulse_jump(
                                          em_act_models[swarm->act].curve,
                                          em_round_of(swarm, EM_ACT_BEND, agent), here, charge);
    if (swarm->displacement != NULL) swarm->displacement[agent] += there - here;
    if (there >= EM_PHASE_TURN) em_avalanche_fire(avalanche, agent);
    *phase = (there < EM_PHASE_TURN ? there : 0.0) - rate * now;
    return em_avalanche_due(*phase, rate);
}

/* The weights that an agent hears, by what divides them. */
static inline double em_round_weight(em_swarm *swarm, int64_t agent)
{
    const em_graph *graph = swarm->sense.graph;
    const int64_t amount = em_avalanche_take(swarm->avalanche, agent);
    if (amount == 0) return 0.0;
    const double unit = graph->kind == EM_GRAPH_STORED ? graph->listen->unit : 1.0;
    return (double)amount * unit *
           (swarm->sense.scale != 0.0 ? swarm->sense.scale : em_listen_share(graph, agent));
}

/* All agents of a block hear the groups. */
static inline void em_round_hear_groups(em_swarm *swarm, int64_t block)
{
    const em_graph *graph = swarm->sense.graph;
    const int64_t first = em_swarm_first(block), end = first + em_swarm_count(swarm, block);
    double soon[EM_AVALANCHE_COLUMNS];
    for (int k = 0; k < EM_AVALANCHE_COLUMNS; k++) soon[k] = INFINITY;
    int32_t group = em_groups_of(graph, first);
    for (int64_t i = first, until; i < end; group++) {
        const double scale = swarm->sense.scale != 0.0 ? swarm->sense.scale : graph->share[group];
        const double weight = em_avalanche_chorus(swarm->avalanche, graph, group) * scale;
        for (until = em_groups_piece(graph, group, end); i < until; i++) {
            const double due = em_round_answer(swarm, i, weight);
            const int64_t k = i % EM_AVALANCHE_COLUMNS;
            soon[k] = due < soon[k] ? due : soon[k];
        }
    }
    memcpy(swarm->avalanche->soon + block * EM_AVALANCHE_COLUMNS, soon, sizeof soon);
    swarm->avalanche->first[block] = em_avalanche_soonest(soon);
}

/* Agents of a block take what they hear, and fire if it is time. */
static inline void em_round_hear(em_swarm *swarm, int64_t block)
{
    em_avalanche *avalanche = swarm->avalanche;
    const bool groups = swarm->sense.graph->kind == EM_GRAPH_GROUPS;
    const int64_t first = em_swarm_first(block), end = first + em_swarm_count(swarm, block);
    double *soon = avalanche->soon + block * EM_AVALANCHE_COLUMNS;
    if (avalanche->loud) {
        em_round_hear_groups(swarm, block);
        return;
    }
    if (!em_avalanche_holds(avalanche->stirred, block)) return;
    for (uint64_t columns = em_avalanche_columns(avalanche, block); columns != 0; columns &= columns - 1) {
        const int k = em_avalanche_lowest(columns);
        soon[k] = INFINITY;
        for (int64_t i = first + k; i < end; i += EM_AVALANCHE_COLUMNS)
            soon[k] = fmin(soon[k], em_round_answer(swarm, i, groups ? 0.0 : em_round_weight(swarm, i)));
    }
    avalanche->first[block] = em_avalanche_soonest(soon);
}

static inline void em_round_block(em_swarm *swarm, int part, int64_t block, em_scratch *scratch)
{
    if (part == EM_ROUND_LAND)
        em_round_land(swarm, block, scratch);
    else if (part == EM_ROUND_HEAR)
        em_round_hear(swarm, block);
    else
        em_avalanche_send(swarm->avalanche, swarm->sense.graph, block);
}

/* A part of a round, or the end of a tick, for one unit. */
static inline void em_round_unit(em_swarm *swarm, int part, int64_t unit, em_scratch *scratch)
{
    const int64_t first = unit * swarm->unit, blocks = em_graph_blocks(swarm->n);
    for (int64_t block = first; block < first + swarm->unit && block < blocks; block++)
        em_round_block(swarm, part, block, scratch);
}

/* These only by the last arriver, or while nobody is at work. The part that follows one that all have done. */
static inline int em_round_after(em_swarm *swarm, int part)
{
    em_avalanche *avalanche = swarm->avalanche;
    if (part == EM_ROUND_SEND) {
        avalanche->loud = swarm->sense.graph->kind == EM_GRAPH_GROUPS;
        em_avalanche_empty(avalanche->ablaze, swarm->n);
        return EM_ROUND_HEAR;
    }
    em_avalanche_hush(avalanche, swarm->sense.graph);
    em_avalanche_empty(avalanche->stirred, swarm->n);
    if (part == EM_ROUND_HEAR && em_avalanche_firings(avalanche) > 0) {
        if (avalanche->keeps)
            em_avalanche_record(
                avalanche, swarm->origin + ((double)swarm->tick * swarm->dt + avalanche->now));
        return EM_ROUND_SEND;
    }
    return em_avalanche_go_on(avalanche, swarm->dt) ? EM_ROUND_HEAR : EM_ROUND_LAND;
}

/* Where a process was forked amid a tick: what was on its way is lost, and phases are some between two ticks. */
static inline void em_round_mend(em_swarm *swarm)
{
    if (swarm->avalanche == NULL) return;
    em_avalanche_clear(swarm->avalanche);
    for (int64_t i = 0; i < swarm->n; i++) swarm->state[0][i] = em_phase_wrap(swarm->state[0][i]);
}

/* Whether a part concerns so few that waiting for others would take longer. */
static inline bool em_round_is_small(const em_swarm *swarm, int part)
{
    const em_avalanche *avalanche = swarm->avalanche;
    if (part == EM_ROUND_SEND) return em_avalanche_firings(avalanche) < EM_ROUND_FEW;
    return avalanche->loud ? swarm->n < EM_ROUND_FEW : em_avalanche_hearers(avalanche) < EM_ROUND_FEW;
}

/* A part of a round for all whom it concerns. */
static inline void em_round_alone(em_swarm *swarm, int part)
{
    em_avalanche *avalanche = swarm->avalanche;
    const em_word *set = part == EM_ROUND_SEND ? avalanche->ablaze : avalanche->stirred;
    for (int64_t block = 0; avalanche->loud && block < em_graph_blocks(swarm->n); block++)
        em_round_hear(swarm, block);
    if (avalanche->loud) return;
    for (int64_t block = em_avalanche_next(set, swarm->n, 0); block >= 0;
         block = em_avalanche_next(set, swarm->n, block + 1))
        em_round_block(swarm, part, block, NULL);
}

/* Goes on from a part to the next that is for all. */
static inline int em_round_next(em_swarm *swarm, int part)
{
    part = em_round_after(swarm, part);
    while (part != EM_ROUND_LAND && em_round_is_small(swarm, part)) {
        em_round_alone(swarm, part);
        part = em_round_after(swarm, part);
    }
    return part;
}

/* The first part of a tick that is for all. */
static inline int em_round_begin(em_swarm *swarm)
{
    swarm->avalanche->now = -INFINITY;
    return em_round_next(swarm, EM_ROUND_LAND);
}

#endif
