/* em_inbox.h: how anybody turns an agent that is not theirs.
 *
 * An agent alone writes its phase. Everybody else adds a binary angle to the agent's word in the inbox and then
 * marks the agent's block; the worker that owns the block takes the words at the end of the tick.
 *
 *     nudger   1. word += angle    relaxed
 *              2. mark |= 1        release read-modify-write: it continues the release sequence of an earlier
 *                                  mark that nobody took yet, so that one acquire sees the adds of them all
 *     owner    3. mark -> 0        acquire exchange, so that it happens before 4
 *              4. word -> 0        relaxed exchange of each word of the block
 *
 * An add that comes between 3 and 4 is taken now, and the mark it sets afterwards finds an empty word. An add
 * that comes after 4 is found through its own mark. So no angle is lost and none is taken twice, and since
 * binary angles add without rounding, the order of adds never shows.
 */
#ifndef EM_INBOX_H
#define EM_INBOX_H

#include "em_atomic.h"
#include "em_base.h"
#include "em_phase.h"

typedef struct {
    int64_t block; /* agents of a block */
    em_word *words;
    em_word *marks;
} em_inbox;

static inline void em_inbox_free(em_inbox *inbox)
{
    if (inbox == NULL) return;
    em_base_free(inbox->words);
    em_base_free(inbox->marks);
    em_base_free(inbox);
}

static inline em_inbox *em_inbox_create(int64_t n, int64_t block)
{
    em_inbox *inbox = em_base_alloc(sizeof *inbox);
    if (inbox == NULL) return NULL;
    int64_t blocks = (n + block - 1) / block;
    inbox->block = block;
    inbox->words = em_base_alloc((size_t)n * sizeof *inbox->words);
    inbox->marks = em_base_alloc((size_t)blocks * sizeof *inbox->marks);
    if (inbox->words == NULL || inbox->marks == NULL) {
        em_inbox_free(inbox);
        return NULL;
    }
    for (int64_t i = 0; i < n; i++) atomic_init(&inbox->words[i].bits, 0);
    for (int64_t b = 0; b < blocks; b++) atomic_init(&inbox->marks[b].bits, 0);
    return inbox;
}

/* Anyone, at any time. */
static inline void em_inbox_add(em_inbox *inbox, int64_t agent, uint64_t angle)
{
    em_atomic_add(&inbox->words[agent], angle, memory_order_relaxed);
    em_atomic_or(&inbox->marks[agent / inbox->block], 1, memory_order_release);
}

/* What waits for an agent, without taking it. */
static inline uint64_t em_inbox_peek(const em_inbox *inbox, int64_t agent)
{
    return em_atomic_load(&inbox->words[agent], memory_order_relaxed);
}

/* Takes what waits for one agent; its mark stays and finds nothing. */
static inline uint64_t em_inbox_take(em_inbox *inbox, int64_t agent)
{
    return em_atomic_swap(&inbox->words[agent], 0, memory_order_relaxed);
}

/* Only the owner of agents first .. first + count - 1, which are one block: turns their phases by what waits
 * for them and keeps them wrapped; adds it to how far they were turned, unless that is NULL. True if any was turned. */
static inline bool em_inbox_drain(
    em_inbox *inbox, int64_t first, int64_t count, double *phase, double *turned)
{
    em_word *mark = &inbox->marks[first / inbox->block];
    if (em_atomic_load(mark, memory_order_relaxed) == 0) return false;
    if (em_atomic_swap(mark, 0, memory_order_acquire) == 0) return false;
    for (int64_t i = 0; i < count; i++) {
        const double angle = em_phase_from_binary(em_inbox_take(inbox, first + i));
        phase[i] = em_phase_wrap(phase[i] + angle);
        if (turned != NULL) turned[i] += angle;
    }
    return true;
}

#endif
