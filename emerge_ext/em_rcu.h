/* em_rcu.h: which object holds now, while anybody may put another in its place.
 *
 * `current` is what holds. `used` is what the one user has announced that it reads, or NULL; the last arriver of
 * a join is that user, for its team and for one tick. Nobody waits for anybody, and nothing here allocates or
 * frees: each publisher keeps a list of what it published, and frees whatever em_rcu_in_use says no to.
 *
 *     enter     1. used <- pointer    seq_cst store
 *               2. current            seq_cst load: the same pointer, so it may be read; else again
 *     leave     3. used <- NULL       release store
 *     publish   4. current <- next    seq_cst exchange
 *     in use    5. current            seq_cst load: another pointer, and
 *               6. used               seq_cst load: another pointer, so it may be freed
 *
 * Why nothing is freed that is read. Let P be freed. 5 read what a 4 put after P, so that 4 comes before 5, and
 * with it before 6, in the one order of all seq_cst operations. A user that entered P read it at 2.
 *
 *     2 before 4: so is its 1, and 6 sees it, or what the user stored later. In the first case P is not freed.
 *     In the second the later store, 1 or 3, released all reading of P, and 6 acquired it.
 *     2 after 4: 2 does not read P.
 *
 * This is Dekker's pattern, each side writes and then reads what the other writes, and acquire and release do not
 * do: 2 could read before 1 is seen, and 6 before 4. That is why 1, 2, 4 and 6 are seq_cst; 5 is, to stand in
 * the same order. 5 comes before 6: else P could be entered after 6, and replaced by another publisher before 5.
 *
 * An address may come again: P freed, and a new object published there, between the first look and 2. Then 2 read
 * the new one, which is current, announced and acquired. So enter returns what 2 read; the first look is never
 * followed, and may be relaxed. A pointer that was published may be published again by whoever has it on its
 * list, but not between asking for it and freeing it.
 *
 * Sources: McKenney & Slingwine, PDCS 1998: read-copy update. Departure: no grace periods; with one user, the
 * hazard pointer of Michael, IEEE TPDS 15(6), 491 (2004), whose announce-and-verify is enter, is simpler.
 */
#ifndef EM_RCU_H
#define EM_RCU_H

#include "em_base.h"

#include <stdbool.h>

_Static_assert(ATOMIC_POINTER_LOCK_FREE == 2, "atomic pointers must be lock-free");

typedef struct {
    _Alignas(EM_BASE_APART) _Atomic(void *) current;
    _Alignas(EM_BASE_APART) _Atomic(void *) used;
} em_rcu;

static inline void em_rcu_init(em_rcu *rcu, void *first)
{
    atomic_init(&rcu->current, first);
    atomic_init(&rcu->used, NULL);
}

/* Anyone, at any time. Returns what held before; it may still be read. */
static inline void *em_rcu_publish(em_rcu *rcu, void *next)
{
    return atomic_exchange_explicit(&rcu->current, next, memory_order_seq_cst);
}

/* Only the user, done with what it entered before (leaving in between is not needed). Users take turns: whatever
 * orders them, as the join does, orders their stores. Repeats only if something was published meanwhile. */
static inline void *em_rcu_enter(em_rcu *rcu)
{
    void *pointer = atomic_load_explicit(&rcu->current, memory_order_relaxed);
    for (;;) {
        atomic_store_explicit(&rcu->used, pointer, memory_order_seq_cst);
        void *verified = atomic_load_explicit(&rcu->current, memory_order_seq_cst);
        if (verified == pointer) return verified;
        pointer = verified;
    }
}

/* Only the user. */
static inline void em_rcu_leave(em_rcu *rcu)
{
    atomic_store_explicit(&rcu->used, NULL, memory_order_release);
}

/* Whoever has the pointer on its list: false if it may be freed, once and for all. */
static inline bool em_rcu_in_use(em_rcu *rcu, const void *pointer)
{
    if (atomic_load_explicit(&rcu->current, memory_order_seq_cst) == pointer) return true;
    return atomic_load_explicit(&rcu->used, memory_order_seq_cst) == pointer;
}

#endif
