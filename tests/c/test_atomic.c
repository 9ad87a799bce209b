/* Words that many threads change at once: nothing that goes in is lost. */
#include "em_atomic.h"
#include "em_base.h"

#include "check.h"

enum { ROUNDS = 20000 };

typedef struct {
    em_word sum, flags, swapped, highest_seen, least;
} words;

static void *change(void *argument)
{
    check_member *member = argument;
    words *w = member->shared;
    uint64_t taken = 0;
    for (uint64_t k = 1; k <= ROUNDS; k++) {
        em_atomic_add(&w->sum, k, memory_order_relaxed);
        em_atomic_or(&w->flags, 1ull << member->rank, memory_order_release);
        taken += em_atomic_swap(&w->swapped, 0, memory_order_acq_rel);
        em_atomic_add(&w->swapped, 1, memory_order_acq_rel);
        uint64_t seen = em_atomic_load(&w->highest_seen, memory_order_relaxed);
        while (!em_atomic_compare_swap(&w->highest_seen, &seen, seen + 1, memory_order_acq_rel)) {
        }
        em_atomic_lower(&w->least, 1000000 - k * 16 - (uint64_t)member->rank, memory_order_relaxed);
    }
    em_atomic_add(&w->sum, taken << 40, memory_order_relaxed);
    return NULL;
}

int main(int argc, char **argv)
{
    uint64_t size = (uint64_t)check_size(argc, argv);
    int64_t before = em_base_live();
    words *w = em_base_alloc(sizeof *w);
    CHECK(w != NULL && (uintptr_t)w % EM_BASE_APART == 0 && em_base_live() == before + 1);
    CHECK(em_base_alloc(SIZE_MAX - 8) == NULL && em_base_live() == before + 1);
    em_atomic_store(&w->sum, 0, memory_order_relaxed);
    em_atomic_store(&w->flags, 0, memory_order_relaxed);
    em_atomic_store(&w->swapped, 0, memory_order_relaxed);
    em_atomic_store(&w->highest_seen, 0, memory_order_relaxed);
    em_atomic_store(&w->least, UINT64_MAX, memory_order_relaxed);
    check_together((int)size, change, w);
    uint64_t each = (uint64_t)ROUNDS * (ROUNDS + 1) / 2;
    uint64_t sum = em_atomic_load(&w->sum, memory_order_relaxed);
    CHECK((sum & ((1ull << 40) - 1)) == size * each);
    CHECK((sum >> 40) + em_atomic_load(&w->swapped, memory_order_relaxed) == size * ROUNDS);
    CHECK(em_atomic_load(&w->flags, memory_order_acquire) == (1ull << size) - 1);
    CHECK(em_atomic_load(&w->highest_seen, memory_order_acquire) == size * ROUNDS);
    CHECK(em_atomic_load(&w->least, memory_order_relaxed) == 1000000 - ROUNDS * 16 - (size - 1));
    em_base_free(w);
    CHECK(em_base_live() == before);
    return 0;
}
