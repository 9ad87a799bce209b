/* em_act.h: models: how an agent answers the field it senses.
 *
 * A model turns what a block holds and senses into rates of change, one array for each state variable. It says how many
 * variables it has and which of them noise shakes; it knows no graph, no integrator, no schedule and no thread. A new
 * model is a new function here, a new entry in em_act_models and a line in em_act_rate.
 *
 * What the user gives, `raw` numbers, is made `ready` once (em_act_prepare), for all agents or for each. Both have the
 * same places: coupling, lag and strengths of harmonics first, the pull of the field; then the model's own from
 * EM_ACT_OWN on; last the intensity of noise. Where any is an array, those from EM_ACT_OWN on are; the pull only if it is.
 */
#ifndef EM_ACT_H
#define EM_ACT_H

#include "em_phase.h"
#include "em_pulse.h"

#define EM_ACT_VARIABLES  2 /* most state variables that a model here has: phase, velocity */
#define EM_ACT_HARMONICS  4 /* most channels of field, e^{i h theta} for h = 1 on */
#define EM_ACT_PARAMETERS 16

enum {
    EM_ACT_COUPLING,
    EM_ACT_LAG,
    EM_ACT_STRENGTHS,                                  /* of harmonics */
    EM_ACT_OWN = 2 * EM_ACT_HARMONICS,                 /* once ready, all before is the pull */
    EM_ACT_INERTIA = EM_ACT_OWN,                       /* its inverse, once ready */
    EM_ACT_DAMPING,                                    /* of a model with inertia */
    EM_ACT_DRIVE = EM_ACT_OWN,                         /* strength */
    EM_ACT_DRIVE_FREQUENCY,                            /* one for all */
    EM_ACT_DRIVE_PHASE,                                /* one for all */
    EM_ACT_TRIADIC = EM_ACT_OWN,                       /* strength of interactions of three */
    EM_ACT_TETRADIC,                                   /* and of four */
    EM_ACT_TRIADS = EM_ACT_OWN,                        /* strength of triads */
    EM_ACT_PULSE = EM_ACT_OWN,                         /* strength of pulses */
    EM_ACT_BEND,                                       /* leak, and once ready leak / drive; or of a curve */
    EM_ACT_TURN,                                       /* drive, and once ready the rate of the phase */
    EM_ACT_NOISE = EM_ACT_PARAMETERS - 1,              /* intensity D of <xi xi> = 2 D delta */
    EM_ACT_CUSTOM = EM_ACT_PARAMETERS - EM_ACT_OWN - 1 /* most numbers that a user's own model takes */
};

/* A user's own model: rates of a block from its phases, its field as each agent sees it, and frequencies. */
typedef void (*em_act_function)(
    int64_t count, const double *phase, const double *re, const double *im, const double *frequency,
    const double *parameters, double *rate);

typedef struct {
    int64_t count;
    double time;             /* of this stage */
    int channels;            /* of field */
    const double *frequency; /* natural frequencies */
    const double *phase;     /* of this stage, not wrapped; NULL unless the model wants it */
    const double *velocity;  /* of this stage, where there is inertia */
    double *const *cosine;   /* of the agents' own phases, by channel */
    double *const *sine;
    double *field; /* [channels][2][stride], and that of triads after it; a model may use it up */
    int64_t stride;
    const double *ready; /* parameters of all */
    double *const *each; /* [parameters][n], of each agent; NULL where `ready` holds for all */
    int64_t first;       /* of the agents */
    em_act_function function;
    const double *given; /* rates that somebody else found */
} em_act_view;

typedef struct {
    const char *name;
    int rates;
    int noisy;   /* the variable that noise shakes */
    int own;     /* parameters from EM_ACT_OWN on */
    bool phases; /* wants the phases themselves */
    bool pulses; /* agents fire: see em_round.h; nobody asks for rates here */
    em_pulse_curve curve;
} em_act;

typedef enum {
    EM_ACT_KURAMOTO,
    EM_ACT_SECOND_ORDER,
    EM_ACT_FORCED,
    EM_ACT_HIGHER_ORDER,
    EM_ACT_SIMPLICIAL,
    EM_ACT_FUNCTION,
    EM_ACT_GIVEN,
    EM_ACT_INTEGRATE,
    EM_ACT_CONCAVE,
    EM_ACT_ADVANCE,
    EM_ACT_SINE,
    EM_ACT_KINDS,
} em_act_kind;

