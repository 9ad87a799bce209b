/* em_tiles.h: the edges of a large graph once more, cut into tiles, so that what is read at random stays in cache.
 *
 * Where agents sense others anywhere and the table of phasors outgrows the caches, every edge costs a trip to memory.
 * So columns are cut into tiles of EM_TILES_COLUMNS agents and rows into bands of EM_TILES_BAND; an edge is a word of
 * 32 bits, its row in the band and its column in the tile. A worker takes a panel of bands and goes through the tiles
 * in ascending order, all bands of the panel for each tile, adding to one sum for each row: a row is added in
 * ascending order of neighbours, with one accumulator, as without tiles, and with the same bits.
 *
 * Made once for a graph, before the swarm that asks for it goes on with it; never changes afterwards. For graphs
 * without weights.
 */
#ifndef EM_TILES_H
#define EM_TILES_H

#include "em_rows.h"
#include "em_table.h"

#define EM_TILES_BAND (8 * EM_GRAPH_BLOCK) /* rows: 12 bits */
#ifndef EM_TILES_COLUMN
#define EM_TILES_COLUMN 20 /* bits of a column; a test makes tiles small */
#endif
#define EM_TILES_COLUMNS ((int64_t)1 << EM_TILES_COLUMN)
#define EM_TILES_PANELS  20 /* that all rows are cut into, at most: their sums take 16 bytes a row */
#define EM_TILES_FEWEST  ((int64_t)3 << 20)     /* agents below which a graph is not cut */
#define EM_TILES_FAR     (EM_TILES_COLUMNS / 8) /* between two agents that are not near each other */
#define EM_TILES_AHEAD   32 /* words between the one that is added and the one whose phasor is fetched */

static inline em_tiles *em_tiles_of(const em_graph *graph)
{
    return atomic_load_explicit(&((em_graph *)(uintptr_t)graph)->tiles, memory_order_acquire);
}

/* Makes them the graph's; by whoever holds off others that would make them. */
static inline void em_tiles_offer(em_graph *graph, em_tiles *tiles)
{
    atomic_store_explicit(&graph->tiles, tiles, memory_order_release);
}

/* Whether tiles pay: many agents, float32 phasors, and most edges of a sample reach far. */
static inline bool em_tiles_pay(const em_graph *graph, bool single)
{
    if (graph->kind != EM_GRAPH_STORED || graph->weights != NULL || !single) return false;
    if (graph->n < EM_TILES_FEWEST || graph->ends < graph->n) return false;
    const int64_t blocks = em_graph_blocks(graph->n), step = blocks / 64;
    int64_t seen = 0, far = 0;
    for (int64_t block = 0; block < blocks; block += step)
        for (int64_t e = graph->start[block]; e < graph->start[block + 1]; e++, seen++)
            far += llabs(graph->indices[e] - block * EM_GRAPH_BLOCK) > EM_TILES_FAR;
    return far > seen / 2;
}

static inline em_tiles *em_tiles_create(const em_graph *graph)
{
    em_tiles *tiles = em_base_alloc(sizeof *tiles);
    if (tiles == NULL) return NULL;
    *tiles = (em_tiles){
        .bands = (graph->n + EM_TILES_BAND - 1) / EM_TILES_BAND,
        .columns = (graph->n + EM_TILES_COLUMNS - 1) / EM_TILES_COLUMNS,
    };
    tiles->run = em_base_alloc((size_t)(tiles->bands * (tiles->columns + 1)) * sizeof *tiles->run);
    tiles->word = em_base_alloc((size_t)(graph->ends + EM_TILES_AHEAD) * sizeof *tiles->word);
    if (tiles->run == NULL || tiles->word == NULL) {
        em_graph_free_tiles(tiles);
        return NULL;
    }
    memset(tiles->word + graph->ends, 0, EM_TILES_AHEAD * sizeof *tiles->word);
    return tiles;
}

