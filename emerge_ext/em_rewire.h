/* em_rewire.h: a stored graph some of whose edges are redirected, read from the old one edge by edge.
 *
 * Edges of the old graph are numbered as they stand in its rows, undirected ones in the row of the lesser agent. A
 * permutation (em_shuffle.h) ranks them, and the first `moves` of them move: exactly so many, and any set is as likely.
 * An edge that moves is kept by one of its agents and leaves the other for somebody drawn from all whom the first is not
 * joined with in the old graph. So whether an edge moves and where to is computed from its number whenever it is needed,
 * and nothing is held beside the two graphs but one number for each block. Rows are made as by em_build.h:
 *
 *     number    old blocks: how many edges each has; then `begin`, once, alone
 *     walk      old blocks: hands their edges over to `count` and `scatter`
 *
 * No edge goes to where the old graph had one, so the others, and those that find nobody, have their places to
 * themselves. Edges that moved may meet each other. So once rows are closed:
 *
 *     drop     blocks: places that several edges want are given to none
 *     table    once, alone: these places are made a table of
 *     find     old blocks: which edges want them
 *     mend     once, alone: in the order of their ranks each takes the place it wants, another, or goes back
 *
 * Invariant: there are as many distinct edges as before, each with the weight it had, the same for any workers.
 */
#ifndef EM_REWIRE_H
#define EM_REWIRE_H

#include "em_mend.h"
#include "em_shuffle.h"

#define EM_REWIRE_ATTEMPTS 16 /* to find a free agent, before all that are free are listed */
#define EM_REWIRE_FETCHED                                                                                    \
    4 /* of the edges of a row one in so many is asked for: some cache line of a strip each */

typedef struct { /* an edge on the move, and the key of its place: of where it stands, or wants to */
    uint64_t rank;
    uint64_t key;
    int32_t kept, left;
    double weight;
} em_rewire_edge;

typedef struct {
    const em_graph *old;
    uint64_t key;
    uint64_t moves;
    int64_t
        half; /* > 0: of a ring with so many neighbours on either hand, whose edges are kept by who is first */
    em_shuffle shuffle; /* of all edges */
    int64_t *first;     /* [blocks + 1]: number of the first edge of each */
    em_rows_index rows; /* of the old graph */

    uint64_t *wanted;      /* keys of places that several edges want */
    em_word places;        /* how many */
    int64_t held;          /* ends that are left in the rows */
    em_rewire_edge *loser; /* the edges that want them */
    em_word losers;
    uint64_t *table; /* keys of these places; then of those that losers took */
    int64_t room;    /* words of the table */
    uint8_t *full;   /* [n]: whether an agent is joined with everybody by now */
} em_rewire;

/* Memory for what is told of the old graph; whatever comes of it, em_rewire_free is due. */
static inline em_status em_rewire_init(
    em_rewire *rewire, const em_graph *old, uint64_t key, uint64_t moves, int64_t half)
{
    *rewire = (em_rewire){.old = old, .key = key, .moves = moves, .half = half};
    rewire->first = em_base_alloc((size_t)(em_graph_blocks(old->n) + 1) * sizeof *rewire->first);
    return rewire->first == NULL ? EM_NO_MEMORY : em_rows_reserve(&rewire->rows, old);
}

/* ---- the edges of a block of the old graph */

typedef struct {
    em_rows_walk row;
    int64_t e; /* the next edge of the row */
    uint64_t number;
} em_rewire_walk;

typedef struct {
    int size;
    int32_t one[EM_BUILD_BATCH],
        other[EM_BUILD_BATCH];    /* as they are in the new graph: who is kept, and by whom */
    int32_t left[EM_BUILD_BATCH]; /* whom it leaves, or `other` */
    uint64_t rank[EM_BUILD_BATCH];
    double weight[EM_BUILD_BATCH];
} em_rewire_batch;

/* Goes to the next row that has edges; false after the last. */
static inline bool em_rewire_next_row(const em_build *build, em_rewire_walk *walk)
{
    while (em_rows_next(&walk->row)) {
        walk->e = 0;
        if (!build->directed) { /* those with lesser agents stand in their rows */
            int64_t high = walk->row.degree;
            while (walk->e < high) {
                int64_t middle = (walk->e + high) / 2;
                if (walk->row.graph->indices[em_rows_place(&walk->row, middle)] < walk->row.agent)
                    walk->e = middle + 1;
                else
                    high = middle;
            }
        }
        if (walk->e < walk->row.degree) return true;
    }
    walk->e = walk->row.degree = 0;
    return false;
}

