/* em_swarm.h: the state of a swarm, and its phasors.
 *
 * What a worker does with a block in a stage is em_stage.h. What it writes belongs to that block alone: state, phasors
 * (in the table that nobody reads in this stage), the share of the sum of phasors, the extent of the rates.
 *
 * Phasors are a function of phase, never carried over: em_swarm_publish makes them anew where they are stale. A model
 * with several channels has a table, shares and sums for each: channel h holds e^{i (h + 1) theta}.
 */
#ifndef EM_SWARM_H
#define EM_SWARM_H

#include "em_act.h"
#include "em_adapt.h"
#include "em_avalanche.h"
#include "em_course.h"
#include "em_energy.h"
#include "em_inbox.h"
#include "em_late.h"
#include "em_plastic.h"

#define EM_SWARM_NOBODY UINT64_MAX

typedef struct {
    int64_t n;
    int variables; /* of state, and channels of field: what the model has */
    int channels;
    double *state[EM_ACT_VARIABLES]; /* [n] each: phase, velocity; the latter NULL until a model has it */
    double *now[EM_ACT_VARIABLES];   /* [n] each: of the stage that is next, or NULL: nobody asks for it */
    double *frequency;               /* [n] */
    void *cells;                     /* memory of one table of float64 a channel, or of two of float32 */
    _Atomic(void *) wide;            /* of two of float64: set before a graph that needs them is published */
    em_table table[2][EM_SENSE_CHANNELS]; /* two in either, or one: see em_swarm_shares */
    int front;                            /* which of them neighbours read */
    bool single;                          /* neighbours see float32 */
    bool latest;                          /* neighbours may read what is being written */
    double *share;                        /* [channels][blocks][2]: sum of the phasors of a block */
    double *extent; /* [blocks][2]: least and largest rate of a block, or NULL: nobody asks */
    em_sense sense;
    em_past past;          /* of agents that sense late */
    em_plastic plastic;    /* weights that adapt, where there are any */
    const em_tiles *tiles; /* in use, or NULL */
    int64_t unit;          /* blocks that a worker does at a time: those of a panel, or one */
    size_t panel_room;     /* bytes that each worker has for the sums of a panel */
    em_act_kind act;
    double raw[EM_ACT_PARAMETERS]; /* parameters of the model as they were given */
    double ready[EM_ACT_PARAMETERS];
    double *each[EM_ACT_PARAMETERS]; /* [n] each, or NULL: the same for all agents */
    const em_course *courses;        /* of those that change with time, or NULL */
    em_act_function function;
    const double *given; /* [n] */
    em_energy energy;
    bool noisy;
    uint64_t key; /* of all that is drawn */
    em_step_kind step;
    double dt;
    double origin; /* of the clock: a tick begins at origin + tick * dt */
    int64_t tick;
    uint64_t drawn;                      /* ticks since the swarm began, by which noise is drawn */
    double time;                         /* of this stage */
    double *work;                        /* [variables * work of the integrator][n] */
    em_adapt adapt;                      /* for steps that are not ticks */
    _Atomic(em_inbox *) inbox;           /* NULL until somebody nudges */
    em_word turned;                      /* not 0: a nudge has turned somebody since this was cleared */
    double *displacement;                /* [n]: how far each has turned, or NULL: nobody asks */
    em_word fault;                       /* least agent that left reach in this tick */
    em_avalanche *avalanche;             /* of a model whose agents fire, or NULL */
    uint8_t *failed;                     /* [n]: who publishes nothing and holds still, or NULL: nobody */
    int64_t living;                      /* how many are not failed */
    double total[2 * EM_SENSE_CHANNELS]; /* the sum of all phasors, by channel */
    em_sums *sums[EM_SENSE_CHANNELS];    /* by group, where the graph has groups */
    _Atomic(em_sums *)
        offered; /* for as many groups as any graph has had: set before such a graph is published */
} em_swarm;

/* One worker's own; whole cache lines, no other worker ever sees it. */
typedef struct {
    _Alignas(EM_BASE_APART) double field[2 * EM_SENSE_CHANNELS * EM_GRAPH_BLOCK];
    double rate[EM_ACT_VARIABLES * EM_GRAPH_BLOCK];
    double next[EM_ACT_VARIABLES * EM_GRAPH_BLOCK];
    double phasor[2 * EM_SENSE_CHANNELS * EM_GRAPH_BLOCK]; /* cosines of all channels, then sines */
    union {
        double kick[EM_GRAPH_BLOCK]; /* until the next state is there */
        double wrapped[EM_GRAPH_BLOCK];
    };
    union {
        double natural[EM_GRAPH_BLOCK]; /* until turns are paid for */
        double copy[EM_GRAPH_BLOCK];    /* that nobody reads */
    };
    em_table_pair *panel; /* sums of its rows, where there are tiles */
    int64_t drains;       /* blocks whose inbox held something */
    int64_t waited;       /* ns at joins */
} em_scratch;

