/* em_sense.h: the field of a block: what its agents sense of all others.
 *
 * For each of m channels, channel c of agent i gets
 *
 *     H_i = (1 / n_i) * sum over j of w_ij * z_j,      z = (cosine, sine) of the channel's phasor table
 *
 * as two arrays, real and imaginary part. Kuramoto has one channel, e^{i theta}. A row is added in ascending
 * order of neighbours with one accumulator: the order of addition is a property of the topology, so the bits
 * are the same for every team and every cutting into blocks. An agent that senses nobody has the field 0.
 *
 * This room knows graphs and phasors. It knows neither models, nor integrators, nor schedules.
 */
#ifndef EM_SENSE_H
#define EM_SENSE_H

#include "em_graph.h"

#define EM_SENSE_CHANNELS 1 /* most channels that a model here asks for */

typedef struct {
    const em_graph *graph;
    const double *phasor[EM_SENSE_CHANNELS]; /* [n][2]: cosine and sine of each agent */
    double total[EM_SENSE_CHANNELS][2];      /* their sums, for complete graphs */
    const double *strength;                  /* n_i of each agent, or NULL: see `scale` */
    double scale;                            /* 1 / n, the same for all; 0: n_i is the degree */
} em_sense;

/* A phasor is read and added as a whole, in either of two ways with the same bits. */
#if defined(__GNUC__)
typedef double em_sense_pair __attribute__((vector_size(16), may_alias));
#define EM_SENSE_READ(z, j)              (*(const em_sense_pair *)((z) + 2 * (int64_t)(j)))
#define EM_SENSE_ADD(sum, z, j)          ((sum) += EM_SENSE_READ(z, j))
#define EM_SENSE_ADD_TIMES(sum, w, z, j) ((sum) += (w) * EM_SENSE_READ(z, j))
#define EM_SENSE_PART(sum, k)            ((sum)[k])
#else
typedef struct {
    double part[2];
} em_sense_pair;
#define EM_SENSE_ADD(sum, z, j) EM_SENSE_ADD_TIMES(sum, 1.0, z, j)
#define EM_SENSE_ADD_TIMES(sum, w, z, j)                                                                     \
    ((sum).part[0] += (w) * (z)[2 * (int64_t)(j)], (sum).part[1] += (w) * (z)[2 * (int64_t)(j) + 1])
#define EM_SENSE_PART(sum, k) ((sum).part[k])
#endif

static inline void em_sense_stored(
    const em_graph *graph, const double *restrict z, int64_t first, int64_t count, double *restrict re,
    double *restrict im)
{
    const int32_t *restrict degree = graph->degree + first;
    const int32_t *restrict j = graph->indices + graph->start[first / EM_GRAPH_BLOCK];
    for (int64_t i = 0; i < count; i++) {
        em_sense_pair sum = {0};
        for (const int32_t *end = j + degree[i]; j < end; j++) EM_SENSE_ADD(sum, z, *j);
        re[i] = EM_SENSE_PART(sum, 0);
        im[i] = EM_SENSE_PART(sum, 1);
    }
}

static inline void em_sense_weighted(
    const em_graph *graph, const double *restrict z, int64_t first, int64_t count, double *restrict re,
    double *restrict im)
{
    const int32_t *restrict degree = graph->degree + first;
    int64_t k = graph->start[first / EM_GRAPH_BLOCK];
    for (int64_t i = 0; i < count; i++) {
        em_sense_pair sum = {0};
        for (int64_t end = k + degree[i]; k < end; k++)
            EM_SENSE_ADD_TIMES(sum, graph->weights[k], z, graph->indices[k]);
        re[i] = EM_SENSE_PART(sum, 0);
        im[i] = EM_SENSE_PART(sum, 1);
    }
}

/* Everybody but oneself: the sum of all, less one's own. */
static inline void em_sense_complete(
    const double *total, double scale, int64_t count, const double *restrict cosine,
    const double *restrict sine, double *restrict re, double *restrict im)
{
    const double x = total[0], y = total[1];
    for (int64_t i = 0; i < count; i++) {
        re[i] = (x - cosine[i]) * scale;
        im[i] = (y - sine[i]) * scale;
    }
}

static inline void em_sense_normalise(
    const em_sense *sense, int64_t first, int64_t count, double *restrict re, double *restrict im)
{
    const int32_t *degree = sense->graph->degree;
    if (sense->scale == 1.0) return;
    for (int64_t i = 0; i < count; i++) { /* who senses nobody has the field 0 already */
        double one = sense->scale;
        if (sense->scale == 0.0 && sense->strength == NULL)
            one = 1.0 / (degree[first + i] > 0 ? degree[first + i] : 1);
        if (sense->scale == 0.0 && sense->strength != NULL)
            one = 1.0 / (sense->strength[first + i] > 0.0 ? sense->strength[first + i] : 1.0);
        re[i] *= one;
        im[i] *= one;
    }
}

/* The fields of agents first .. first + count - 1, which are one block, whose own phasors are `cosine` and
 * `sine`; `field` is [channels][2][BLOCK], as own phasors are [channels][BLOCK]. */
static inline void em_sense_block(
    const em_sense *sense, int channels, int64_t first, int64_t count, const double *cosine,
    const double *sine, double *restrict field)
{
    const em_graph *graph = sense->graph;
    for (int c = 0; c < channels; c++) {
        double *re = field + (2 * c) * EM_GRAPH_BLOCK, *im = field + (2 * c + 1) * EM_GRAPH_BLOCK;
        if (graph->kind == EM_GRAPH_COMPLETE) {
            double scale =
                sense->scale != 0.0 ? sense->scale : 1.0 / (double)(graph->n > 1 ? graph->n - 1 : 1);
            em_sense_complete(
                sense->total[c], scale, count, cosine + c * EM_GRAPH_BLOCK, sine + c * EM_GRAPH_BLOCK, re,
                im);
            continue;
        }
        if (graph->weights != NULL)
            em_sense_weighted(graph, sense->phasor[c], first, count, re, im);
        else
            em_sense_stored(graph, sense->phasor[c], first, count, re, im);
        em_sense_normalise(sense, first, count, re, im);
    }
}

#endif
