/* em_past.h: sensing late: agents see each other as they were some time ago.
 *
 * A delay is told in ticks, 0 or at least 1, so that no stage of a tick asks for what is yet to come. Between ticks
 * phasors are read off the cubic through four of them (Lagrange), the two on either side where both are there: an error
 * of O(dt^4) where the past is smooth. At a tick it is that tick's phasor, to the bit.
 *
 * With a delay that all have in common, tables hold what is sensed, read off the ring once for each agent and stage;
 * agents find their own phasors in the ring, or, within a tick, in `own`. With delays of their own, tables are as ever,
 * and each edge reads the ring, or the table if its delay is 0.
 */
#ifndef EM_PAST_H
#define EM_PAST_H

#include "em_history.h"
#include "em_sense.h"

#define EM_PAST_AHEAD                                                                                        \
    32 /* edges between the one that is added and the one whose past is fetched; half for cubics */

typedef struct { /* when: a tick since the swarm began, and how far into it a stage is, from 0 to 1 */
    uint64_t tick;
    double node;
} em_past_moment;

typedef struct {
    em_history ring; /* no cells: nobody senses late */
    double late;     /* ticks by which all do, or 0: edges have their own */
    double *each;    /* [ends + EM_PAST_AHEAD]: those, as rows stand, or NULL */
    bool whole;      /* all of them are whole */
    double *own;     /* [2][n]: phasors within a tick, or NULL: no method with several stages has been used */
    double *share;   /* [blocks][2]: sums of the phasors of a block, which tables do not hold */
    double total[2];
} em_past;

static inline bool em_past_in_common(const em_past *past)
{
    return past->late > 0.0;
}

/* Ticks that a ring must hold for delays up to `late`. */
static inline int64_t em_past_slots(double late)
{
    return (int64_t)late + EM_HISTORY_POINTS + 1;
}

static inline void em_past_free(em_past *past)
{
    em_base_free(past->ring.cell);
    em_base_free(past->each);
    em_base_free(past->own);
    em_base_free(past->share);
}

/* Memory for a delay in common, or for delays of `ends` edges up to `late`; false if there is none. */
static inline bool em_past_create(em_past *past, int64_t n, double late, bool in_common, int64_t ends)
{
    *past = (em_past){.late = in_common ? late : 0.0};
    bool all = em_history_create(&past->ring, n, em_past_slots(late), !in_common);
    if (in_common)
        past->share = em_base_alloc((size_t)(2 * em_graph_blocks(n)) * sizeof *past->share);
    else
        past->each = em_base_alloc((size_t)(ends + EM_PAST_AHEAD) * sizeof *past->each);
    if (all && (past->share != NULL || past->each != NULL)) return true;
    em_past_free(past);
    *past = (em_past){.late = 0.0};
    return false;
}

/* Bytes of all that is here, on a graph of so many ends. */
static inline int64_t em_past_size(const em_past *past, int64_t ends)
{
    if (past->ring.cell == NULL) return 0;
    return 8 * em_history_size(&past->ring) + (past->own == NULL ? 0 : 16 * past->ring.n) +
           (past->each == NULL ? 16 * em_graph_blocks(past->ring.n) : 8 * (ends + EM_PAST_AHEAD));
}

/* Writes phasors of phases, which are within reach, into a slot of the ring; `room` is for 2 n numbers. */
static inline void em_past_remember(
    em_past *past, int64_t slot, const double *restrict phase, double *restrict room)
{
    const int64_t n = past->ring.n;
    for (int64_t i = 0; i < n; i++) em_phase_sincos(phase[i], &room[i], &room[n + i]);
    em_history_store(&past->ring, slot, 0, n, room, room + n);
}

typedef struct {  /* four ticks, and what each counts */
    int64_t back; /* how long ago the first of them is; the others are before it */
    double part[EM_HISTORY_POINTS];
} em_past_points;

/* Lagrange's cubic for `ago` ticks ago, ago >= 0. */
static EM_BASE_INLINE em_past_points em_past_between(double ago)
{
    const int32_t whole = (int32_t)ago, back = whole > 1 ? whole - 1 : 0;
    const double u = ago - back, a = u - 1.0, b = u - 2.0, c = u - 3.0, p = u * a, q = b * c;
    return (em_past_points){back, {a * q * (-1.0 / 6.0), u * q * 0.5, p * c * -0.5, p * b * (1.0 / 6.0)}};
}

