/* em_stage.h: what one worker does with one block in one stage of a tick.
 *
 * Here sense, act and step meet. Everything happens in scratch of one block; what is written outside belongs to that
 * block alone. So blocks may be done by any worker in any order, with the same bits. An agent whose next state is not
 * finite, or whose phase left reach, keeps what it had and is noted; the run ends after the tick.
 */
#ifndef EM_STAGE_H
#define EM_STAGE_H

#include "em_noise.h"
#include "em_swarm.h"

/* Keeps the least and the largest rate of the phases of a block, found in lanes. Who failed has no rate: it
 * takes that of the block's first living agent, and a block of none leaves an empty extent. */
static inline void em_stage_note_extent(em_swarm *swarm, int64_t block, int64_t count, double *restrict rate)
{
    double *extent = swarm->extent + 2 * block, least[EM_LANE_COUNT], most[EM_LANE_COUNT];
    const uint8_t *failed = swarm->failed == NULL ? NULL : swarm->failed + em_swarm_first(block);
    int64_t one = 0;
    while (failed != NULL && one < count && failed[one]) one++;
    extent[0] = INFINITY;
    extent[1] = -INFINITY;
    if (one == count) return;
    for (int64_t i = 0; failed != NULL && i < count; i++) rate[i] = failed[i] ? rate[one] : rate[i];
    for (int l = 0; l < EM_LANE_COUNT; l++) least[l] = most[l] = rate[one];
    int64_t whole = count - count % EM_LANE_COUNT;
    for (int64_t i = 0; i < whole; i += EM_LANE_COUNT)
        for (int l = 0; l < EM_LANE_COUNT; l++) {
            least[l] = rate[i + l] < least[l] ? rate[i + l] : least[l];
            most[l] = rate[i + l] > most[l] ? rate[i + l] : most[l];
        }
    for (int64_t i = whole; i < count; i++) {
        least[0] = fmin(least[0], rate[i]);
        most[0] = fmax(most[0], rate[i]);
    }
    for (int l = 0; l < EM_LANE_COUNT; l++) {
        extent[0] = fmin(extent[0], least[l]);
        extent[1] = fmax(extent[1], most[l]);
    }
}

/* What agents first .. first + count - 1, a block or one agent, hold and sense, as a model sees it. */
static inline em_act_view em_stage_view(
    const em_swarm *swarm, int stage, int64_t first, int64_t count, double *const *cosine,
    double *const *sine, em_scratch *scratch)
{
    em_act_view view = {
        .count = count,
        .time = swarm->time,
        .channels = swarm->channels,
        .frequency = swarm->frequency + first,
        .cosine = cosine,
        .sine = sine,
        .field = scratch->field,
        .stride = EM_GRAPH_BLOCK,
        .ready = swarm->ready,
        .each = swarm->each,
        .first = first,
        .function = swarm->function,
        .given = swarm->given == NULL ? NULL : swarm->given + first,
    };
    const double *now[EM_ACT_VARIABLES];
    for (int v = 0; v < EM_ACT_VARIABLES; v++) {
        const double *array = stage == 0 ? swarm->state[v] : swarm->now[v];
        now[v] = array == NULL ? NULL : array + first;
    }
    view.phase = now[0], view.velocity = now[1];
    return view;
}

/* The phasors of a block that are in front; with a delay in common only where they stand apart already, as groups need
 * them: its own come from the past (em_stage_own). */
static inline void em_stage_front(
    em_swarm *swarm, int64_t block, em_scratch *scratch, double **cosine, double **sine)
{
    const em_table *front = swarm->table[swarm->front];
    int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    for (int h = 0; h < swarm->channels; h++) {
        em_swarm_own(&front[h], h, first, scratch, &cosine[h], &sine[h]);
        if (!em_table_is_plain(&front[h]) && !em_past_in_common(&swarm->past))
            em_table_load(&front[h], first, count, cosine[h], sine[h]);
    }
}

