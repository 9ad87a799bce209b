/* em_act.h: models: how an agent answers the field it senses.
 *
 * A model turns what a block holds and senses into rates of change, one array for each state variable. It says
 * how many channels of field it needs and how many rates it returns; it knows no graph, no integrator, no
 * schedule and no thread. A new model is a new function here, a new entry in em_act_models and a line in em_act_rate.
 */
#ifndef EM_ACT_H
#define EM_ACT_H

#include <math.h>
#include <stdint.h>

#define EM_ACT_RATES      1 /* most state variables that a model here has */
#define EM_ACT_PARAMETERS 4 /* most numbers that a model here takes */

typedef struct {
    int64_t count;
    const double *frequency; /* natural frequencies */
    const double *cosine;    /* of the agents' own phases */
    const double *sine;
    const double *field; /* [channels][2][stride] */
    int64_t stride;
    const double *parameters; /* as em_act_models[].prepare left them */
} em_act_view;

typedef struct {
    const char *name;
    int channels;
    int rates;
    void (*prepare)(double *parameters); /* once for each change of the model */
} em_act;

typedef enum { EM_ACT_KURAMOTO } em_act_kind;

/* Kuramoto & Sakaguchi, Prog. Theor. Phys. 76, 576 (1986), eq. 1, for any field H:
 *
 *     rate = omega + K * Im(H e^{-i (theta + alpha)}),   parameters K, alpha -> K cos alpha, K sin alpha
 */
static inline void em_act_kuramoto_prepare(double *parameters)
{
    double coupling = parameters[0], lag = parameters[1];
    parameters[0] = coupling * cos(lag);
    parameters[1] = coupling * sin(lag);
}

static inline void em_act_kuramoto(const em_act_view *view, double *restrict rate)
{
    const double a = view->parameters[0], b = view->parameters[1];
    const double *restrict re = view->field, *restrict im = view->field + view->stride;
    const double *restrict c = view->cosine, *restrict s = view->sine, *restrict omega = view->frequency;
    for (int64_t i = 0; i < view->count; i++) rate[i] = omega[i] + a * (im[i] * c[i] - re[i] * s[i]);
    for (int64_t i = 0; b != 0.0 && i < view->count; i++) rate[i] -= b * (re[i] * c[i] + im[i] * s[i]);
}

static const em_act em_act_models[] = {
    [EM_ACT_KURAMOTO] = {"kuramoto", 1, 1, em_act_kuramoto_prepare},
};

/* The rates of a model, [rates][stride], told by its kind. */
static inline void em_act_rate(em_act_kind kind, const em_act_view *view, double *restrict rate)
{
    switch (kind) {
    case EM_ACT_KURAMOTO:
        em_act_kuramoto(view, rate);
        break;
    }
}

#endif
