/* em_avalanche.h: who fires when, and what is on its way to whom.
 *
 * Within a tick an agent's phase is kept as it was, or would have been, when the tick began: it turns at a known rate, so
 * nothing is done to it until it fires or hears a pulse, and when it will fire is known to the last bit. Times count from
 * the beginning of the tick. Of each block 64 columns are kept, column k holding agents k, k + 64, ...: when the next of a
 * column fires (`soon`), and of the block (`first`).
 *
 * An avalanche is what happens at one moment. It goes in rounds of two parts, with a join of all workers after each:
 *
 *     hear   the owner of a block takes its words, turns whom they concern, and notes who fires
 *     send   the owner of a block adds to the words of those who hear its firing agents, and marks their columns
 *
 * So whoever fires is heard in the next round by all alike, whatever the order of work; words are whole numbers, whose
 * sums do not depend on the order of their parts. An agent fires once in an avalanche and hears nothing in it after that.
 *
 * Graphs of groups have one word for each group, the first words of all: how many of it fire.
 */
#ifndef EM_AVALANCHE_H
#define EM_AVALANCHE_H

#include "em_atomic.h"
#include "em_groups.h"
#include "em_listen.h"

#define EM_AVALANCHE_COLUMNS 64
#define EM_AVALANCHE_ROWS    (EM_GRAPH_BLOCK / EM_AVALANCHE_COLUMNS)

typedef struct {
    double time;
    int64_t agent;
} em_avalanche_firing;

typedef struct {
    int64_t n;
    em_word *words;   /* [n]: weights of the pulses that each is to hear, in units of the graph */
    em_word *marks;   /* [blocks]: columns whose agents have words */
    em_word *stirred; /* [blocks / 64]: blocks in which somebody is to hear, or to fire now */
    em_word *ablaze;  /* [blocks / 64]: blocks in which somebody is to send */
    uint64_t *last;   /* [n]: the avalanche in which each fired last */
    uint64_t *firing; /* [blocks][EM_AVALANCHE_ROWS]: bit k of row r: agent 64 r + k is to send */
    int64_t *fires;   /* [blocks]: how many bits are set */
    double *soon;     /* [blocks][EM_AVALANCHE_COLUMNS] */
    double *first;    /* [blocks] */
    double now;       /* the moment of the avalanche */
    uint64_t number;  /* of the avalanche */
    bool loud;        /* all are to hear: agents of groups fired */
    bool keeps;       /* firings are recorded */
    em_avalanche_firing *kept;
    int64_t count, room, most; /* that are kept, fit, and may be kept */
    int64_t lost;              /* that could not be */
} em_avalanche;

/* Sets of blocks are words of so many bits. */
static inline int64_t em_avalanche_sets(int64_t n)
{
    return (em_graph_blocks(n) + 63) / 64;
}

static inline void em_avalanche_free(em_avalanche *avalanche)
{
    if (avalanche == NULL) return;
    em_base_free(avalanche->words), em_base_free(avalanche->marks), em_base_free(avalanche->last);
    em_base_free(avalanche->stirred), em_base_free(avalanche->ablaze);
    em_base_free(avalanche->firing), em_base_free(avalanche->fires), em_base_free(avalanche->soon);
    em_base_free(avalanche->first), em_base_free(avalanche->kept), em_base_free(avalanche);
}

static inline em_avalanche *em_avalanche_create(int64_t n)
{
    const size_t blocks = (size_t)em_graph_blocks(n), agents = (size_t)n, sets = (size_t)em_avalanche_sets(n);
    em_avalanche *made = em_base_alloc(sizeof *made);
    if (made == NULL) return NULL;
    *made = (em_avalanche){.n = n, .now = -INFINITY};
    made->words = em_base_alloc(agents * sizeof *made->words);
    made->marks = em_base_alloc(blocks * sizeof *made->marks);
    made->stirred = em_base_alloc(sets * sizeof *made->stirred);
    made->ablaze = em_base_alloc(sets * sizeof *made->ablaze);
    made->last = em_base_alloc(agents * sizeof *made->last);
    made->firing = em_base_alloc(blocks * EM_AVALANCHE_ROWS * sizeof *made->firing);
    made->fires = em_base_alloc(blocks * sizeof *made->fires);
    made->soon = em_base_alloc(blocks * EM_AVALANCHE_COLUMNS * sizeof *made->soon);
    made->first = em_base_alloc(blocks * sizeof *made->first);
    if (!made->words || !made->marks || !made->last || !made->firing || !made->fires || !made->soon ||
        !made->first || !made->stirred || !made->ablaze) {
        em_avalanche_free(made);
        return NULL;
    }
    for (int64_t i = 0; i < n; i++) atomic_init(&made->words[i].bits, 0);
    for (size_t b = 0; b < blocks; b++) atomic_init(&made->marks[b].bits, 0);
    for (size_t s = 0; s < sets; s++) {
        atomic_init(&made->stirred[s].bits, 0);
        atomic_init(&made->ablaze[s].bits, 0);
    }
    memset(made->last, 0, agents * sizeof *made->last);
    memset(made->firing, 0, blocks * EM_AVALANCHE_ROWS * sizeof *made->firing);
    memset(made->fires, 0, blocks * sizeof *made->fires);
    return made;
}

