/* The phase barrier: nobody is early, the last arriver is alone, and every wait has a way out. */
#include "em_team.h"

#include "check.h"

enum { PHASES = 3000 };

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
            em_team_open(m->team);
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
    em_team_init(m.team, 0);
    m.sum = 2000000; /* ns */
    check_together(size, miss, &m);
    em_team_init(m.team, CHECK_THREADS);
    check_together(size, abort_it, &m);
    em_base_free(m.team);
    return 0;
}
