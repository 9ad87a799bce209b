/* em_list.h: edges as somebody else lists them: in arrays, or as text (em_text.h).
 *
 * A list is read in pieces where it lies, by any workers and as often as needed; nothing is kept of it. A `look` tells
 * what there is; then em_build.h makes rows of it, for which `walk` hands over the edges. Edges from an agent to itself
 * are counted and left out.
 *
 * Invariant: whatever is read is checked each time it is read, so that others may write to the list meanwhile and harm
 * nobody. Reading a piece ends at the first edge that cannot be read, names an agent that is not below `limit`, or has
 * a weight that is not finite; the list is then `odd`, and whoever knows what it lists finds out why.
 */
#ifndef EM_LIST_H
#define EM_LIST_H

#include "em_build.h"

typedef struct em_list em_list;

typedef struct { /* of one piece */
    em_build *build;
    em_build_take take; /* or NULL: this is a look */
    bool weighted;      /* whether weights are wanted */
    bool uneven;        /* a weight is not 1 */
    bool foreign;       /* there is text beyond ASCII, in comments */
    int32_t least, most;
    int64_t edges, loops;
    int size;
    int32_t one[EM_BUILD_BATCH], other[EM_BUILD_BATCH];
    double weight[EM_BUILD_BATCH];
} em_list_reader;

/* Puts the edges of a piece into the reader; false if one is odd. */
typedef bool (*em_list_read)(const em_list *list, int64_t piece, em_list_reader *reader);

struct em_list {
    em_list_read read;
    const void *given; /* what is read */
    int64_t pieces;
    int64_t limit;                                           /* agents are below */
    bool weighted;                                           /* whether a weight is listed with each edge */
    em_word edges, loops, least, most, uneven, foreign, odd; /* what a look has found */
};

static inline void em_list_init(
    em_list *list, em_list_read read, const void *given, int64_t pieces, int64_t limit, bool weighted)
{
    *list = (em_list){
        .read = read,
        .given = given,
        .pieces = pieces,
        .limit = limit,
        .weighted = weighted,
        .least = {UINT64_MAX},
    };
}

static inline void em_list_flush(em_list_reader *reader)
{
    if (reader->size > 0)
        reader->take(
            reader->build, reader->one, reader->other, reader->weighted ? reader->weight : NULL,
            reader->size);
    reader->size = 0;
}

static inline void em_list_put(em_list_reader *reader, int32_t one, int32_t other, double weight)
{
    int32_t low = one < other ? one : other, high = one < other ? other : one;
    if (low < reader->least) reader->least = low;
    if (high > reader->most) reader->most = high;
    reader->edges++;
    reader->loops += one == other;
    reader->uneven |= weight != 1.0;
    if (reader->take == NULL || one == other) return;
    reader->one[reader->size] = one;
    reader->other[reader->size] = other;
    reader->weight[reader->size] = weight;
    if (++reader->size == EM_BUILD_BATCH) em_list_flush(reader);
}

/* A walk; an odd edge among those that a look found sound leaves rows unfilled, which em_build_close finds. */
static inline void em_list_walk(em_build *build, int64_t piece, bool weighted, em_build_take take)
{
    const em_list *list = build->given;
    em_list_reader reader = {.build = build, .take = take, .weighted = weighted};
    list->read(list, piece, &reader);
    em_list_flush(&reader);
}

/* A phase, before all others, which needs no graph: what there is in the list. */
static inline void em_list_look(em_build *build, int64_t piece)
{
    em_list *list = build->given;
    em_list_reader reader = {.weighted = list->weighted, .least = INT32_MAX};
    if (em_atomic_load(&list->odd, memory_order_relaxed) != 0) return;
    if (!list->read(list, piece, &reader)) em_build_mark(&list->odd);
    if (reader.foreign) em_build_mark(&list->foreign);
    if (reader.edges == 0) return;
    if (reader.uneven) em_build_mark(&list->uneven);
    em_atomic_add(&list->edges, (uint64_t)reader.edges, memory_order_relaxed);
    em_atomic_add(&list->loops, (uint64_t)reader.loops, memory_order_relaxed);
    em_atomic_lower(&list->least, (uint64_t)reader.least, memory_order_relaxed);
    em_atomic_raise(&list->most, (uint64_t)reader.most, memory_order_relaxed);
}

/* ---- arrays */

typedef struct { /* whole numbers, `stride` bytes apart */
    const char *first;
    int64_t stride;
    bool wide; /* of 64 bits, else of 32 */
} em_list_column;

typedef struct {
    em_list_column one, other;
    const char *weight; /* float64, or NULL */
    int64_t stride, edges;
} em_list_arrays;

static inline int64_t em_list_entry(const em_list_column *column, int64_t k)
{
    const char *at = column->first + k * column->stride;
    return column->wide ? *(const int64_t *)at : *(const int32_t *)at;
}

static inline bool em_list_read_arrays(const em_list *list, int64_t piece, em_list_reader *reader)
{
    const em_list_arrays *arrays = list->given;
    const uint64_t limit = (uint64_t)list->limit;
    int64_t first = piece * EM_BUILD_CHUNK, end = first + EM_BUILD_CHUNK;
    if (end > arrays->edges) end = arrays->edges;
    for (int64_t k = first; k < end; k++) {
        const int64_t one = em_list_entry(&arrays->one, k), other = em_list_entry(&arrays->other, k);
        const double weight = reader->weighted ? *(const double *)(arrays->weight + k * arrays->stride) : 1.0;
        if ((uint64_t)one >= limit || (uint64_t)other >= limit || !isfinite(weight)) return false;
        em_list_put(reader, (int32_t)one, (int32_t)other, weight);
    }
    return true;
}

#endif
