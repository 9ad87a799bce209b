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

#include "em_atomic.h"
#include "em_graph.h"
#include "em_phase.h"

#define EM_SENSE_CHANNELS 1 /* most channels that a model here asks for */

typedef struct {
    const em_graph *graph;
    const double *phasor[EM_SENSE_CHANNELS]; /* [n][2]: cosine and sine of each agent */
    bool latest;                             /* the table is one of relaxed words, written while it is read */
    double total[EM_SENSE_CHANNELS][2];      /* their sums, for complete graphs */
    double scale;                            /* 1 / n_i, the same for all; 0: n_i is the sum of |weights| */
} em_sense;

/* A phasor is read and added as a whole, by vector or by parts with the same bits. A table that others write at
 * the same time (`latest`) is one of relaxed words: cosine and sine may then be of different moments, which is
 * an error of the size of the staleness itself, and none at a fixed point. */
#if defined(__GNUC__)
typedef double em_sense_pair __attribute__((vector_size(16), may_alias));
#define EM_SENSE_PART(pair, k)     ((pair)[k])
#define EM_SENSE_ADD(sum, pair, w) ((sum) += (w) * (pair))
#else
typedef struct {
    double part[2];
} em_sense_pair;
#define EM_SENSE_PART(pair, k) ((pair).part[k])
#define EM_SENSE_ADD(sum, pair, w)                                                                           \
    ((sum).part[0] += (w) * (pair).part[0], (sum).part[1] += (w) * (pair).part[1])
#endif

static inline em_sense_pair em_sense_read(const double *z, int64_t j, bool latest)
{
    if (!latest) return *(const em_sense_pair *)(z + 2 * j);
    const em_word *word = (const em_word *)z + 2 * j;
    return (em_sense_pair){
        em_phase_from_bits(em_atomic_load(word, memory_order_relaxed)),
        em_phase_from_bits(em_atomic_load(word + 1, memory_order_relaxed))};
}

/* The sums of `count` rows from `first` on, whose edges start at `edge`. */
static inline void em_sense_rows(
    const em_graph *graph, const double *z, bool weighted, bool latest, int64_t first, int64_t count,
    int64_t edge, double *restrict re, double *restrict im)
{
    for (int64_t i = 0; i < count; i++) {
        em_sense_pair sum = {0};
        for (int64_t end = edge + graph->degree[first + i]; edge < end; edge++) {
            em_sense_pair other = em_sense_read(z, graph->indices[edge], latest);
            EM_SENSE_ADD(sum, other, weighted ? graph->weights[edge] : 1.0);
        }
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
        if (sense->scale == 0.0 && sense->graph->strength == NULL)
            one = 1.0 / (degree[first + i] > 0 ? degree[first + i] : 1);
        if (sense->scale == 0.0 && sense->graph->strength != NULL)
            one = 1.0 / (sense->graph->strength[first + i] > 0.0 ? sense->graph->strength[first + i] : 1.0);
        re[i] *= one;
        im[i] *= one;
    }
}

/* The fields of agents first .. first + count - 1, whose rows start at `edge` and whose own phasors are `cosine`
 * and `sine`; `field` is [channels][2][BLOCK], own phasors are [channels][BLOCK]. */
static inline void em_sense_block(
    const em_sense *sense, int channels, int64_t first, int64_t count, int64_t edge, const double *cosine,
    const double *sine, double *restrict field)
{
    const em_graph *graph = sense->graph;
    for (int c = 0; c < channels; c++) {
        double *re = field + (2 * c) * EM_GRAPH_BLOCK, *im = field + (2 * c + 1) * EM_GRAPH_BLOCK;
        const double *z = sense->phasor[c];
        if (graph->kind == EM_GRAPH_COMPLETE) {
            double scale =
                sense->scale != 0.0 ? sense->scale : 1.0 / (double)(graph->n > 1 ? graph->n - 1 : 1);
            em_sense_complete(
                sense->total[c], scale, count, cosine + c * EM_GRAPH_BLOCK, sine + c * EM_GRAPH_BLOCK, re,
                im);
            continue;
        }
        if (sense->latest && graph->weights != NULL)
            em_sense_rows(graph, z, true, true, first, count, edge, re, im);
        else if (sense->latest)
            em_sense_rows(graph, z, false, true, first, count, edge, re, im);
        else if (graph->weights != NULL)
            em_sense_rows(graph, z, true, false, first, count, edge, re, im);
        else
            em_sense_rows(graph, z, false, false, first, count, edge, re, im);
        em_sense_normalise(sense, first, count, re, im);
    }
}

#endif
