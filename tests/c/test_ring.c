/* The ring: what any number of threads put is taken once, in each one's order, or told to be out. */
#include "em_ring.h"

#include "check.h"

#include <sched.h>

enum { PUTS = 20000, AGENTS = 100, SIZE = 64, TAKERS = 2 };

static const uint64_t odd = 0x9e3779b97f4a7c15;

/* Where positions start: so that they wrap soon. */
static const uint64_t near_the_end = (uint64_t)0 - 3 * SIZE * EM_RING_NEXT;

typedef struct {
    em_ring *ring;
    em_inbox *inbox;
    uint64_t put[CHECK_THREADS], sum[CHECK_THREADS]; /* each written by one thread, as are those below */
    uint64_t taken[TAKERS], taken_sum[TAKERS];
    uint64_t poured;
    em_word working; /* who still puts */
    bool closes;
} traffic;

/* A nudge tells by its agent who put it, and by its angle as which: both can be checked when it is taken. */
static uint64_t angle_of(uint64_t serial)
{
    return odd * (serial + 1);
}

static uint64_t serial_of(uint64_t angle)
{
    uint64_t inverse = odd; /* modulo 2^64, by Newton's iteration */
    for (int k = 0; k < 6; k++) inverse *= 2 - odd * inverse;
    return angle * inverse - 1;
}

static void produce(traffic *t, int rank)
{
    for (uint64_t serial = 0; t->closes || serial < PUTS;) {
        em_status status = em_ring_put(t->ring, rank, angle_of(serial));
        if (status == EM_CLOSED) break;
        if (status == EM_FULL) {
            status = em_ring_await(t->ring, em_base_nanoseconds() + INT64_C(60000000000));
            CHECK(status == EM_OK || (status == EM_CLOSED && t->closes));
            continue;
        }
        t->put[rank]++;
        t->sum[rank] += angle_of(serial++);
    }
    em_atomic_add(&t->working, UINT64_MAX, memory_order_acq_rel);
}

/* Takes one by one. What it was given of a thread comes in the order in which that put it. */
static void consume(traffic *t, int taker)
{
    int64_t agent, next[CHECK_THREADS] = {0};
    uint64_t angle;
    for (;;) {
        bool over = em_atomic_load(&t->working, memory_order_acquire) == 0;
        if (!em_ring_take(t->ring, &agent, &angle)) {
            if (over && em_ring_left(t->ring, em_ring_end(t->ring)) == 0) return;
            sched_yield();
            continue;
        }
        int64_t serial = (int64_t)serial_of(angle);
        CHECK(agent >= 0 && agent < CHECK_THREADS && serial >= next[agent]);
        next[agent] = serial + 1;
        CHECK(em_ring_fill(t->ring) <= SIZE);
        t->taken[taker]++;
        t->taken_sum[taker] += angle;
    }
}

/* Pours and flushes, and may close after a while: all that was told to be in is then in the inbox. */
static void pour(traffic *t)
{
    for (int round = 0; em_atomic_load(&t->working, memory_order_acquire) != 0; round++) {
        if (t->closes && t->poured > PUTS) em_ring_close(t->ring);
        int64_t moved = round % 3 == 0 ? em_ring_flush(t->ring, t->inbox)
                                       : em_ring_pour(t->ring, em_ring_end(t->ring), t->inbox);
        CHECK(round % 3 == 0 || moved <= SIZE);
        t->poured += (uint64_t)moved;
        if (moved == 0) sched_yield();
    }
    t->poured += (uint64_t)em_ring_flush(t->ring, t->inbox);
}

static void *by_takers(void *argument)
{
    check_member *member = argument;
    if (member->rank < TAKERS)
        consume(member->shared, member->rank);
    else
        produce(member->shared, member->rank - TAKERS);
    return NULL;
}

static void *by_pouring(void *argument)
{
    check_member *member = argument;
    if (member->rank == 0)
        pour(member->shared);
    else
        produce(member->shared, member->rank - 1);
    return NULL;
}