static const em_act em_act_models[] = {
    [EM_ACT_KURAMOTO] = {"kuramoto", 1, 0, 0, false},
    [EM_ACT_SECOND_ORDER] = {"second order", 2, 1, 2, false},
    [EM_ACT_FORCED] = {"forced", 1, 0, 3, false},
    [EM_ACT_HIGHER_ORDER] = {"higher order", 1, 0, 2, false},
    [EM_ACT_SIMPLICIAL] = {"simplicial", 1, 0, 1, false},
    [EM_ACT_FUNCTION] = {"function", 1, 0, EM_ACT_CUSTOM, true},
    [EM_ACT_GIVEN] = {"given", 1, 0, 0, false},
    [EM_ACT_INTEGRATE] = {"integrate and fire", 1, 0, 3, .pulses = true, .curve = EM_PULSE_INTEGRATE},
    [EM_ACT_CONCAVE] = {"response concave", 1, 0, 2, .pulses = true, .curve = EM_PULSE_CONCAVE},
    [EM_ACT_ADVANCE] = {"response advance", 1, 0, 2, .pulses = true, .curve = EM_PULSE_ADVANCE},
    [EM_ACT_SINE] = {"response sine", 1, 0, 2, .pulses = true, .curve = EM_PULSE_SINE},
};

/* Coupling K, lag alpha and strengths a_h become K a_h cos(h alpha) and K a_h sin(h alpha), in pairs. */
static inline void em_act_prepare(em_act_kind kind, const double *raw, double *ready)
{
    for (int p = EM_ACT_OWN; p < EM_ACT_PARAMETERS; p++) ready[p] = raw[p];
    for (int h = 0; h < EM_ACT_HARMONICS; h++) {
        const double strength = raw[EM_ACT_COUPLING] * raw[EM_ACT_STRENGTHS + h];
        const double angle = (h + 1) * raw[EM_ACT_LAG];
        ready[2 * h] = strength * cos(angle);
        ready[2 * h + 1] = strength * sin(angle);
    }
    if (kind == EM_ACT_SECOND_ORDER) ready[EM_ACT_INERTIA] = 1.0 / raw[EM_ACT_INERTIA];
    if (kind == EM_ACT_INTEGRATE) {
        const double bend = raw[EM_ACT_BEND] / raw[EM_ACT_TURN];
        ready[EM_ACT_BEND] = bend;
        ready[EM_ACT_TURN] =
            EM_PHASE_TURN * (bend == 0.0 ? raw[EM_ACT_TURN] : -raw[EM_ACT_BEND] / log1p(-bend));
    }
}

/* Whether a model reads a parameter, once it is ready. */
static inline bool em_act_reads(em_act_kind kind, int channels, int parameter)
{
    return parameter < 2 * channels || parameter == EM_ACT_NOISE ||
           (parameter >= EM_ACT_OWN && parameter < EM_ACT_OWN + em_act_models[kind].own);
}

/* What is an array: nothing, all from EM_ACT_OWN on, or the pull as well. */
typedef enum { EM_ACT_ONE, EM_ACT_SOME, EM_ACT_EACH } em_act_spread;

static EM_BASE_INLINE em_act_spread em_act_spread_of(const em_act_view *view)
{
    return view->each[EM_ACT_NOISE] == NULL ? EM_ACT_ONE : view->each[0] == NULL ? EM_ACT_SOME : EM_ACT_EACH;
}

/* A parameter of agent i, of the pull or from EM_ACT_OWN on, where `spread` is a constant. */
#define EM_ACT_AT(parameter, least)                                                                          \
    (spread >= (least) ? view->each[parameter][view->first + i] : view->ready[parameter])
#define EM_ACT_PULL(parameter) EM_ACT_AT(parameter, EM_ACT_EACH)
#define EM_ACT_OF(parameter)   EM_ACT_AT(parameter, EM_ACT_SOME)

/* Kuramoto & Sakaguchi, Prog. Theor. Phys. 76, 576 (1986), eq. 1, for any field; and, with several channels, Daido's
 * coupling by harmonics, Prog. Theor. Phys. 88, 1213 (1992):
 *
 *     rate = omega + sum over h of K a_h Im(H_h e^{-i h (theta + alpha)})
 */