/* The own phasors of a block, where tables hold what others sense of it. */
static inline void em_stage_own(
    em_swarm *swarm, em_past_moment when, int64_t first, int64_t count, em_scratch *scratch, double **cosine,
    double **sine)
{
    cosine[0] = em_past_cosines(&swarm->past, when, first);
    sine[0] = em_past_sines(&swarm->past, when, first);
    for (int h = 1; h < swarm->channels; h++) {
        cosine[h] = scratch->phasor + 2 * h * EM_GRAPH_BLOCK;
        sine[h] = cosine[h] + EM_GRAPH_BLOCK;
        em_swarm_harmonic(count, cosine[h - 1], sine[h - 1], cosine[0], sine[0], cosine[h], sine[h]);
    }
}

/* The fields of a block and its own phasors, by what `sense` shows it in a stage. */
static inline void em_stage_sense(
    em_swarm *swarm, int stage, const em_sense *sense, int64_t block, em_scratch *scratch, double **cosine,
    double **sine)
{
    const em_past_moment when = {swarm->drawn, em_step_methods[swarm->step].node[stage]};
    int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    em_stage_front(swarm, block, scratch, cosine, sine);
    if (em_past_of_edges(&swarm->past))
        em_late_block(&swarm->past, sense, when, swarm->channels, first, count, scratch->field);
    else if (swarm->plastic.weight != NULL)
        em_plastic_sense(&swarm->plastic, sense, swarm->channels, block, cosine, sine, scratch->field);
    else
        em_sense_block(sense, swarm->channels, first, count, cosine, sine, scratch->field);
    if (em_past_in_common(&swarm->past)) em_stage_own(swarm, when, first, count, scratch, cosine, sine);
}

/* The same, by weights of a stage, which adapt; who would have one that is not finite keeps it, and is noted. */
static inline void em_stage_learn(
    em_swarm *swarm, int stage, int64_t block, em_scratch *scratch, double **cosine, double **sine)
{
    const em_plastic_move move = em_plastic_plan(&swarm->plastic, swarm->step, stage, swarm->dt);
    em_stage_front(swarm, block, scratch, cosine, sine);
    const int64_t lost = em_plastic_learn(
        &swarm->plastic, &swarm->sense, swarm->channels, &move, block, cosine, sine, scratch->field);
    if (lost >= 0) em_atomic_lower(&swarm->fault, (uint64_t)lost, memory_order_relaxed);
}

/* The field of a block as each agent sees it from its own phase, for those outside; channel 0. */
static inline void em_stage_field(
    em_swarm *swarm, int64_t block, em_scratch *scratch, double *restrict re, double *restrict im)
{
    const int64_t first = em_swarm_first(block);
    const size_t size = (size_t)em_swarm_count(swarm, block) * sizeof(double);
    double *cosine[EM_SENSE_CHANNELS] = {NULL}, *sine[EM_SENSE_CHANNELS] = {NULL};
    em_stage_sense(swarm, 0, &swarm->sense, block, scratch, cosine, sine);
    em_act_face(
        em_swarm_count(swarm, block), cosine[0], sine[0], scratch->field, scratch->field + EM_GRAPH_BLOCK);
    memcpy(re + first, scratch->field, size);
    memcpy(im + first, scratch->field + EM_GRAPH_BLOCK, size);
}

/* The rates of agents; who failed has none. */
static inline void em_stage_rate(const em_swarm *swarm, const em_act_view *view, double *restrict rate)
{
    em_act_rate(swarm->act, view, rate);
    for (int v = 0; swarm->failed != NULL && v < swarm->variables; v++)
        for (int64_t i = 0; i < view->count; i++)
            if (swarm->failed[view->first + i]) rate[v * EM_GRAPH_BLOCK + i] = 0.0;
}

/* The extent of the rates of a block, with nothing moved. */
static inline void em_stage_look(em_swarm *swarm, int64_t block, em_scratch *scratch)
{
    int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    double *cosine[EM_SENSE_CHANNELS] = {NULL}, *sine[EM_SENSE_CHANNELS] = {NULL};
    em_stage_sense(swarm, 0, &swarm->sense, block, scratch, cosine, sine);
    const em_act_view view = em_stage_view(swarm, 0, first, count, cosine, sine, scratch);
    em_act_rate(swarm->act, &view, scratch->rate);
    em_stage_note_extent(swarm, block, count, scratch->rate);
}

