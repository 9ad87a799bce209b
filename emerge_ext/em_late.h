/* em_late.h: the field of a block whose edges have delays of their own.
 *
 * Where all delays are whole (and 32 bits tell every cell), an edge sees one cell of a ring of pairs at a tick, and its
 * `place` tells which. Within a tick it sees four, of which only those of delay 1 count otherwise than the rest. Where
 * delays lie between ticks, an edge sees four cells in a line; where they are and what they count is told for some edges at a time, side by side,
 * and ahead of when they are added, so that they can be fetched. An edge of delay 0 reads the table.
 */
#ifndef EM_LATE_H
#define EM_LATE_H

#include "em_past.h"

#define EM_LATE_GROUP (EM_PAST_AHEAD / 2) /* edges whose cells are told at a time; twice as many are known */

typedef enum { /* what an edge sees */
               EM_LATE_TICK,
               EM_LATE_WITHIN,
               EM_LATE_LINE,
} em_late_sight;

typedef struct { /* what edges are seen by */
    const em_past *past;
    const em_graph *graph;
    const em_table *table;
    const double *cell;
    int64_t slot;  /* of the tick that is the present */
    int64_t base;  /* in pairs: numbers before the phasor of agent 0 now, ... */
    int64_t apart; /* ... from tick to tick, ... */
    int64_t size;  /* ... and of all */
    int64_t line;  /* in lines: numbers from agent to agent */
    double node;
    em_past_points near, rest; /* within a tick: those of delay 1, and of all longer ones */
    int power;                 /* of the phasor, less one: the channel */
    bool far;                  /* it pays to fetch ahead */
} em_late_eyes;

typedef struct { /* what the loops over rows are told by constants */
    em_late_sight sight;
    bool plain; /* phasors of the first channel, each counted once, none of them of now */
} em_late_form;

typedef struct { /* the four cells of edges to come, at their number since the first, modulo two groups */
    int64_t first, next;
    int64_t cell[2 * EM_LATE_GROUP]; /* numbers before the oldest */
    double part[EM_HISTORY_POINTS][2 * EM_LATE_GROUP];
} em_late_plan;

/* The view of a channel of a stored graph at a moment. */
static inline em_late_eyes em_late_open(
    const em_past *past, const em_graph *graph, const em_table *table, em_past_moment when, int channel)
{
    const em_history *ring = &past->ring;
    const int64_t slot = em_history_slot(ring, when.tick, 0), apart = 2 * ring->n;
    return (em_late_eyes){
        .past = past,
        .graph = graph,
        .table = table,
        .cell = ring->cell,
        .slot = slot,
        .base = (slot + (when.node == 1.0)) * apart,
        .apart = apart,
        .size = ring->slots * apart,
        .line = 2 * (ring->slots + EM_HISTORY_POINTS - 1),
        .node = when.node,
        .near = em_past_between(1.0 - when.node),
        .rest = em_past_between(2.0 - when.node),
        .power = channel,
        .far = 8 * em_history_size(ring) >= EM_SENSE_FAR,
    };
}

/* The phasor at a place that em_past.h tells. */
static EM_BASE_INLINE const em_table_pair *em_late_find(const em_late_eyes *eyes, int64_t place)
{
    place += eyes->base;
    return (const em_table_pair *)(eyes->cell + (place < 0 ? place + eyes->size : place));
}

/* Within a tick: the cubic through four ticks. */
static EM_BASE_INLINE em_table_pair em_late_within(const em_late_eyes *eyes, int64_t place)
{
    const bool near = place + eyes->apart >= 0;
    const em_past_points *points = near ? &eyes->near : &eyes->rest;
    const int64_t first = place + (near ? 1 : 2) * eyes->apart;
    em_table_pair sum = {0};
    for (int k = 0; k < EM_HISTORY_POINTS; k++)
        EM_TABLE_ADD(sum, *em_late_find(eyes, first - k * eyes->apart), points->part[k]);
    return sum;
}

/* Tells the cells of the next group of edges, and fetches them. */
static inline void em_late_tell(const em_late_eyes *eyes, em_late_plan *plan)
{
    const uint64_t from = (uint64_t)(plan->next - plan->first) % (2 * EM_LATE_GROUP);
    const int32_t *index = eyes->graph->indices + plan->next, slots = (int32_t)eyes->past->ring.slots;
    const double *each = eyes->past->each + plan->next;
    int64_t *cell = plan->cell + from;
    for (int k = 0; k < EM_LATE_GROUP; k++) {
        const em_past_points points = em_past_between(each[k] - eyes->node);
        const int32_t slot = (int32_t)eyes->slot - (int32_t)points.back - (EM_HISTORY_POINTS - 1);
        for (int p = 0; p < EM_HISTORY_POINTS; p++) plan->part[p][from + k] = points.part[p];
        cell[k] = index[k] * eyes->line + 2 * (slot < 0 ? slot + slots : slot);
    }
    for (int k = 0; k < EM_LATE_GROUP; k++) {
        EM_BASE_FETCH(eyes->cell + cell[k]);
        EM_BASE_FETCH(eyes->cell + cell[k] + 2 * (EM_HISTORY_POINTS - 1));
    }
    plan->next += EM_LATE_GROUP;
}

/* Between ticks: the cubic through four cells in a line. */
static EM_BASE_INLINE em_table_pair
em_late_between(const em_late_eyes *eyes, em_late_plan *plan, int64_t edge)
{
    const uint64_t k = (uint64_t)(edge - plan->first) % (2 * EM_LATE_GROUP);
    while (edge + EM_LATE_GROUP >= plan->next) em_late_tell(eyes, plan);
    const em_table_pair *cell = (const em_table_pair *)(eyes->cell + plan->cell[k]);
    em_table_pair sum = {0};
    for (int p = 0; p < EM_HISTORY_POINTS; p++)
        EM_TABLE_ADD(sum, cell[EM_HISTORY_POINTS - 1 - p], plan->part[p][k]);
    return sum;
}