/* Bytes that it takes, without what is recorded. */
static inline int64_t em_avalanche_size(int64_t n)
{
    return (int64_t)sizeof(em_avalanche) + 16 * n + 16 * em_avalanche_sets(n) +
           em_graph_blocks(n) * 8 * (3 + EM_AVALANCHE_ROWS + EM_AVALANCHE_COLUMNS);
}

/* The place of the lowest bit that is set, of a word that is not 0. */
static inline int em_avalanche_lowest(uint64_t bits)
{
#if defined(__GNUC__)
    return __builtin_ctzll(bits);
#else
    int place = 0;
    while (!(bits >> place & 1)) place++;
    return place;
#endif
}

/* How many bits are set. */
static inline int em_avalanche_bits(uint64_t bits)
{
    int count = 0;
    for (; bits != 0; bits &= bits - 1) count++;
    return count;
}

/* When an agent will fire that nobody pushes, counted as its phase is. */
static inline double em_avalanche_due(double phase, double rate)
{
    return rate > 0.0 ? (EM_PHASE_TURN - phase) / rate : INFINITY;
}

/* The soonest of the columns of a block. */
static inline double em_avalanche_soonest(const double *soon)
{
    double least[EM_LANE_COUNT];
    for (int l = 0; l < EM_LANE_COUNT; l++) least[l] = soon[l];
    for (int k = EM_LANE_COUNT; k < EM_AVALANCHE_COLUMNS; k += EM_LANE_COUNT)
        for (int l = 0; l < EM_LANE_COUNT; l++) least[l] = soon[k + l] < least[l] ? soon[k + l] : least[l];
    for (int l = 1; l < EM_LANE_COUNT; l++) least[0] = least[l] < least[0] ? least[l] : least[0];
    return least[0];
}

/* Puts a block into a set; whether it is there; takes all out, by the last arriver. */
static inline void em_avalanche_put(em_word *set, int64_t block)
{
    em_atomic_or(&set[block / 64], (uint64_t)1 << block % 64, memory_order_relaxed);
}

static inline bool em_avalanche_holds(const em_word *set, int64_t block)
{
    return em_atomic_load(&set[block / 64], memory_order_relaxed) >> block % 64 & 1;
}

static inline void em_avalanche_empty(em_word *set, int64_t n)
{
    for (int64_t s = 0; s < em_avalanche_sets(n); s++) em_atomic_store(&set[s], 0, memory_order_relaxed);
}

/* The next block of a set from one on, or -1. */
static inline int64_t em_avalanche_next(const em_word *set, int64_t n, int64_t block)
{
    for (int64_t s = block / 64; s < em_avalanche_sets(n); s++) {
        uint64_t bits = em_atomic_load(&set[s], memory_order_relaxed);
        if (s == block / 64) bits &= UINT64_MAX << block % 64;
        if (bits != 0) return 64 * s + em_avalanche_lowest(bits);
    }
    return -1;
}

/* Notes when the agents of a block will fire, of their phases at the beginning of a tick and their rates. */
static inline void em_avalanche_time(
    em_avalanche *avalanche, int64_t block, int64_t count, const double *restrict phase,
    const double *restrict rate)
{
    double soon[EM_AVALANCHE_COLUMNS];
    for (int k = 0; k < EM_AVALANCHE_COLUMNS; k++) soon[k] = INFINITY;
    int64_t i = 0;
    for (; i + EM_AVALANCHE_COLUMNS <= count; i += EM_AVALANCHE_COLUMNS)
        for (int k = 0; k < EM_AVALANCHE_COLUMNS; k++) {
            const double due = em_avalanche_due(phase[i + k], rate[i + k]);
            soon[k] = due < soon[k] ? due : soon[k];
        }
    for (int k = 0; i + k < count; k++) soon[k] = fmin(soon[k], em_avalanche_due(phase[i + k], rate[i + k]));
    memcpy(avalanche->soon + block * EM_AVALANCHE_COLUMNS, soon, sizeof soon);
    avalanche->first[block] = em_avalanche_soonest(soon);
}

