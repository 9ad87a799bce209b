/* em_plastic.h: weights of edges that are state: how they are sensed, and how they adapt.
 *
 * The weight with which agent i senses agent j changes with the phases of both, for whatever two agents an edge joins:
 *
 *     dk/dt = rate * (strength * cos(theta_j - theta_i + shift) - decay * k),      least <= k <= most
 *
 * Weights stand as the edges of the graph's rows do (em_rows.h), one for each end, so the two ends of an undirected edge
 * have one each. An integrator of several stages has weights for each of them, as it has phases; bounds hold in each.
 * What divides a field stays as the graph was made. Who failed has the phasor 0, and so its weights only decay.
 *
 * A row is sensed and changed in one pass, in ascending order with one accumulator, by the worker that has its block and
 * nobody else: the same bits for any team. This room knows integrators by the parts of a tick that they take.
 */
#ifndef EM_PLASTIC_H
#define EM_PLASTIC_H

#include "em_sense.h"
#include "em_step.h"

typedef struct {
    double *weight; /* [ends], or NULL: the graph's own hold */
    double *now;    /* [ends]: of the stage that is next, or NULL: no method has asked for it */
    double *work;   /* [ends]: what a method keeps between its stages, likewise */
    double turn[2]; /* rate * strength times cosine and sine of the shift */
    double decay;   /* rate * decay */
    double least, most;
} em_plastic;

/* What a stage makes of rates of change: to = base + by * rate and, unless it is the last, work = kept + part * rate. */
typedef struct {
    const double *from; /* the weights of the stage */
    const double *base;
    double by;
    double *to;
    const double *kept;
    double part;
    double *work; /* or NULL */
} em_plastic_move;

typedef struct { /* what the loop over a row is told by constants */
    bool single, learns, keeps;
} em_plastic_form;

/* How much of the change of a tick each stage of an integrator tells; where its next stage is, em_step_methods says. */
static const double em_plastic_parts[EM_STEP_KINDS][EM_STEP_STAGES] = {
    [EM_STEP_EULER] = {1.0},
    [EM_STEP_HEUN] = {1.0 / 2, 1.0 / 2},
    [EM_STEP_RK4] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6},
};

/* Whether an integrator can serve weights. */
static inline bool em_plastic_serves(em_step_kind kind)
{
    return em_plastic_parts[kind][0] > 0.0;
}

static inline em_plastic_move em_plastic_plan(
    const em_plastic *plastic, em_step_kind kind, int stage, double dt)
{
    const em_step *step = &em_step_methods[kind];
    const bool first = stage == 0, last = stage + 1 == step->stages;
    const double part = dt * em_plastic_parts[kind][stage];
    return (em_plastic_move){
        .from = first ? plastic->weight : plastic->now,
        .base = last && !first ? plastic->work : plastic->weight,
        .by = last ? part : dt * step->node[stage + 1],
        .to = last ? plastic->weight : plastic->now,
        .kept = first ? plastic->weight : plastic->work,
        .part = part,
        .work = last ? NULL : plastic->work,
    };
}

static inline void em_plastic_free(em_plastic *plastic)
{
    em_base_free(plastic->weight);
    em_base_free(plastic->now);
    em_base_free(plastic->work);
}

/* A row that is gone through: its sum, and what the phase of its agent makes of a neighbour's phasor. */
typedef struct {
    double cosine, sine;
    em_table_pair sum;
    bool lost; /* a weight would have left the range of numbers, and stays what it was */
} em_plastic_row;

/* A block that is gone through. */
typedef struct {
    em_sense_rows rows;
    em_plastic law;
    em_plastic_move move;
    const int32_t *indices;
    const void *cells;
    const double *cosine, *sine; /* of the block's own phases */
    int64_t lost;                /* the least agent of whom a weight was lost, or -1 */
} em_plastic_block;

static EM_BASE_INLINE void em_plastic_edge(
    const em_plastic_block *block, em_plastic_form form, int64_t e, em_plastic_row *row)
{
    const em_plastic_move *move = &block->move;
    const double weight = move->from[e];
    const em_table_pair other = em_table_pick(block->cells, block->indices[e], form.single, false);
    EM_TABLE_ADD(row->sum, other, weight);
    if (!form.learns) return;
    const double x = row->cosine * EM_TABLE_PART(other, 0), y = row->sine * EM_TABLE_PART(other, 1);
    const double rate = x + y - block->law.decay * weight;
    double next = move->base[e] + move->by * rate;
    next = next < block->law.least ? block->law.least : next;
    next = next > block->law.most ? block->law.most : next;
    if (!(fabs(next) < INFINITY)) {
        next = block->law.weight[e];
        row->lost = true;
    }
    if (form.keeps) move->work[e] = move->kept[e] + move->part * rate;
    move->to[e] = next;
}

/* Edges from `edge` on that stand side by side, as many as are told. */
static EM_BASE_INLINE int64_t em_plastic_edges(
    const em_plastic_block *block, em_plastic_form form, int64_t edge, int64_t count, em_plastic_row *row)
{
    for (int64_t e = edge; e < edge + count; e++) em_plastic_edge(block, form, e, row);
    return edge + count;
}