/* Where the phasors of agents from `first` on are kept, apart: at a tick in the ring, within one aside. */
static inline double *em_past_cosines(const em_past *past, em_past_moment when, int64_t first)
{
    if (when.node > 0.0) return past->own + first;
    return em_history_cosines(&past->ring, em_history_slot(&past->ring, when.tick, 0), first);
}

static inline double *em_past_sines(const em_past *past, em_past_moment when, int64_t first)
{
    return em_past_cosines(past, when, first) +
           (when.node > 0.0 ? past->ring.n : em_table_apart(past->ring.n));
}

/* What others sense of a block at a moment, with a delay in common. */
static inline void em_past_show(
    const em_past *past, em_past_moment when, int64_t first, int64_t count, double *restrict cosine,
    double *restrict sine)
{
    const em_history *ring = &past->ring;
    const double ago = past->late - when.node;
    const em_past_points points = em_past_between(ago);
    const double *c[EM_HISTORY_POINTS], *s[EM_HISTORY_POINTS], *part = points.part;
    if (ago == (double)(int64_t)ago) {
        const int64_t slot = em_history_slot(ring, when.tick, (int64_t)ago);
        memcpy(cosine, em_history_cosines(ring, slot, first), (size_t)count * sizeof *cosine);
        memcpy(sine, em_history_sines(ring, slot, first), (size_t)count * sizeof *sine);
        return;
    }
    for (int k = 0; k < EM_HISTORY_POINTS; k++) {
        const int64_t slot = em_history_slot(ring, when.tick, points.back + k);
        c[k] = em_history_cosines(ring, slot, first);
        s[k] = em_history_sines(ring, slot, first);
    }
    for (int64_t i = 0; i < count; i++)
        cosine[i] = part[0] * c[0][i] + part[1] * c[1][i] + part[2] * c[2][i] + part[3] * c[3][i];
    for (int64_t i = 0; i < count; i++)
        sine[i] = part[0] * s[0][i] + part[1] * s[1][i] + part[2] * s[2][i] + part[3] * s[3][i];
}

typedef struct { /* what edges are seen by */
    const int32_t *index;
    const double *weight, *each; /* the former NULL: all 1 */
    const em_table_pair *cell;
    int64_t stride, slots; /* of the ring */
    int64_t slot;          /* of the tick that is the present */
    double node;
    int power; /* of the phasor, less one: the channel */
    bool far;  /* it pays to fetch ahead */
    const em_table *table;
} em_past_eyes;

/* The view of a channel of a stored graph at a moment. */
static inline em_past_eyes em_past_open(
    const em_past *past, const em_graph *graph, const em_table *table, em_past_moment when, int channel)
{
    return (em_past_eyes){
        .index = graph->indices,
        .weight = graph->weights,
        .each = past->each,
        .cell = (const em_table_pair *)past->ring.cell,
        .stride = past->ring.slots + EM_HISTORY_POINTS - 1,
        .slots = past->ring.slots,
        .slot = em_history_slot(&past->ring, when.tick, 0),
        .node = when.node,
        .power = channel,
        .far = 8 * em_history_size(&past->ring) >= EM_SENSE_FAR,
        .table = table,
    };
}

/* Where an agent's phasor of `ago` ticks ago stands in the ring; those after it follow. */
static EM_BASE_INLINE const em_table_pair *em_past_find(const em_past_eyes *eyes, int32_t j, int64_t ago)
{
    const int64_t slot = eyes->slot - ago;
    return eyes->cell + (j * eyes->stride + (slot < 0 ? slot + eyes->slots : slot));
}

/* The phasor of an agent `ago` ticks ago. */
static EM_BASE_INLINE em_table_pair em_past_look(const em_past_eyes *eyes, bool whole, int32_t j, double ago)
{
    if (whole) return *em_past_find(eyes, j, ago > 0.0 ? (int32_t)ago : 0);
    const em_past_points points = em_past_between(ago);
    const em_table_pair *cell = em_past_find(eyes, j, points.back + EM_HISTORY_POINTS - 1);
    em_table_pair sum = {0};
    for (int k = 0; k < EM_HISTORY_POINTS; k++)
        EM_TABLE_ADD(sum, cell[EM_HISTORY_POINTS - 1 - k], points.part[k]);
    return sum;
}