/* Who would leave reach keeps what it had when the tick began, all of it, and is noted. */
static inline void em_stage_hold(em_swarm *swarm, int64_t first, int64_t count, double *restrict next)
{
    uint64_t far = 0;
    for (int64_t i = 0; i < count; i++) far |= em_phase_within_reach(next[i]) ? 0 : UINT64_MAX;
    for (int64_t i = 0; swarm->variables > 1 && i < count; i++)
        far |= fabs(next[EM_GRAPH_BLOCK + i]) < INFINITY ? 0 : UINT64_MAX;
    for (int64_t i = 0; far != 0 && i < count; i++) {
        if (em_phase_within_reach(next[i]) &&
            (swarm->variables == 1 || fabs(next[EM_GRAPH_BLOCK + i]) < INFINITY))
            continue;
        em_atomic_lower(&swarm->fault, (uint64_t)(first + i), memory_order_relaxed);
        for (int v = 0; v < swarm->variables; v++) next[v * EM_GRAPH_BLOCK + i] = swarm->state[v][first + i];
    }
}

/* New phases, wrapped; returns whether any was far from the circle, or no number. */
static inline bool em_stage_wrap(int64_t count, const double *restrict next, double *restrict phase)
{
    uint64_t far = 0;
    for (int64_t i = 0; i < count; i++) {
        far |= em_phase_is_near(next[i]) ? 0 : UINT64_MAX;
        phase[i] = em_phase_wrap_near(next[i]);
    }
    for (int64_t i = 0; far != 0 && i < count; i++) phase[i] = em_phase_wrap(next[i]);
    return far != 0;
}

/* Adds to how far agents have turned what their own step, not yet wrapped, turns them. */
static inline void em_stage_displace(
    em_swarm *swarm, int64_t first, int64_t count, const double *restrict next)
{
    double *turned = em_swarm_turned(swarm, first);
    const double *phase = swarm->state[0] + first;
    for (int64_t i = 0; turned != NULL && i < count; i++) turned[i] += next[i] - phase[i];
}

/* What noise adds to agents in this tick. */
static inline void em_stage_shake(const em_swarm *swarm, const em_act_view *view, double *restrict kick)
{
    em_noise_block(swarm->key, swarm->drawn, view->first, view->count, kick);
    em_act_shake(swarm->act, view, swarm->dt, kick);
    for (int64_t i = 0; swarm->failed != NULL && i < view->count; i++)
        if (swarm->failed[view->first + i]) kick[i] = 0.0;
}

/* Takes what turning costs, and shortens the turns that agents cannot pay for. */
static inline void em_stage_pay(em_swarm *swarm, const em_act_view *view, em_scratch *scratch)
{
    const int64_t first = view->first;
    em_act_natural(swarm->act, view, scratch->natural);
    for (int64_t i = 0; swarm->failed != NULL && i < view->count; i++)
        if (swarm->failed[first + i]) scratch->natural[i] = 0.0;
    em_energy_settle(
        &swarm->energy, first, view->count, swarm->dt, scratch->natural, swarm->state[0] + first,
        scratch->next, swarm->variables > 1 ? scratch->next + EM_GRAPH_BLOCK : NULL, scratch->kick);
}

/* From fields to rates to the next state, in scratch, of agents first .. first + count - 1, a block or one agent;
 * after the last stage turns are paid for and phases wrapped. */
static inline void em_stage_answer(
    em_swarm *swarm, int stage, int64_t first, int64_t count, double *const *cosine, double *const *sine,
    em_scratch *scratch)
{
    const em_step *step = &em_step_methods[swarm->step];
    const bool last = stage + 1 == step->stages;
    const em_act_view view = em_stage_view(swarm, stage, first, count, cosine, sine, scratch);
    em_stage_rate(swarm, &view, scratch->rate);
    em_step_view move = {.count = count, .dt = swarm->dt, .variables = swarm->variables};
    for (int v = 0; v < swarm->variables; v++) {
        move.state[v] = swarm->state[v] + first;
        move.rate[v] = scratch->rate + v * EM_GRAPH_BLOCK;
        move.work[v] = step->work > 0 ? swarm->work + (int64_t)(v * step->work) * swarm->n + first : NULL;
        move.next[v] = scratch->next + v * EM_GRAPH_BLOCK;
    }
    if (swarm->noisy && stage == 0) {
        em_stage_shake(swarm, &view, scratch->kick);
        move.kick[em_act_models[swarm->act].noisy] = scratch->kick;
    }
    if (step->inertia && step->stages > 1) {
        em_act_friction(&view, scratch->natural);
        move.friction = scratch->natural;
    }
    em_step_combine(swarm->step, stage, &move);
    if (last && swarm->energy.held != NULL) em_stage_pay(swarm, &view, scratch);
    if (!last || em_stage_wrap(count, scratch->next, scratch->wrapped) || swarm->variables > 1) {
        em_stage_hold(swarm, first, count, scratch->next);
        if (last) em_stage_wrap(count, scratch->next, scratch->wrapped);
    }
    if (last) em_stage_displace(swarm, first, count, scratch->next);
}

