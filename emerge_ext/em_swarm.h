/* em_swarm.h: the state of a swarm, and what one worker does with one block in one stage.
 *
 * em_swarm_stage is where sense, act and step meet. Everything in it happens in scratch of one block; what it
 * writes outside belongs to that block alone: state, phasors (in the buffer that nobody reads in this stage),
 * the share of the sum of phasors, the extent of the rates. So blocks may be done by any worker in any order,
 * with the same bits.
 *
 * Phasors are a function of phase, never carried over: em_swarm_publish makes them anew where they are stale.
 */
#ifndef EM_SWARM_H
#define EM_SWARM_H

#include "em_act.h"
#include "em_inbox.h"
#include "em_phase.h"
#include "em_sense.h"
#include "em_step.h"
#include "em_sums.h"

#define EM_SWARM_NOBODY UINT64_MAX

typedef struct {
    int64_t n;
    double *state[EM_ACT_RATES]; /* [n] each; the first is the phase */
    double *frequency;           /* [n] */
    void *cells;                 /* memory of one table of float64, or of two of float32 */
    _Atomic(void *) wide;        /* of two of float64: set before a graph that needs them is published */
    em_table table[2];           /* two in either, or one: see em_graph_shares */
    int front;                   /* which of them neighbours read */
    bool single;                 /* neighbours see float32 */
    bool latest;                 /* neighbours may read what is being written */
    double *share;               /* [blocks][2]: sum of the phasors of a block */
    double *extent;              /* [blocks][2]: least and largest rate of a block, or NULL: nobody asks */
    em_sense sense;
    const em_tiles *tiles; /* in use, or NULL */
    int64_t unit;          /* blocks that a worker does at a time: those of a panel, or one */
    size_t panel_room;     /* bytes that each worker has for the sums of a panel */
    em_act_kind act;
    double parameters[EM_ACT_PARAMETERS];
    em_step_kind step;
    double dt;
    double *work;              /* [rates of the model * work of the integrator][n] */
    _Atomic(em_inbox *) inbox; /* NULL until somebody nudges */
    em_word fault;             /* least agent that left reach in this tick */
    double *displacement;      /* [n]: how far each has turned, or NULL: nobody asks */
    uint8_t *failed;           /* [n]: who publishes nothing and holds still, or NULL: nobody */
    int64_t living;            /* how many are not failed */
    double total[2];           /* the sum of all phasors */
    em_sums *sums;             /* by group, where the graph has groups */
    _Atomic(em_sums *)
        offered; /* for as many groups as any graph has had: set before such a graph is published */
} em_swarm;

/* One worker's own; whole cache lines, no other worker ever sees it. */
typedef struct {
    _Alignas(EM_BASE_APART) double field[2 * EM_SENSE_CHANNELS * EM_GRAPH_BLOCK];
    double rate[EM_ACT_RATES * EM_GRAPH_BLOCK];
    double next[EM_ACT_RATES * EM_GRAPH_BLOCK];
    double phasor[2 * EM_GRAPH_BLOCK];
    double wrapped[EM_GRAPH_BLOCK];
    double copy[EM_GRAPH_BLOCK]; /* that nobody reads */
    em_table_pair *panel;        /* sums of its rows, where there are tiles */
    int64_t drains;              /* blocks whose inbox held something */
    int64_t waited;              /* ns at joins */
} em_scratch;

