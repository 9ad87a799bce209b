/* em_trial.h: what one update of one agent costs, under each way to let many threads make it.
 *
 * Threads of the operating system turn one agent by the same binary angle, each as often as it is told:
 *
 *     mutex     a plain number behind a lock of the operating system
 *     atomic    the addition of em_inbox.h alone
 *     channel   a bounded queue of a lock and two conditions; all but one send, one takes and turns. A thread
 *               that is alone sends and takes by turns
 *     rcu       one enters what is published, reads it and leaves, as often as it is told; all others publish
 *               without pause until it has done, at most a hundred times as often
 *     inbox     em_inbox_add: the addition and the mark
 *     ring      em_ring.h in place of the channel's queue
 *
 * Binary angles add without rounding and the angle is odd, so the sum tells whether fewer than 2^64 updates
 * were lost or made twice; a trial whose sum is wrong fails, and no compiler can leave out what it sums.
 * Where there are no POSIX threads a trial tells NaN.
 */
#ifndef EM_TRIAL_H
#define EM_TRIAL_H

#include "em_atomic.h"
#include "em_base.h"
#include "em_inbox.h"
#include "em_rcu.h"
#include "em_ring.h"
#include "em_team.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    EM_TRIAL_MUTEX,
    EM_TRIAL_ATOMIC,
    EM_TRIAL_CHANNEL,
    EM_TRIAL_RCU,
    EM_TRIAL_INBOX,
    EM_TRIAL_RING,
} em_trial_way;

#if defined(_WIN32)

static inline em_status em_trial_run(em_trial_way way, int threads, int64_t rounds, double *nanoseconds)
{
    (void)way, (void)threads, (void)rounds;
    *nanoseconds = NAN;
    return EM_OK;
}

#else

#include <pthread.h>

#define EM_TRIAL_ANGLE UINT64_C(0x9e3779b97f4a7c15)
#define EM_TRIAL_SLOTS 64   /* of the channel */
#define EM_TRIAL_ROOM  1024 /* of the ring */

typedef struct {
    em_trial_way way;
    int threads;
    int64_t rounds; /* of each thread */
    em_team team;   /* so that all begin together */
    _Alignas(EM_BASE_APART) pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    uint64_t plain; /* this and the queue only with the lock */
    int first, held;
    uint64_t slots[EM_TRIAL_SLOTS];
    _Alignas(EM_BASE_APART) em_word word;
    _Alignas(EM_BASE_APART) em_rcu rcu;
    uint64_t angles[2]; /* what is published by turns; both the same */
    _Alignas(EM_BASE_APART) em_word done;
    em_inbox *inbox;
    em_ring *ring;
} em_trial;

typedef struct {
    _Alignas(EM_BASE_APART) em_trial *trial;
    pthread_t thread;
    int rank;
    int64_t begun, ended;
    uint64_t sum; /* of what this thread took or read */
} em_trial_member;

static inline void em_trial_send(em_trial *trial, uint64_t angle)
{
    pthread_mutex_lock(&trial->lock);
    while (trial->held == EM_TRIAL_SLOTS) pthread_cond_wait(&trial->emptied, &trial->lock);
    trial->slots[(trial->first + trial->held++) % EM_TRIAL_SLOTS] = angle;
    pthread_cond_signal(&trial->filled);
    pthread_mutex_unlock(&trial->lock);
}

static inline uint64_t em_trial_take(em_trial *trial)
{
    pthread_mutex_lock(&trial->lock);
    while (trial->held == 0) pthread_cond_wait(&trial->filled, &trial->lock);
    uint64_t angle = trial->slots[trial->first];
    trial->first = (trial->first + 1) % EM_TRIAL_SLOTS;
    trial->held--;
    pthread_cond_signal(&trial->emptied);
    pthread_mutex_unlock(&trial->lock);
    return angle;
}

/* How many updates all threads make together. */
static inline int64_t em_trial_updates(const em_trial *trial)
{
    if (trial->way == EM_TRIAL_RCU) return trial->rounds;
    bool passes = trial->way == EM_TRIAL_CHANNEL || trial->way == EM_TRIAL_RING;
    if (passes && trial->threads > 1) return (trial->threads - 1) * trial->rounds;
    return trial->threads * trial->rounds;
}

static inline void em_trial_lock_each(em_trial *trial)
{
    for (int64_t k = 0; k < trial->rounds; k++) {
        pthread_mutex_lock(&trial->lock);
        trial->plain += EM_TRIAL_ANGLE;
        pthread_mutex_unlock(&trial->lock);
    }
}

static inline void em_trial_add_each(em_trial *trial)
{
    for (int64_t k = 0; k < trial->rounds; k++)
        em_atomic_add(&trial->word, EM_TRIAL_ANGLE, memory_order_relaxed);
}

static inline void em_trial_pass_each(em_trial_member *me)
{
    em_trial *trial = me->trial;
    if (me->rank > 0) {
        for (int64_t k = 0; k < trial->rounds; k++) em_trial_send(trial, EM_TRIAL_ANGLE);
        return;
    }
    for (int64_t k = em_trial_updates(trial); k > 0; k--) {
        if (trial->threads == 1) em_trial_send(trial, EM_TRIAL_ANGLE);
        me->sum += em_trial_take(trial);
    }
}

static inline void em_trial_read_each(em_trial_member *me)
{
    em_trial *trial = me->trial;
    if (me->rank > 0) {
        const int64_t most = 100 * trial->rounds; /* a reader that is always overtaken would never get on */
        for (int64_t k = 0; k < most && em_atomic_load(&trial->done, memory_order_relaxed) == 0; k++)
            em_rcu_publish(&trial->rcu, &trial->angles[k % 2]);
        return;
    }
    for (int64_t k = 0; k < trial->rounds; k++) {
        me->sum += *(uint64_t *)em_rcu_enter(&trial->rcu);
        em_rcu_leave(&trial->rcu);
    }
    em_atomic_store(&trial->done, 1, memory_order_relaxed);
}