static EM_BASE_INLINE em_plastic_row em_plastic_open(const em_plastic_block *block, int64_t k)
{
    const int64_t i = block->rows.sense->graph->order[block->rows.first + k];
    const double *turn = block->law.turn;
    return (em_plastic_row){
        .cosine = block->cosine[i] * turn[0] + block->sine[i] * turn[1],
        .sine = block->sine[i] * turn[0] - block->cosine[i] * turn[1],
    };
}

static EM_BASE_INLINE void em_plastic_close(em_plastic_block *block, int64_t k, const em_plastic_row *row)
{
    const em_graph *graph = block->rows.sense->graph;
    const int64_t place = block->rows.first + k, agent = block->rows.first + graph->order[place];
    em_sense_keep(&block->rows, place, graph->degree[place], row->sum);
    if (row->lost && (block->lost < 0 || agent < block->lost)) block->lost = agent;
}

/* The rows of a block: strips of four side by side, and those that are left, as in em_sense_strips. */
static EM_BASE_INLINE int64_t em_plastic_rows(em_plastic_block block, em_plastic_form form, int64_t count)
{
    const em_graph *graph = block.rows.sense->graph;
    const int32_t *degree = graph->degree + block.rows.first;
    int64_t k = 0, edge = graph->start[block.rows.first / EM_GRAPH_BLOCK];
    for (; k + EM_GRAPH_STRIP <= count; k += EM_GRAPH_STRIP) {
        const int64_t common = degree[k];
        em_plastic_row r0 = em_plastic_open(&block, k), r1 = em_plastic_open(&block, k + 1),
                       r2 = em_plastic_open(&block, k + 2), r3 = em_plastic_open(&block, k + 3);
        for (int64_t end = edge + EM_GRAPH_STRIP * common; edge < end; edge += EM_GRAPH_STRIP) {
            em_plastic_edge(&block, form, edge, &r0);
            em_plastic_edge(&block, form, edge + 1, &r1);
            em_plastic_edge(&block, form, edge + 2, &r2);
            em_plastic_edge(&block, form, edge + 3, &r3);
        }
        edge = em_plastic_edges(&block, form, edge, degree[k + 1] - common, &r1);
        edge = em_plastic_edges(&block, form, edge, degree[k + 2] - common, &r2);
        edge = em_plastic_edges(&block, form, edge, degree[k + 3] - common, &r3);
        em_plastic_close(&block, k, &r0);
        em_plastic_close(&block, k + 1, &r1);
        em_plastic_close(&block, k + 2, &r2);
        em_plastic_close(&block, k + 3, &r3);
    }
    for (; k < count; k++) {
        em_plastic_row row = em_plastic_open(&block, k);
        edge = em_plastic_edges(&block, form, edge, degree[k], &row);
        em_plastic_close(&block, k, &row);
    }
    return block.lost;
}

/* The fields of a block in a channel; returns the least agent of whom a weight was lost, or -1. Chooses the loop: one copy
 * of it for each form. */
static inline int64_t em_plastic_channel(
    const em_plastic *plastic, const em_sense *sense, int channel, const em_plastic_move *move, bool learns,
    int64_t block, const double *cosine, const double *sine, double *field)
{
    const int64_t first = block * EM_GRAPH_BLOCK, count = em_graph_count(sense->graph->n, block);
    const em_table *table = &sense->table[channel];
    double *re = field + 2 * channel * EM_GRAPH_BLOCK;
    const em_plastic_block one = {
        .rows = em_sense_begin(sense, first, re, re + EM_GRAPH_BLOCK),
        .law = *plastic,
        .move = *move,
        .indices = sense->graph->indices,
        .cells = table->cells,
        .cosine = cosine,
        .sine = sine,
        .lost = -1,
    };
#define EM_PLASTIC_CASE(S, L, K)                                                                             \
    case (S) + 2 * (L) + 4 * (K):                                                                            \
        return em_plastic_rows(one, (em_plastic_form){S, L, K}, count)
    switch (table->single + 2 * learns + 4 * (learns && move->work != NULL)) {
        EM_PLASTIC_CASE(0, 0, 0);
        EM_PLASTIC_CASE(1, 0, 0);
        EM_PLASTIC_CASE(0, 1, 0);
        EM_PLASTIC_CASE(1, 1, 0);
        EM_PLASTIC_CASE(0, 1, 1);
        EM_PLASTIC_CASE(1, 1, 1);
    }
#undef EM_PLASTIC_CASE
    return -1;
}

/* The fields of a block in all channels, by the weights of a stage, which then adapt; returns the least agent of whom a
 * weight left the range of numbers, or -1. */
static inline int64_t em_plastic_learn(
    const em_plastic *plastic, const em_sense *sense, int channels, const em_plastic_move *move,
    int64_t block, double *const *cosine, double *const *sine, double *field)
{
    for (int c = 1; c < channels; c++) /* the first comes last: it changes the weights */
        em_plastic_channel(plastic, sense, c, move, false, block, cosine[c], sine[c], field);
    return em_plastic_channel(plastic, sense, 0, move, true, block, cosine[0], sine[0], field);
}

/* The fields of a block by the weights at a tick, with nothing changed. */
static inline void em_plastic_sense(
    const em_plastic *plastic, const em_sense *sense, int channels, int64_t block, double *const *cosine,
    double *const *sine, double *field)
{
    const em_plastic_move still = {.from = plastic->weight};
    for (int c = 0; c < channels; c++)
        em_plastic_channel(plastic, sense, c, &still, false, block, cosine[c], sine[c], field);
}

#endif