static EM_BASE_INLINE void em_act_pull(const em_act_view *view, em_act_spread spread, double *restrict rate)
{
    const double *restrict omega = view->frequency;
    for (int h = 0; h < view->channels; h++) {
        const double *restrict re = view->field + 2 * h * view->stride, *restrict im = re + view->stride;
        const double *restrict c = view->cosine[h], *restrict s = view->sine[h];
        const double *restrict base = h == 0 ? omega : rate;
        for (int64_t i = 0; i < view->count; i++)
            rate[i] = base[i] + EM_ACT_PULL(2 * h) * (im[i] * c[i] - re[i] * s[i]);
        if (spread != EM_ACT_EACH && view->ready[2 * h + 1] == 0.0) continue;
        for (int64_t i = 0; i < view->count; i++)
            rate[i] -= EM_ACT_PULL(2 * h + 1) * (re[i] * c[i] + im[i] * s[i]);
    }
}

/* The swing equation: m theta'' + d theta' = pull; Tanaka, Lichtenberg & Oishi, PRL 78, 2104 (1997), eq. 1. */
static EM_BASE_INLINE void em_act_second_order(
    const em_act_view *view, em_act_spread spread, double *restrict rate)
{
    double *restrict turn = rate, *restrict speed = rate + view->stride;
    em_act_pull(view, spread, speed);
    for (int64_t i = 0; i < view->count; i++) {
        turn[i] = view->velocity[i];
        speed[i] = (speed[i] - EM_ACT_OF(EM_ACT_DAMPING) * turn[i]) * EM_ACT_OF(EM_ACT_INERTIA);
    }
}

/* A drive from outside, F sin(Omega t + phi - theta): Shinomoto & Kuramoto, Prog. Theor. Phys. 75, 1105 (1986). */
static EM_BASE_INLINE void em_act_forced(const em_act_view *view, em_act_spread spread, double *restrict rate)
{
    const double angle = view->ready[EM_ACT_DRIVE_FREQUENCY] * view->time + view->ready[EM_ACT_DRIVE_PHASE];
    double x, y;
    em_phase_sincos(em_phase_draw_near(angle), &x, &y);
    em_act_pull(view, spread, rate);
    for (int64_t i = 0; i < view->count; i++)
        rate[i] += EM_ACT_OF(EM_ACT_DRIVE) * (y * view->cosine[0][i] - x * view->sine[0][i]);
}

/* Interactions of two, three and four at once, by the fields z of e^{i theta} and z_2 of e^{2 i theta}: Skardal & Arenas,
 * Commun. Phys. 3, 218 (2020), eq. 2, for any field:
 *
 *     rate = omega + Im((K z + K_2 z_2 z* + K_3 |z|^2 z) e^{-i theta})
 */
static EM_BASE_INLINE void em_act_higher_order(
    const em_act_view *view, em_act_spread spread, double *restrict rate)
{
    const double *restrict re = view->field, *restrict im = re + view->stride;
    const double *restrict re2 = im + view->stride, *restrict im2 = re2 + view->stride;
    const double *restrict c = view->cosine[0], *restrict s = view->sine[0];
    for (int64_t i = 0; i < view->count; i++) {
        const double pull = im[i] * c[i] - re[i] * s[i], size = re[i] * re[i] + im[i] * im[i];
        const double x = re2[i] * re[i] + im2[i] * im[i], y = im2[i] * re[i] - re2[i] * im[i];
        rate[i] = view->frequency[i] + (EM_ACT_PULL(0) + EM_ACT_OF(EM_ACT_TETRADIC) * size) * pull +
                  EM_ACT_OF(EM_ACT_TRIADIC) * (y * c[i] - x * s[i]);
    }
}

/* Pairs, and triads that are told one by one: their field T (em_triads.h) pulls by K_2 Im(T e^{-i theta}). */
static EM_BASE_INLINE void em_act_simplicial(
    const em_act_view *view, em_act_spread spread, double *restrict rate)
{
    const double *restrict re = view->field + 2 * view->channels * view->stride, *restrict im =
                                                                                     re + view->stride;
    const double *restrict c = view->cosine[0], *restrict s = view->sine[0];
    em_act_pull(view, spread, rate);
    for (int64_t i = 0; i < view->count; i++)
        rate[i] += EM_ACT_OF(EM_ACT_TRIADS) * (im[i] * c[i] - re[i] * s[i]);
}

static EM_BASE_INLINE void em_act_rate_by(
    em_act_kind kind, const em_act_view *view, em_act_spread spread, double *restrict rate)
{
    switch (kind) {
    case EM_ACT_SECOND_ORDER:
        em_act_second_order(view, spread, rate);
        break;
    case EM_ACT_FORCED:
        em_act_forced(view, spread, rate);
        break;
    case EM_ACT_HIGHER_ORDER:
        em_act_higher_order(view, spread, rate);
        break;
    case EM_ACT_SIMPLICIAL:
        em_act_simplicial(view, spread, rate);
        break;
    default:
        em_act_pull(view, spread, rate);
    }
}