static inline void em_trial_nudge_each(em_trial *trial)
{
    for (int64_t k = 0; k < trial->rounds; k++) em_inbox_add(trial->inbox, 0, EM_TRIAL_ANGLE);
}

static inline void em_trial_ring_put(em_ring *ring)
{
    while (em_ring_put(ring, 0, EM_TRIAL_ANGLE) != EM_OK) em_ring_await(ring, INT64_MAX);
}

static inline void em_trial_ring_each(em_trial_member *me)
{
    em_trial *trial = me->trial;
    int64_t agent;
    uint64_t angle;
    if (me->rank > 0) {
        for (int64_t k = 0; k < trial->rounds; k++) em_trial_ring_put(trial->ring);
        return;
    }
    for (int64_t k = em_trial_updates(trial); k > 0; k--) {
        if (trial->threads == 1) em_trial_ring_put(trial->ring);
        for (int looks = 0; !em_ring_take(trial->ring, &agent, &angle); looks++) em_ring_rest(looks);
        me->sum += angle;
    }
}

static inline void *em_trial_work(void *given)
{
    em_trial_member *me = given;
    em_trial *trial = me->trial;
    uint32_t ticket, size = (uint32_t)trial->threads;
    if (em_team_arrive(&trial->team, size, &ticket))
        em_team_open(&trial->team);
    else if (em_team_wait(&trial->team, size, ticket, -1) != EM_OK)
        return NULL;
    me->begun = em_base_nanoseconds();
    switch (trial->way) {
    case EM_TRIAL_MUTEX:
        em_trial_lock_each(trial);
        break;
    case EM_TRIAL_ATOMIC:
        em_trial_add_each(trial);
        break;
    case EM_TRIAL_CHANNEL:
        em_trial_pass_each(me);
        break;
    case EM_TRIAL_RCU:
        em_trial_read_each(me);
        break;
    case EM_TRIAL_INBOX:
        em_trial_nudge_each(trial);
        break;
    case EM_TRIAL_RING:
        em_trial_ring_each(me);
        break;
    }
    me->ended = em_base_nanoseconds();
    return NULL;
}

/* Runs the members, the first of them in this thread; false if the system gives fewer threads. */
static inline bool em_trial_gather(em_trial *trial, em_trial_member *members)
{
    int started = 1;
    for (int rank = 0; rank < trial->threads; rank++)
        members[rank] = (em_trial_member){.trial = trial, .rank = rank};
    while (started < trial->threads &&
           pthread_create(&members[started].thread, NULL, em_trial_work, &members[started]) == 0)
        started++;
    if (started < trial->threads) em_team_abort(&trial->team);
    em_trial_work(&members[0]);
    for (int rank = 1; rank < started; rank++) pthread_join(members[rank].thread, NULL);
    return started == trial->threads;
}

/* Whether every update was made once; all threads have ended. */
static inline bool em_trial_holds(em_trial *trial, const em_trial_member *members)
{
    uint64_t sum = trial->plain + members[0].sum + em_inbox_take(trial->inbox, 0);
    sum += em_atomic_load(&trial->word, memory_order_relaxed);
    return sum == (uint64_t)em_trial_updates(trial) * EM_TRIAL_ANGLE;
}

/* Time from the first update to the last, for each update; under rcu, of the one that reads. */
static inline double em_trial_cost(const em_trial *trial, const em_trial_member *members)
{
    int64_t begun = members[0].begun, ended = members[0].ended;
    for (int rank = 1; rank < trial->threads && trial->way != EM_TRIAL_RCU; rank++) {
        if (members[rank].begun < begun) begun = members[rank].begun;
        if (members[rank].ended > ended) ended = members[rank].ended;
    }
    return (double)(ended - begun) / (double)em_trial_updates(trial);
}

/* EM_OK and the ns of one update; EM_NO_MEMORY without memory or threads, EM_BROKEN if the sum is wrong. */
static inline em_status em_trial_run(em_trial_way way, int threads, int64_t rounds, double *nanoseconds)
{
    em_trial *trial = em_base_alloc(sizeof *trial);
    em_trial_member *members = em_base_alloc((size_t)threads * sizeof *members);
    em_inbox *inbox = em_inbox_create(1, 1);
    em_ring *ring = em_ring_create(EM_TRIAL_ROOM);
    em_status status = EM_NO_MEMORY;
    if (trial != NULL && members != NULL && inbox != NULL && ring != NULL) {
        *trial = (em_trial){.way = way, .threads = threads, .rounds = rounds, .inbox = inbox, .ring = ring};
        trial->angles[0] = trial->angles[1] = EM_TRIAL_ANGLE;
        em_team_init(&trial->team, 0);
        em_rcu_init(&trial->rcu, &trial->angles[0]);
        pthread_mutex_init(&trial->lock, NULL);
        pthread_cond_init(&trial->filled, NULL);
        pthread_cond_init(&trial->emptied, NULL);
        if (em_trial_gather(trial, members)) {
            status = em_trial_holds(trial, members) ? EM_OK : EM_BROKEN;
            *nanoseconds = em_trial_cost(trial, members);
        }
        pthread_cond_destroy(&trial->emptied);
        pthread_cond_destroy(&trial->filled);
        pthread_mutex_destroy(&trial->lock);
    }
    em_ring_free(ring);
    em_inbox_free(inbox);
    em_base_free(members);
    em_base_free(trial);
    return status;
}

#endif
#endif