static void prepare(traffic *t, int producers, bool closes)
{
    *t = (traffic){.ring = t->ring, .inbox = t->inbox, .closes = closes};
    em_ring_init(t->ring, near_the_end);
    atomic_init(&t->working.bits, (uint64_t)producers);
}

/* All are there, none twice: numbers and sums agree. */
static void many_to_many(traffic *t, int producers)
{
    uint64_t put = 0, sum = 0;
    prepare(t, producers, false);
    check_together(producers + TAKERS, by_takers, t);
    for (int rank = 0; rank < producers; rank++) put += t->put[rank], sum += t->sum[rank];
    CHECK(put == (uint64_t)producers * PUTS);
    CHECK(t->taken[0] + t->taken[1] == put && t->taken_sum[0] + t->taken_sum[1] == sum);
    CHECK(em_ring_end(t->ring) == near_the_end + put * EM_RING_NEXT);
    if (put > 3 * SIZE) CHECK(em_ring_end(t->ring) < near_the_end);
    CHECK(em_ring_fill(t->ring) == 0);
}

/* What was told to be in, and nothing else, is in the inbox, also if the ring closes under those who put. */
static void into_the_inbox(traffic *t, int producers, bool closes)
{
    uint64_t put = 0;
    prepare(t, producers, closes);
    check_together(producers + 1, by_pouring, t);
    for (int rank = 0; rank < producers; rank++) {
        put += t->put[rank];
        CHECK(em_inbox_take(t->inbox, rank) == t->sum[rank]);
    }
    CHECK(t->poured == put && em_ring_fill(t->ring) == 0);
    CHECK(em_ring_is_closed(t->ring) == closes);
    CHECK(closes || put == (uint64_t)producers * PUTS);
}

/* Full, empty, closed, and sizes. */
static void edges(em_inbox *inbox)
{
    const int64_t asked[] = {1, 2, 3, 4, 5, 1000, 1024}, given[] = {2, 2, 4, 4, 8, 1024, 1024};
    for (int k = 0; k < 7; k++) {
        em_ring *ring = em_ring_create(asked[k]);
        CHECK(ring != NULL && (int64_t)ring->size == given[k]);
        CHECK(
            (char *)&ring->taken - (char *)&ring->put == EM_BASE_APART &&
            sizeof *ring->cells == EM_RING_CELL);
        int64_t agent = -1;
        uint64_t angle = 0;
        em_ring_init(ring, near_the_end);
        for (int64_t round = 0; round < 500; round++) { /* positions wrap on the way */
            CHECK(!em_ring_take(ring, &agent, &angle) && em_ring_fill(ring) == 0);
            for (int64_t j = 0; j < given[k]; j++) CHECK(em_ring_put(ring, j % AGENTS, angle_of(j)) == EM_OK);
            CHECK(em_ring_put(ring, 0, 0) == EM_FULL && em_ring_fill(ring) == given[k]);
            CHECK(em_ring_await(ring, em_base_nanoseconds()) == EM_TIMED_OUT);
            CHECK(em_ring_take(ring, &agent, &angle) && agent == 0 && angle == angle_of(0));
            CHECK(em_ring_await(ring, 0) == EM_OK && em_ring_put(ring, 7, 1) == EM_OK);
            CHECK(em_ring_put(ring, 0, 0) == EM_FULL);
            CHECK(em_ring_pour_all(ring, inbox) == given[k] && em_ring_fill(ring) == 0);
        }
        CHECK(em_ring_put(ring, 3, 1) == EM_OK && !em_ring_is_closed(ring));
        em_ring_close(ring), em_ring_close(ring);
        CHECK(em_ring_is_closed(ring) && em_ring_put(ring, 3, 1) == EM_CLOSED && em_ring_fill(ring) == 1);
        CHECK(em_ring_await(ring, INT64_MAX) == EM_CLOSED);
        CHECK(em_ring_flush(ring, inbox) == 1 && em_ring_flush(ring, inbox) == 0);
        CHECK(em_atomic_load(&ring->lost, memory_order_relaxed) == 0);
        em_ring_free(ring);
    }
    for (int64_t i = 0; i < AGENTS; i++) em_inbox_take(inbox, i);
}