static inline int64_t em_tiles_size(const em_tiles *tiles, const em_graph *graph)
{
    if (tiles == NULL) return 0;
    return (int64_t)sizeof *tiles + 8 * tiles->bands * (tiles->columns + 1) +
           4 * (graph->ends + EM_TILES_AHEAD);
}

/* Cuts one band; bands in any order, by any worker. */
static inline void em_tiles_cut(em_tiles *tiles, const em_graph *graph, int64_t band)
{
    const int64_t begin = band * (EM_TILES_BAND / EM_GRAPH_BLOCK), all = em_graph_blocks(graph->n);
    const int64_t end =
        begin + EM_TILES_BAND / EM_GRAPH_BLOCK < all ? begin + EM_TILES_BAND / EM_GRAPH_BLOCK : all;
    int64_t *run = tiles->run + band * (tiles->columns + 1);
    for (int64_t c = 0; c <= tiles->columns; c++) run[c] = 0;
    for (int64_t e = graph->start[begin]; e < graph->start[end]; e++)
        run[graph->indices[e] >> EM_TILES_COLUMN]++;
    for (int64_t c = 0, before = graph->start[begin]; c <= tiles->columns; c++) {
        int64_t here = run[c];
        run[c] = before;
        before += here;
    }
    for (int64_t block = begin; block < end; block++) {
        em_rows_walk walk = em_rows_enter(graph, block), row[EM_GRAPH_BLOCK];
        while (em_rows_next(&walk)) row[walk.agent - walk.first] = walk;
        for (int64_t i = 0; i < walk.count; i++)
            for (int64_t e = 0; e < row[i].degree; e++) {
                const int32_t j = graph->indices[em_rows_place(&row[i], e)];
                const uint32_t at = (uint32_t)(row[i].agent - band * EM_TILES_BAND);
                tiles->word[run[j >> EM_TILES_COLUMN]++] =
                    at << EM_TILES_COLUMN | ((uint32_t)j & (uint32_t)(EM_TILES_COLUMNS - 1));
            }
    }
    for (int64_t c = tiles->columns; c > 0; c--) run[c] = run[c - 1];
    run[0] = graph->start[begin];
}

/* Blocks of a panel: whole bands. */
static inline int64_t em_tiles_panel(const em_tiles *tiles)
{
    return (tiles->bands + EM_TILES_PANELS - 1) / EM_TILES_PANELS * (EM_TILES_BAND / EM_GRAPH_BLOCK);
}

/* Bytes of the sums of a panel. */
static inline size_t em_tiles_sums_size(const em_tiles *tiles)
{
    return (size_t)(em_tiles_panel(tiles) * EM_GRAPH_BLOCK) * sizeof(em_table_pair);
}

/* The sums of the rows of a panel, from a table of pairs. */
static inline void em_tiles_add_up(
    const em_tiles *tiles, const em_table *table, int64_t panel, em_table_pair *restrict sums)
{
    const int64_t many = em_tiles_panel(tiles) / (EM_TILES_BAND / EM_GRAPH_BLOCK), first = panel * many;
    const int64_t last = first + many < tiles->bands ? first + many : tiles->bands;
    memset(sums, 0, em_tiles_sums_size(tiles));
    for (int64_t c = 0; c < tiles->columns; c++) {
        const em_table_small *cells = (const em_table_small *)table->cells + (c << EM_TILES_COLUMN);
        for (int64_t band = first; band < last; band++) {
            const int64_t *run = tiles->run + band * (tiles->columns + 1) + c;
            em_table_pair *restrict sum = sums + (band - first) * EM_TILES_BAND;
            for (int64_t w = run[0]; w < run[1]; w++) {
                const uint32_t word = tiles->word[w], ahead = tiles->word[w + EM_TILES_AHEAD];
                EM_BASE_FETCH(cells + (ahead & (uint32_t)(EM_TILES_COLUMNS - 1)));
                em_table_pair other = EM_TABLE_WIDEN(cells[word & (uint32_t)(EM_TILES_COLUMNS - 1)]);
                EM_TABLE_ADD(sum[word >> EM_TILES_COLUMN], other, 1.0);
            }
        }
    }
}

#endif
