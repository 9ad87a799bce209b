/* The phase barrier: nobody is early, the last arriver is alone, and every wait has a way out. */
#include "em_team.h"

#include "check.h"

enum { PHASES = 3000, ROUNDS = 300, CROWDED = 1000 };

typedef struct {
    em_team *team;
    long slot[CHECK_THREADS]; /* plain memory: only the barrier orders it */
    long sum;
    long serial;
} meeting;

static void *meet(void *argument)
{
    check_member *member = argument;
    meeting *m = member->shared;
    uint32_t ticket, size = (uint32_t)member->size;
    for (long phase = 1; phase <= PHASES; phase++) {
        m->slot[member->rank] = phase * (member->rank + 1);
        if (em_team_arrive(m->team, size, &ticket)) {
            m->sum = 0;
            for (int rank = 0; rank < member->size; rank++) m->sum += m->slot[rank];
            m->serial++;
            CHECK(em_team_open(m->team));
        } else {
            CHECK(em_team_wait(m->team, size, ticket, -1) == EM_OK);
        }
        CHECK(m->sum == phase * member->size * (member->size + 1) / 2);
        CHECK(m->serial == phase);
    }
    return NULL;
}

/* All but one arrive; they must come back, and so must whoever comes later. */
static void *miss(void *argument)
{
    check_member *member = argument;
    meeting *m = member->shared;
    uint32_t ticket, size = (uint32_t)member->size + 1;
    CHECK(!em_team_arrive(m->team, size, &ticket));
    em_status status = em_team_wait(m->team, size, ticket, m->sum);
    CHECK(status == EM_TIMED_OUT || status == EM_BROKEN);
    CHECK(em_team_wait(m->team, size, ticket, -1) == EM_BROKEN);
    return NULL;
}

static void *abort_it(void *argument)
{
    check_member *member = argument;
    meeting *m = member->shared;
    uint32_t ticket, size = (uint32_t)member->size + 1;
    if (member->rank == 0) {
        em_team_abort(m->team);
        return NULL;
    }
    CHECK(!em_team_arrive(m->team, size, &ticket));
    CHECK(em_team_wait(m->team, size, ticket, -1) == EM_BROKEN);
    return NULL;
}

/* Starts a team where the ring of phases ends, as if it had met that often. */
static void init_near_the_end(em_team *team, int cores)
{
    const uint32_t gate = 0u - 7 * EM_TEAM_PHASE;
    em_team_init(team, cores);
    atomic_store_explicit(&team->gate, gate, memory_order_relaxed);
    atomic_store_explicit(
        &team->arrived, (uint64_t)(gate / EM_TEAM_PHASE) << EM_TEAM_ARRIVALS, memory_order_relaxed);
}

typedef struct {
    em_team *team, *between;
    bool opened[CHECK_THREADS]; /* what each member was told */
    long opened_rounds;
} races;

/* Phases of which one in three opens, one was broken before, and one opens while members run out of time or
 * abort: all members are told the same. */
static void *race(void *argument)
{
    check_member *member = argument;
    races *r = member->shared;
    uint32_t ticket, size = (uint32_t)member->size;
    uint64_t seed = 7 + (uint64_t)member->rank;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t patience = round % 3 == 2 ? (int64_t)(check_random(&seed) % 40000) : -1; /* ns */
        if (round % 3 == 1 && member->rank == 0) em_team_abort(r->team);
        if (em_team_arrive(r->team, size, &ticket)) {
            r->opened[member->rank] = em_team_open(r->team);
        } else {
            if (patience % 8 == 0) em_team_abort(r->team);
            r->opened[member->rank] = em_team_wait(r->team, size, ticket, patience) == EM_OK;
        }
        if (em_team_arrive(r->between, size, &ticket)) {
            for (int rank = 0; rank < member->size; rank++) CHECK(r->opened[rank] == r->opened[0]);
            CHECK(r->opened[0] || em_team_is_broken(r->team));
            if (round % 3 < 2) CHECK(r->opened[0] == (round % 3 == 0));
            r->opened_rounds += r->opened[0];
            em_team_init(r->team, round % 2 ? CHECK_THREADS : 0);
            em_team_open(r->between);
        } else {
            CHECK(em_team_wait(r->between, size, ticket, -1) == EM_OK);
        }
    }
    return NULL;
}

typedef struct {
    em_team *team;
    uint32_t places, first;
    _Atomic long left;                 /* meetings that are still to be had */
    _Atomic uint32_t numbers[CROWDED]; /* a bit for each number that was given in a phase */
    long serial, done[CROWDED];        /* plain memory */
} crowd;

