/* em_step.h: integrators: how rates of change become the next state.
 *
 * A tick has one or more stages. In each, the engine senses and acts on the state of that stage and calls
 * em_step_combine, which writes the state that the next stage (after the last: the next tick) starts from. `state` is
 * what the agents had when the tick began. An integrator says how many arrays of a block it keeps between its
 * stages. It knows no model and no graph; a new one is a new function here, a new entry in em_step_methods and a line in em_step_combine.
 */
#ifndef EM_STEP_H
#define EM_STEP_H

#include <stdint.h>

typedef struct {
    const char *name;
    int stages;
    int work; /* arrays kept between stages, each as long as a state variable */
} em_step;

typedef enum { EM_STEP_EULER } em_step_kind;

/* Explicit Euler: next = state + dt * rate. First order. */
static inline void em_step_euler(
    int stage, int64_t count, double dt, const double *restrict state, const double *restrict rate,
    double *restrict work, double *restrict next)
{
    (void)stage, (void)work;
    for (int64_t i = 0; i < count; i++) next[i] = state[i] + dt * rate[i];
}

static const em_step em_step_methods[] = {
    [EM_STEP_EULER] = {"euler", 1, 0},
};

/* The next state by a method, told by its kind. */
static inline void em_step_combine(
    em_step_kind kind, int stage, int64_t count, double dt, const double *restrict state,
    const double *restrict rate, double *restrict work, double *restrict next)
{
    switch (kind) {
    case EM_STEP_EULER:
        em_step_euler(stage, count, dt, state, rate, work, next);
        break;
    }
}

#endif