static inline void em_swarm_init(em_swarm *swarm)
{
    memset(swarm, 0, sizeof *swarm);
    atomic_init(&swarm->inbox, NULL);
    atomic_init(&swarm->offered, NULL);
    atomic_init(&swarm->wide, NULL);
    atomic_init(&swarm->fault.bits, EM_SWARM_NOBODY);
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

/* Whether a graph needs two tables of float64. */
static inline bool em_swarm_wants_wide(const em_swarm *swarm, const em_graph *graph)
{
    return em_graph_shares(graph) && !swarm->single;
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

/* Where the phasors of a block are worked on, apart: in the table, or in scratch. */
static inline void em_swarm_own(
    const em_table *table, int64_t first, em_scratch *scratch, double **cosine, double **sine)
{
    bool plain = em_table_is_plain(table);
    *cosine = plain ? em_table_cosines(table, first) : scratch->phasor;
    *sine = plain ? em_table_sines(table, first) : scratch->phasor + EM_GRAPH_BLOCK;
}

/* The sums of the pieces of groups that a block holds, where the graph has several groups. */
static inline void em_swarm_pieces(
    em_swarm *swarm, int64_t block, int64_t count, const double *cosine, const double *sine)
{
    const em_graph *graph = swarm->sense.graph;
    const int64_t first = em_swarm_first(block);
    if (graph->groups < 2) return;
    int32_t group = em_groups_of(graph, first);
    for (int64_t i = first, end; i < first + count; i = end, group++) {
        double *piece = swarm->sums->piece + 2 * (block + group);
        end = em_groups_piece(graph, group, first + count);
        piece[0] = em_lane_sum(end - i, cosine + (i - first));
        piece[1] = em_lane_sum(end - i, sine + (i - first));
    }
}

/* The phasors of a block of phases into a table, their sum into the block's share, and a copy of the phases. */
static inline void em_swarm_phasors(
    em_swarm *swarm, int64_t block, const double *restrict phase, double *restrict kept,
    const em_table *table, em_scratch *scratch)
{
    int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    double *cosine, *sine;
    em_swarm_own(table, first, scratch, &cosine, &sine);
    em_swarm_sincos(swarm->failed, first, count, phase, kept, cosine, sine, swarm->share + 2 * block);
    em_swarm_pieces(swarm, block, count, cosine, sine);
    if (!em_table_is_plain(table)) em_table_store(table, first, count, cosine, sine);
}

/* Drains the block's inbox and, if that turned anybody or the phasors are stale, makes the front phasors. */
static inline void em_swarm_publish(em_swarm *swarm, int64_t block, bool stale, em_scratch *scratch)
{
    int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    em_inbox *inbox = em_swarm_inbox(swarm);
    bool turned = inbox != NULL &&
                  em_inbox_drain(inbox, first, count, swarm->state[0] + first, em_swarm_turned(swarm, first));
    scratch->drains += turned;
    if (turned || stale)
        em_swarm_phasors(
            swarm, block, swarm->state[0] + first, scratch->copy, &swarm->table[swarm->front], scratch);
}

/* Keeps the least and the largest rate of the phases of a block, found in lanes. Who failed has no rate: it
 * takes that of the block's first living agent, and a block of none leaves an empty extent. */
static inline void em_swarm_note_extent(em_swarm *swarm, int64_t block, int64_t count, double *restrict rate)
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
static inline em_act_view em_swarm_view(
    const em_swarm *swarm, int64_t first, int64_t count, const double *cosine, const double *sine,
    const em_scratch *scratch)
{
    return (em_act_view){
        .count = count,
        .frequency = swarm->frequency + first,
        .cosine = cosine,
        .sine = sine,
        .field = scratch->field,
        .stride = EM_GRAPH_BLOCK,
        .parameters = swarm->parameters,
    };
}

/* The fields of a block and its own phasors that are in front, by what `sense` shows it. */
static inline void em_swarm_sense(
    em_swarm *swarm, const em_sense *sense, int64_t block, em_scratch *scratch, double **cosine,
    double **sine)
{
    const em_table *front = &swarm->table[swarm->front];
    int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    em_swarm_own(front, first, scratch, cosine, sine);
    em_sense_block(sense, em_act_models[swarm->act].channels, first, count, *cosine, *sine, scratch->field);
    if (!em_table_is_plain(front)) em_table_load(front, first, count, *cosine, *sine);
}

/* The extent of the rates of a block, with nothing moved. */
static inline void em_swarm_look(em_swarm *swarm, int64_t block, em_scratch *scratch)
{
    int64_t count = em_swarm_count(swarm, block);
    double *cosine, *sine;
    em_swarm_sense(swarm, &swarm->sense, block, scratch, &cosine, &sine);
    em_act_view view = em_swarm_view(swarm, em_swarm_first(block), count, cosine, sine, scratch);
    em_act_rate(swarm->act, &view, scratch->rate);
    em_swarm_note_extent(swarm, block, count, scratch->rate);
}

/* New phases, wrapped; who left reach keeps the old one and is noted. */
static inline void em_swarm_wrap(
    em_swarm *swarm, int64_t first, int64_t count, const double *restrict next, double *restrict phase)
{
    uint64_t far = 0;
    for (int64_t i = 0; i < count; i++) {
        far |= em_phase_is_near(next[i]) ? 0 : UINT64_MAX;
        phase[i] = em_phase_wrap_near(next[i]);
    }
    for (int64_t i = 0; far != 0 && i < count; i++) {
        if (em_phase_within_reach(next[i])) {
            phase[i] = em_phase_wrap(next[i]);
        } else {
            em_atomic_lower(&swarm->fault, (uint64_t)(first + i), memory_order_relaxed);
            phase[i] = swarm->state[0][first + i];
        }
    }
}

/* Adds to how far agents have turned what their own step, not yet wrapped, turns them; who left reach stays. */
static inline void em_swarm_displace(
    em_swarm *swarm, int64_t first, int64_t count, const double *restrict next)
{
    double *turned = em_swarm_turned(swarm, first);
    const double *phase = swarm->state[0] + first;
    for (int64_t i = 0; turned != NULL && i < count; i++)
        turned[i] += em_phase_within_reach(next[i]) ? next[i] - phase[i] : 0.0;
}

/* From fields to rates to the next state, in scratch, of agents first .. first + count - 1, a block or one agent;
 * after the last stage phases are wrapped. */
static inline void em_swarm_answer(
    em_swarm *swarm, int stage, int64_t first, int64_t count, const double *cosine, const double *sine,
    em_scratch *scratch)
{
    const em_step *step = &em_step_methods[swarm->step];
    const em_act_view view = em_swarm_view(swarm, first, count, cosine, sine, scratch);
    em_act_rate(swarm->act, &view, scratch->rate);
    for (int v = 0; v < em_act_models[swarm->act].rates; v++) {
        const double *state = swarm->state[v] + first;
        double *work = step->work > 0 ? swarm->work + (int64_t)(v * step->work) * swarm->n + first : NULL;
        double *rate = scratch->rate + v * EM_GRAPH_BLOCK, *next = scratch->next + v * EM_GRAPH_BLOCK;
        em_step_combine(swarm->step, stage, count, swarm->dt, state, rate, work, next);
        for (int64_t i = 0; swarm->failed != NULL && i < count; i++)
            if (swarm->failed[first + i]) next[i] = state[i];
    }
    if (stage + 1 < step->stages) return;
    em_swarm_wrap(swarm, first, count, scratch->next, scratch->wrapped);
    em_swarm_displace(swarm, first, count, scratch->next);
}

/* From what a block senses to its next state, and from that to its phasors. What the last stage makes becomes the
 * block's state, its phases turned by what waits in the inbox. */
static inline void em_swarm_combine(
    em_swarm *swarm, int stage, int64_t block, const double *cosine, const double *sine,
    const em_table *table, em_scratch *scratch)
{
    const int variables = em_act_models[swarm->act].rates;
    int64_t first = em_swarm_first(block), count = em_swarm_count(swarm, block);
    em_swarm_answer(swarm, stage, first, count, cosine, sine, scratch);
    if (stage == 0 && swarm->extent != NULL) em_swarm_note_extent(swarm, block, count, scratch->rate);
    if (stage + 1 < em_step_methods[swarm->step].stages) {
        em_swarm_phasors(swarm, block, scratch->next, scratch->copy, table, scratch);
        return;
    }
    em_inbox *inbox = em_swarm_inbox(swarm);
    if (inbox != NULL)
        scratch->drains +=
            em_inbox_drain(inbox, first, count, scratch->wrapped, em_swarm_turned(swarm, first));
    for (int v = 1; v < variables; v++)
        memcpy(swarm->state[v] + first, scratch->next + v * EM_GRAPH_BLOCK, (size_t)count * sizeof(double));
    em_swarm_phasors(swarm, block, scratch->wrapped, swarm->state[0] + first, table, scratch);
}

/* The table that a stage writes: not the one that neighbours read, where they do. */
static inline const em_table *em_swarm_back(const em_swarm *swarm)
{
    return &swarm->table[em_graph_shares(swarm->sense.graph) ? 1 - swarm->front : swarm->front];
}

/* One stage of a tick for one unit: sense, act, combine, publish. */
static inline void em_swarm_stage(em_swarm *swarm, int stage, int64_t unit, em_scratch *scratch)
{
    const int64_t first = unit * swarm->unit, blocks = em_graph_blocks(swarm->n);
    em_sense sense = swarm->sense;
    if (swarm->tiles != NULL) em_tiles_add_up(swarm->tiles, &sense.table[0], unit, scratch->panel);
    for (int64_t block = first; block < first + swarm->unit && block < blocks; block++) {
        if (swarm->tiles != NULL) sense.ready = scratch->panel + (block - first) * EM_GRAPH_BLOCK;
        double *cosine, *sine;
        em_swarm_sense(swarm, &sense, block, scratch, &cosine, &sine);
        em_swarm_combine(swarm, stage, block, cosine, sine, em_swarm_back(swarm), scratch);
    }
}

/* This and the next only by the last arriver, or while nobody is at work.
 * The sum of all phasors, in the order of blocks. */
static inline void em_swarm_sum_up(em_swarm *swarm)
{
    double re = 0.0, im = 0.0;
    for (int64_t block = 0; block < em_graph_blocks(swarm->n); block++) {
        re += swarm->share[2 * block];
        im += swarm->share[2 * block + 1];
    }
    swarm->total[0] = re;
    swarm->total[1] = im;
    if (swarm->sense.graph->kind == EM_GRAPH_GROUPS)
        em_sums_add_up(swarm->sums, swarm->sense.graph, swarm->total);
    swarm->sense.table[0] = swarm->table[swarm->front];
}

/* Uses the tiles of the graph if it has them, the tables suit and each worker has room for the sums: the bits are the
 * same with and without. */
static inline void em_swarm_cut(em_swarm *swarm)
{
    const em_tiles *tiles = em_tiles_of(swarm->sense.graph);
    const em_table *table = &swarm->table[0];
    bool suits = tiles != NULL && table->pairs && table->single && !table->latest;
    swarm->tiles = suits && em_tiles_sums_size(tiles) <= swarm->panel_room ? tiles : NULL;
    swarm->unit = swarm->tiles == NULL ? 1 : em_tiles_panel(tiles);
}

/* Goes on with another graph, or other tables; all phasors are stale then. */
static inline void em_swarm_enter(em_swarm *swarm, const em_graph *graph)
{
    const bool shares = em_graph_shares(graph), single = shares && swarm->single;
    const bool latest = shares && swarm->latest;
    char *cells = em_swarm_wants_wide(swarm, graph) ? em_swarm_wide(swarm) : swarm->cells;
    for (int k = 0; k < 2; k++) {
        swarm->table[k] =
            (em_table){cells, swarm->n, shares && (latest || graph->kind == EM_GRAPH_STORED), single, latest};
        cells += em_table_size(swarm->n, single);
    }
    swarm->front = 0;
    swarm->sense.graph = graph;
    swarm->sense.table[0] = swarm->table[0];
    em_swarm_cut(swarm);
    if (graph->kind != EM_GRAPH_GROUPS) return;
    if (swarm->sums == NULL || swarm->sums->groups < graph->groups) swarm->sums = em_swarm_offered(swarm);
    em_sums_clear(swarm->sums, graph);
    swarm->sense.sums = swarm->sums;
}

/* What a stage wrote is what the next one reads. */
static inline void em_swarm_turn_over(em_swarm *swarm)
{
    if (em_graph_shares(swarm->sense.graph)) swarm->front = 1 - swarm->front;
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
    double length = hypot(swarm->total[0], swarm->total[1]);
    return swarm->living > 0 ? length / (double)swarm->living : 0.0;
}

#endif