static inline em_rewire_walk em_rewire_enter(const em_build *build, int64_t block)
{
    const em_rewire *rewire = build->given;
    em_rewire_walk walk = {
        .row = em_rows_enter(rewire->old, block), .number = (uint64_t)rewire->first[block]};
    em_rewire_next_row(build, &walk);
    return walk;
}

/* The agent of a rank among those that a row's agent is not joined with, itself aside. */
static inline int32_t em_rewire_stranger(const em_rows_walk *row, int64_t rank)
{
    int64_t before = 0, high = row->degree; /* neighbours that come before it */
    while (before < high) {
        int64_t middle = (before + high) / 2;
        int64_t neighbour = row->graph->indices[em_rows_place(row, middle)];
        if (neighbour - (neighbour > row->agent) - middle <= rank)
            before = middle + 1;
        else
            high = middle;
    }
    int64_t agent = rank + before;
    return (int32_t)(agent + (agent >= row->agent));
}

static inline int64_t em_rewire_strangers(const em_rows_walk *row)
{
    return row->graph->n - 1 - row->degree;
}

/* Which agent keeps an edge (one, other) that moves, the lesser agent first unless it is directed. */
static inline bool em_rewire_keeps_first(const em_build *build, int32_t one, int32_t other, uint64_t word)
{
    const em_rewire *rewire = build->given;
    if (build->directed) return true;
    if (rewire->half > 0) return other - one <= rewire->half; /* else it leads over the end of the ring */
    return word >> 63 == 0;
}

/* Settles who keeps the k-th edge of a batch; tells whether that is somebody else than stood first. `word` is what draws
 * whom the edge goes to. */
static inline bool em_rewire_keep(const em_build *build, em_rewire_batch *batch, int k, uint64_t *word)
{
    const em_rewire *rewire = build->given;
    uint64_t whether;
    em_random_draw(rewire->key, batch->rank[k], 0, EM_RANDOM_REDIRECT, &whether, word);
    if (em_rewire_keeps_first(build, batch->one[k], batch->other[k], whether)) return false;
    const int32_t kept = batch->other[k];
    batch->other[k] = batch->left[k] = batch->one[k];
    batch->one[k] = kept;
    return true;
}

/* Finds the rows of agents all over the graph: what they need of memory is asked for by all before any waits for it. */
static inline void em_rewire_seek(
    const em_rewire *rewire, const em_rewire_batch *batch, const int *far, int size, em_rows_walk *row)
{
    const em_graph *old = rewire->old;
    for (int k = 0; k < size; k++) EM_BASE_FETCH(&rewire->rows.row[batch->one[far[k]]]);
    for (int k = 0; k < size; k++) em_rows_fetch(old, &rewire->rows, batch->one[far[k]]);
    for (int k = 0; k < size; k++) {
        em_rows_walk *found = &row[far[k]];
        *found = em_rows_seek(old, &rewire->rows, batch->one[far[k]]);
        for (int64_t e = 0; e < found->degree; e += EM_REWIRE_FETCHED)
            EM_BASE_FETCH(&old->indices[em_rows_place(found, e)]);
    }
}

static inline void em_rewire_send(
    const em_build *build, em_rewire_batch *batch, int k, const em_rows_walk *row, uint64_t word)
{
    const em_rewire *rewire = build->given;
    const int64_t strangers = em_rewire_strangers(row);
    uint32_t rank;
    if (strangers == 0) return;
    for (uint32_t attempt = 1; !em_random_below(word, (uint32_t)strangers, &rank); attempt++) {
        uint64_t unused;
        em_random_draw(rewire->key, batch->rank[k], attempt, EM_RANDOM_REDIRECT, &unused, &word);
    }
    batch->other[k] = em_rewire_stranger(row, rank);
}

/* The next edges of a block, as they are in the new graph; false if there are none. Rows that are far away are found for
 * all before any of them is read. */
static inline bool em_rewire_read(const em_build *build, em_rewire_walk *walk, em_rewire_batch *batch)
{
    const em_rewire *rewire = build->given;
    const em_graph *old = rewire->old;
    em_rows_walk row[EM_BUILD_BATCH];
    uint64_t word[EM_BUILD_BATCH];
    int size = 0, far[EM_BUILD_BATCH], sought = 0;
    for (; size < EM_BUILD_BATCH && walk->e < walk->row.degree; size++) {
        const int64_t place = em_rows_place(&walk->row, walk->e);
        row[size] = walk->row;
        batch->one[size] = (int32_t)walk->row.agent;
        batch->other[size] = batch->left[size] = old->indices[place];
        batch->weight[size] = old->weights == NULL ? 1.0 : old->weights[place];
        batch->rank[size] = walk->number++;
        if (++walk->e == walk->row.degree) em_rewire_next_row(build, walk);
    }
    em_shuffle_forth(&rewire->shuffle, batch->rank, size);
    for (int k = 0; k < size; k++)
        if (batch->rank[k] < rewire->moves && em_rewire_keep(build, batch, k, &word[k])) far[sought++] = k;
    em_rewire_seek(rewire, batch, far, sought, row);
    for (int k = 0; k < size; k++)
        if (batch->rank[k] < rewire->moves) em_rewire_send(build, batch, k, &row[k], word[k]);
    batch->size = size;
    return size > 0;
}