/* A phasor to the power of the channel. */
static inline em_table_pair em_past_power(em_table_pair one, int power)
{
    const double c1 = EM_TABLE_PART(one, 0), s1 = EM_TABLE_PART(one, 1);
    double c = c1, s = s1;
    for (int h = 0; h < power; h++) {
        const double x = c * c1 - s * s1;
        s = s * c1 + c * s1;
        c = x;
    }
    return (em_table_pair){c, s};
}

/* Adds what edge `edge` shows of its other end, and fetches what one of the next will. */
static EM_BASE_INLINE void em_past_add(const em_past_eyes *eyes, bool whole, int64_t edge, em_table_pair *sum)
{
    const double late = eyes->each[edge];
    em_table_pair other = em_past_look(eyes, whole, eyes->index[edge], late - eyes->node);
    if (eyes->far) {
        const int64_t next = edge + (whole ? EM_PAST_AHEAD : EM_PAST_AHEAD / 2);
        const int32_t ago = (int32_t)(eyes->each[next] - eyes->node);
        const em_table_pair *cell = em_past_find(eyes, eyes->index[next], ago);
        EM_BASE_FETCH(cell);
        if (!whole) EM_BASE_FETCH(cell - 2);
    }
    if (eyes->power > 0) other = em_past_power(other, eyes->power);
    if (late == 0.0) other = em_table_read(eyes->table, eyes->index[edge]);
    EM_TABLE_ADD(*sum, other, eyes->weight != NULL ? eyes->weight[edge] : 1.0);
}

/* The fields of a block: rows in strips, as em_sense_strips has them. */
static EM_BASE_INLINE void em_past_rows(
    const em_past_eyes eyes, em_sense_rows rows, bool whole, int64_t count)
{
    const em_graph *graph = rows.sense->graph;
    const int32_t *degree = graph->degree + rows.first;
    int64_t edge = graph->start[rows.first / EM_GRAPH_BLOCK], k = 0;
    for (; k + EM_GRAPH_STRIP <= count; k += EM_GRAPH_STRIP) {
        em_table_pair s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
        const int64_t d0 = degree[k], d1 = degree[k + 1], d2 = degree[k + 2], d3 = degree[k + 3];
        for (int64_t end = edge + EM_GRAPH_STRIP * d0; edge < end; edge += EM_GRAPH_STRIP) {
            em_past_add(&eyes, whole, edge, &s0);
            em_past_add(&eyes, whole, edge + 1, &s1);
            em_past_add(&eyes, whole, edge + 2, &s2);
            em_past_add(&eyes, whole, edge + 3, &s3);
        }
        for (int64_t end = edge + (d1 - d0); edge < end; edge++) em_past_add(&eyes, whole, edge, &s1);
        for (int64_t end = edge + (d2 - d0); edge < end; edge++) em_past_add(&eyes, whole, edge, &s2);
        for (int64_t end = edge + (d3 - d0); edge < end; edge++) em_past_add(&eyes, whole, edge, &s3);
        em_sense_keep(&rows, rows.first + k, d0, s0);
        em_sense_keep(&rows, rows.first + k + 1, d1, s1);
        em_sense_keep(&rows, rows.first + k + 2, d2, s2);
        em_sense_keep(&rows, rows.first + k + 3, d3, s3);
    }
    for (; k < count; k++) {
        em_table_pair sum = {0};
        for (int64_t end = edge + degree[k]; edge < end; edge++) em_past_add(&eyes, whole, edge, &sum);
        em_sense_keep(&rows, rows.first + k, degree[k], sum);
    }
}

/* The fields of a block of a stored graph whose edges have delays of their own; `field` as for em_sense_block. */
static inline void em_past_block(
    const em_past *past, const em_sense *sense, em_past_moment when, int channels, int64_t first,
    int64_t count, double *restrict field)
{
    const bool whole = past->whole && (when.node == 0.0 || when.node == 1.0);
    for (int c = 0; c < channels; c++) {
        const em_past_eyes eyes = em_past_open(past, sense->graph, &sense->table[c], when, c);
        const em_sense_rows rows = {
            sense, first, field + 2 * c * EM_GRAPH_BLOCK, field + (2 * c + 1) * EM_GRAPH_BLOCK, -1, 1.0};
        if (whole)
            em_past_rows(eyes, rows, true, count);
        else
            em_past_rows(eyes, rows, false, count);
    }
}

#endif
