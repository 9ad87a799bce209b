/* em_past.h: sensing late: agents see each other as they were some time ago.
 *
 * A delay is told in ticks, 0 or at least 1, so that no stage of a tick asks for what is yet to come. Between ticks
 * phasors are read off the cubic through four of them (Lagrange), the two on either side where both are there: an error
 * of O(dt^4) where the past is smooth. At a tick it is that tick's phasor, to the bit.
 *
 * With a delay in common, tables hold what is sensed, read off the ring once for each agent and stage; agents find their
 * own phasors in the ring, or, within a tick, in `own`. With delays of their own, tables are as ever, and edges look into
 * the ring (em_late.h).
 */
#ifndef EM_PAST_H
#define EM_PAST_H

#include "em_history.h"
#include "em_rows.h"
#include "em_sense.h"

#define EM_PAST_AHEAD 32 /* edges after the last that may be looked at */

typedef struct { /* when: a tick since the swarm began, and how far into it a stage is, from 0 to 1 */
    uint64_t tick;
    double node;
} em_past_moment;

typedef struct {
    em_history ring; /* no cells: nobody senses late */
    double late;     /* ticks by which all do, or 0: edges have their own */
    double *each;    /* [ends + EM_PAST_AHEAD]: those, as rows stand; or NULL: */
    int32_t *place; /* [ends + EM_PAST_AHEAD]: all are whole: numbers from agent 0 now to what an edge sees */
    bool now;       /* some edge has the delay 0 */
    double *own;    /* [2][n]: phasors within a tick, or NULL: no method with several stages has been used */
    double *share;  /* [blocks][2]: sums of the phasors of a block, which tables do not hold */
    double total[2];
} em_past;

static inline bool em_past_in_common(const em_past *past)
{
    return past->late > 0.0;
}

static inline bool em_past_of_edges(const em_past *past)
{
    return past->each != NULL || past->place != NULL;
}

/* Ticks that a ring must hold for delays up to `late`: from the oldest that a cubic looks at to the one that is made. */
static inline int64_t em_past_slots(double late, em_history_form form)
{
    return (int64_t)late + (form == EM_HISTORY_PAIRS ? EM_HISTORY_POINTS - 1 : EM_HISTORY_POINTS);
}

/* How the past is kept where edges have delays of their own: `ends` of them, up to `longest`. */
static inline em_history_form em_past_form(int64_t n, double longest, const double *late, int64_t ends)
{
    bool whole = 2.0 * (double)em_past_slots(longest, EM_HISTORY_PAIRS) * (double)n < (double)INT32_MAX;
    for (int64_t e = 0; e < ends; e++) whole = whole && late[e] == (double)(int64_t)late[e];
    return whole ? EM_HISTORY_PAIRS : EM_HISTORY_LINES;
}

static inline void em_past_free(em_past *past)
{
    em_base_free(past->ring.cell);
    em_base_free(past->each);
    em_base_free(past->place);
    em_base_free(past->own);
    em_base_free(past->share);
}

/* Memory for a delay in common, or for delays of `ends` edges up to `late`; false if there is none. */
static inline bool em_past_create(em_past *past, int64_t n, double late, em_history_form form, int64_t ends)
{
    const size_t edges = (size_t)(ends + EM_PAST_AHEAD);
    *past = (em_past){.late = form == EM_HISTORY_APART ? late : 0.0};
    bool all = em_history_create(&past->ring, n, em_past_slots(late, form), form);
    if (form == EM_HISTORY_APART)
        past->share = em_base_alloc((size_t)(2 * em_graph_blocks(n)) * sizeof *past->share);
    else
        past->each = em_base_alloc(edges * sizeof *past->each);
    if (form == EM_HISTORY_PAIRS) past->place = em_base_alloc(edges * sizeof *past->place);
    all = all && (past->share != NULL || past->each != NULL);
    if (all && (form != EM_HISTORY_PAIRS || past->place != NULL)) return true;
    em_past_free(past);
    *past = (em_past){.late = 0.0};
    return false;
}

/* Takes the delays of edges, told row by row, as the rows of the graph stand. */
static inline void em_past_lay(em_past *past, const em_graph *graph, const double *late)
{
    memset(past->each + graph->ends, 0, EM_PAST_AHEAD * sizeof *past->each);
    for (int64_t block = 0; block < em_graph_blocks(graph->n); block++)
        em_rows_lay_ends(graph, block, late, past->each);
    for (int64_t e = 0; e < graph->ends; e++) past->now = past->now || late[e] == 0.0;
    if (past->place == NULL) return;
    memset(past->place + graph->ends, 0, EM_PAST_AHEAD * sizeof *past->place);
    for (int64_t e = 0; e < graph->ends; e++)
        past->place[e] = (int32_t)(2 * (graph->indices[e] - (int64_t)past->each[e] * graph->n));
    em_base_free(past->each);
    past->each = NULL;
}

/* Bytes of all that is here, on a graph of so many ends. */
static inline int64_t em_past_size(const em_past *past, int64_t ends)
{
    if (past->ring.cell == NULL) return 0;
    int64_t size = 8 * em_history_size(&past->ring);
    if (past->own != NULL) size += 16 * past->ring.n;
    if (past->share != NULL) size += 16 * em_graph_blocks(past->ring.n);
    if (past->each != NULL) size += 8 * (ends + EM_PAST_AHEAD);
    if (past->place != NULL) size += 4 * (ends + EM_PAST_AHEAD);
    return size;
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

#endif