static inline void em_swarm_init(em_swarm *swarm)
{
    memset(swarm, 0, sizeof *swarm);
    atomic_init(&swarm->inbox, NULL);
    atomic_init(&swarm->offered, NULL);
    atomic_init(&swarm->wide, NULL);
    atomic_init(&swarm->fault.bits, EM_SWARM_NOBODY);
    swarm->variables = swarm->channels = 1;
    swarm->raw[EM_ACT_STRENGTHS] = 1.0;
}

static inline em_inbox *em_swarm_inbox(em_swarm *swarm)
{
    return atomic_load_explicit(&swarm->inbox, memory_order_acquire);
}

/* Makes `inbox` the swarm's unless it has one; returns the one it has then. */
static inline em_inbox *em_swarm_offer_inbox(em_swarm *swarm, em_inbox *inbox)
{
    em_inbox *present = NULL;
    bool taken = atomic_compare_exchange_strong_explicit(
        &swarm->inbox, &present, inbox, memory_order_acq_rel, memory_order_acquire);
    return taken ? inbox : present;
}

static inline em_sums *em_swarm_offered(em_swarm *swarm)
{
    return atomic_load_explicit(&swarm->offered, memory_order_acquire);
}

/* Whether agents read each other's phasors: see em_graph_shares. */
static inline bool em_swarm_shares(const em_swarm *swarm, const em_graph *graph)
{
    return em_graph_shares(graph) || swarm->sense.triads != NULL;
}

/* Whether a graph needs two tables of float64. */
static inline bool em_swarm_wants_wide(const em_swarm *swarm, const em_graph *graph)
{
    return em_swarm_shares(swarm, graph) && !swarm->single;
}

static inline void *em_swarm_wide(em_swarm *swarm)
{
    return atomic_load_explicit(&swarm->wide, memory_order_acquire);
}

static inline void em_swarm_offer_wide(em_swarm *swarm, void *cells)
{
    atomic_store_explicit(&swarm->wide, cells, memory_order_release);
}

/* Sums for more groups, before a graph that needs them is published; one thread at a time. */
static inline void em_swarm_offer_sums(em_swarm *swarm, em_sums *sums)
{
    sums->smaller = em_swarm_offered(swarm);
    atomic_store_explicit(&swarm->offered, sums, memory_order_release);
}

static inline int64_t em_swarm_first(int64_t block)
{
    return block * EM_GRAPH_BLOCK;
}

static inline int64_t em_swarm_count(const em_swarm *swarm, int64_t block)
{
    return em_graph_count(swarm->n, block);
}

/* The first touch of a block's memory: phases, wrapped, and frequencies. */
static inline void em_swarm_fill(em_swarm *swarm, int64_t block, const double *phase, const double *frequency)
{
    int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    for (int64_t i = first; i < first + count; i++) swarm->state[0][i] = em_phase_wrap(phase[i]);
    memcpy(swarm->frequency + first, frequency + first, (size_t)count * sizeof *frequency);
}

/* How far agents from `first` on have turned, or NULL. */
static inline double *em_swarm_turned(const em_swarm *swarm, int64_t first)
{
    return swarm->displacement == NULL ? NULL : swarm->displacement + first;
}

/* These five while nobody is at work. The phase of an agent as it would be if the swarm's inbox were drained now. */
static inline double em_swarm_phase(const em_swarm *swarm, const em_inbox *inbox, int64_t i)
{
    double phase = swarm->state[0][i];
    return inbox == NULL ? phase : em_phase_wrap(phase + em_phase_from_binary(em_inbox_peek(inbox, i)));
}

static inline void em_swarm_read_phase(em_swarm *swarm, double *restrict phase)
{
    const em_inbox *inbox = em_swarm_inbox(swarm);
    for (int64_t i = 0; i < swarm->n; i++) phase[i] = em_swarm_phase(swarm, inbox, i);
}

