/* em_team.h: workers that meet: a reusable phase barrier whose last arriver works before it opens.
 *
 * A member calls em_team_arrive with the *measured* size of the team, never the size that was asked for: an
 * OpenMP runtime may give fewer threads, and a barrier sized by the request would then never open. All members
 * of a phase bring the same size. Whoever is told true arrived last: it does what must be done alone and calls
 * em_team_open; every other member calls em_team_wait with the ticket it got. A phase can be reused without
 * bound. em_team_abort, or a wait that runs out of time, breaks the barrier for all, for good.
 *
 *     arrive   acq_rel add: the last arriver sees what all members wrote before they arrived
 *     open     release (in the compare-and-swap of `gate`): waiters see what the last arriver wrote
 *     wait     acquire load of `gate`
 *
 * `arrived` holds the number of the phase that is filling and how many have arrived in it: one word, so that an
 * arrival learns both at once. `gate` holds the number of the first phase that has not opened and, in its low
 * bits, whether somebody sleeps on it and whether it is broken: one word, so that a sleeper cannot be missed
 * between looking and sleeping. A sleeper sets the bit by compare-and-swap and then asks the kernel to sleep
 * while the word is unchanged; the opener replaces the word and wakes only if the bit was set. The word is what
 * synchronises; the kernel only saves the waiting.
 *
 * All or none: one compare-and-swap of `gate` decides whether a phase opens or breaks. A phase that opened has
 * opened for all its members even if the barrier breaks later; one that broke never opens, and whoever would
 * have opened it is told false. Nothing takes a breach away: who wants to go on makes another team.
 *
 * Threads without a fixed place may use a team too (em_team_number, em_team_await, em_team_open_phase): more may
 * come than a phase holds. Whoever gets a number of `size` or more has no place, waits for the phase of its
 * ticket to open and arrives again. The next phase may then fill before the last arriver of this one has opened
 * it. Whoever opens a phase opens all before it, which were full: `arrived` passes to the next phase only
 * after the last arriver is done with what it does alone, and by a release that the next phase's arrivals
 * acquire. So opening is never late, and a waiter asks whether the gate is *past* its ticket, in the ring of
 * phases: no thread is 2^29 phases behind another that it waits for.
 *
 * Sources: the central barrier of Mellor-Crummey & Scott, ACM TOCS 9(1), 1991 (the phase number stands for the
 * sense); Drepper, "Futexes are tricky", 2011.
 */
#ifndef EM_TEAM_H
#define EM_TEAM_H

#include "em_base.h"

#include <stdbool.h>

#if defined(__linux__) && !defined(EM_TEAM_YIELDS)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(_WIN32)
#include <windows.h>
#else
#include <sched.h>
#endif

#define EM_TEAM_SLEEPERS 1u
#define EM_TEAM_BROKEN   2u
#define EM_TEAM_PHASE    4u
#define EM_TEAM_SPINS    2000
#define EM_TEAM_ARRIVALS 32 /* bits of `arrived` below the number of the phase */

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomic words must be lock-free");

typedef struct {
    _Alignas(EM_BASE_APART) _Atomic uint64_t arrived;
    _Alignas(EM_BASE_APART) _Atomic uint32_t gate;
    int cores; /* a team no larger than this may spin before it sleeps */
} em_team;

static inline void em_team_init(em_team *team, int cores)
{
    atomic_init(&team->arrived, 0);
    atomic_init(&team->gate, 0);
    team->cores = cores;
}

/* Sleeps while the gate is `seen`, at most `left` ns (negative: for ever); may return early. */
static inline void em_team_sleep(em_team *team, uint32_t seen, int64_t left)
{
#if defined(__linux__) && !defined(EM_TEAM_YIELDS)
    struct timespec time = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    syscall(SYS_futex, &team->gate, FUTEX_WAIT_PRIVATE, seen, left < 0 ? NULL : &time, NULL, 0);
#elif defined(_WIN32)
    (void)team, (void)seen, (void)left;
    SwitchToThread();
#else
    (void)team, (void)seen, (void)left;
    sched_yield();
#endif
}

static inline void em_team_wake(em_team *team)
{
#if defined(__linux__) && !defined(EM_TEAM_YIELDS)
    syscall(SYS_futex, &team->gate, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
#else
    (void)team;
#endif
}

/* Whether a gate is past a phase. */
static inline bool em_team_past(uint32_t gate, uint32_t ticket)
{
    const uint32_t low = EM_TEAM_PHASE - 1;
    return (int32_t)((gate | low) - (ticket * EM_TEAM_PHASE | low)) > 0;
}

/* Arrives: the number of this arrival in its phase, from 0. The ticket is the number of the phase. */
static inline uint32_t em_team_number(em_team *team, uint32_t *ticket)
{
    uint64_t arrived = atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel);
    *ticket = (uint32_t)(arrived >> EM_TEAM_ARRIVALS);
    return (uint32_t)arrived;
}