/* What a fork may leave: a position that was given out and not filled, one that was not given back, a closed ring. */
static void mended(bool closed)
{
    em_ring *ring = em_ring_create(8);
    int64_t agent = -1;
    uint64_t angle = 0;
    CHECK(ring != NULL);
    em_ring_init(ring, near_the_end);
    for (int64_t k = 0; k < 3; k++) CHECK(em_ring_put(ring, k, angle_of(k)) == EM_OK);
    em_atomic_add(&ring->taken, EM_RING_NEXT, memory_order_relaxed);
    em_atomic_add(&ring->put, EM_RING_NEXT, memory_order_relaxed);
    for (int64_t k = 3; k < 7; k++) CHECK(em_ring_put(ring, k, angle_of(k)) == EM_OK);
    CHECK(em_ring_put(ring, 8, 8) == EM_FULL);
    if (closed) em_ring_close(ring);
    em_ring_mend(ring);
    CHECK(em_ring_is_closed(ring) == closed && em_ring_fill(ring) == 6);
    for (int64_t k = 1; k < 7; k++)
        CHECK(em_ring_take(ring, &agent, &angle) && agent == k && angle == angle_of(k));
    CHECK(!em_ring_take(ring, &agent, &angle));
    for (int64_t k = 0; k < 8 && !closed; k++) CHECK(em_ring_put(ring, k, angle_of(k)) == EM_OK);
    CHECK(em_ring_put(ring, 0, 0) == (closed ? EM_CLOSED : EM_FULL));
    em_ring_free(ring);
}

/* Who was given a position and stands still holds up what comes after it, and no tick. */
static void held_up(em_inbox *inbox)
{
    em_ring *ring = em_ring_create(8);
    CHECK(ring != NULL);
    CHECK(em_ring_put(ring, 0, 1) == EM_OK);
    em_ring_cell *cell = em_ring_at(ring, em_ring_end(ring));
    uint64_t position = em_atomic_add(&ring->put, EM_RING_NEXT, memory_order_relaxed);
    CHECK(em_ring_put(ring, 2, 1) == EM_OK);
    CHECK(em_ring_pour_all(ring, inbox) == 1 && em_ring_pour_all(ring, inbox) == 0);
    CHECK(em_ring_fill(ring) == 2 && em_inbox_take(inbox, 0) == 1 && em_inbox_peek(inbox, 2) == 0);
    cell->agent = 1;
    cell->angle = 5;
    em_atomic_store(&cell->turn, position + EM_RING_NEXT, memory_order_release);
    CHECK(em_ring_pour_all(ring, inbox) == 2);
    CHECK(em_inbox_take(inbox, 1) == 5 && em_inbox_take(inbox, 2) == 1);
    em_ring_free(ring);
}

int main(int argc, char **argv)
{
    int producers = check_size(argc, argv);
    if (producers > CHECK_THREADS - TAKERS) producers = CHECK_THREADS - TAKERS;
    int64_t before = em_base_live();
    static traffic t;
    t.inbox = em_inbox_create(AGENTS, SIZE);
    t.ring = em_ring_create(SIZE);
    CHECK(t.inbox != NULL && t.ring != NULL);
    edges(t.inbox);
    held_up(t.inbox);
    mended(false), mended(true);
    int64_t live = em_base_live();
    many_to_many(&t, producers);
    into_the_inbox(&t, producers, false);
    into_the_inbox(&t, producers, true);
    CHECK(em_base_live() == live); /* traffic takes no memory */
    em_ring_free(t.ring);
    em_inbox_free(t.inbox);
    CHECK(em_base_live() == before);
    return 0;
}
