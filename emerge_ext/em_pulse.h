/* em_pulse.h: what a pulse does to an agent that hears it: the curves, and what they turn a phase to.
 *
 * A pulse of charge c changes a state variable x, which rises with the phase, or the phase itself:
 *
 *     integrate   x = (1 - (1 - a)^u) / a,         x -> x + c     a = leak / drive; x' = drive - leak x
 *     concave     x = ln(1 + (e^b - 1) u) / b,     x -> x + c
 *     advance     theta -> theta + c (1 - cos theta)
 *     sine        theta -> theta - c sin theta
 *
 * with u = theta / 2 pi. Nobody is taken back beyond 0, and whoever reaches 2 pi (x = 1) fires. The first two are those
 * of Mirollo & Strogatz, SIAM J. Appl. Math. 50, 1645 (1990); the others are phase responses of types I and II.
 *
 * Exponentials and logarithms are the C library's, which is one for all instruction sets. Knows no graph and no time.
 */
#ifndef EM_PULSE_H
#define EM_PULSE_H

#include "em_phase.h"

#define EM_PULSE_LAST 0x1.921fb54442d17p+2 /* the last phase before 2 pi */

typedef enum {
    EM_PULSE_INTEGRATE,
    EM_PULSE_CONCAVE,
    EM_PULSE_ADVANCE,
    EM_PULSE_SINE,
} em_pulse_curve;

/* The state variable at a phase, in turns; `bend` is a, or b. */
static inline double em_pulse_state(em_pulse_curve curve, double bend, double turns)
{
    if (bend == 0.0) return turns;
    if (curve == EM_PULSE_CONCAVE) return log1p(expm1(bend) * turns) / bend;
    return -expm1(log1p(-bend) * turns) / bend;
}

/* The phase, in turns, at a value of the state variable. */
static inline double em_pulse_turns(em_pulse_curve curve, double bend, double state)
{
    if (bend == 0.0) return state;
    if (curve == EM_PULSE_CONCAVE) return expm1(bend * state) / expm1(bend);
    return log1p(-bend * state) / log1p(-bend);
}

/* Where a charge takes an agent from a phase in [0, 2 pi); 2 pi itself says that it fires. */
static inline double em_pulse_jump(em_pulse_curve curve, double bend, double phase, double charge)
{
    double there;
    if (curve == EM_PULSE_INTEGRATE || curve == EM_PULSE_CONCAVE) {
        const double state = em_pulse_state(curve, bend, phase / EM_PHASE_TURN) + charge;
        if (state >= 1.0) return EM_PHASE_TURN;
        if (!(state > 0.0)) return 0.0;
        there = em_pulse_turns(curve, bend, state) * EM_PHASE_TURN;
    } else {
        double cosine, sine;
        em_phase_sincos(phase, &cosine, &sine);
        there = curve == EM_PULSE_ADVANCE ? phase + charge * (1.0 - cosine) : phase - charge * sine;
        if (there >= EM_PHASE_TURN) return EM_PHASE_TURN;
    }
    return there > 0.0 ? fmin(there, EM_PULSE_LAST) : 0.0;
}

#endif