/* Notes that an agent fires: it sends in the next part. By the owner of its block. */
static inline void em_avalanche_fire(em_avalanche *avalanche, int64_t agent)
{
    const int64_t block = agent / EM_GRAPH_BLOCK, in = agent % EM_GRAPH_BLOCK;
    avalanche->firing[block * EM_AVALANCHE_ROWS + in / EM_AVALANCHE_COLUMNS] |= (uint64_t)1
                                                                                << in % EM_AVALANCHE_COLUMNS;
    if (avalanche->fires[block]++ == 0) em_avalanche_put(avalanche->ablaze, block);
    avalanche->last[agent] = avalanche->number;
}

/* Lets an agent hear a weight; anybody, until all have sent. */
static inline void em_avalanche_tell(em_avalanche *avalanche, int64_t agent, int64_t amount)
{
    em_word *mark = &avalanche->marks[agent / EM_GRAPH_BLOCK];
    const uint64_t column = (uint64_t)1 << agent % EM_AVALANCHE_COLUMNS;
    em_atomic_add(&avalanche->words[agent], (uint64_t)amount, memory_order_relaxed);
    if (em_atomic_load(mark, memory_order_relaxed) & column) return;
    if (em_atomic_or(mark, column, memory_order_relaxed) == 0)
        em_avalanche_put(avalanche->stirred, agent / EM_GRAPH_BLOCK);
}

/* All who hear an agent hear it. */
static inline void em_avalanche_pulse(em_avalanche *avalanche, const em_graph *graph, int64_t agent)
{
    if (graph->kind == EM_GRAPH_STORED) {
        const em_listen *listen = graph->listen;
        for (int64_t e = listen->start[agent]; e < listen->start[agent + 1]; e++)
            em_avalanche_tell(avalanche, listen->agent[e], listen->amount == NULL ? 1 : listen->amount[e]);
        return;
    }
    int32_t shift[EM_LATTICE_SHIFTS];
    const int shifts = em_lattice_shifts(graph, agent, shift);
    for (int k = 0; k < shifts; k++) em_avalanche_tell(avalanche, agent + shift[k], 1);
}

/* The firing agents of a block are heard; by its owner. */
static inline void em_avalanche_send(em_avalanche *avalanche, const em_graph *graph, int64_t block)
{
    uint64_t *firing = avalanche->firing + block * EM_AVALANCHE_ROWS;
    if (!em_avalanche_holds(avalanche->ablaze, block)) return;
    for (int r = 0; r < EM_AVALANCHE_ROWS; r++) {
        const int64_t row = block * EM_GRAPH_BLOCK + r * EM_AVALANCHE_COLUMNS;
        for (uint64_t bits = firing[r]; bits != 0; bits &= bits - 1) {
            const int64_t agent = row + em_avalanche_lowest(bits);
            if (graph->kind == EM_GRAPH_GROUPS)
                em_atomic_add(&avalanche->words[em_groups_of(graph, agent)], 1, memory_order_relaxed);
            else
                em_avalanche_pulse(avalanche, graph, agent);
        }
        firing[r] = 0;
    }
    avalanche->fires[block] = 0;
}

/* Columns of a block in which somebody has heard something, or is to fire now. Takes the mark. */
static inline uint64_t em_avalanche_columns(em_avalanche *avalanche, int64_t block)
{
    em_word *mark = &avalanche->marks[block];
    const double *soon = avalanche->soon + block * EM_AVALANCHE_COLUMNS;
    uint64_t columns = em_atomic_load(mark, memory_order_relaxed);
    if (columns != 0) em_atomic_store(mark, 0, memory_order_relaxed);
    for (int k = 0; avalanche->first[block] <= avalanche->now && k < EM_AVALANCHE_COLUMNS; k++)
        columns |= (uint64_t)(soon[k] <= avalanche->now) << k;
    return columns;
}

/* Takes the weights that an agent hears, in units. */
static inline int64_t em_avalanche_take(em_avalanche *avalanche, int64_t agent)
{
    em_word *word = &avalanche->words[agent];
    const uint64_t amount = em_atomic_load(word, memory_order_relaxed);
    if (amount != 0) em_atomic_store(word, 0, memory_order_relaxed);
    return (int64_t)amount;
}

/* The weights that each agent of a group hears of all groups. */
static inline double em_avalanche_chorus(const em_avalanche *avalanche, const em_graph *graph, int32_t group)
{
    const double *between = graph->between + (size_t)group * (size_t)graph->groups;
    double sum = 0.0;
    for (int32_t g = 0; g < graph->groups; g++)
        sum += between[g] * (double)em_atomic_load(&avalanche->words[g], memory_order_relaxed);
    return sum;
}

/* This and all below only by the last arriver, or while nobody is at work. Nobody hears the groups any more. */
static inline void em_avalanche_hush(em_avalanche *avalanche, const em_graph *graph)
{
    for (int32_t g = 0; avalanche->loud && g < graph->groups; g++)
        em_atomic_store(&avalanche->words[g], 0, memory_order_relaxed);
    avalanche->loud = false;
}