/* ---- phases */

static inline void em_rewire_number(em_build *build, int64_t block)
{
    em_rewire *rewire = build->given;
    em_rewire_walk walk = {.row = em_rows_enter(rewire->old, block)};
    int64_t edges = 0;
    while (em_rewire_next_row(build, &walk)) edges += walk.row.degree - walk.e;
    rewire->first[block + 1] = edges;
    em_rows_note(rewire->old, block, &rewire->rows);
}

/* Tells the numbers of the first edges of blocks, and draws the permutation. */
static inline em_status em_rewire_begin(em_build *build)
{
    em_rewire *rewire = build->given;
    const int64_t blocks = em_graph_blocks(rewire->old->n);
    rewire->first[0] = 0;
    for (int64_t block = 0; block < blocks; block++) rewire->first[block + 1] += rewire->first[block];
    build->edges = rewire->first[blocks];
    return em_shuffle_init(&rewire->shuffle, rewire->key, 0, (uint64_t)build->edges);
}

/* A walk, by blocks of the old graph. */
static inline void em_rewire_walk_block(em_build *build, int64_t block, bool weighted, em_build_take take)
{
    em_rewire_walk walk = em_rewire_enter(build, block);
    em_rewire_batch batch;
    while (em_rewire_read(build, &walk, &batch))
        take(build, batch.one, batch.other, weighted ? batch.weight : NULL, batch.size);
}

/* Drops ends that stand beside their like; tells the key of each edge once. Rows close up within their block. */
static inline void em_rewire_drop(em_build *build, int64_t block)
{
    em_rewire *rewire = build->given;
    em_graph *graph = build->graph;
    int64_t end, from = graph->start[block], to = from;
    for (int64_t i = em_build_agents(build, block, &end); i < end; i++) {
        const int32_t degree = graph->degree[i];
        for (int32_t k = 0, run; k < degree; k += run, from += run) {
            const int32_t j = graph->indices[from];
            run = 1;
            while (k + run < degree && graph->indices[from + run] == j) run++;
            if (run == 1)
                em_mend_move(graph, to++, from);
            else if (build->directed || i < j)
                rewire->wanted[em_atomic_add(&rewire->places, 1, memory_order_relaxed)] = em_mend_key(i, j);
            graph->degree[i] -= run == 1 ? 0 : run;
        }
    }
}

/* Makes a table of the wanted places, and room for the losers: for all whose ends were dropped. */
static inline em_status em_rewire_table(em_build *build)
{
    em_rewire *rewire = build->given;
    rewire->held = em_fold_close_up(build);
    const int64_t losers = (build->graph->ends - rewire->held) / (build->directed ? 1 : 2);
    rewire->room = 2 * losers;
    rewire->table = em_base_alloc((size_t)rewire->room * sizeof *rewire->table);
    rewire->loser = em_base_alloc((size_t)losers * sizeof *rewire->loser);
    rewire->full = em_base_alloc((size_t)build->graph->n);
    if (!rewire->table || !rewire->loser || !rewire->full) return EM_NO_MEMORY;
    memset(rewire->table, 0, (size_t)rewire->room * sizeof *rewire->table);
    memset(rewire->full, 0, (size_t)build->graph->n);
    for (int64_t k = 0; k < (int64_t)em_atomic_load(&rewire->places, memory_order_relaxed); k++)
        em_mend_take(rewire->table, rewire->room, rewire->wanted[k]);
    return EM_OK;
}

static inline void em_rewire_free(em_rewire *rewire)
{
    em_shuffle_free(&rewire->shuffle);
    em_rows_free(&rewire->rows);
    em_base_free(rewire->first);
    em_base_free(rewire->wanted);
    em_base_free(rewire->loser);
    em_base_free(rewire->table);
    em_base_free(rewire->full);
}