/* Makes of the next state of a block, in scratch, what the next stage, `node` of a tick on, starts from. */
static inline void em_stage_go_on(
    em_swarm *swarm, double node, int64_t block, const em_table *table, em_scratch *scratch)
{
    const em_past_moment then = {swarm->drawn, node};
    int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    for (int v = 0; v < swarm->variables; v++)
        if (swarm->now[v] != NULL)
            memcpy(swarm->now[v] + first, scratch->next + v * EM_GRAPH_BLOCK, (size_t)count * sizeof(double));
    em_swarm_phasors(swarm, then, block, scratch->next, scratch->copy, table, scratch);
}

/* Makes of it the state after the tick, phases turned by what waits in the inbox. */
static inline void em_stage_finish(em_swarm *swarm, int64_t block, const em_table *table, em_scratch *scratch)
{
    const em_past_moment then = {swarm->drawn + 1, 0.0};
    int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    em_swarm_drain(swarm, block, scratch->wrapped, scratch);
    for (int v = 1; v < swarm->variables; v++)
        memcpy(swarm->state[v] + first, scratch->next + v * EM_GRAPH_BLOCK, (size_t)count * sizeof(double));
    em_swarm_phasors(swarm, then, block, scratch->wrapped, swarm->state[0] + first, table, scratch);
}

/* From what a block senses to its next state, and from that to its phasors. */
static inline void em_stage_combine(
    em_swarm *swarm, int stage, int64_t block, double *const *cosine, double *const *sine,
    const em_table *table, em_scratch *scratch)
{
    int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    em_stage_answer(swarm, stage, first, count, cosine, sine, scratch);
    if (stage == 0 && swarm->extent != NULL) em_stage_note_extent(swarm, block, count, scratch->rate);
    if (stage + 1 < em_step_methods[swarm->step].stages)
        em_stage_go_on(swarm, em_step_methods[swarm->step].node[stage + 1], block, table, scratch);
    else
        em_stage_finish(swarm, block, table, scratch);
}

/* The tables that a stage writes: not those that neighbours read, where they do. */
static inline const em_table *em_stage_back(const em_swarm *swarm)
{
    return swarm->table[em_swarm_shares(swarm, swarm->sense.graph) ? 1 - swarm->front : swarm->front];
}

/* One stage of a tick for one unit: sense, act, combine, publish. */
static inline void em_stage_unit(em_swarm *swarm, int stage, int64_t unit, em_scratch *scratch)
{
    const int64_t first = unit * swarm->unit, blocks = em_graph_blocks(swarm->n);
    em_sense sense = swarm->sense;
    if (swarm->tiles != NULL) em_tiles_add_up(swarm->tiles, &sense.table[0], unit, scratch->panel);
    for (int64_t block = first; block < first + swarm->unit && block < blocks; block++) {
        if (swarm->tiles != NULL) sense.ready = scratch->panel + (block - first) * EM_GRAPH_BLOCK;
        double *cosine[EM_SENSE_CHANNELS] = {NULL}, *sine[EM_SENSE_CHANNELS] = {NULL};
        if (swarm->plastic.weight != NULL)
            em_stage_learn(swarm, stage, block, scratch, cosine, sine);
        else
            em_stage_sense(swarm, stage, &sense, block, scratch, cosine, sine);
        em_stage_combine(swarm, stage, block, cosine, sine, em_stage_back(swarm), scratch);
    }
}

#endif