/* How far agents have turned, by what waits in the inbox too; false if nobody counts. */
static inline bool em_swarm_read_displacement(em_swarm *swarm, double *restrict turned)
{
    const em_inbox *inbox = em_swarm_inbox(swarm);
    if (swarm->displacement == NULL) return false;
    memcpy(turned, swarm->displacement, (size_t)swarm->n * sizeof *turned);
    for (int64_t i = 0; inbox != NULL && i < swarm->n; i++)
        turned[i] += em_phase_from_binary(em_inbox_peek(inbox, i));
    return true;
}

/* The phases as they are, and apart from them what waits in the inbox; false if nobody has nudged yet. */
static inline bool em_swarm_read_apart(em_swarm *swarm, double *restrict phase, uint64_t *restrict waiting)
{
    const em_inbox *inbox = em_swarm_inbox(swarm);
    memcpy(phase, swarm->state[0], (size_t)swarm->n * sizeof *phase);
    for (int64_t i = 0; inbox != NULL && i < swarm->n; i++) waiting[i] = em_inbox_peek(inbox, i);
    return inbox != NULL;
}

/* New phases, wrapped; what waits in the inbox was meant for the old ones and is dropped. */
static inline void em_swarm_write_phase(em_swarm *swarm, const double *restrict phase)
{
    em_inbox *inbox = em_swarm_inbox(swarm);
    for (int64_t i = 0; i < swarm->n; i++) {
        if (inbox != NULL) em_inbox_take(inbox, i);
        swarm->state[0][i] = em_phase_wrap(phase[i]);
    }
}

/* Phasors of agents first .. first + count - 1, their sum, and a copy of their phases; who failed has the phasor 0. */
static inline void em_swarm_sincos(
    const uint8_t *failed, int64_t first, int64_t count, const double *restrict phase, double *restrict kept,
    double *restrict cosine, double *restrict sine, double *restrict sum)
{
    em_phase_sincos_block(count, phase, kept, cosine, sine, sum);
    if (failed == NULL) return;
    for (int64_t i = 0; i < count; i++)
        if (failed[first + i]) cosine[i] = sine[i] = 0.0;
    sum[0] = em_lane_sum(count, cosine);
    sum[1] = em_lane_sum(count, sine);
}

/* The sum of e^{i phase} as real and imaginary part, to the bits of em_swarm_sum_up. */
static inline void em_swarm_order(
    int64_t n, const double *restrict phase, const uint8_t *failed, em_scratch *scratch,
    double *restrict order)
{
    order[0] = order[1] = 0.0;
    for (int64_t first = 0; first < n; first += EM_GRAPH_BLOCK) {
        int64_t count = n - first < EM_GRAPH_BLOCK ? n - first : EM_GRAPH_BLOCK;
        double sum[2];
        em_swarm_sincos(
            failed, first, count, phase + first, scratch->copy, scratch->phasor,
            scratch->phasor + EM_GRAPH_BLOCK, sum);
        order[0] += sum[0];
        order[1] += sum[1];
    }
}

/* Where the phasors of a block are worked on in a channel, apart: in the table, or in scratch. */
static inline void em_swarm_own(
    const em_table *table, int channel, int64_t first, em_scratch *scratch, double **cosine, double **sine)
{
    bool plain = em_table_is_plain(table);
    double *own = scratch->phasor + 2 * channel * EM_GRAPH_BLOCK;
    *cosine = plain ? em_table_cosines(table, first) : own;
    *sine = plain ? em_table_sines(table, first) : own + EM_GRAPH_BLOCK;
}

/* The sums of the pieces of groups that a block holds, where the graph has several groups. */
static inline void em_swarm_pieces(
    em_swarm *swarm, int channel, int64_t block, int64_t count, const double *cosine, const double *sine)
{
    const em_graph *graph = swarm->sense.graph;
    const int64_t first = em_swarm_first(block);
    if (graph->groups < 2) return;
    int32_t group = em_groups_of(graph, first);
    for (int64_t i = first, end; i < first + count; i = end, group++) {
        double *piece = swarm->sums[channel]->piece + 2 * (block + group);
        end = em_groups_piece(graph, group, first + count);
        piece[0] = em_lane_sum(end - i, cosine + (i - first));
        piece[1] = em_lane_sum(end - i, sine + (i - first));
    }
}

/* The share of a block in the sum of the phasors of a channel. */
static inline double *em_swarm_share(const em_swarm *swarm, int channel, int64_t block)
{
    return swarm->share + 2 * (channel * em_graph_blocks(swarm->n) + block);
}

