/* em_adapt.h: adaptive steps: the pair of Dormand & Prince, 5(4), with dense output.
 *
 * J. R. Dormand, P. J. Prince, J. Comp. Appl. Math. 6, 19 (1980), doi:10.1016/0771-050X(80)90013-3; dense output and the
 * choice of steps after E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., II.4 and
 * II.6. Departures: the error is the largest of all agents', each divided by what it may be, and not their mean, so
 * that the worst agent can be named; phases have no size, so their errors may be absolute + relative rad, wherever on
 * the circle they are; a fifth root by Newton's method, so that no library decides about bits.
 *
 * A step begins at `base` and ends at `end`; it is longer or shorter than ticks. Ticks that lie within a step that was
 * accepted are read off the dense output (LAND). All else is an attempt: stages FRESH to ERROR, or, where the slope at
 * the beginning is known, AGAIN and then 1 to ERROR. Which stage is next is decided by em_adapt_begin and
 * em_adapt_judge, alone. What is done with the agents of a block is em_stride.h; this room knows no swarm.
 */
#ifndef EM_ADAPT_H
#define EM_ADAPT_H

#include "em_phase.h"

#define EM_ADAPT_VARIABLES 2
#define EM_ADAPT_SLOPES    7
#define EM_ADAPT_ARRAYS    (2 + EM_ADAPT_SLOPES) /* of each variable */

enum {
    EM_ADAPT_FRESH = 0, /* the first slope, from the state of the tick */
    EM_ADAPT_LAST = 5,  /* after it, the end of the step is known */
    EM_ADAPT_ERROR = 6, /* the slope there, and how wrong the step is */
    EM_ADAPT_AGAIN = 7, /* the first slope is known: from a step before, or from an attempt that failed */
    EM_ADAPT_LAND = 8,  /* the state at a tick */
    EM_ADAPT_STUCK = 9, /* no step is short enough */
};

typedef struct {
    double *base[EM_ADAPT_VARIABLES], *end[EM_ADAPT_VARIABLES]; /* [n] each */
    double *slope[EM_ADAPT_VARIABLES][EM_ADAPT_SLOPES];
    double *error;  /* [blocks]: the largest of a block, 1 being what is allowed */
    int64_t *worst; /* [blocks]: whose it is */
    double time;    /* where the step begins, from the origin of the clock */
    double span;    /* its length */
    double next;    /* the length to try next */
    double target;  /* the tick to be reached */
    double least, most;
    double absolute, relative;
    bool holds;     /* the step was accepted, and nothing has changed the state since */
    bool advances;  /* AGAIN begins where the last step ended */
    bool rejected;  /* the last attempt was */
    int64_t blamed; /* whose error was the largest */
} em_adapt;

