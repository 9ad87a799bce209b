/* Read-copy update: the user reads only what lives and is whole, and everything is returned. */
#include "em_rcu.h"

#include "check.h"

#include <sched.h>

enum { PUBLISHES = 20000, WORDS = 6, KEPT = 3 };

static const uint64_t alive = 0x600dc0ffee600d01, dead = 0xdeadbeefdeadbeef;

typedef struct { /* plain memory: only em_rcu orders it */
    uint64_t canary;
    int64_t publisher, serial;
    uint64_t word[WORDS];
} object;

typedef struct {
    em_rcu *rcu;
    object *list[CHECK_THREADS][KEPT + 1]; /* what each publisher still has to free */
    _Atomic int working;                   /* publishers, and the user until it has seen something */
} library;

static object *make(int64_t publisher, int64_t serial)
{
    object *o = em_base_alloc(sizeof *o);
    CHECK(o != NULL);
    *o = (object){.canary = alive, .publisher = publisher, .serial = serial};
    for (int k = 0; k < WORDS; k++) o->word[k] = (uint64_t)(serial * (k + 1) + publisher);
    return o;
}

static void unmake(object *o)
{
    CHECK(o->canary == alive);
    o->canary = dead;
    for (int k = 0; k < WORDS; k++) o->word[k] = dead;
    em_base_free(o);
}

/* Frees what is not in use, and returns how many are left. At most three are: what the user had announced when the
 * first was asked for, what it had looked up but not announced by then, and what holds. */
static int sweep(library *l, object **list)
{
    int left = 0;
    for (int k = 0; k <= KEPT; k++) {
        object *o = list[k];
        list[k] = NULL;
        if (o == NULL) continue;
        if (em_rcu_in_use(l->rcu, o))
            list[left++] = o;
        else
            unmake(o);
    }
    return left;
}

static void publish(library *l, int rank)
{
    for (int64_t serial = 1; serial <= PUBLISHES; serial++) {
        int left = sweep(l, l->list[rank]);
        CHECK(left <= KEPT);
        object *o = make(rank, serial);
        l->list[rank][left] = o;
        CHECK(em_rcu_publish(l->rcu, o) != o);
        if (serial % 8 == 0) sched_yield();
    }
    atomic_fetch_sub_explicit(&l->working, 1, memory_order_relaxed);
}

static void use(library *l)
{
    int64_t newest[CHECK_THREADS] = {0};
    for (int round = 0; atomic_load_explicit(&l->working, memory_order_relaxed) > 0 || round < 100; round++) {
        object *o = em_rcu_enter(l->rcu);
        for (int again = 0; again < 3; again++) {
            CHECK(o->canary == alive && em_rcu_in_use(l->rcu, o));
            CHECK(o->serial >= newest[o->publisher]); /* what holds never goes back */
            newest[o->publisher] = o->serial;
            for (int k = 0; k < WORDS; k++)
                CHECK(o->word[k] == (uint64_t)(o->serial * (k + 1) + o->publisher));
            if (round % 16 == 0) sched_yield();
        }
        if (round % 3 == 0) continue; /* it need not leave before it enters again */
        em_rcu_leave(l->rcu);
        if (round % 3 == 1) /* away for a while, so that publishers see it gone */
            for (int k = 0; k < 200; k++) em_base_pause();
    }
    em_rcu_leave(l->rcu);
}

static void *both(void *argument)
{
    check_member *member = argument;
    if (member->rank == 0)
        use(member->shared);
    else
        publish(member->shared, member->rank);
    return NULL;
}

/* Step by step: what is current or announced is in use, and nothing else is. */
static void steps(void)
{
    em_rcu *rcu = em_base_alloc(sizeof *rcu);
    CHECK(rcu != NULL && (char *)&rcu->used - (char *)&rcu->current == EM_BASE_APART);
    int a, b, c;
    em_rcu_init(rcu, &a);
    CHECK(em_rcu_in_use(rcu, &a) && !em_rcu_in_use(rcu, &b));
    CHECK(em_rcu_enter(rcu) == &a);
    CHECK(em_rcu_publish(rcu, &b) == &a && em_rcu_in_use(rcu, &a) && em_rcu_in_use(rcu, &b));
    CHECK(em_rcu_publish(rcu, &c) == &b && em_rcu_in_use(rcu, &a) && !em_rcu_in_use(rcu, &b));
    CHECK(em_rcu_enter(rcu) == &c && !em_rcu_in_use(rcu, &a) && em_rcu_in_use(rcu, &c));
    CHECK(em_rcu_publish(rcu, &a) == &c && em_rcu_in_use(rcu, &c));
    em_rcu_leave(rcu);
    CHECK(em_rcu_in_use(rcu, &a) && !em_rcu_in_use(rcu, &c));
    em_base_free(rcu);
}

int main(int argc, char **argv)
{
    int publishers = check_size(argc, argv);
    if (publishers > CHECK_THREADS - 1) publishers = CHECK_THREADS - 1;
    int64_t before = em_base_live();
    steps();
    library l = {.rcu = em_base_alloc(sizeof(em_rcu)), .working = publishers};
    CHECK(l.rcu != NULL);
    l.list[0][0] = make(0, 0);
    em_rcu_init(l.rcu, l.list[0][0]);
    check_together(publishers + 1, both, &l);
    CHECK(em_base_live() > before + 1);
    CHECK(em_rcu_publish(l.rcu, NULL) != NULL);
    for (int rank = 0; rank <= publishers; rank++) CHECK(sweep(&l, l.list[rank]) == 0);
    em_base_free(l.rcu);
    CHECK(em_base_live() == before);
    return 0;
}
