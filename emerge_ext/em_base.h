/* em_base.h: what every machine of the cellar stands on.
 *
 * Status codes, aligned memory that is counted, the monotonic clock and the processor's pause. Allocation is
 * checked by the caller: NULL means that nothing was taken. The count of live allocations is what leak tests
 * compare; it knows how many there are, never where. Anyone may call anything here, from any thread.
 */
#ifndef EM_BASE_H
#define EM_BASE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#if defined(_WIN32)
#include <malloc.h>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

#define EM_BASE_APART                                                                                        \
    128 /* what memory is aligned to, and bytes between words of different workers: a cache
                             line and the one that is fetched with it */

/* For functions that are told by constants what they are to be: one copy for each. */
#if defined(__GNUC__)
#define EM_BASE_INLINE inline __attribute__((always_inline))
#else
#define EM_BASE_INLINE inline
#endif

typedef enum {
    EM_OK = 0,
    EM_NO_MEMORY,
    EM_DIVERGED, /* an agent's step left the range of em_phase_wrap */
    EM_TIMED_OUT,
    EM_BROKEN, /* a barrier that was aborted, or that somebody left */
    EM_FULL,   /* a ring that has no room, for now */
    EM_CLOSED, /* a ring that takes nothing any more */
} em_status;

static _Atomic int64_t em_base_count; /* live allocations; relaxed: a count, it orders nothing */

static inline void *em_base_alloc(size_t size)
{
    if (size > SIZE_MAX - EM_BASE_APART) return NULL;
    size_t whole = (size + EM_BASE_APART - 1) / EM_BASE_APART * EM_BASE_APART;
    if (whole == 0) whole = EM_BASE_APART;
#if defined(_WIN32)
    void *memory = _aligned_malloc(whole, EM_BASE_APART);
#else
    void *memory = aligned_alloc(EM_BASE_APART, whole);
#endif
    if (memory != NULL) atomic_fetch_add_explicit(&em_base_count, 1, memory_order_relaxed);
    return memory;
}

static inline void em_base_free(void *memory)
{
    if (memory == NULL) return;
    atomic_fetch_sub_explicit(&em_base_count, 1, memory_order_relaxed);
#if defined(_WIN32)
    _aligned_free(memory);
#else
    free(memory);
#endif
}

static inline int64_t em_base_live(void)
{
    return atomic_load_explicit(&em_base_count, memory_order_relaxed);
}

static inline int64_t em_base_nanoseconds(void)
{
    struct timespec now;
#if defined(_WIN32)
    timespec_get(&now, TIME_UTC);
#else
    clock_gettime(CLOCK_MONOTONIC, &now);
#endif
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void em_base_pause(void)
{
#if defined(__x86_64__) || defined(_M_X64)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

#endif
