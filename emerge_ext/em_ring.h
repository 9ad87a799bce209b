/* em_ring.h: nudges on their way: a bounded ring that any threads put into, and any take from.
 *
 * A nudge is an agent and a binary angle. Positions number all that is ever put, and the cell of a position is the
 * one at that number modulo the size, a power of two. `put` is the position that is filled next and, in its low
 * bit, whether the ring is closed: one word, so that closing ends what is given out. `taken` is the position that
 * is emptied next. A cell's `turn` tells which position it waits for: the position itself, to be filled; the
 * position and one, to be emptied. Nothing is allocated after em_ring_create.
 *
 *     put     1. turn of the cell at `put`     acquire load; lower than the position: the ring is full
 *             2. put -> put + 1                relaxed compare-and-swap
 *             3. the entry                     plain
 *             4. turn -> position + 1          release store
 *     take    5. turn of the cell at `taken`   acquire load; lower than position + 1: nothing there is complete
 *             6. taken -> taken + 1            relaxed compare-and-swap
 *             7. the entry                     plain
 *             8. turn -> position + size       release store
 *     close   9. low bit of `put`              relaxed read-modify-write
 *
 * Invariant: a position is given to one thread that puts and to one that takes, because each swap takes a word that
 * never goes back one step on.
 *
 * - Only 4 and 8 change a turn, each by the one thread that was given the position which the turn tells. So what 1
 *   or 5 saw still stands when the swap after it succeeds, and from there to its store the entry is that thread's
 *   alone. 5 acquires what 4 released: the entry is whole. 1 acquires what 8 released: the entry before has been
 *   read. The swaps only give out numbers, so they need order nothing. A look may be old: then the turn is ahead of
 *   the position, or the swap fails, and both are looked at again.
 * - Positions are given out in ascending order on either side, so what one thread puts is taken in that order.
 * - A swap at 2 expects no closing bit. So whoever was told that a nudge is in has a position before the end that 9
 *   fixed, and whoever takes up to that end after 9 finds it.
 * - A put or take that fails did so because another has succeeded, or because a thread stands still between 2 and 4
 *   or 6 and 8. Nobody waits there, it is a few instructions; but the system may let a thread wait anywhere, and then
 *   takers find nothing at its position, though later ones are complete. So em_ring_pour, which a tick calls, takes
 *   what it can and waits for nobody; em_ring_flush waits.
 *
 * Positions go in steps of EM_RING_NEXT and wrap with 64 bits, which any size divides; only differences are compared.
 * No thread stands still while 2^62 nudges pass.
 *
 * Source: Vyukov, bounded MPMC queue, 1024cores.net (2010). Departure: the bit that closes.
 */
#ifndef EM_RING_H
#define EM_RING_H

#include "em_atomic.h"
#include "em_base.h"
#include "em_inbox.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <sched.h>
#endif

#define EM_RING_CLOSED UINT64_C(1)
#define EM_RING_NEXT   UINT64_C(2)
#define EM_RING_CELL   32 /* bytes: so that no cell lies in two cache lines */

/* Looks of a thread that waits, before it lets others in (some microseconds), and before it sleeps so many ns. */
#define EM_RING_SPINS  200
#define EM_RING_YIELDS 250
#define EM_RING_SLEEP  50000

typedef struct {
    _Alignas(EM_RING_CELL) em_word turn;
    int64_t agent;
    uint64_t angle;
} em_ring_cell;

typedef struct em_ring {
    _Alignas(EM_BASE_APART) em_word put;
    _Alignas(EM_BASE_APART) em_word taken;
    _Alignas(EM_BASE_APART) em_word lost; /* swaps at 2 and 6 that another won */
    em_ring_cell *cells;
    uint64_t size;
    struct em_ring *next; /* the next ring of the same swarm; only in one's turn */
} em_ring;

static inline em_ring_cell *em_ring_at(const em_ring *ring, uint64_t position)
{
    return &ring->cells[position / EM_RING_NEXT & (ring->size - 1)];
}

/* While nobody else has the ring: open, empty, and at the position `from`. */
static inline void em_ring_init(em_ring *ring, uint64_t from)
{
    atomic_init(&ring->put.bits, from);
    atomic_init(&ring->taken.bits, from);
    atomic_init(&ring->lost.bits, 0);
    for (uint64_t k = 0; k < ring->size; k++, from += EM_RING_NEXT)
        atomic_init(&em_ring_at(ring, from)->turn.bits, from);
}

