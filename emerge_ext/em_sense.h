/* em_sense.h: the field of a block: what its agents sense of all others.
 *
 * For each of m channels, channel c of agent i gets
 *
 *     H_i = (1 / n_i) * sum over j of w_ij * z_j,      z = (cosine, sine) of the channel's phasor table
 *
 * as two arrays, real and imaginary part. Kuramoto has one channel, e^{i theta}. A row is added in ascending
 * order of neighbours with one accumulator (lattices: in the order of em_lattice.h; groups: in the order of groups):
 * the order of addition is a property of the topology, so the bits are the same for every team and every cutting
 * into blocks. An agent that senses nobody has the field 0.
 *
 * Where there are triads (em_triads.h), what they add up to follows the last channel, by the phasors of the first.
 *
 * This room knows graphs and phasors. It knows neither models, nor integrators, nor schedules.
 */
#ifndef EM_SENSE_H
#define EM_SENSE_H

#include "em_lattice.h"
#include "em_sums.h"
#include "em_tiles.h"
#include "em_triads.h"

#define EM_SENSE_CHANNELS 4  /* most channels that a model here asks for */
#define EM_SENSE_AHEAD    48 /* edges between the one that is added and the one whose phasor is fetched */
#define EM_SENSE_FAR      (4 << 20) /* bytes of a table from which on it pays to fetch ahead */

typedef struct {
    const em_graph *graph;
    em_table table[EM_SENSE_CHANNELS];      /* the phasors that are sensed */
    const em_sums *sums[EM_SENSE_CHANNELS]; /* of the phasors of each group, for graphs of groups */
    bool running;                           /* the running ones of these are meant */
    const em_triads *triads;                /* or NULL */
    const em_table_pair *ready; /* sums of the rows of the block, by agent, or NULL: to be added up */
    double scale;               /* 1 / n_i, the same for all; 0: n_i is the sum of |weights| */
} em_sense;

typedef struct { /* what the loops over rows are told by constants */
    bool weighted, single, latest, far;
} em_sense_form;

/* What the sum of row `row` of all is multiplied with. */
static inline double em_sense_scale(const em_sense *sense, int64_t row, int64_t degree)
{
    if (sense->scale != 0.0) return sense->scale;
    if (sense->graph->divisor != NULL) return sense->graph->divisor[row];
    return 1.0 / (double)(degree > 0 ? degree : 1);
}

/* Adds edge `e`. Where the table outgrows the caches (`far`), the phasor of an edge to come is fetched. */
static EM_BASE_INLINE void em_sense_edge(
    const em_graph *graph, const void *cells, em_sense_form form, int64_t e, em_table_pair *sum)
{
    const size_t cell = form.single ? 2 * sizeof(float) : 2 * sizeof(double);
    em_table_pair other = em_table_pick(cells, graph->indices[e], form.single, form.latest);
    EM_TABLE_ADD(*sum, other, form.weighted ? graph->weights[e] : 1.0);
    if (form.far) EM_BASE_FETCH((const char *)cells + cell * (size_t)graph->indices[e + EM_SENSE_AHEAD]);
}

typedef struct { /* where the fields of a block go, and by what they are multiplied */
    const em_sense *sense;
    int64_t first;
    double *restrict re, *restrict im;
    int64_t degree; /* the last one whose scale is known; -1: each row has its own */
    em_table_pair scale;
} em_sense_rows;

static inline em_sense_rows em_sense_begin(const em_sense *sense, int64_t first, double *re, double *im)
{
    return (em_sense_rows){sense, first, re, im, -1, {0}};
}

/* Rows of a block stand by degree, so the scale is seldom another one. */
static EM_BASE_INLINE void em_sense_keep(em_sense_rows *rows, int64_t row, int64_t degree, em_table_pair sum)
{
    const em_graph *graph = rows->sense->graph;
    const uint16_t i = graph->order[row];
    if (degree != rows->degree) {
        const double one = em_sense_scale(rows->sense, row, degree);
        rows->degree = graph->divisor == NULL ? degree : -1;
        rows->scale = (em_table_pair){one, one};
    }
    const em_table_pair field = EM_TABLE_PRODUCT(sum, rows->scale);
    rows->re[i] = EM_TABLE_PART(field, 0);
    rows->im[i] = EM_TABLE_PART(field, 1);
}

/* The fields of a block: strips of four rows side by side, what they have in common first; then the rows that are
 * left. `edge` goes through all its edges as they stand (em_rows.h). */