/* The phasors of the next channel, by one more turn of each. */
static inline void em_swarm_harmonic(
    int64_t count, const double *restrict c, const double *restrict s, const double *restrict c1,
    const double *restrict s1, double *restrict cosine, double *restrict sine)
{
    for (int64_t i = 0; i < count; i++) {
        cosine[i] = c[i] * c1[i] - s[i] * s1[i];
        sine[i] = s[i] * c1[i] + c[i] * s1[i];
    }
}

/* With a delay in common: the phasors of a block where its past is kept, and into `cosine` and `sine` what others sense
 * of it. */
static inline void em_swarm_pass(
    em_swarm *swarm, em_past_moment when, int64_t block, const double *restrict phase, double *restrict kept,
    double *cosine, double *sine)
{
    const int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    double *share = em_swarm_share(swarm, 0, block);
    em_swarm_sincos(
        swarm->failed, first, count, phase, kept, em_past_cosines(&swarm->past, when, first),
        em_past_sines(&swarm->past, when, first), swarm->past.share + 2 * block);
    em_past_show(&swarm->past, when, first, count, cosine, sine);
    share[0] = em_lane_sum(count, cosine);
    share[1] = em_lane_sum(count, sine);
}

/* The phasors of a block of phases into the tables of all channels, their sums into the block's shares, and a copy of
 * the phases; of a tick also into the past, where somebody senses late. */
static inline void em_swarm_phasors(
    em_swarm *swarm, em_past_moment when, int64_t block, const double *restrict phase, double *restrict kept,
    const em_table *table, em_scratch *scratch)
{
    int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    double *cosine[EM_SENSE_CHANNELS] = {NULL}, *sine[EM_SENSE_CHANNELS] = {NULL};
    for (int h = 0; h < swarm->channels; h++) {
        double *share = em_swarm_share(swarm, h, block);
        em_swarm_own(&table[h], h, first, scratch, &cosine[h], &sine[h]);
        if (h == 0 && em_past_in_common(&swarm->past)) {
            em_swarm_pass(swarm, when, block, phase, kept, cosine[0], sine[0]);
        } else if (h == 0) {
            em_swarm_sincos(swarm->failed, first, count, phase, kept, cosine[0], sine[0], share);
        } else {
            em_swarm_harmonic(count, cosine[h - 1], sine[h - 1], cosine[0], sine[0], cosine[h], sine[h]);
            share[0] = em_lane_sum(count, cosine[h]);
            share[1] = em_lane_sum(count, sine[h]);
        }
        em_swarm_pieces(swarm, h, block, count, cosine[h], sine[h]);
        if (!em_table_is_plain(&table[h])) em_table_store(&table[h], first, count, cosine[h], sine[h]);
    }
    if (em_past_of_edges(&swarm->past) && when.node == 0.0) {
        const em_history *ring = &swarm->past.ring;
        em_history_store(ring, em_history_slot(ring, when.tick, 0), first, count, cosine[0], sine[0]);
    }
}

/* Takes what waits in a block's inbox into its phases; returns whether that turned anybody. */
static inline bool em_swarm_drain(em_swarm *swarm, int64_t block, double *phase, em_scratch *scratch)
{
    em_inbox *inbox = em_swarm_inbox(swarm);
    const int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    if (inbox == NULL || !em_inbox_drain(inbox, first, count, phase, em_swarm_turned(swarm, first)))
        return false;
    scratch->drains++;
    em_atomic_store(&swarm->turned, 1, memory_order_relaxed);
    return true;
}

/* Drains the block's inbox and, if that turned anybody or the phasors are stale, makes the front phasors. */
static inline void em_swarm_publish(em_swarm *swarm, int64_t block, bool stale, em_scratch *scratch)
{
    double *phase = swarm->state[0] + em_swarm_first(block);
    const em_past_moment now = {swarm->drawn, 0.0};
    if (em_swarm_drain(swarm, block, phase, scratch) || stale)
        em_swarm_phasors(swarm, now, block, phase, scratch->copy, swarm->table[swarm->front], scratch);
}

/* This and all below only by the last arriver, or while nobody is at work.
 * The sum of the shares of blocks, in their order. */
static inline void em_swarm_add_shares(const em_swarm *swarm, const double *share, double *total)
{
    total[0] = total[1] = 0.0;
    for (int64_t block = 0; block < em_graph_blocks(swarm->n); block++) {
        total[0] += share[2 * block];
        total[1] += share[2 * block + 1];
    }
}