/* True if this member is the last of `size`. The ticket is what it waits on otherwise. */
static inline bool em_team_arrive(em_team *team, uint32_t size, uint32_t *ticket)
{
    return em_team_number(team, ticket) + 1 == size;
}

/* Only the last arriver of the ticket's phase: lets everybody go on, and takes the barrier to its next phase.
 * False if the barrier broke first. */
static inline bool em_team_open_phase(em_team *team, uint32_t ticket)
{
    const uint32_t next = (ticket + 1) * EM_TEAM_PHASE;
    atomic_store_explicit(
        &team->arrived, (uint64_t)(next / EM_TEAM_PHASE) << EM_TEAM_ARRIVALS, memory_order_release);
    uint32_t gate = atomic_load_explicit(&team->gate, memory_order_relaxed);
    do {
        if (em_team_past(gate, ticket)) return true;
        if (gate & EM_TEAM_BROKEN) return false;
    } while (!atomic_compare_exchange_weak_explicit(
        &team->gate, &gate, next, memory_order_release, memory_order_relaxed));
    if (gate & EM_TEAM_SLEEPERS) em_team_wake(team);
    return true;
}

/* The same where every member is in every phase, so that the gate tells the phase. */
static inline bool em_team_open(em_team *team)
{
    return em_team_open_phase(team, atomic_load_explicit(&team->gate, memory_order_relaxed) / EM_TEAM_PHASE);
}

/* Anyone, at any time: every present and later wait for a phase that has not opened ends with EM_BROKEN. */
static inline void em_team_abort(em_team *team)
{
    atomic_fetch_or_explicit(&team->gate, EM_TEAM_BROKEN, memory_order_release);
    em_team_wake(team);
}

/* For a member that leaves before its phase has opened: breaks the barrier and returns EM_TIMED_OUT, unless the
 * phase has opened after all (EM_OK) or another broke it first (EM_BROKEN). */
static inline em_status em_team_break(em_team *team, uint32_t ticket)
{
    uint32_t gate;
    do {
        gate = atomic_load_explicit(&team->gate, memory_order_acquire);
        if (em_team_past(gate, ticket)) return EM_OK;
        if (gate & EM_TEAM_BROKEN) return EM_BROKEN;
    } while (!atomic_compare_exchange_weak_explicit(
        &team->gate, &gate, gate | EM_TEAM_BROKEN, memory_order_release, memory_order_relaxed));
    if (gate & EM_TEAM_SLEEPERS) em_team_wake(team);
    return EM_TIMED_OUT;
}

static inline bool em_team_is_broken(em_team *team)
{
    return atomic_load_explicit(&team->gate, memory_order_acquire) & EM_TEAM_BROKEN;
}

/* How many have arrived in the phase that is filling, at this moment. */
static inline uint32_t em_team_arrivals(em_team *team)
{
    return (uint32_t)atomic_load_explicit(&team->arrived, memory_order_relaxed);
}

/* How often a member of a team looks before it sleeps: not at all where that would keep others off a core. */
static inline int em_team_spins(const em_team *team, uint32_t size)
{
    return size <= (uint32_t)team->cores ? EM_TEAM_SPINS : 0;
}

/* EM_OK when the phase of the ticket has opened, EM_BROKEN if it never will, EM_TIMED_OUT at the deadline (on
 * em_base_nanoseconds; negative: none). Running out of time changes nothing: wait again, or em_team_break. */
static inline em_status em_team_await(em_team *team, uint32_t ticket, int spins, int64_t deadline)
{
    for (;;) {
        uint32_t gate = atomic_load_explicit(&team->gate, memory_order_acquire);
        if (em_team_past(gate, ticket)) return EM_OK;
        if (gate & EM_TEAM_BROKEN) return EM_BROKEN;
        if (spins-- > 0) {
            em_base_pause();
            continue;
        }
        spins = 0;
        int64_t left = deadline < 0 ? -1 : deadline - em_base_nanoseconds();
        if (deadline >= 0 && left <= 0) return EM_TIMED_OUT;
        uint32_t asleep = gate | EM_TEAM_SLEEPERS;
        if (gate != asleep && !atomic_compare_exchange_strong_explicit(
                                  &team->gate, &gate, asleep, memory_order_relaxed, memory_order_relaxed))
            continue;
        em_team_sleep(team, asleep, left);
    }
}

/* EM_OK when the phase of the ticket has opened. At most `timeout` ns (negative: no limit), then the barrier
 * breaks. */
static inline em_status em_team_wait(em_team *team, uint32_t size, uint32_t ticket, int64_t timeout)
{
    int64_t deadline = timeout < 0 ? -1 : em_base_nanoseconds() + timeout;
    em_status status = em_team_await(team, ticket, em_team_spins(team, size), deadline);
    return status == EM_TIMED_OUT ? em_team_break(team, ticket) : status;
}

#endif