static EM_BASE_INLINE void em_sense_strips(
    em_sense_rows rows, const void *cells, em_sense_form form, int64_t count, int64_t edge)
{
    const em_graph *graph = rows.sense->graph;
    const int32_t *degree = graph->degree + rows.first;
    int64_t k = 0;
    for (; k + EM_GRAPH_STRIP <= count; k += EM_GRAPH_STRIP) {
        const int64_t d0 = degree[k], d1 = degree[k + 1], d2 = degree[k + 2], d3 = degree[k + 3];
        em_table_pair s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
        for (int64_t end = edge + EM_GRAPH_STRIP * d0; edge < end; edge += EM_GRAPH_STRIP) {
            em_sense_edge(graph, cells, form, edge, &s0);
            em_sense_edge(graph, cells, form, edge + 1, &s1);
            em_sense_edge(graph, cells, form, edge + 2, &s2);
            em_sense_edge(graph, cells, form, edge + 3, &s3);
        }
        if (d3 > d0) {
            for (int64_t end = edge + (d1 - d0); edge < end; edge++)
                em_sense_edge(graph, cells, form, edge, &s1);
            for (int64_t end = edge + (d2 - d0); edge < end; edge++)
                em_sense_edge(graph, cells, form, edge, &s2);
            for (int64_t end = edge + (d3 - d0); edge < end; edge++)
                em_sense_edge(graph, cells, form, edge, &s3);
        }
        em_sense_keep(&rows, rows.first + k, d0, s0);
        em_sense_keep(&rows, rows.first + k + 1, d1, s1);
        em_sense_keep(&rows, rows.first + k + 2, d2, s2);
        em_sense_keep(&rows, rows.first + k + 3, d3, s3);
    }
    for (; k < count; k++) {
        em_table_pair sum = {0};
        for (int64_t end = edge + degree[k]; edge < end; edge++)
            em_sense_edge(graph, cells, form, edge, &sum);
        em_sense_keep(&rows, rows.first + k, degree[k], sum);
    }
}

/* The same, of sums that tiles have made. */
static inline void em_sense_ready(em_sense_rows rows, int64_t count)
{
    const em_graph *graph = rows.sense->graph;
    for (int64_t k = rows.first; k < rows.first + count; k++)
        em_sense_keep(&rows, k, graph->degree[k], rows.sense->ready[graph->order[k]]);
}

/* Chooses the loop by what the table and the graph are like: one copy of it for each. */
static inline void em_sense_stored(
    const em_sense *sense, const em_table *table, int64_t first, int64_t count, double *restrict re,
    double *restrict im)
{
    const em_graph *graph = sense->graph;
    const void *cells = table->cells;
    const bool far = em_table_size(table->n, table->single) >= EM_SENSE_FAR;
    const int64_t edge = graph->start[first / EM_GRAPH_BLOCK];
    const em_sense_rows rows = em_sense_begin(sense, first, re, im);
    if (sense->ready != NULL) {
        em_sense_ready(rows, count);
        return;
    }
#define EM_SENSE_CASE(W, S, L, F)                                                                            \
    case (W) + 2 * (S) + 4 * (L) + 8 * (F):                                                                  \
        em_sense_strips(rows, cells, (em_sense_form){W, S, L, F}, count, edge);                              \
        return
    switch ((graph->weights != NULL) + 2 * table->single + 4 * table->latest + 8 * far) {
        EM_SENSE_CASE(0, 0, 0, 0);
        EM_SENSE_CASE(1, 0, 0, 0);
        EM_SENSE_CASE(0, 1, 0, 0);
        EM_SENSE_CASE(1, 1, 0, 0);
        EM_SENSE_CASE(0, 0, 1, 0);
        EM_SENSE_CASE(1, 0, 1, 0);
        EM_SENSE_CASE(0, 1, 1, 0);
        EM_SENSE_CASE(1, 1, 1, 0);
        EM_SENSE_CASE(0, 0, 0, 1);
        EM_SENSE_CASE(1, 0, 0, 1);
        EM_SENSE_CASE(0, 1, 0, 1);
        EM_SENSE_CASE(1, 1, 0, 1);
        EM_SENSE_CASE(0, 0, 1, 1);
        EM_SENSE_CASE(1, 0, 1, 1);
        EM_SENSE_CASE(0, 1, 1, 1);
        EM_SENSE_CASE(1, 1, 1, 1);
    }
#undef EM_SENSE_CASE
}

/* One agent of a stored graph, for those who do not go block by block: O(block). */
static inline void em_sense_alone(
    const em_sense *sense, const em_table *table, int64_t agent, double *restrict re, double *restrict im)
{
    const em_graph *graph = sense->graph;
    em_rows_walk walk = em_rows_find(graph, agent);
    em_table_pair sum = {0};
    for (int64_t e = 0; e < walk.degree; e++) {
        int64_t at = em_rows_place(&walk, e);
        em_table_pair other = em_table_read(table, graph->indices[at]);
        EM_TABLE_ADD(sum, other, graph->weights == NULL ? 1.0 : graph->weights[at]);
    }
    double one = em_sense_scale(sense, walk.first + walk.row, walk.degree);
    *re = EM_TABLE_PART(sum, 0) * one;
    *im = EM_TABLE_PART(sum, 1) * one;
}