/* The sums of all phasors. */
static inline void em_swarm_sum_up(em_swarm *swarm)
{
    if (em_past_in_common(&swarm->past)) em_swarm_add_shares(swarm, swarm->past.share, swarm->past.total);
    for (int h = 0; h < swarm->channels; h++) {
        em_swarm_add_shares(swarm, em_swarm_share(swarm, h, 0), swarm->total + 2 * h);
        if (swarm->sense.graph->kind == EM_GRAPH_GROUPS)
            em_sums_add_up(swarm->sums[h], swarm->sense.graph, swarm->total + 2 * h);
        swarm->sense.table[h] = swarm->table[swarm->front][h];
    }
}

/* The parameters as they are at a time, ready for use. */
static inline void em_swarm_tune(em_swarm *swarm, double time)
{
    swarm->time = time;
    for (const em_course *course = swarm->courses; course != NULL; course = course->next)
        swarm->raw[course->parameter] = em_course_at(course, time);
    if (swarm->courses != NULL) em_act_prepare(swarm->act, swarm->raw, swarm->ready);
}

/* Uses the tiles of the graph if it has them, the tables suit and each worker has room for the sums: the bits are the
 * same with and without. */
static inline void em_swarm_cut(em_swarm *swarm)
{
    const em_tiles *tiles = em_tiles_of(swarm->sense.graph);
    const em_table *table = &swarm->table[0][0];
    bool plain = swarm->channels == 1 && swarm->plastic.weight == NULL && !em_past_of_edges(&swarm->past);
    bool suits = tiles != NULL && plain && table->pairs && table->single && !table->latest;
    swarm->tiles = suits && em_tiles_sums_size(tiles) <= swarm->panel_room ? tiles : NULL;
    swarm->unit = swarm->tiles == NULL ? 1 : em_tiles_panel(tiles);
}

/* Goes on with another graph, or other tables; all phasors are stale then. */
static inline void em_swarm_enter(em_swarm *swarm, const em_graph *graph)
{
    const bool shares = em_swarm_shares(swarm, graph), single = shares && swarm->single;
    const bool latest = shares && swarm->latest;
    char *cells = em_swarm_wants_wide(swarm, graph) ? em_swarm_wide(swarm) : swarm->cells;
    const int each = shares ? 2 : 1; /* tables of a channel */
    for (int k = 0; k < 2 * swarm->channels; k++) {
        char *place = cells + (size_t)(each * (k / 2) + k % each) * em_table_size(swarm->n, single);
        swarm->table[k % 2][k / 2] =
            (em_table){place, swarm->n, shares && (latest || graph->kind == EM_GRAPH_STORED), single, latest};
    }
    swarm->front = 0;
    swarm->sense.graph = graph;
    for (int h = 0; h < swarm->channels; h++) swarm->sense.table[h] = swarm->table[0][h];
    em_swarm_cut(swarm);
    if (graph->kind != EM_GRAPH_GROUPS) return;
    em_sums *sums = em_swarm_offered(swarm);
    for (int h = 0; h < swarm->channels; h++, sums = sums->more) {
        em_sums_clear(sums, graph);
        swarm->sense.sums[h] = swarm->sums[h] = sums;
    }
}

/* What a stage wrote is what the next one reads. */
static inline void em_swarm_turn_over(em_swarm *swarm)
{
    if (em_swarm_shares(swarm, swarm->sense.graph)) swarm->front = 1 - swarm->front;
    em_swarm_sum_up(swarm);
}

/* How far apart the rates lie that em_swarm_note_extent noted. */
static inline double em_swarm_spread(const em_swarm *swarm)
{
    double least = swarm->extent[0], most = swarm->extent[1];
    for (int64_t block = 1; block < em_graph_blocks(swarm->n); block++) {
        least = fmin(least, swarm->extent[2 * block]);
        most = fmax(most, swarm->extent[2 * block + 1]);
    }
    return most > least ? most - least : 0.0;
}

/* R of those who have not failed; 0 if all have. */
static inline double em_swarm_coherence(const em_swarm *swarm)
{
    const double *total = em_past_in_common(&swarm->past) ? swarm->past.total : swarm->total;
    double length = hypot(total[0], total[1]);
    return swarm->living > 0 ? length / (double)swarm->living : 0.0;
}

#endif
