/* The ring of past phasors: what was stored is there, in either layout; cubics are met between ticks, and ticks to the bit;
 * threads that write the next tick while others look back give the same fields for any team. */
#include "em_past.h"
#include "em_team.h"

#include "check.h"
#include "phases.h"

enum { AGENTS = 4 * EM_GRAPH_BLOCK + 77, LONGEST = 11, TICKS = 40 };

/* A number for each agent and tick, cubic in time. */
static double course(int64_t agent, double tick)
{
    const double t = tick / TICKS, a = (double)(agent % 17) / 17.0;
    return a - 2.0 * t + 3.0 * a * t * t + t * t * t;
}

static void fill(em_history *ring, uint64_t tick)
{
    double cosine[AGENTS], sine[AGENTS];
    for (int64_t i = 0; i < AGENTS; i++) cosine[i] = course(i, (double)tick), sine[i] = -cosine[i];
    for (int64_t first = 0; first < AGENTS; first += EM_GRAPH_BLOCK) {
        int64_t count = AGENTS - first < EM_GRAPH_BLOCK ? AGENTS - first : EM_GRAPH_BLOCK;
        em_history_store(ring, em_history_slot(ring, tick, 0), first, count, cosine + first, sine + first);
    }
}

static void ticks_are_kept(bool agents)
{
    em_history ring;
    CHECK(em_history_create(&ring, AGENTS, 7, agents));
    for (int64_t k = 0; k < em_history_size(&ring); k++) CHECK(ring.cell[k] == 0.0);
    for (uint64_t tick = 0; tick < TICKS; tick++) {
        fill(&ring, tick);
        for (int64_t ago = 0; ago < 7 && ago <= (int64_t)tick; ago++)
            for (int64_t i = 0; i < AGENTS; i += 91) {
                const em_table_pair there = em_history_load(&ring, em_history_slot(&ring, tick, ago), i);
                const double wanted = course(i, (double)((int64_t)tick - ago));
                CHECK(EM_TABLE_PART(there, 0) == wanted && EM_TABLE_PART(there, 1) == -wanted);
            }
    }
    em_base_free(ring.cell);
}

/* In common and by edge, at any time from now to the longest delay. */
static void cubics_are_met(void)
{
    em_past common, each;
    double cosine[EM_GRAPH_BLOCK], sine[EM_GRAPH_BLOCK];
    CHECK(em_past_create(&common, AGENTS, LONGEST, true, 0));
    CHECK(em_past_create(&each, AGENTS, LONGEST, false, 1));
    for (uint64_t tick = 0; tick < TICKS; tick++) fill(&common.ring, tick), fill(&each.ring, tick);
    const em_graph none = {.kind = EM_GRAPH_STORED};
    const em_past_eyes eyes = em_past_open(&each, &none, NULL, (em_past_moment){TICKS - 1, 0.0}, 0);
    for (double ago = 0.0; ago <= LONGEST; ago += 0.0625) {
        const bool whole = ago == (double)(int64_t)ago;
        common.late = ago;
        em_past_show(&common, (em_past_moment){TICKS - 1, 0.0}, EM_GRAPH_BLOCK, 40, cosine, sine);
        for (int32_t i = 0; i < 40; i++) {
            const em_table_pair one = em_past_look(&eyes, false, EM_GRAPH_BLOCK + i, ago);
            const double wanted = course(EM_GRAPH_BLOCK + i, TICKS - 1 - ago);
            CHECK(fabs(cosine[i] - wanted) < 1e-14 && fabs(sine[i] + wanted) < 1e-14);
            CHECK(EM_TABLE_PART(one, 0) == cosine[i] && EM_TABLE_PART(one, 1) == sine[i]);
            if (!whole) continue;
            const em_table_pair tick = em_past_look(&eyes, true, EM_GRAPH_BLOCK + i, ago);
            CHECK(
                cosine[i] == wanted && EM_TABLE_PART(tick, 0) == wanted && EM_TABLE_PART(tick, 1) == -wanted);
        }
    }
    em_past_free(&common), em_past_free(&each);
}

typedef struct {
    em_past past;
    em_sense sense;
    em_team *team;
    double *found; /* [blocks][2][BLOCK]: fields of the last tick */
} job;

/* Senses, and writes the next tick while others still sense, as the last stage of a tick does. */
static void *look_back(void *argument)
{
    const check_member *member = argument;
    job *j = member->shared;
    const uint32_t size = (uint32_t)member->size;
    uint32_t ticket;
    for (uint64_t tick = 20; tick < TICKS; tick++) {
        for (int64_t block = member->rank; block < em_graph_blocks(AGENTS); block += member->size) {
            const int64_t first = block * EM_GRAPH_BLOCK, count = em_graph_count(AGENTS, block);
            double *field = j->found + 2 * first, cosine[EM_GRAPH_BLOCK], sine[EM_GRAPH_BLOCK];
            const em_past_moment when = {tick, tick % 2 == 0 ? 0.0 : 0.5};
            em_past_block(&j->past, &j->sense, when, 1, first, count, field);
            for (int64_t i = 0; i < count; i++)
                cosine[i] = 0.9 * field[i], sine[i] = 0.9 * field[EM_GRAPH_BLOCK + i];
            em_history_store(
                &j->past.ring, em_history_slot(&j->past.ring, tick + 1, 0), first, count, cosine, sine);
        }
        if (em_team_arrive(j->team, size, &ticket))
            em_team_open(j->team);
        else
            CHECK(em_team_wait(j->team, size, ticket, -1) == EM_OK);
    }
    return NULL;
}

static void fields(em_graph *graph, bool whole, int size, double *found)
{
    job j = {.sense = {.graph = graph}, .team = em_base_alloc(sizeof(em_team)), .found = found};
    double *late = malloc((size_t)graph->ends * sizeof *late);
    uint64_t seed = 9;
    for (int64_t e = 0; e < graph->ends; e++) {
        const double ticks = 1.0 + (LONGEST - 1) * check_uniform(&seed);
        late[e] = whole ? floor(ticks) : ticks;
    }
    em_team_init(j.team, 2);
    CHECK(em_past_create(&j.past, AGENTS, LONGEST, false, graph->ends));
    memset(j.past.each + graph->ends, 0, EM_PAST_AHEAD * sizeof *late);
    for (int64_t block = 0; block < em_graph_blocks(AGENTS); block++)
        em_rows_lay_ends(graph, block, late, j.past.each);
    j.past.whole = whole;
    for (uint64_t tick = 0; tick <= 20; tick++) fill(&j.past.ring, tick);
    check_together(size, look_back, &j);
    em_past_free(&j.past), em_base_free(j.team), free(late);
}

int main(int argc, char **argv)
{
    const int size = check_size(argc, argv);
    const int64_t before = em_base_live();
    const size_t all = 2 * 5 * EM_GRAPH_BLOCK * sizeof(double);
    double *first = calloc(1, all), *other = calloc(1, all);
    ticks_are_kept(false), ticks_are_kept(true);
    cubics_are_met();
    for (int k = 0; k < 4; k++) {
        em_graph *graph = phases_scattered(AGENTS, 6, 900, 7, k % 2 == 1);
        fields(graph, k > 1, 1, first);
        fields(graph, k > 1, size, other);
        double most = 0.0;
        for (size_t i = 0; i < all / sizeof *first; i++) most = fmax(most, fabs(first[i]));
        CHECK(most > 0.01 && most < 10.0);
        CHECK(memcmp(first, other, all) == 0);
        em_graph_free(graph);
    }
    free(first), free(other);
    CHECK(em_base_live() == before);
    return 0;
}
