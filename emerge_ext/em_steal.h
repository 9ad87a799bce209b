/* em_steal.h: who does the next block: one interval of blocks for each worker, and how the idle help themselves.
 *
 * A worker's queue is the interval [begin, end) of blocks it still has to do, in one word. Its owner takes the
 * block at the low end. A worker whose own queue is empty is a thief: it takes the upper half of another's (of
 * one block, that one), does the first of it and keeps the rest as its own queue. All blocks are known before a
 * stage begins, so nothing is pushed, and nothing is allocated after em_steal_create.
 *
 *     take   acquire compare-and-swap of a queue seen not empty, to [begin + 1, end) or [begin, middle)
 *     put    release store into a queue that is empty: em_steal_fill, also for what its owner stole
 *
 * Invariant: a block of the stage is in one queue, or held by one worker, or done.
 *
 * - The word is all there is to know of a queue, and a swap takes what stands there at that moment. So a look
 *   may be old; if the swap succeeds, it is true. Within a stage no interval stands twice (no ABA): whatever
 *   changes one takes a block that its taker does, and that block is in no queue of this stage again. No look
 *   is carried into the next stage, because who looks has not arrived at the join.
 * - An empty queue changes by put alone, since nobody swaps what it saw empty, and within a stage only its owner
 *   puts. So the store of a put never overwrites a take.
 * - A worker leaves when it has seen every queue empty once, though blocks may have moved behind it or be held by
 *   a thief between its swap and its put. That thief does them: it empties its own queue before it leaves. What
 *   leaving early can cost is balance, never a block.
 * - em_steal_fill wants a queue that is empty and that nobody else puts into: by the last arriver of a join
 *   before it opens, when all others have left the queues and come back only through the join; or, where no
 *   queue holds anything, by each worker into its own before it takes. A thief finds such a queue empty or full.
 *
 * Whoever takes a block sees what was written before the block was put: a put releases, the takes that followed
 * it on the word are read-modify-writes and continue its release sequence, and a take acquires. A take does not
 * release: what was done with a block is published by the join. Looks are relaxed, the swap judges them.
 *
 * Sources: Blumofe & Leiserson, J. ACM 46(5), 720 (1999): a random victim. Hendler & Shavit, PODC 2002, 280: half
 * of what it has. Departure: an interval in one word for their deque, because blocks are never pushed.
 */
#ifndef EM_STEAL_H
#define EM_STEAL_H

#include "em_atomic.h"
#include "em_base.h"

typedef struct {
    _Alignas(EM_BASE_APART) em_word interval; /* begin in the low half, end in the high half */
    uint64_t taken;                           /* blocks the owner was given from its own queue, ... */
    uint64_t stolen;                          /* ... and from others', one for each theft */
    uint64_t lost; /* swaps that it tried and another won; only the owner writes these three */
} em_steal_queue;

static inline void em_steal_free(em_steal_queue *queues)
{
    em_base_free(queues);
}

/* One empty queue for each of `size` workers. */
static inline em_steal_queue *em_steal_create(int size)
{
    em_steal_queue *queues = em_base_alloc((size_t)size * sizeof *queues);
    if (queues == NULL) return NULL;
    for (int rank = 0; rank < size; rank++) {
        atomic_init(&queues[rank].interval.bits, 0);
        queues[rank].taken = queues[rank].stolen = queues[rank].lost = 0;
    }
    return queues;
}

static inline int64_t em_steal_begin(uint64_t interval)
{
    return (int64_t)(interval & UINT32_MAX);
}

static inline int64_t em_steal_end(uint64_t interval)
{
    return (int64_t)(interval >> 32);
}

/* Puts blocks begin .. end - 1 into an empty queue; who may, and when, is told above. 0 <= begin <= end < 2^32. */
static inline void em_steal_fill(em_steal_queue *queue, int64_t begin, int64_t end)
{
    em_atomic_store(&queue->interval, (uint64_t)begin | (uint64_t)end << 32, memory_order_release);
}

/* Only the owner: the first block of its queue, or -1 if that is empty. */
static inline int64_t em_steal_take(em_steal_queue *own)
{
    uint64_t seen = em_atomic_load(&own->interval, memory_order_relaxed);
    while (em_steal_begin(seen) < em_steal_end(seen)) {
        if (em_atomic_compare_swap(&own->interval, &seen, seen + 1, memory_order_acquire))
            return em_steal_begin(seen);
        own->lost++;
    }
    return -1;
}

/* Only a worker whose own queue is empty: the first block of the upper half of the victim's queue, the rest of
 * which is its own from then on; or -1 if there was none. */
static inline int64_t em_steal_half(em_steal_queue *victim, em_steal_queue *own)
{
    uint64_t seen = em_atomic_load(&victim->interval, memory_order_relaxed);
    while (em_steal_begin(seen) < em_steal_end(seen)) {
        int64_t begin = em_steal_begin(seen), end = em_steal_end(seen), middle = begin + (end - begin) / 2;
        uint64_t left = (uint64_t)begin | (uint64_t)middle << 32;
        if (em_atomic_compare_swap(&victim->interval, &seen, left, memory_order_acquire)) {
            em_steal_fill(own, middle + 1, end);
            return middle;
        }
        own->lost++;
    }
    return -1;
}

/* Only worker `rank`: the block it does next, or -1 if it may leave the stage. Any `seed`, one for each worker. */
static inline int64_t em_steal_next(em_steal_queue *queues, int size, int rank, uint64_t *seed)
{
    em_steal_queue *own = &queues[rank];
    int64_t block = em_steal_take(own);
    if (block >= 0) {
        own->taken++;
        return block;
    }
    *seed = *seed * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX, The Art 2, 3.3.4 */
    int first = (int)((*seed >> 33) % (uint64_t)size);
    for (int k = 0; k < size; k++) { /* its own is among them, and empty */
        block = em_steal_half(&queues[(first + k) % size], own);
        if (block >= 0) {
            own->stolen++;
            return block;
        }
    }
    return -1;
}

#endif
