/* em_atomic.h: 64-bit words that many threads may touch.
 *
 * A word holds a whole number, or the bits of a float64. The functions on float64 try again by compare-and-swap,
 * which compares bits: it is exact where `==` is not (NaN is NaN's equal, 0.0 is not -0.0's), so a change is
 * made to the very number it was computed from, and none is lost. They are lock-free: a try fails only because
 * another's has succeeded. After a failure they pause, so that whoever holds the cache line makes many changes
 * before it travels: fought over, that takes less than half the time.
 *
 * The caller of each function names the memory order; docs/concurrency.md tells for every word who uses which
 * and why. A word is lock-free on every processor that emerge is built for: that is asserted below, so that no
 * lock can hide behind an atomic type.
 */
#ifndef EM_ATOMIC_H
#define EM_ATOMIC_H

#include "em_base.h"
#include "em_phase.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomic words must be lock-free");

typedef struct {
    _Atomic uint64_t bits;
} em_word;

static inline uint64_t em_atomic_load(const em_word *word, memory_order order)
{
    return atomic_load_explicit(&((em_word *)word)->bits, order);
}

static inline void em_atomic_store(em_word *word, uint64_t value, memory_order order)
{
    atomic_store_explicit(&word->bits, value, order);
}

/* Returns what the word held before, as the two below do. */
static inline uint64_t em_atomic_add(em_word *word, uint64_t value, memory_order order)
{
    return atomic_fetch_add_explicit(&word->bits, value, order);
}

static inline uint64_t em_atomic_or(em_word *word, uint64_t value, memory_order order)
{
    return atomic_fetch_or_explicit(&word->bits, value, order);
}

static inline uint64_t em_atomic_swap(em_word *word, uint64_t value, memory_order order)
{
    return atomic_exchange_explicit(&word->bits, value, order);
}

/* Puts `value` where `*expected` stands; else tells in `*expected` what stands there (read relaxed). */
static inline bool em_atomic_compare_swap(
    em_word *word, uint64_t *expected, uint64_t value, memory_order order)
{
    return atomic_compare_exchange_strong_explicit(&word->bits, expected, value, order, memory_order_relaxed);
}

/* Lowers the word to `value` if it is less. */
static inline void em_atomic_lower(em_word *word, uint64_t value, memory_order order)
{
    uint64_t seen = em_atomic_load(word, memory_order_relaxed);
    while (value < seen && !em_atomic_compare_swap(word, &seen, value, order)) {
    }
}

/* Raises it if it is greater. */
static inline void em_atomic_raise(em_word *word, uint64_t value, memory_order order)
{
    uint64_t seen = em_atomic_load(word, memory_order_relaxed);
    while (value > seen && !em_atomic_compare_swap(word, &seen, value, order)) {
    }
}

#define EM_ATOMIC_PAUSES 24 /* after a swap that failed: about a microsecond */

/* After a swap that failed: what the word holds a little later. */
static inline uint64_t em_atomic_look_again(const em_word *word)
{
    for (int k = 0; k < EM_ATOMIC_PAUSES; k++) em_base_pause();
    return em_atomic_load(word, memory_order_relaxed);
}

/* Adds to a float64; returns what the word held before, as the one below does. */
static inline double em_atomic_add_float(em_word *word, double value, memory_order order)
{
    uint64_t seen = em_atomic_load(word, memory_order_relaxed);
    while (!em_atomic_compare_swap(word, &seen, em_phase_bits(em_phase_from_bits(seen) + value), order))
        seen = em_atomic_look_again(word);
    return em_phase_from_bits(seen);
}

/* Turns a phase by an angle and takes it into [0, 2 pi) inside the swap, so that nobody sees it outside. A word
 * that holds infinity or NaN becomes NaN. */
static inline double em_atomic_turn(em_word *word, double angle, memory_order order)
{
    const double near = em_phase_draw_near(angle);
    for (uint64_t seen = em_atomic_load(word, memory_order_relaxed);; seen = em_atomic_look_again(word)) {
        double held = em_phase_from_bits(seen);
        double turned = em_phase_wrap(em_phase_draw_near(held) + near);
        if (em_atomic_compare_swap(word, &seen, em_phase_bits(turned), order)) return held;
    }
}

#endif
