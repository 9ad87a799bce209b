/* em_base.h: what every machine of the cellar stands on.
 *
 * Status codes, aligned memory that is counted, the monotonic clock and the processor's pause. Large pieces of memory
 * ask for huge pages, where the system has them: random reads then miss fewer translations of addresses. Allocation is
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
#if defined(__linux__)
#include <sys/mman.h>
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

/* For functions whose loops a compiler makes better vectors of where they stand alone. */
#if defined(__GNUC__)
#define EM_BASE_OUTLINE __attribute__((noinline, unused))
#else
#define EM_BASE_OUTLINE inline
#endif

/* Brings what is there into the cache, to be read or to be written; any address will do. */
#if defined(__GNUC__)
#define EM_BASE_FETCH(address)          __builtin_prefetch((address), 0)
#define EM_BASE_FETCH_TO_WRITE(address) __builtin_prefetch((address), 1)
#elif defined(__x86_64__) || defined(_M_X64)
#define EM_BASE_FETCH(address)          _mm_prefetch((const char *)(address), _MM_HINT_T0)
#define EM_BASE_FETCH_TO_WRITE(address) EM_BASE_FETCH(address)
#else
#define EM_BASE_FETCH(address)          ((void)(address))
#define EM_BASE_FETCH_TO_WRITE(address) EM_BASE_FETCH(address)
#endif

#define EM_BASE_HUGE (2 << 20) /* bytes of a huge page; smaller pieces of memory are not aligned to it */

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
    const size_t apart = size >= EM_BASE_HUGE / 2 ? EM_BASE_HUGE : EM_BASE_APART;
    if (size > SIZE_MAX - apart) return NULL;
    size_t whole = (size + apart - 1) / apart * apart;
    if (whole == 0) whole = apart;
#if defined(_WIN32)
    void *memory = _aligned_malloc(whole, apart);
#else
    void *memory = aligned_alloc(apart, whole);
#endif
#if defined(MADV_HUGEPAGE)
    if (memory != NULL && apart == EM_BASE_HUGE)
        madvise(memory, whole, MADV_HUGEPAGE); /* a wish: it may be refused */
#endif
    if (memory != NULL) atomic_fetch_add_explicit(&em_base_count, 1, memory_order_relaxed);
    return memory;
}

/* Lets go of what memory holds: whole pages, aligned. Of what em_base_alloc gave, the content is lost; of a mapped file
 * it is not, and comes back from there. Where the system has no such call nothing happens. */
static inline void em_base_forget(void *memory, size_t size)
{
#if defined(__linux__)
    if (size > 0) madvise(memory, size, MADV_DONTNEED);
#else
    (void)memory, (void)size;
#endif
}

/* Gives the end of `size` bytes of em_base_alloc's back to the system, in huge pages, which only large pieces have; the
 * first `used` bytes stay where they are. */
static inline void em_base_give_back(void *memory, size_t used, size_t size)
{
    if (size < EM_BASE_HUGE / 2) return;
    used = (used + EM_BASE_HUGE - 1) / EM_BASE_HUGE * EM_BASE_HUGE;
    size = (size + EM_BASE_HUGE - 1) / EM_BASE_HUGE * EM_BASE_HUGE;
    if (used < size) em_base_forget((char *)memory + used, size - used);
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