static inline void em_rewire_find(em_build *build, int64_t block)
{
    em_rewire *rewire = build->given;
    em_rewire_walk walk = em_rewire_enter(build, block);
    em_rewire_batch batch;
    while (em_rewire_read(build, &walk, &batch))
        for (int k = 0; k < batch.size; k++) {
            const uint64_t key = em_mend_edge(build, batch.one[k], batch.other[k]);
            if (batch.left[k] == batch.other[k] || !em_mend_holds(rewire->table, rewire->room, key)) continue;
            rewire->loser[em_atomic_add(&rewire->losers, 1, memory_order_relaxed)] = (em_rewire_edge){
                .rank = batch.rank[k],
                .key = key,
                .kept = batch.one[k],
                .left = batch.left[k],
                .weight = batch.weight[k],
            };
        }
}

/* ---- what is done alone */

static inline int em_rewire_compare(const void *a, const void *b)
{
    const em_rewire_edge *x = a, *y = b;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* Lets an edge take a place, if nobody has it; `row` is that of who keeps it, in the new graph. */
static inline bool em_rewire_take(
    const em_build *build, em_rewire_edge *edge, const int32_t *row, int32_t there)
{
    const em_rewire *rewire = build->given;
    edge->key = em_mend_edge(build, edge->kept, there);
    return !em_mend_stands(row, build->graph->degree[edge->kept], there) &&
           em_mend_take(rewire->table, rewire->room, edge->key);
}

/* Lets an edge take any place that is still free, all equally likely; false if none is. */
static inline bool em_rewire_take_any(
    const em_build *build, em_rewire_edge *edge, const int32_t *row, const em_rows_walk *old, uint64_t word)
{
    const em_rewire *rewire = build->given;
    uint32_t chosen = 0;
    for (int pass = 0; pass < 2; pass++) {
        uint32_t free = 0;
        for (int64_t rank = 0; rank < em_rewire_strangers(old); rank++) {
            int32_t there = em_rewire_stranger(old, rank);
            if (em_mend_holds(rewire->table, rewire->room, em_mend_edge(build, edge->kept, there)) ||
                em_mend_stands(row, build->graph->degree[edge->kept], there))
                continue;
            if (pass == 1 && free == chosen) return em_rewire_take(build, edge, row, there);
            free++;
        }
        if (free == 0) return false;
        em_random_below(word, free, &chosen); /* a bias of some 2^-32 is let be */
    }
    return false;
}

/* Finds a place for a loser. */
static inline void em_rewire_place(const em_build *build, em_rewire_edge *edge)
{
    const em_rewire *rewire = build->given;
    if (em_mend_take(rewire->table, rewire->room, edge->key)) return;
    const int32_t *row = build->graph->indices + em_mend_row(build->graph, edge->kept);
    const em_rows_walk old = em_rows_seek(rewire->old, &rewire->rows, edge->kept);
    uint8_t *full = &rewire->full[edge->kept];
    uint64_t word[2] = {0};
    for (uint32_t attempt = 0; attempt < EM_REWIRE_ATTEMPTS && !*full; attempt++) {
        uint32_t rank;
        em_random_draw(rewire->key, edge->rank, attempt, EM_RANDOM_AGAIN, &word[0], &word[1]);
        if (em_random_below(word[0], (uint32_t)em_rewire_strangers(&old), &rank) &&
            em_rewire_take(build, edge, row, em_rewire_stranger(&old, rank)))
            return;
    }
    if (!*full && em_rewire_take_any(build, edge, row, &old, word[1])) return;
    *full = 1;
    em_rewire_take(build, edge, row, edge->left);
}

static inline void em_rewire_weigh(em_build *build, int64_t i, int32_t j, double weight)
{
    em_graph *graph = build->graph;
    const int64_t row = em_mend_row(graph, i);
    graph->weights[row + em_mend_place(graph->indices + row, graph->degree[i], j)] = weight;
}

/* Finds places for all losers, and merges them into the rows. */
static inline void em_rewire_mend(em_build *build)
{
    em_rewire *rewire = build->given;
    const int64_t losers = (int64_t)em_atomic_load(&rewire->losers, memory_order_relaxed);
    memset(rewire->table, 0, (size_t)rewire->room * sizeof *rewire->table);
    qsort(rewire->loser, (size_t)losers, sizeof *rewire->loser, em_rewire_compare);
    for (int64_t k = 0; k < losers; k++) em_rewire_place(build, &rewire->loser[k]);
    em_mend_merge(build, rewire->held, rewire->table, em_mend_spread(build, rewire->table, losers));
    for (int64_t k = 0; k < losers && build->graph->weights != NULL; k++) {
        const em_rewire_edge *edge = &rewire->loser[k];
        const int32_t one = (int32_t)(edge->key >> 32), other = (int32_t)(edge->key & UINT32_MAX);
        em_rewire_weigh(build, one, other, edge->weight);
        if (!build->directed) em_rewire_weigh(build, other, one, edge->weight);
    }
}

#endif
