/* em_history.h: the past of a swarm: the phasors of its last ticks, in a ring.
 *
 * Slot t % slots holds the phasors e^{i theta} of tick t, in float64, in the form that whoever looks back reads fastest:
 *
 *     apart   all cosines of a tick in a line, then its sines: for a delay that all have in common
 *     pairs   the same, cosine beside sine: for edges that each look at one tick
 *     lines   all ticks of an agent in a line, cosine beside sine: for edges that each look at EM_HISTORY_POINTS ticks
 *             that follow each other; the first slots stand there once more after the last, so that those never break
 *
 * Block by block one worker writes, a tick that nobody reads in that stage; what was written before the last join may be
 * read by anybody.
 */
#ifndef EM_HISTORY_H
#define EM_HISTORY_H

#include "em_table.h"

#define EM_HISTORY_POINTS 4 /* ticks that are looked at together */

typedef enum {
    EM_HISTORY_APART,
    EM_HISTORY_PAIRS,
    EM_HISTORY_LINES,
} em_history_form;

typedef struct {
    int64_t n;
    int64_t slots;
    em_history_form form;
    double *cell;
} em_history;

/* Numbers in all cells. */
static inline int64_t em_history_size(const em_history *history)
{
    switch (history->form) {
    case EM_HISTORY_LINES:
        return 2 * history->n * (history->slots + EM_HISTORY_POINTS - 1);
    case EM_HISTORY_PAIRS:
        return 2 * history->n * history->slots;
    default:
        return 2 * history->slots * em_table_apart(history->n);
    }
}

/* Memory for so many ticks, all of it 0; false if there is none. */
static inline bool em_history_create(em_history *history, int64_t n, int64_t slots, em_history_form form)
{
    *history = (em_history){.n = n, .slots = slots, .form = form};
    const size_t size = (size_t)em_history_size(history) * sizeof *history->cell;
    history->cell = em_base_alloc(size);
    if (history->cell != NULL) memset(history->cell, 0, size);
    return history->cell != NULL;
}

/* Where the tick `ago` ticks before `tick` is, for ago < slots. */
static inline int64_t em_history_slot(const em_history *history, uint64_t tick, int64_t ago)
{
    const int64_t slot = (int64_t)(tick % (uint64_t)history->slots) - ago;
    return slot < 0 ? slot + history->slots : slot;
}

/* Apart: the cosines from agent `first` on; and the sines. */
static inline double *em_history_cosines(const em_history *history, int64_t slot, int64_t first)
{
    return history->cell + 2 * slot * em_table_apart(history->n) + first;
}

static inline double *em_history_sines(const em_history *history, int64_t slot, int64_t first)
{
    return em_history_cosines(history, slot, first) + em_table_apart(history->n);
}

/* Beside each other: the phasor in a slot; in lines, those of the slots after it follow. */
static inline double *em_history_of(const em_history *history, int64_t slot, int64_t agent)
{
    if (history->form == EM_HISTORY_PAIRS) return history->cell + 2 * (slot * history->n + agent);
    return history->cell + 2 * (agent * (history->slots + EM_HISTORY_POINTS - 1) + slot);
}

/* Writes the phasors of agents first .. first + count - 1 in a slot. */
static inline void em_history_store(
    const em_history *history, int64_t slot, int64_t first, int64_t count, const double *restrict cosine,
    const double *restrict sine)
{
    if (history->form == EM_HISTORY_APART) {
        memcpy(em_history_cosines(history, slot, first), cosine, (size_t)count * sizeof *cosine);
        memcpy(em_history_sines(history, slot, first), sine, (size_t)count * sizeof *sine);
        return;
    }
    double *restrict cell = em_history_of(history, slot, first);
    const int64_t next = history->form == EM_HISTORY_PAIRS ? 2 : 2 * (history->slots + EM_HISTORY_POINTS - 1);
    const bool again = history->form == EM_HISTORY_LINES && slot < EM_HISTORY_POINTS - 1;
    for (int64_t i = 0; i < count; i++) cell[next * i] = cosine[i], cell[next * i + 1] = sine[i];
    if (again) em_history_store(history, slot + history->slots, first, count, cosine, sine);
}

/* The phasor of an agent in a slot. */
static inline em_table_pair em_history_load(const em_history *history, int64_t slot, int64_t agent)
{
    if (history->form == EM_HISTORY_APART)
        return (em_table_pair){
            *em_history_cosines(history, slot, agent), *em_history_sines(history, slot, agent)};
    const double *cell = em_history_of(history, slot, agent);
    return (em_table_pair){cell[0], cell[1]};
}

#endif