/* Sums along a line: agents first .. first + count - 1 of a lattice sense those at the same distances. */
static inline void em_sense_line(
    const em_table *table, int64_t first, int64_t count, const int32_t *shift, int shifts, double one,
    double *restrict re, double *restrict im)
{
    const int64_t apart = em_table_apart(table->n);
    const float *small = (const float *)table->cells + first;
    const double *cell = (const double *)table->cells + first;
    int64_t i = 0;
#if EM_LANE_VECTORS
    enum { V = EM_LANE_ABREAST, W = EM_LANE_WIDTH };
    for (; i + V * W <= count; i += V * W) {
        em_lane x[V] = {0}, y[V] = {0};
        if (table->single)
            for (int k = 0; k < shifts; k++)
                for (int v = 0; v < V; v++) {
                    const float *at = small + i + shift[k] + v * W;
                    x[v] += __builtin_convertvector(*(const em_lane_of_float *)at, em_lane);
                    y[v] += __builtin_convertvector(*(const em_lane_of_float *)(at + apart), em_lane);
                }
        else
            for (int k = 0; k < shifts; k++)
                for (int v = 0; v < V; v++) {
                    const double *at = cell + i + shift[k] + v * W;
                    x[v] += *(const em_lane_of *)at;
                    y[v] += *(const em_lane_of *)(at + apart);
                }
        for (int v = 0; v < V; v++) {
            *(em_lane_of *)(re + i + v * W) = x[v] * one;
            *(em_lane_of *)(im + i + v * W) = y[v] * one;
        }
    }
#endif
    for (; i < count; i++) {
        double x = 0.0, y = 0.0;
        for (int k = 0; k < shifts; k++) {
            x += table->single ? (double)small[i + shift[k]] : cell[i + shift[k]];
            y += table->single ? (double)small[i + shift[k] + apart] : cell[i + shift[k] + apart];
        }
        re[i] = x * one;
        im[i] = y * one;
    }
}

static inline void em_sense_lattice(
    const em_sense *sense, const em_table *table, int64_t first, int64_t count, double *restrict re,
    double *restrict im)
{
    int32_t shift[EM_LATTICE_SHIFTS];
    int64_t begin, end;
    for (int64_t i = 0; i < count;) {
        int shifts = em_lattice_shifts(sense->graph, first + i, shift);
        double one = em_sense_scale(sense, first + i, shifts);
        em_lattice_inner(sense->graph, first + i, &begin, &end);
        int64_t length = 1;
        if (first + i >= begin && first + i < end)
            length = (end < first + count ? end : first + count) - first - i;
        if (!table->pairs) {
            em_sense_line(table, first + i, length, shift, shifts, one, re + i, im + i);
        } else {
            for (int64_t j = i; j < i + length; j++) {
                em_table_pair sum = {0};
                for (int k = 0; k < shifts; k++) {
                    em_table_pair other = em_table_read(table, first + j + shift[k]);
                    EM_TABLE_ADD(sum, other, 1.0);
                }
                re[j] = EM_TABLE_PART(sum, 0) * one;
                im[j] = EM_TABLE_PART(sum, 1) * one;
            }
        }
        i += length;
    }
}

static inline void em_sense_groups(
    const em_sense *sense, int channel, int64_t first, int64_t count, const double *cosine,
    const double *sine, double *restrict re, double *restrict im)
{
    const em_graph *graph = sense->graph;
    int32_t group = em_groups_of(graph, first);
    for (int64_t i = first, end; i < first + count; i = end, group++) {
        double field[2];
        end = em_groups_piece(graph, group, first + count);
        em_sums_field(sense->sums[channel], graph, group, sense->running, field);
        em_groups_sense(
            graph, group, field, sense->scale, end - i, cosine + (i - first), sine + (i - first),
            re + (i - first), im + (i - first));
    }
}

/* The fields of agents first .. first + count - 1, a block or one agent, whose own phasors are `cosine` and `sine`;
 * in each channel; `field` is [channels][2][BLOCK], and one more where there are triads. Tiles have made the sums of the
 * first channel, if of any. */
static inline void em_sense_block(
    const em_sense *sense, int channels, int64_t first, int64_t count, double *const *cosine,
    double *const *sine, double *restrict field)
{
    for (int c = 0; c < channels; c++) {
        double *re = field + (2 * c) * EM_GRAPH_BLOCK, *im = field + (2 * c + 1) * EM_GRAPH_BLOCK;
        const em_table *table = &sense->table[c];
        switch (sense->graph->kind) {
        case EM_GRAPH_STORED:
            if (count == 1 && sense->ready == NULL)
                em_sense_alone(sense, table, first, re, im);
            else
                em_sense_stored(sense, table, first, count, re, im);
            break;
        case EM_GRAPH_LATTICE:
            em_sense_lattice(sense, table, first, count, re, im);
            break;
        case EM_GRAPH_GROUPS:
            em_sense_groups(sense, c, first, count, cosine[c], sine[c], re, im);
            break;
        }
    }
    if (sense->triads == NULL) return;
    double *re = field + 2 * channels * EM_GRAPH_BLOCK;
    em_triads_sense(
        sense->triads, &sense->table[0], sense->scale, first, count, cosine[0], sine[0], re,
        re + EM_GRAPH_BLOCK);
}

#endif