static inline void em_ring_free(em_ring *ring)
{
    if (ring == NULL) return;
    em_base_free(ring->cells);
    em_base_free(ring);
}

/* Room for `size` nudges or more: the next power of two, at least two, as one cell would tell full and empty by the
 * same turn. 0 < size <= 2^48. */
static inline em_ring *em_ring_create(int64_t size)
{
    em_ring *ring = em_base_alloc(sizeof *ring);
    if (ring == NULL) return NULL;
    ring->next = NULL;
    for (ring->size = 2; ring->size < (uint64_t)size;) ring->size *= 2;
    ring->cells = em_base_alloc((size_t)ring->size * sizeof *ring->cells);
    if (ring->cells == NULL) {
        em_ring_free(ring);
        return NULL;
    }
    em_ring_init(ring, 0);
    return ring;
}

/* After a swap that another won: what the word holds a little later. */
static inline uint64_t em_ring_lose(em_ring *ring, const em_word *word)
{
    em_atomic_add(&ring->lost, 1, memory_order_relaxed);
    return em_atomic_look_again(word);
}

/* This and all below but em_ring_mend: anyone, at any time. The nudge is in only if it returns EM_OK; else the ring
 * is EM_FULL or EM_CLOSED. */
static inline em_status em_ring_put(em_ring *ring, int64_t agent, uint64_t angle)
{
    uint64_t at = em_atomic_load(&ring->put, memory_order_relaxed);
    while (!(at & EM_RING_CLOSED)) {
        em_ring_cell *cell = em_ring_at(ring, at);
        int64_t ahead = (int64_t)(em_atomic_load(&cell->turn, memory_order_acquire) - at);
        if (ahead < 0) return EM_FULL;
        if (ahead > 0) {
            at = em_atomic_load(&ring->put, memory_order_relaxed);
        } else if (em_atomic_compare_swap(&ring->put, &at, at + EM_RING_NEXT, memory_order_relaxed)) {
            cell->agent = agent;
            cell->angle = angle;
            em_atomic_store(&cell->turn, at + EM_RING_NEXT, memory_order_release);
            return EM_OK;
        } else {
            at = em_ring_lose(ring, &ring->put);
        }
    }
    return EM_CLOSED;
}

/* False if nothing is there, or nothing complete. */
static inline bool em_ring_take(em_ring *ring, int64_t *agent, uint64_t *angle)
{
    uint64_t at = em_atomic_load(&ring->taken, memory_order_relaxed);
    for (;;) {
        em_ring_cell *cell = em_ring_at(ring, at);
        uint64_t turn = em_atomic_load(&cell->turn, memory_order_acquire);
        int64_t ahead = (int64_t)(turn - (at + EM_RING_NEXT));
        if (ahead < 0) return false;
        if (ahead > 0) {
            at = em_atomic_load(&ring->taken, memory_order_relaxed);
        } else if (em_atomic_compare_swap(&ring->taken, &at, at + EM_RING_NEXT, memory_order_relaxed)) {
            *agent = cell->agent;
            *angle = cell->angle;
            em_atomic_store(&cell->turn, at + ring->size * EM_RING_NEXT, memory_order_release);
            return true;
        } else {
            at = em_ring_lose(ring, &ring->taken);
        }
    }
}

/* From now on every put finds the ring closed; what is in stays until it is taken. */
static inline void em_ring_close(em_ring *ring)
{
    em_atomic_or(&ring->put, EM_RING_CLOSED, memory_order_relaxed);
}

static inline bool em_ring_is_closed(const em_ring *ring)
{
    return em_atomic_load(&ring->put, memory_order_relaxed) & EM_RING_CLOSED;
}

/* The position that is filled next: what was put before this is before it. */
static inline uint64_t em_ring_end(const em_ring *ring)
{
    return em_atomic_load(&ring->put, memory_order_relaxed) & ~EM_RING_CLOSED;
}

/* How many positions before `end` have not been given to a taker. */
static inline int64_t em_ring_left(const em_ring *ring, uint64_t end)
{
    int64_t left = (int64_t)(end - em_atomic_load(&ring->taken, memory_order_relaxed));
    return left > 0 ? left / (int64_t)EM_RING_NEXT : 0;
}

