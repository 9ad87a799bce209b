/* em_triads.h: interactions of three agents at once, and the field that they make.
 *
 * A triad is sensed by each of its agents. Agent i lists the other two, j and k, of each of its triads, and senses
 *
 *     T_i = (1 / n_i) * sum of s z_j z_k z_i*                       symmetric: pulls by sin(j + k - 2 i)
 *     T_i = (1 / n_i) * sum of s (z_j z_j z_k* + z_k z_k z_j*) / 2  asymmetric: by sin(2 j - k - i) and sin(2 k - j - i)
 *
 * with z the phasors of agents, so that the pull is Im(T_i z_i*) in either. Triads are added in the order of the list:
 * the same bits for any team. Made once, then only read.
 */
#ifndef EM_TRIADS_H
#define EM_TRIADS_H

#include "em_table.h"

#define EM_TRIADS_AHEAD 16 /* triads between the one that is added and those whose phasors are fetched */

typedef struct {
    int64_t n;
    int64_t ends;     /* three of each triad */
    int64_t *start;   /* [n + 1] */
    uint32_t *pair;   /* [ends + EM_TRIADS_AHEAD][2]: twice an agent: numbers before its phasor */
    double *strength; /* [ends], or NULL: 1 each */
    double *divisor;  /* [n]: 1 / the sum of |strengths| of an agent's triads */
    bool symmetric;
} em_triads;

static inline void em_triads_free(em_triads *triads)
{
    if (triads == NULL) return;
    em_base_free(triads->start);
    em_base_free(triads->pair);
    em_base_free(triads->strength);
    em_base_free(triads->divisor);
    em_base_free(triads);
}

static inline int64_t em_triads_size(const em_triads *triads)
{
    if (triads == NULL) return 0;
    return (int64_t)sizeof *triads + 16 * triads->n + 8 * (triads->ends + EM_TRIADS_AHEAD) +
           (triads->strength == NULL ? 0 : 8 * triads->ends);
}

/* Copies lists; `strength` or NULL. Returns NULL if there is no memory. */
static inline em_triads *em_triads_create(
    int64_t n, int64_t ends, const int64_t *start, const int32_t *pair, const double *strength,
    bool symmetric)
{
    em_triads *triads = em_base_alloc(sizeof *triads);
    if (triads == NULL) return NULL;
    *triads = (em_triads){.n = n, .ends = ends, .symmetric = symmetric};
    triads->start = em_base_alloc((size_t)(n + 1) * sizeof *triads->start);
    triads->pair = em_base_alloc((size_t)(2 * (ends + EM_TRIADS_AHEAD)) * sizeof *triads->pair);
    triads->divisor = em_base_alloc((size_t)n * sizeof *triads->divisor);
    if (strength != NULL) triads->strength = em_base_alloc((size_t)ends * sizeof *triads->strength);
    if (!triads->start || !triads->pair || !triads->divisor || (strength && !triads->strength)) {
        em_triads_free(triads);
        return NULL;
    }
    memcpy(triads->start, start, (size_t)(n + 1) * sizeof *start);
    memset(triads->pair + 2 * ends, 0, 2 * EM_TRIADS_AHEAD * sizeof *triads->pair);
    for (int64_t k = 0; k < 2 * ends; k++) triads->pair[k] = 2 * (uint32_t)pair[k];
    if (strength != NULL && ends > 0) memcpy(triads->strength, strength, (size_t)ends * sizeof *strength);
    for (int64_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (int64_t e = start[i]; e < start[i + 1]; e++) sum += strength == NULL ? 1.0 : fabs(strength[e]);
        triads->divisor[i] = sum > 0.0 ? 1.0 / sum : 1.0;
    }
    return triads;
}

typedef struct { /* what the loop is told by constants */
    bool plain;  /* a table of pairs that nobody writes */
    bool single;
    bool symmetric;
    bool weighted;
} em_triads_form;

static EM_BASE_INLINE em_table_pair
em_triads_look(const em_table *table, em_triads_form form, uint32_t number)
{
    if (!form.plain) return em_table_read(table, number / 2);
    if (form.single) return EM_TABLE_WIDEN(*(const em_table_small *)((const float *)table->cells + number));
    return *(const em_table_pair *)((const double *)table->cells + number);
}

static EM_BASE_INLINE void em_triads_fetch(const em_table *table, em_triads_form form, const uint32_t *pair)
{
    const size_t size = form.single ? sizeof(float) : sizeof(double);
    if (!form.plain) return;
    EM_BASE_FETCH((const char *)table->cells + size * pair[0]);
    EM_BASE_FETCH((const char *)table->cells + size * pair[1]);
}

