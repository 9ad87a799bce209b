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

enum { LINKS = 5000 };

typedef struct {
    em_word sum, phase, same;
    uint64_t before[CHECK_THREADS * LINKS + 1], after[CHECK_THREADS * LINKS + 1];
} numbers;

static double angle_of(uint64_t *seed)
{
    double u = 2 * check_uniform(seed) - 1;
    return check_random(seed) % 50 == 0 ? u * 1e12 : u * 10;
}

static void *turn(void *argument)
{
    check_member *member = argument;
    numbers *w = member->shared;
    uint64_t seed = 99 + (uint64_t)member->rank;
    for (int k = 0; k < LINKS; k++) {
        em_atomic_add_float(&w->sum, 0.5, memory_order_relaxed);
        em_atomic_add_float(&w->sum, -0.25 * member->rank, memory_order_relaxed);
        double seen = em_phase_from_bits(em_atomic_load(&w->phase, memory_order_relaxed));
        CHECK(seen >= 0 && seen < EM_PHASE_TURN); /* nobody sees a phase outside */
        double angle = angle_of(&seed);
        double old = em_atomic_turn(&w->phase, angle, memory_order_relaxed);
        int place = member->rank * LINKS + k;
        w->before[place] = em_phase_bits(old);
        w->after[place] = em_phase_bits(em_phase_wrap(old + em_phase_draw_near(angle)));
    }
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Float64: additions that do not round add up exactly; turns, which round, make one chain: what was found before
 * each turn, with the end, is what was left after each, with the start, to the bit. */
static void floats(int size)
{
    numbers *w = em_base_alloc(sizeof *w);
    const uint64_t start = em_phase_bits(3.0);
    em_atomic_store(&w->sum, em_phase_bits(1.0), memory_order_relaxed);
    em_atomic_store(&w->phase, start, memory_order_relaxed);
    check_together(size, turn, w);
    double sum = em_phase_from_bits(em_atomic_load(&w->sum, memory_order_acquire));
    CHECK(sum == 1.0 + 0.5 * LINKS * size - 0.25 * LINKS * (size * (size - 1) / 2));
    size_t links = (size_t)size * LINKS + 1;
    w->before[links - 1] = em_atomic_load(&w->phase, memory_order_acquire);
    w->after[links - 1] = start;
    qsort(w->before, links, sizeof *w->before, ascending);
    qsort(w->after, links, sizeof *w->after, ascending);
    CHECK(memcmp(w->before, w->after, links * sizeof *w->after) == 0);
    double last = -1;
    size_t different = 0;
    for (size_t k = 0; k < links; k++) {
        different += em_phase_from_bits(w->after[k]) != last;
        last = em_phase_from_bits(w->after[k]);
    }
    CHECK(different > links / 2); /* a chain, not a standstill */

    /* Numbers that `==` would take for another, or never find. */
    em_atomic_store(&w->same, em_phase_bits(-0.0), memory_order_relaxed);
    uint64_t expected = em_phase_bits(0.0);
    CHECK(!em_atomic_compare_swap(&w->same, &expected, 0, memory_order_acq_rel));
    CHECK(expected == em_phase_bits(-0.0));
    em_atomic_store(&w->same, em_phase_bits(NAN), memory_order_relaxed);
    CHECK(isnan(em_atomic_add_float(&w->same, 1.0, memory_order_relaxed)));
    CHECK(isnan(em_atomic_turn(&w->same, 1.0, memory_order_relaxed)));
    CHECK(isnan(em_phase_from_bits(em_atomic_load(&w->same, memory_order_relaxed))));
    em_atomic_store(&w->same, em_phase_bits(INFINITY), memory_order_relaxed);
    CHECK(em_atomic_turn(&w->same, 1.0, memory_order_relaxed) == INFINITY);
    CHECK(isnan(em_phase_from_bits(em_atomic_load(&w->same, memory_order_relaxed))));
    /* Far numbers, held and added. */
    em_atomic_store(&w->same, em_phase_bits(-1e300), memory_order_relaxed);
    CHECK(em_atomic_turn(&w->same, 1e300, memory_order_relaxed) == -1e300);
    CHECK(em_phase_from_bits(em_atomic_load(&w->same, memory_order_relaxed)) == 0.0);
    em_base_free(w);
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
    floats((int)size);
    CHECK(em_base_live() == before);
    return 0;
}