static const double em_adapt_node[EM_ADAPT_SLOPES] = {0.0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1.0, 1.0};
static const double em_adapt_row[EM_ADAPT_SLOPES][EM_ADAPT_SLOPES - 1] = {
    {0.0},
    {1.0 / 5},
    {3.0 / 40, 9.0 / 40},
    {44.0 / 45, -56.0 / 15, 32.0 / 9},
    {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
    {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
    {35.0 / 384, 0.0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84},
};
static const double em_adapt_off[EM_ADAPT_SLOPES] = {
    71.0 / 57600, 0.0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40};
static const double em_adapt_dense[EM_ADAPT_SLOPES] = {
    -12715105075.0 / 11282082432,  0.0,
    87487479700.0 / 32700410799,   -10690763975.0 / 1880347072,
    701980252875.0 / 199316789632, -1453857185.0 / 822651844,
    69997945.0 / 29380423};

/* Places the arrays in memory of EM_ADAPT_ARRAYS * variables * n numbers. */
static inline void em_adapt_place(em_adapt *adapt, double *memory, int variables, int64_t n)
{
    for (int v = 0; v < variables; v++) {
        adapt->base[v] = memory, memory += n;
        adapt->end[v] = memory, memory += n;
        for (int k = 0; k < EM_ADAPT_SLOPES; k++, memory += n) adapt->slope[v][k] = memory;
    }
}

/* ---- alone */

/* x^(1/5) for x > 0. */
static inline double em_adapt_fifth_root(double x)
{
    int exponent;
    const double mantissa = frexp(x, &exponent);
    int whole = exponent / 5, rest = exponent % 5;
    if (rest > 0) rest -= 5, whole += 1;
    const double y = ldexp(mantissa, rest); /* in [2^-5, 1) */
    double root = 1.0;
    for (int k = 0; k < 12; k++) root = (4.0 * root + y / (root * root * root * root)) / 5.0;
    return ldexp(root, whole);
}

/* How much longer the next attempt may be. */
static inline double em_adapt_factor(double error)
{
    if (!(error < 1e10)) return 0.2;
    if (error < 1e-10) return 10.0;
    const double factor = 0.9 / em_adapt_fifth_root(error);
    return factor < 0.2 ? 0.2 : factor > 10.0 ? 10.0 : factor;
}

/* Begins a step of the length proposed at the end of the last one, or at a tick where there is none. */
static inline int em_adapt_begin(em_adapt *adapt, double tick, double target)
{
    adapt->target = target;
    if (adapt->holds && target <= adapt->time + adapt->span) return EM_ADAPT_LAND;
    adapt->advances = adapt->holds;
    adapt->time = adapt->holds ? adapt->time + adapt->span : tick;
    adapt->span = adapt->next;
    adapt->holds = adapt->rejected = false;
    return adapt->advances ? EM_ADAPT_AGAIN : EM_ADAPT_FRESH;
}

/* Accepts the step, or tries a shorter one. */
static inline int em_adapt_judge(em_adapt *adapt, int64_t blocks)
{
    double error = 0.0;
    adapt->blamed = adapt->worst[0];
    for (int64_t block = 0; block < blocks; block++)
        if (adapt->error[block] > error) error = adapt->error[block], adapt->blamed = adapt->worst[block];
    const double factor = em_adapt_factor(error);
    if (error <= 1.0) {
        const double longer = adapt->span * (adapt->rejected && factor > 1.0 ? 1.0 : factor);
        adapt->next = fmin(fmax(longer, adapt->least), adapt->most);
        adapt->holds = true;
        return em_adapt_begin(adapt, adapt->time, adapt->target);
    }
    const bool shortest = adapt->span <= adapt->least;
    adapt->span = fmax(adapt->span * factor, adapt->least);
    adapt->advances = false;
    adapt->rejected = true;
    return shortest || !(adapt->time + adapt->span > adapt->time) ? EM_ADAPT_STUCK : EM_ADAPT_AGAIN;
}

/* The stage after this one. */
static inline int em_adapt_next(em_adapt *adapt, int stage, int64_t blocks)
{
    if (stage == EM_ADAPT_ERROR) return em_adapt_judge(adapt, blocks);
    return stage == EM_ADAPT_AGAIN ? 1 : stage + 1;
}

/* When a stage is, from the origin of the clock. */
static inline double em_adapt_time(const em_adapt *adapt, int stage)
{
    if (stage == EM_ADAPT_LAND) return adapt->target;
    return stage < EM_ADAPT_SLOPES ? adapt->time + em_adapt_node[stage] * adapt->span : adapt->time;
}

/* ---- blocks */

/* Where a stage begins: base + span * (what the slopes before it say). */
static inline void em_adapt_reach(
    const em_adapt *adapt, int variable, int stage, int64_t first, int64_t count, double *restrict out)
{
    const double *restrict base = adapt->base[variable] + first;
    for (int64_t i = 0; i < count; i++) out[i] = 0.0;
    for (int k = 0; k < stage; k++) {
        const double part = em_adapt_row[stage][k], *restrict slope = adapt->slope[variable][k] + first;
        for (int64_t i = 0; part != 0.0 && i < count; i++) out[i] += part * slope[i];
    }
    for (int64_t i = 0; i < count; i++) out[i] = base[i] + adapt->span * out[i];
}

/* The largest error of a block, and whose it is. */
static inline void em_adapt_measure(
    const em_adapt *adapt, int variables, int64_t block, int64_t first, int64_t count,
    double *restrict scratch)
{
    adapt->error[block] = 0.0;
    adapt->worst[block] = first;
    for (int v = 0; v < variables; v++) {
        const double *base = adapt->base[v] + first, *end = adapt->end[v] + first;
        for (int64_t i = 0; i < count; i++) scratch[i] = 0.0;
        for (int k = 0; k < EM_ADAPT_SLOPES; k++) {
            const double *restrict slope = adapt->slope[v][k] + first;
            for (int64_t i = 0; i < count; i++) scratch[i] += em_adapt_off[k] * slope[i];
        }
        for (int64_t i = 0; i < count; i++) {
            const double size = v == 0 ? 1.0 : fmax(fabs(base[i]), fabs(end[i]));
            double error = fabs(adapt->span * scratch[i]) / (adapt->absolute + adapt->relative * size);
            if (!(error < INFINITY) || !(fabs(end[i] - base[i]) <= EM_PHASE_REACH / 2)) error = INFINITY;
            if (error > adapt->error[block]) adapt->error[block] = error, adapt->worst[block] = first + i;
        }
    }
}

/* The state at the target, and its rate of change. */
static inline void em_adapt_land(
    const em_adapt *adapt, int variable, int64_t first, int64_t count, double *restrict out,
    double *restrict rate)
{
    const double part = (adapt->target - adapt->time) / adapt->span, rest = 1.0 - part, span = adapt->span;
    for (int64_t i = 0; i < count; i++) {
        const double base = adapt->base[variable][first + i], way = adapt->end[variable][first + i] - base;
        const double bend = span * adapt->slope[variable][0][first + i] - way;
        const double back = way - span * adapt->slope[variable][EM_ADAPT_SLOPES - 1][first + i] - bend;
        double dense = 0.0;
        for (int k = 0; k < EM_ADAPT_SLOPES; k++)
            dense += em_adapt_dense[k] * adapt->slope[variable][k][first + i];
        dense *= span;
        out[i] = base + part * (way + rest * (bend + part * (back + rest * dense)));
        rate[i] = (way + (rest - part) * bend + part * (2.0 * rest - part) * back +
                   2.0 * part * rest * (rest - part) * dense) /
                  span;
    }
}

#endif