/* More threads than places: each phase has each number once, and the last arrivers come one after another. */
static void *squeeze(void *argument)
{
    crowd *c = ((check_member *)argument)->shared;
    const uint32_t ring = UINT32_MAX / EM_TEAM_PHASE;
    uint32_t ticket;
    while (atomic_fetch_sub_explicit(&c->left, 1, memory_order_relaxed) > 0) {
        uint32_t number;
        while ((number = em_team_number(c->team, &ticket)) >= c->places)
            CHECK(em_team_await(c->team, ticket, em_team_spins(c->team, c->places), -1) == EM_OK);
        uint32_t phase = (ticket - c->first) & ring;
        CHECK(phase < CROWDED);
        uint32_t others = atomic_fetch_or_explicit(&c->numbers[phase], 1u << number, memory_order_relaxed);
        CHECK((others & 1u << number) == 0);
        if (number + 1 == c->places) {
            c->done[phase] = ++c->serial;
            CHECK(em_team_open_phase(c->team, ticket));
        } else {
            CHECK(em_team_await(c->team, ticket, em_team_spins(c->team, c->places), -1) == EM_OK);
        }
        CHECK(c->done[phase] == (long)phase + 1);
    }
    return NULL;
}

static void crowds(int size, crowd *c)
{
    for (int places = 1; places <= size; places++) {
        init_near_the_end(c->team, places % 2 ? CHECK_THREADS : 0);
        c->places = (uint32_t)places;
        c->first = atomic_load_explicit(&c->team->gate, memory_order_relaxed) / EM_TEAM_PHASE;
        c->serial = 0;
        long phases = CROWDED / size;
        atomic_init(&c->left, phases * places);
        for (int k = 0; k < CROWDED; k++) atomic_init(&c->numbers[k], 0), c->done[k] = 0;
        check_together(size, squeeze, c);
        CHECK(c->serial == phases && !em_team_is_broken(c->team) && em_team_arrivals(c->team) == 0);
        for (long k = 0; k < phases; k++)
            CHECK(atomic_load_explicit(&c->numbers[k], memory_order_relaxed) == (1u << places) - 1);
    }
}

/* A wait that may run out of time without breaking anything, and the ways to leave. */
static void leave(em_team *team)
{
    uint32_t ticket, other;
    em_team_init(team, 0);
    CHECK(em_team_number(team, &ticket) == 0 && em_team_arrivals(team) == 1);
    CHECK(em_team_await(team, ticket, 3, em_base_nanoseconds() + 100000) == EM_TIMED_OUT);
    CHECK(em_team_await(team, ticket, 0, 0) == EM_TIMED_OUT && !em_team_is_broken(team));
    CHECK(em_team_number(team, &other) == 1 && other == ticket);
    CHECK(em_team_open_phase(team, other) && em_team_arrivals(team) == 0);
    CHECK(em_team_break(team, ticket) == EM_OK && !em_team_is_broken(team)); /* it has opened after all */
    CHECK(!em_team_arrive(team, 2, &ticket) && ticket == other + 1);
    CHECK(em_team_break(team, ticket) == EM_TIMED_OUT && em_team_is_broken(team));
    CHECK(em_team_break(team, ticket) == EM_BROKEN);
    CHECK(em_team_arrive(team, 2, &ticket) && !em_team_open(team)); /* it never opens now */
    CHECK(em_team_await(team, ticket, 0, -1) == EM_BROKEN && em_team_await(team, other, 0, -1) == EM_OK);
    CHECK(em_team_past(EM_TEAM_PHASE, 0) && !em_team_past(EM_TEAM_PHASE | EM_TEAM_BROKEN, 1));
    CHECK(em_team_past(0, UINT32_MAX / EM_TEAM_PHASE) && !em_team_past(0u - EM_TEAM_PHASE, 0));
}

int main(int argc, char **argv)
{
    int size = check_size(argc, argv);
    meeting m = {.team = em_base_alloc(sizeof(em_team))};
    for (int cores = 0; cores <= CHECK_THREADS;
         cores += CHECK_THREADS) { /* sleeping at once; spinning first */
        em_team_init(m.team, cores);
        m.serial = 0;
        check_together(size, meet, &m);
        CHECK(m.serial == PHASES);
    }
    init_near_the_end(m.team, 2);
    m.serial = 0;
    check_together(size, meet, &m);
    CHECK(m.serial == PHASES);
    em_team_init(m.team, 0);
    m.sum = 2000000; /* ns */
    check_together(size, miss, &m);
    em_team_init(m.team, CHECK_THREADS);
    check_together(size, abort_it, &m);
    races r = {.team = m.team, .between = em_base_alloc(sizeof(em_team))};
    em_team_init(r.team, 0);
    em_team_init(r.between, 2);
    check_together(size, race, &r);
    CHECK(r.opened_rounds >= ROUNDS / 3 && r.opened_rounds <= 2 * ROUNDS / 3);
    crowd c = {.team = m.team};
    crowds(size, &c);
    leave(m.team);
    em_base_free(r.between);
    em_base_free(m.team);
    return 0;
}
