/* em_step.h: integrators: how rates of change become the next state.
 *
 * A tick has one or more stages. In each, the engine senses and acts on the state of that stage and calls
 * em_step_combine, which writes the state that the next stage (after the last: the next tick) starts from. `state` is
 * what the agents had when the tick began. An integrator says at which part of the tick its stages are, how many arrays
 * of a block it keeps between them, and what it can serve: noise, whose kick is added once a tick, or velocities. It
 * knows no model and no graph; a new one is a new function here, a new entry in em_step_methods and a line in
 * em_step_combine.
 *
 * Adaptive steps are longer or shorter than ticks, and are in em_adapt.h.
 */
#ifndef EM_STEP_H
#define EM_STEP_H

#include <stdbool.h>
#include <stdint.h>

#define EM_STEP_VARIABLES 2
#define EM_STEP_STAGES    4

typedef struct {
    const char *name;
    int stages;
    int work;                    /* arrays kept between stages, each as long as a state variable */
    bool noise;                  /* whether it can add random kicks */
    bool inertia;                /* whether it takes the second variable for the velocity of the first */
    double node[EM_STEP_STAGES]; /* where in the tick each stage is */
} em_step;

typedef enum {
    EM_STEP_EULER,
    EM_STEP_HEUN,
    EM_STEP_RK4,
    EM_STEP_SEMI_IMPLICIT,
    EM_STEP_VERLET,
    EM_STEP_ADAPTIVE,
    EM_STEP_KINDS,
} em_step_kind;

static const em_step em_step_methods[] = {
    [EM_STEP_EULER] = {"euler", 1, 0, true, false, {0.0}},
    [EM_STEP_HEUN] = {"heun", 2, 1, true, false, {0.0, 1.0}},
    [EM_STEP_RK4] = {"rk4", 4, 1, false, false, {0.0, 0.5, 0.5, 1.0}},
    [EM_STEP_SEMI_IMPLICIT] = {"semi-implicit", 1, 0, true, true, {0.0}},
    [EM_STEP_VERLET] = {"verlet", 2, 1, false, true, {0.0, 1.0}},
    [EM_STEP_ADAPTIVE] = {"dopri5", 0, 0, false, false, {0.0}},
};

/* What a block has in a stage, by variable. */
typedef struct {
    int64_t count;
    double dt;
    int variables;
    const double *state[EM_STEP_VARIABLES];
    const double *rate[EM_STEP_VARIABLES];
    const double *kick[EM_STEP_VARIABLES]; /* what noise adds in this tick, or NULL */
    const double *friction;                /* for those that take velocities */
    double *work[EM_STEP_VARIABLES];
    double *next[EM_STEP_VARIABLES];
} em_step_view;

static inline void em_step_add(int64_t count, const double *restrict kick, double *restrict next)
{
    for (int64_t i = 0; kick != NULL && i < count; i++) next[i] += kick[i];
}

static inline void em_step_along(
    int64_t count, double dt, const double *restrict from, const double *restrict rate, double *restrict next)
{
    for (int64_t i = 0; i < count; i++) next[i] = from[i] + dt * rate[i];
}

/* Explicit Euler: next = state + dt * rate. First order. With noise, Euler and Maruyama's: strong order 1, as noise is
 * additive. */
static inline void em_step_euler(const em_step_view *view)
{
    for (int v = 0; v < view->variables; v++) {
        em_step_along(view->count, view->dt, view->state[v], view->rate[v], view->next[v]);
        em_step_add(view->count, view->kick[v], view->next[v]);
    }
}

/* Heun's: the mean of the rates at the beginning and where Euler's step ends. Second order. With noise, the kick is in
 * both, which is stochastic Heun. */
static inline void em_step_heun(const em_step_view *view, int stage)
{
    for (int v = 0; v < view->variables; v++) {
        const int64_t count = view->count;
        if (stage == 1) {
            em_step_along(count, view->dt / 2, view->work[v], view->rate[v], view->next[v]);
            continue;
        }
        em_step_along(count, view->dt / 2, view->state[v], view->rate[v], view->work[v]);
        em_step_along(count, view->dt, view->state[v], view->rate[v], view->next[v]);
        em_step_add(count, view->kick[v], view->work[v]);
        em_step_add(count, view->kick[v], view->next[v]);
    }
}

/* The classical method of Kutta, 1901: fourth order. */
static inline void em_step_rk4(const em_step_view *view, int stage)
{
    static const double share[] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}, reach[] = {0.5, 0.5, 1.0};
    for (int v = 0; v < view->variables; v++) {
        const double part = view->dt * share[stage], *restrict rate = view->rate[v];
        double *restrict work = view->work[v];
        if (stage == 3) {
            em_step_along(view->count, part, work, rate, view->next[v]);
            continue;
        }
        const double *restrict state = view->state[v];
        for (int64_t i = 0; i < view->count; i++)
            work[i] = (stage == 0 ? state[i] : work[i]) + part * rate[i];
        em_step_along(view->count, view->dt * reach[stage], state, rate, view->next[v]);
    }
}

/* Semi-implicit Euler: the velocity first, then the phase by the new velocity. First order, symplectic where nothing
 * damps. */
static inline void em_step_semi_implicit(const em_step_view *view)
{
    em_step_along(view->count, view->dt, view->state[1], view->rate[1], view->next[1]);
    em_step_add(view->count, view->kick[1], view->next[1]);
    em_step_along(view->count, view->dt, view->state[0], view->next[1], view->next[0]);
}

/* Velocity Verlet (Störmer 1907; Verlet 1967): half a kick, the whole way, half a kick. Damping is explicit in the
 * first half and implicit in the second, so that the whole is symmetric and of second order also where it damps. */
static inline void em_step_verlet(const em_step_view *view, int stage)
{
    const double half = view->dt / 2;
    const double *restrict speed = view->rate[1], *restrict friction = view->friction;
    double *restrict velocity = view->next[1], *restrict kept = view->work[1];
    if (stage == 0) {
        em_step_along(view->count, half, view->state[1], speed, velocity);
        em_step_along(view->count, view->dt, view->state[0], velocity, view->next[0]);
        for (int64_t i = 0; i < view->count; i++) kept[i] = velocity[i], view->work[0][i] = view->next[0][i];
        return;
    }
    for (int64_t i = 0; i < view->count; i++) {
        velocity[i] = kept[i] + half * speed[i] / (1.0 + half * friction[i]);
        view->next[0][i] = view->work[0][i];
    }
}

/* The next state by a method, told by its kind. */
static inline void em_step_combine(em_step_kind kind, int stage, const em_step_view *view)
{
    switch (kind) {
    case EM_STEP_HEUN:
        em_step_heun(view, stage);
        break;
    case EM_STEP_RK4:
        em_step_rk4(view, stage);
        break;
    case EM_STEP_SEMI_IMPLICIT:
        em_step_semi_implicit(view);
        break;
    case EM_STEP_VERLET:
        em_step_verlet(view, stage);
        break;
    default:
        em_step_euler(view);
    }
}

#endif