/* Adds the triads of an agent: z_j z_k, from products of like parts and of unlike ones. */
static EM_BASE_INLINE em_table_pair
em_triads_symmetric(const em_triads *triads, const em_table *table, em_triads_form form, int64_t agent)
{
    em_table_pair like = {0}, unlike = {0};
    for (int64_t e = triads->start[agent]; e < triads->start[agent + 1]; e++) {
        const uint32_t *pair = triads->pair + 2 * e;
        const em_table_pair one = em_triads_look(table, form, pair[0]),
                            two = em_triads_look(table, form, pair[1]),
                            swapped = {EM_TABLE_PART(two, 1), EM_TABLE_PART(two, 0)};
        const double s = form.weighted ? triads->strength[e] : 1.0;
        em_triads_fetch(table, form, pair + 2 * EM_TRIADS_AHEAD);
        EM_TABLE_ADD_PRODUCT(like, one, two, s);
        EM_TABLE_ADD_PRODUCT(unlike, one, swapped, s);
    }
    return (em_table_pair){
        EM_TABLE_PART(like, 0) - EM_TABLE_PART(like, 1), EM_TABLE_PART(unlike, 0) + EM_TABLE_PART(unlike, 1)};
}

/* The same of z_j z_j z_k* + z_k z_k z_j*, halved; of unit phasors or of 0. */
static EM_BASE_INLINE em_table_pair
em_triads_asymmetric(const em_triads *triads, const em_table *table, em_triads_form form, int64_t agent)
{
    double re = 0.0, im = 0.0;
    for (int64_t e = triads->start[agent]; e < triads->start[agent + 1]; e++) {
        const uint32_t *pair = triads->pair + 2 * e;
        const em_table_pair one = em_triads_look(table, form, pair[0]),
                            two = em_triads_look(table, form, pair[1]);
        const double a = EM_TABLE_PART(one, 0), b = EM_TABLE_PART(one, 1), c = EM_TABLE_PART(two, 0),
                     d = EM_TABLE_PART(two, 1), s = form.weighted ? triads->strength[e] : 1.0;
        const double x = a * c + b * d, y = b * c - a * d; /* z_j z_k* */
        em_triads_fetch(table, form, pair + 2 * EM_TRIADS_AHEAD);
        re += s * 0.5 * ((a * x - b * y) + (c * x + d * y));
        im += s * 0.5 * ((a * y + b * x) + (d * x - c * y));
    }
    return (em_table_pair){re, im};
}

static EM_BASE_INLINE void em_triads_add_all(
    const em_triads *triads, const em_table *table, em_triads_form form, double scale, int64_t first,
    int64_t count, const double *restrict cosine, const double *restrict sine, double *restrict re,
    double *restrict im)
{
    for (int64_t i = 0; i < count; i++) {
        const em_table_pair sum = form.symmetric ? em_triads_symmetric(triads, table, form, first + i)
                                                 : em_triads_asymmetric(triads, table, form, first + i);
        const double by = scale != 0.0 ? scale * scale : triads->divisor[first + i];
        const double x = EM_TABLE_PART(sum, 0) * by, y = EM_TABLE_PART(sum, 1) * by;
        re[i] = form.symmetric ? x * cosine[i] + y * sine[i] : x;
        im[i] = form.symmetric ? y * cosine[i] - x * sine[i] : y;
    }
}

/* The field of agents first .. first + count - 1, whose own phasors are `cosine` and `sine`; n_i is 1 / scale^2, or the
 * sum of |strengths| where `scale` is 0. */
static inline void em_triads_sense(
    const em_triads *triads, const em_table *table, double scale, int64_t first, int64_t count,
    const double *cosine, const double *sine, double *restrict re, double *restrict im)
{
    const bool plain = table->pairs && !table->latest;
#define EM_TRIADS_CASE(P, G, S, W)                                                                           \
    case (P) + 2 * (G) + 4 * (S) + 8 * (W):                                                                  \
        em_triads_add_all(                                                                                   \
            triads, table, (em_triads_form){P, G, S, W}, scale, first, count, cosine, sine, re, im);         \
        return
    switch (plain + 2 * (plain && table->single) + 4 * triads->symmetric + 8 * (triads->strength != NULL)) {
        EM_TRIADS_CASE(0, 0, 0, 0);
        EM_TRIADS_CASE(1, 0, 0, 0);
        EM_TRIADS_CASE(1, 1, 0, 0);
        EM_TRIADS_CASE(0, 0, 1, 0);
        EM_TRIADS_CASE(1, 0, 1, 0);
        EM_TRIADS_CASE(1, 1, 1, 0);
        EM_TRIADS_CASE(0, 0, 0, 1);
        EM_TRIADS_CASE(1, 0, 0, 1);
        EM_TRIADS_CASE(1, 1, 0, 1);
        EM_TRIADS_CASE(0, 0, 1, 1);
        EM_TRIADS_CASE(1, 0, 1, 1);
        EM_TRIADS_CASE(1, 1, 1, 1);
    }
#undef EM_TRIADS_CASE
}

#endif
