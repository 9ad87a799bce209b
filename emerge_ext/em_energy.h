/* em_energy.h: what turning costs.
 *
 * An agent that turns in a tick by more or less than it would by itself pays `cost` for each rad of the difference. What
 * it holds and what it recovers in the tick is what it can pay; one that cannot pay for all of it turns only as far as
 * it can. It never holds more than `capacity`:
 *
 *     held' = min(capacity, held + recovery dt - paid),    0 <= paid <= held + recovery dt
 *
 * It knows neither models nor integrators; the caller says how agents would turn by themselves.
 */
#ifndef EM_ENERGY_H
#define EM_ENERGY_H

#include "em_base.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

enum { EM_ENERGY_CAPACITY, EM_ENERGY_COST, EM_ENERGY_RECOVERY, EM_ENERGY_PARAMETERS };

typedef struct {
    double *held; /* [n], or NULL: turning costs nothing */
    double all[EM_ENERGY_PARAMETERS];
    double *each[EM_ENERGY_PARAMETERS]; /* [n] each, or NULL all of them: `all` holds */
} em_energy;

#define EM_ENERGY_OF(parameter) (each ? energy->each[parameter][first + i] : energy->all[parameter])

/* Pays for the turns of a block, and leaves in `share` which part of them each agent can pay for. */
static EM_BASE_INLINE void em_energy_pay(
    const em_energy *energy, bool each, int64_t first, int64_t count, double dt,
    const double *restrict natural, const double *restrict state, double *restrict next,
    double *restrict share)
{
    double *restrict held = energy->held + first;
    for (int64_t i = 0; i < count; i++) {
        const double alone = state[i] + dt * natural[i], turn = next[i] - alone;
        const double price = EM_ENERGY_OF(EM_ENERGY_COST) * fabs(turn);
        const double purse = held[i] + EM_ENERGY_OF(EM_ENERGY_RECOVERY) * dt;
        const bool pays = price <= purse;
        const double left = pays ? purse - price : 0.0, most = EM_ENERGY_OF(EM_ENERGY_CAPACITY);
        share[i] = pays ? 1.0 : purse / price;
        next[i] = pays ? next[i] : alone + share[i] * turn;
        held[i] = left < most ? left : most;
    }
}

/* The same, and the velocity (or NULL) with it: that part of it which is not the agent's own. */
static inline void em_energy_settle(
    const em_energy *energy, int64_t first, int64_t count, double dt, const double *restrict natural,
    const double *restrict state, double *restrict next, double *restrict velocity, double *restrict share)
{
    if (energy->each[0] != NULL)
        em_energy_pay(energy, true, first, count, dt, natural, state, next, share);
    else
        em_energy_pay(energy, false, first, count, dt, natural, state, next, share);
    for (int64_t i = 0; velocity != NULL && i < count; i++)
        velocity[i] = share[i] == 1.0 ? velocity[i] : natural[i] + share[i] * (velocity[i] - natural[i]);
}

#undef EM_ENERGY_OF

/* How much an agent can hold. */
static inline double em_energy_capacity(const em_energy *energy, int64_t agent)
{
    return energy->each[0] != NULL ? energy->each[EM_ENERGY_CAPACITY][agent]
                                   : energy->all[EM_ENERGY_CAPACITY];
}

static inline bool em_energy_is_right(const em_energy *energy, int64_t agent)
{
    return energy->held[agent] >= 0.0 && energy->held[agent] <= em_energy_capacity(energy, agent);
}

#endif