/* How many nudges wait, at some moment of a past that is not far. */
static inline int64_t em_ring_fill(const em_ring *ring)
{
    int64_t left = em_ring_left(ring, em_ring_end(ring));
    return left < (int64_t)ring->size ? left : (int64_t)ring->size;
}

/* Moves what is complete before `end` into the inbox; returns how many. However fast others put, it ends. */
static inline int64_t em_ring_pour(em_ring *ring, uint64_t end, em_inbox *inbox)
{
    int64_t moved = 0, agent;
    uint64_t angle;
    for (int64_t left = em_ring_left(ring, end); moved < left && em_ring_take(ring, &agent, &angle); moved++)
        em_inbox_add(inbox, agent, angle);
    return moved;
}

/* Does so for all rings of a swarm. */
static inline int64_t em_ring_pour_all(em_ring *first, em_inbox *inbox)
{
    int64_t moved = 0;
    for (em_ring *ring = first; ring != NULL; ring = ring->next)
        moved += em_ring_pour(ring, em_ring_end(ring), inbox);
    return moved;
}

/* What a thread does after so many looks in vain. */
static inline void em_ring_rest(int looks)
{
    if (looks < EM_RING_SPINS) {
        em_base_pause();
        return;
    }
#if defined(_WIN32)
    if (looks < EM_RING_YIELDS)
        SwitchToThread();
    else
        Sleep(1);
#else
    struct timespec time = {.tv_nsec = EM_RING_SLEEP};
    if (looks < EM_RING_YIELDS)
        sched_yield();
    else
        nanosleep(&time, NULL);
#endif
}

/* Moves all that was put before into the inbox, or sees it taken by others; returns how many it moved. */
static inline int64_t em_ring_flush(em_ring *ring, em_inbox *inbox)
{
    const uint64_t end = em_ring_end(ring);
    int64_t moved = em_ring_pour(ring, end, inbox);
    for (int looks = 0; em_ring_left(ring, end) > 0; looks += looks < EM_RING_YIELDS) {
        em_ring_rest(looks);
        moved += em_ring_pour(ring, end, inbox);
    }
    return moved;
}

/* EM_OK when there is room, which others may take first; EM_CLOSED; or EM_TIMED_OUT at the deadline (on
 * em_base_nanoseconds). */
static inline em_status em_ring_await(const em_ring *ring, int64_t deadline)
{
    for (int looks = 0;; looks += looks < EM_RING_YIELDS) {
        uint64_t at = em_atomic_load(&ring->put, memory_order_relaxed);
        if (at & EM_RING_CLOSED) return EM_CLOSED;
        const em_word *turn = &em_ring_at(ring, at)->turn;
        if ((int64_t)(em_atomic_load(turn, memory_order_relaxed) - at) >= 0) return EM_OK;
        if (em_base_nanoseconds() >= deadline) return EM_TIMED_OUT;
        em_ring_rest(looks);
    }
}

/* While nobody else has the ring, as in a forked child: gives up positions whose threads are not there, and keeps
 * what is complete, in its order. */
static inline void em_ring_mend(em_ring *ring)
{
    const uint64_t taken = em_atomic_load(&ring->taken, memory_order_relaxed), end = em_ring_end(ring);
    const uint64_t closed = em_atomic_load(&ring->put, memory_order_relaxed) & EM_RING_CLOSED;
    uint64_t kept = taken;
    for (uint64_t at = taken; at != end; at += EM_RING_NEXT) {
        const em_ring_cell *cell = em_ring_at(ring, at);
        if (em_atomic_load(&cell->turn, memory_order_relaxed) != at + EM_RING_NEXT) continue;
        em_ring_at(ring, kept)->agent = cell->agent;
        em_ring_at(ring, kept)->angle = cell->angle;
        kept += EM_RING_NEXT;
    }
    for (uint64_t k = 0, at = taken; k < ring->size; k++, at += EM_RING_NEXT) {
        uint64_t full = (int64_t)(kept - at) > 0 ? EM_RING_NEXT : 0;
        em_atomic_store(&em_ring_at(ring, at)->turn, at + full, memory_order_relaxed);
    }
    em_atomic_store(&ring->put, kept | closed, memory_order_relaxed);
}

#endif