/* The field as each agent sees it from its own phase: H e^{-i theta}. */
static inline void em_act_face(
    int64_t count, const double *restrict cosine, const double *restrict sine, double *restrict re,
    double *restrict im)
{
    for (int64_t i = 0; i < count; i++) {
        const double x = re[i] * cosine[i] + im[i] * sine[i];
        im[i] = im[i] * cosine[i] - re[i] * sine[i];
        re[i] = x;
    }
}

static inline void em_act_call(const em_act_view *view, double *restrict rate)
{
    double *re = view->field, *im = view->field + view->stride;
    em_act_face(view->count, view->cosine[0], view->sine[0], re, im);
    view->function(view->count, view->phase, re, im, view->frequency, view->ready + EM_ACT_OWN, rate);
}

/* The rates of a model, [rates][stride], told by its kind. */
static inline void em_act_rate(em_act_kind kind, const em_act_view *view, double *restrict rate)
{
    if (kind == EM_ACT_FUNCTION)
        em_act_call(view, rate);
    else if (kind == EM_ACT_GIVEN)
        memcpy(rate, view->given, (size_t)view->count * sizeof *rate);
    else if (em_act_spread_of(view) == EM_ACT_EACH)
        em_act_rate_by(kind, view, EM_ACT_EACH, rate);
    else if (em_act_spread_of(view) == EM_ACT_SOME)
        em_act_rate_by(kind, view, EM_ACT_SOME, rate);
    else
        em_act_rate_by(kind, view, EM_ACT_ONE, rate);
}

static EM_BASE_INLINE void em_act_friction_by(
    const em_act_view *view, em_act_spread spread, double *restrict friction)
{
    for (int64_t i = 0; i < view->count; i++)
        friction[i] = EM_ACT_OF(EM_ACT_DAMPING) * EM_ACT_OF(EM_ACT_INERTIA);
}

/* How strongly the velocity slows itself down, -d(rate of velocity)/d(velocity); only with inertia. */
static inline void em_act_friction(const em_act_view *view, double *restrict friction)
{
    if (em_act_spread_of(view) != EM_ACT_ONE)
        em_act_friction_by(view, EM_ACT_SOME, friction);
    else
        em_act_friction_by(view, EM_ACT_ONE, friction);
}

static EM_BASE_INLINE void em_act_natural_by(
    em_act_kind kind, const em_act_view *view, em_act_spread spread, double *restrict rate)
{
    for (int64_t i = 0; i < view->count; i++) rate[i] = view->frequency[i];
    for (int64_t i = 0; kind == EM_ACT_SECOND_ORDER && i < view->count; i++)
        rate[i] /= EM_ACT_OF(EM_ACT_DAMPING);
}

/* How fast agents turn that nobody pulls. */
static inline void em_act_natural(em_act_kind kind, const em_act_view *view, double *restrict rate)
{
    if (em_act_spread_of(view) != EM_ACT_ONE)
        em_act_natural_by(kind, view, EM_ACT_SOME, rate);
    else
        em_act_natural_by(kind, view, EM_ACT_ONE, rate);
}

static EM_BASE_INLINE void em_act_shake_by(
    em_act_kind kind, const em_act_view *view, em_act_spread spread, double dt, double *restrict kick)
{
    const double size = sqrt(2.0 * dt * view->ready[EM_ACT_NOISE]);
    for (int64_t i = 0; i < view->count; i++)
        kick[i] *= spread != EM_ACT_ONE ? sqrt(2.0 * dt * EM_ACT_OF(EM_ACT_NOISE)) : size;
    for (int64_t i = 0; kind == EM_ACT_SECOND_ORDER && i < view->count; i++)
        kick[i] *= EM_ACT_OF(EM_ACT_INERTIA);
}

/* Makes of standard normal variates what noise adds to the shaken variable in a tick: sqrt(2 D dt) times them. */
static inline void em_act_shake(em_act_kind kind, const em_act_view *view, double dt, double *restrict kick)
{
    if (em_act_spread_of(view) != EM_ACT_ONE)
        em_act_shake_by(kind, view, EM_ACT_SOME, dt, kick);
    else
        em_act_shake_by(kind, view, EM_ACT_ONE, dt, kick);
}

#undef EM_ACT_OF
#undef EM_ACT_PULL
#undef EM_ACT_AT

#endif
