/* em_atomic.h: 64-bit words that many threads may touch.
 *
 * The caller of each function names the memory order; docs/concurrency.md tells for every word who uses which
 * and why. A word is lock-free on every processor that emerge is built for: that is asserted below, so that no
 * lock can hide behind an atomic type.
 */
#ifndef EM_ATOMIC_H
#define EM_ATOMIC_H

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

#endif