/* A phasor to the power of the channel. */
static EM_BASE_INLINE em_table_pair em_late_power(em_table_pair one, int power)
{
    const double c1 = EM_TABLE_PART(one, 0), s1 = EM_TABLE_PART(one, 1);
    double c = c1, s = s1;
    if (power == 0) return one;
    for (int h = 0; h < power; h++) {
        const double x = c * c1 - s * s1;
        s = s * c1 + c * s1;
        c = x;
    }
    return (em_table_pair){c, s};
}

/* Adds what edge `edge` shows of its other end. */
static EM_BASE_INLINE void em_late_add(
    const em_late_eyes *eyes, em_late_form form, em_late_plan *plan, int64_t edge, em_table_pair *sum)
{
    const int32_t *place = eyes->past->place;
    const double *each = eyes->past->each, *weight = eyes->graph->weights;
    const bool lines = form.sight == EM_LATE_LINE;
    const int power = form.plain ? 0 : eyes->power;
    em_table_pair other;
    if (!form.plain && (lines ? each[edge] == 0.0 : place[edge] >= 0))
        other = em_table_read(eyes->table, eyes->graph->indices[edge]);
    else if (lines)
        other = em_late_power(em_late_between(eyes, plan, edge), power);
    else if (form.sight == EM_LATE_TICK)
        other = em_late_power(*em_late_find(eyes, place[edge]), power);
    else
        other = em_late_power(em_late_within(eyes, place[edge]), power);
    if (!lines && eyes->far) EM_BASE_FETCH(em_late_find(eyes, place[edge + EM_PAST_AHEAD]));
    EM_TABLE_ADD(*sum, other, !form.plain && weight != NULL ? weight[edge] : 1.0);
}

/* The fields of a block: rows in strips, as em_sense_strips has them. */
static EM_BASE_INLINE void em_late_rows(
    const em_late_eyes eyes, em_late_form form, em_sense_rows rows, int64_t count)
{
    const em_graph *graph = eyes.graph;
    const int32_t *degree = graph->degree + rows.first;
    int64_t edge = graph->start[rows.first / EM_GRAPH_BLOCK], k = 0;
    em_late_plan plan = {.first = edge, .next = edge};
    if (form.sight == EM_LATE_LINE) em_late_tell(&eyes, &plan);
    for (; k + EM_GRAPH_STRIP <= count; k += EM_GRAPH_STRIP) {
        em_table_pair s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
        const int64_t d0 = degree[k], d1 = degree[k + 1], d2 = degree[k + 2], d3 = degree[k + 3];
        for (int64_t end = edge + EM_GRAPH_STRIP * d0; edge < end; edge += EM_GRAPH_STRIP) {
            em_late_add(&eyes, form, &plan, edge, &s0);
            em_late_add(&eyes, form, &plan, edge + 1, &s1);
            em_late_add(&eyes, form, &plan, edge + 2, &s2);
            em_late_add(&eyes, form, &plan, edge + 3, &s3);
        }
        for (int64_t end = edge + (d1 - d0); edge < end; edge++) em_late_add(&eyes, form, &plan, edge, &s1);
        for (int64_t end = edge + (d2 - d0); edge < end; edge++) em_late_add(&eyes, form, &plan, edge, &s2);
        for (int64_t end = edge + (d3 - d0); edge < end; edge++) em_late_add(&eyes, form, &plan, edge, &s3);
        em_sense_keep(&rows, rows.first + k, d0, s0);
        em_sense_keep(&rows, rows.first + k + 1, d1, s1);
        em_sense_keep(&rows, rows.first + k + 2, d2, s2);
        em_sense_keep(&rows, rows.first + k + 3, d3, s3);
    }
    for (; k < count; k++) {
        em_table_pair sum = {0};
        for (int64_t end = edge + degree[k]; edge < end; edge++) em_late_add(&eyes, form, &plan, edge, &sum);
        em_sense_keep(&rows, rows.first + k, degree[k], sum);
    }
}

/* The fields of a block of a stored graph whose edges have delays of their own; `field` as for em_sense_block. */
static inline void em_late_block(
    const em_past *past, const em_sense *sense, em_past_moment when, int channels, int64_t first,
    int64_t count, double *restrict field)
{
    for (int c = 0; c < channels; c++) {
        const em_late_eyes eyes = em_late_open(past, sense->graph, &sense->table[c], when, c);
        const em_sense_rows rows = em_sense_begin(
            sense, first, field + 2 * c * EM_GRAPH_BLOCK, field + (2 * c + 1) * EM_GRAPH_BLOCK);
        const bool plain = c == 0 && sense->graph->weights == NULL && !past->now;
        const bool tick = when.node == 0.0 || when.node == 1.0;
#define EM_LATE_CASE(S, P)                                                                                   \
    case 2 * (S) + (P):                                                                                      \
        em_late_rows(eyes, (em_late_form){S, P}, rows, count);                                               \
        break
        switch (2 * (past->place == NULL ? EM_LATE_LINE : tick ? EM_LATE_TICK : EM_LATE_WITHIN) + plain) {
            EM_LATE_CASE(EM_LATE_TICK, false);
            EM_LATE_CASE(EM_LATE_TICK, true);
            EM_LATE_CASE(EM_LATE_WITHIN, false);
            EM_LATE_CASE(EM_LATE_WITHIN, true);
            EM_LATE_CASE(EM_LATE_LINE, false);
            EM_LATE_CASE(EM_LATE_LINE, true);
        }
#undef EM_LATE_CASE
    }
}

#endif
