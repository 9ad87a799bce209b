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
 * `gate` holds the number of the phase and, in its low bits, whether somebody sleeps on it and whether it is
 * broken: one word, so that a sleeper cannot be missed between looking and sleeping. A sleeper sets the bit by
 * compare-and-swap and then asks the kernel to sleep while the word is unchanged; the opener replaces the word
 * and wakes only if the bit was set. The word is what synchronises; the kernel only saves the waiting.
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

typedef struct {
    _Alignas(EM_BASE_APART) _Atomic uint32_t arrived;
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

/* True if this member is the last of `size`. The ticket is what it waits on otherwise. */
static inline bool em_team_arrive(em_team *team, uint32_t size, uint32_t *ticket)
{
    *ticket = atomic_load_explicit(&team->gate, memory_order_relaxed) / EM_TEAM_PHASE;
    return atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) + 1 == size;
}

/* Only the last arriver: lets everybody go on, and takes the barrier to its next phase. */
static inline void em_team_open(em_team *team)
{
    atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
    uint32_t gate = atomic_load_explicit(&team->gate, memory_order_relaxed);
    uint32_t next;
    do {
        next = (gate / EM_TEAM_PHASE + 1) * EM_TEAM_PHASE | (gate & EM_TEAM_BROKEN);
    } while (!atomic_compare_exchange_weak_explicit(
        &team->gate, &gate, next, memory_order_release, memory_order_relaxed));
    if (gate & EM_TEAM_SLEEPERS) em_team_wake(team);
}

/* Anyone, at any time: every present and later wait ends with EM_BROKEN. */
static inline void em_team_abort(em_team *team)
{
    atomic_fetch_or_explicit(&team->gate, EM_TEAM_BROKEN, memory_order_release);
    em_team_wake(team);
}

/* EM_OK when the phase of the ticket has opened. At most `timeout` ns (negative: no limit), then the barrier
 * breaks. A phase that opened counts as opened even if the barrier broke later. */
static inline em_status em_team_wait(em_team *team, uint32_t size, uint32_t ticket, int64_t timeout)
{
    int64_t deadline = timeout < 0 ? -1 : em_base_nanoseconds() + timeout;
    int spins = size <= (uint32_t)team->cores ? EM_TEAM_SPINS : 0;
    for (;;) {
        uint32_t gate = atomic_load_explicit(&team->gate, memory_order_acquire);
        if (gate / EM_TEAM_PHASE != ticket) return EM_OK;
        if (gate & EM_TEAM_BROKEN) return EM_BROKEN;
        if (spins-- > 0) {
            em_base_pause();
            continue;
        }
        int64_t left = deadline < 0 ? -1 : deadline - em_base_nanoseconds();
        if (deadline >= 0 && left <= 0) {
            em_team_abort(team);
            return EM_TIMED_OUT;
        }
        uint32_t asleep = gate | EM_TEAM_SLEEPERS;
        if (gate != asleep && !atomic_compare_exchange_strong_explicit(
                                  &team->gate, &gate, asleep, memory_order_relaxed, memory_order_relaxed))
            continue;
        em_team_sleep(team, asleep, left);
    }
}

#endif
