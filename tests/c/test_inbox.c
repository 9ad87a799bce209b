/* The inbox: what any number of threads add while owners drain is all there at the end, and only once. */
#include "em_inbox.h"

#include "check.h"

enum { AGENTS = 1000, BLOCK = 64, ADDS = 20000, NUDGERS = 3 };

typedef struct {
    em_inbox *inbox;
    double phase[AGENTS]; /* each written by one owner */
    double turned[AGENTS];
    uint64_t added[CHECK_THREADS * NUDGERS][AGENTS];
    em_word done;
} post;

static void *nudge(void *argument)
{
    check_member *member = argument;
    post *p = member->shared;
    uint64_t seed = 0x9e3779b97f4a7c15ull * (uint64_t)(member->rank + 1);
    for (int k = 0; k < ADDS; k++) {
        int64_t agent = (int64_t)(check_random(&seed) % AGENTS);
        uint64_t angle = check_random(&seed);
        em_inbox_add(p->inbox, agent, angle);
        p->added[member->rank][agent] += angle;
    }
    em_atomic_add(&p->done, 1, memory_order_acq_rel);
    return NULL;
}

/* One owner for every second block while the others add; the rest is drained by the other owner. */
static void *own(void *argument)
{
    check_member *member = argument;
    post *p = member->shared;
    while (em_atomic_load(&p->done, memory_order_acquire) == 0) {
        for (int64_t first = (int64_t)member->rank * BLOCK; first < AGENTS; first += 2 * BLOCK) {
            int64_t count = first + BLOCK <= AGENTS ? BLOCK : AGENTS - first;
            em_inbox_drain(p->inbox, first, count, p->phase + first, p->turned + first);
        }
    }
    return NULL;
}

static void *both(void *argument)
{
    check_member *member = argument;
    check_member part = *member;
    part.rank = member->rank < 2 ? member->rank : member->rank - 2;
    part.size = 2;
    return member->rank < 2 ? own(&part) : nudge(&part);
}

int main(int argc, char **argv)
{
    int nudgers = check_size(argc, argv);
    if (nudgers > CHECK_THREADS - 2) nudgers = CHECK_THREADS - 2;
    int64_t before = em_base_live();
    post *p = calloc(1, sizeof *p);
    p->inbox = em_inbox_create(AGENTS, BLOCK);
    CHECK(p->inbox != NULL);
    check_together(nudgers + 2, both, p);
    bool turned = false;
    for (int64_t first = 0; first < AGENTS; first += BLOCK) {
        int64_t count = first + BLOCK <= AGENTS ? BLOCK : AGENTS - first;
        turned |= em_inbox_drain(p->inbox, first, count, p->phase + first, p->turned + first);
        CHECK(!em_inbox_drain(p->inbox, first, count, p->phase + first, p->turned + first));
    }
    double far = 0.0;
    for (int64_t i = 0; i < AGENTS; i++) {
        uint64_t sum = 0;
        for (int t = 0; t < nudgers; t++) sum += p->added[t][i];
        CHECK(em_inbox_peek(p->inbox, i) == 0);
        CHECK(p->phase[i] >= 0.0 && p->phase[i] < EM_PHASE_TURN);
        CHECK(fabs(remainder(p->turned[i] - p->phase[i], EM_PHASE_TURN)) < 1e-10);
        double expected = em_phase_wrap(em_phase_from_binary(sum));
        CHECK(fabs(remainder(p->phase[i] - expected, EM_PHASE_TURN)) < 1e-11);
        far = fmax(far, expected);
    }
    CHECK(far > 1.0); /* agents really were turned */
    (void)turned;
    em_inbox_free(p->inbox);
    free(p);
    CHECK(em_base_live() == before);
    return 0;
}
