/* Stealing: every block of every stage is done once, however they were dealt, and whoever does them. */
#include "em_steal.h"
#include "em_team.h"

#include "check.h"

#include <sched.h>

enum { BLOCKS = 97, BATCHES = 48, STAGES = 13, SHAPES = 6 };

typedef struct {
    em_steal_queue
        *queues; /* one more than workers: the last has no owner, so what is in it must be stolen */
    em_team *team;
    uint32_t cost[BLOCKS]; /* plain: written before a block is put into a queue, by whoever puts it there */
    uint32_t done[BLOCKS]; /* plain: by whoever does the block */
    uint64_t all;
} job;

static int64_t blocks_of(int stage, int size)
{
    const int64_t blocks[SHAPES] = {BLOCKS, BLOCKS, BLOCKS, 0, 1, size / 2 + 1};
    return blocks[stage % SHAPES];
}

/* First block of queue 0 .. size, the last being nobody's; queue size + 1 starts at the end. */
static int64_t first_of(int stage, int queue, int size)
{
    int64_t blocks = blocks_of(stage, size);
    switch (stage % SHAPES) {
    case 1:
        return queue > 0 ? blocks : 0; /* all in the first */
    case 2:
        return queue > size ? blocks : 0; /* all in nobody's */
    default:
        return blocks * queue / (size + 1);
    }
}

static uint32_t cost_of(int stage, int64_t block)
{
    return (uint32_t)(stage + block) % 11 == 0 ? 3000 : 10 + (uint32_t)block % 5;
}

static void put(job *j, int stage, int queue, int size)
{
    int64_t begin = first_of(stage, queue, size), end = first_of(stage, queue + 1, size);
    for (int64_t block = begin; block < end; block++) j->cost[block] = cost_of(stage, block);
    em_steal_fill(&j->queues[queue], begin, end);
}

static void work(job *j, int stage, int64_t block)
{
    CHECK(block < blocks_of(stage, BLOCKS) && j->done[block] == 0);
    CHECK(j->cost[block] == cost_of(stage, block));
    for (uint32_t k = 0; k < j->cost[block]; k++) em_base_pause();
    if (block % 8 == 0) sched_yield(); /* lets thieves in also where cores are few */
    j->done[block]++;
}

/* By the last arriver: everything was done, and the next stage of the batch, if there is one, is dealt. */
static void between(job *j, int stage, int size)
{
    for (int64_t block = 0; block < BLOCKS; block++) {
        CHECK(j->done[block] == (block < blocks_of(stage, size)));
        j->done[block] = 0;
    }
    for (int queue = 0; queue <= size; queue++) {
        uint64_t interval = em_atomic_load(&j->queues[queue].interval, memory_order_relaxed);
        CHECK(em_steal_begin(interval) == em_steal_end(interval));
    }
    j->all += (uint64_t)blocks_of(stage, size);
    for (int queue = 0; queue <= size && (stage + 1) % STAGES != 0; queue++) put(j, stage + 1, queue, size);
}

static void *run(void *argument)
{
    check_member *member = argument;
    job *j = member->shared;
    uint32_t ticket, size = (uint32_t)member->size;
    uint64_t seed = (uint64_t)member->rank;
    for (int stage = 0; stage < BATCHES * STAGES; stage++) {
        if (stage % STAGES == 0) put(j, stage, member->rank, member->size);
        if (stage % STAGES == 0 && member->rank == 0) put(j, stage, member->size, member->size);
        int64_t block;
        while ((block = em_steal_next(j->queues, member->size + 1, member->rank, &seed)) >= 0)
            work(j, stage, block);
        if (em_team_arrive(j->team, size, &ticket)) {
            between(j, stage, member->size);
            em_team_open(j->team);
        } else {
            CHECK(em_team_wait(j->team, size, ticket, -1) == EM_OK);
        }
    }
    return NULL;
}

/* The rule of halves, step by step. */
static void halves(void)
{
    em_steal_queue *queues = em_steal_create(2);
    CHECK(queues != NULL && (char *)&queues[1] - (char *)&queues[0] == EM_BASE_APART);
    uint64_t seed = 1;
    CHECK(em_steal_next(queues, 2, 0, &seed) == -1 && em_steal_next(queues, 2, 1, &seed) == -1);
    const int64_t top = UINT32_MAX, begin = top - 9;
    em_steal_fill(&queues[0], begin, top);                /* nine blocks, the last there can be */
    CHECK(em_steal_next(queues, 2, 0, &seed) == begin);   /* eight left */
    CHECK(em_steal_next(queues, 2, 1, &seed) == top - 4); /* four stolen */
    const int64_t expected[] = {top - 3, top - 2, top - 1, top - 6, top - 5, top - 7, top - 8};
    for (int k = 0; k < 7; k++) CHECK(em_steal_next(queues, 2, 1, &seed) == expected[k]);
    CHECK(em_steal_next(queues, 2, 0, &seed) == -1 && em_steal_next(queues, 2, 1, &seed) == -1);
    CHECK(queues[0].taken == 1 && queues[0].stolen == 0);
    CHECK(queues[1].taken == 4 && queues[1].stolen == 4);
    em_steal_free(queues);
}

int main(int argc, char **argv)
{
    int size = check_size(argc, argv);
    int64_t before = em_base_live();
    halves();
    job j = {.queues = em_steal_create(size + 1), .team = em_base_alloc(sizeof(em_team))};
    CHECK(j.queues != NULL && j.team != NULL);
    em_team_init(j.team, 2);
    int64_t live = em_base_live();
    check_together(size, run, &j);
    CHECK(em_base_live() == live); /* stages take no memory */
    uint64_t taken = 0, stolen = 0;
    for (int rank = 0; rank < size; rank++) taken += j.queues[rank].taken, stolen += j.queues[rank].stolen;
    CHECK(taken + stolen == j.all);
    CHECK(taken > 0 && stolen > 0);
    CHECK(j.queues[size].taken == 0 && j.queues[size].stolen == 0);
    em_steal_free(j.queues);
    em_base_free(j.team);
    CHECK(em_base_live() == before);
    return 0;
}