/* How many are to send. */
static inline int64_t em_avalanche_firings(const em_avalanche *avalanche)
{
    int64_t count = 0, block = em_avalanche_next(avalanche->ablaze, avalanche->n, 0);
    for (; block >= 0; block = em_avalanche_next(avalanche->ablaze, avalanche->n, block + 1))
        count += avalanche->fires[block];
    return count;
}

/* How many columns are to hear, and one more for each block. */
static inline int64_t em_avalanche_hearers(const em_avalanche *avalanche)
{
    int64_t count = 0, block = em_avalanche_next(avalanche->stirred, avalanche->n, 0);
    for (; block >= 0; block = em_avalanche_next(avalanche->stirred, avalanche->n, block + 1))
        count += 1 + em_avalanche_bits(em_atomic_load(&avalanche->marks[block], memory_order_relaxed));
    return count;
}

/* Goes on to the next moment at which somebody fires, up to the end of the tick; false if there is none. */
static inline bool em_avalanche_go_on(em_avalanche *avalanche, double dt)
{
    const int64_t blocks = em_graph_blocks(avalanche->n);
    double soon[EM_LANE_COUNT];
    for (int l = 0; l < EM_LANE_COUNT; l++) soon[l] = avalanche->first[0];
    int64_t block = 0;
    for (; block + EM_LANE_COUNT <= blocks; block += EM_LANE_COUNT)
        for (int l = 0; l < EM_LANE_COUNT; l++) {
            const double first = avalanche->first[block + l];
            soon[l] = first < soon[l] ? first : soon[l];
        }
    for (; block < blocks; block++) soon[0] = fmin(soon[0], avalanche->first[block]);
    for (int l = 1; l < EM_LANE_COUNT; l++) soon[0] = fmin(soon[0], soon[l]);
    if (!(soon[0] <= dt)) return false;
    if (soon[0] > avalanche->now) {
        avalanche->now = soon[0];
        avalanche->number++;
    }
    for (block = 0; block < blocks; block++)
        if (avalanche->first[block] <= avalanche->now) em_avalanche_put(avalanche->stirred, block);
    return true;
}

/* Forgets what is on its way, as where a process was forked amid a tick. */
static inline void em_avalanche_clear(em_avalanche *avalanche)
{
    const int64_t blocks = em_graph_blocks(avalanche->n);
    for (int64_t i = 0; i < avalanche->n; i++) em_atomic_store(&avalanche->words[i], 0, memory_order_relaxed);
    for (int64_t b = 0; b < blocks; b++) em_atomic_store(&avalanche->marks[b], 0, memory_order_relaxed);
    memset(avalanche->firing, 0, (size_t)blocks * EM_AVALANCHE_ROWS * sizeof *avalanche->firing);
    memset(avalanche->fires, 0, (size_t)blocks * sizeof *avalanche->fires);
    em_avalanche_empty(avalanche->stirred, avalanche->n);
    em_avalanche_empty(avalanche->ablaze, avalanche->n);
    avalanche->loud = false;
}

/* Has room for one more firing, up to the most that are wanted. */
static inline bool em_avalanche_reserve(em_avalanche *avalanche)
{
    enum { FIRST = 1024 };
    if (avalanche->count < avalanche->room) return true;
    int64_t room = avalanche->room < FIRST ? FIRST : 2 * avalanche->room;
    if (room > avalanche->most) room = avalanche->most;
    if (avalanche->count >= room) return false;
    em_avalanche_firing *kept = em_base_alloc((size_t)room * sizeof *kept);
    if (kept == NULL) return false;
    if (avalanche->count > 0) memcpy(kept, avalanche->kept, (size_t)avalanche->count * sizeof *kept);
    em_base_free(avalanche->kept);
    avalanche->kept = kept;
    avalanche->room = room;
    return true;
}

/* Records who is to send, in ascending order, all at one time. */
static inline void em_avalanche_record(em_avalanche *avalanche, double time)
{
    int64_t block = em_avalanche_next(avalanche->ablaze, avalanche->n, 0);
    for (; block >= 0; block = em_avalanche_next(avalanche->ablaze, avalanche->n, block + 1))
        for (int r = 0; r < EM_AVALANCHE_ROWS; r++) {
            const int64_t row = block * EM_GRAPH_BLOCK + r * EM_AVALANCHE_COLUMNS;
            uint64_t bits = avalanche->firing[block * EM_AVALANCHE_ROWS + r];
            for (; bits != 0; bits &= bits - 1) {
                if (em_avalanche_reserve(avalanche))
                    avalanche->kept[avalanche->count++] =
                        (em_avalanche_firing){time, row + em_avalanche_lowest(bits)};
                else
                    avalanche->lost++;
            }
        }
}

#endif
