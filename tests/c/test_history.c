/* The ring of past phasors: what was stored is there, in every form; cubics are met between ticks, and ticks to the bit;
 * edges that all have the same delay see what a delay in common shows, to the bit; threads that write the next tick while
 * others look back give the same fields for any team. */
#include "em_late.h"
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

static void ticks_are_kept(em_history_form form)
{
    em_history ring;
    CHECK(em_history_create(&ring, AGENTS, 7, form));
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

/* In common, at any time from now to the longest delay. */
static void cubics_are_met(void)
{
    em_past common;
    double cosine[EM_GRAPH_BLOCK], sine[EM_GRAPH_BLOCK];
    CHECK(em_past_create(&common, AGENTS, LONGEST, EM_HISTORY_APART, 0));
    for (uint64_t tick = 0; tick < TICKS; tick++) fill(&common.ring, tick);
    for (double ago = 0.0; ago <= LONGEST; ago += 0.0625) {
        common.late = ago;
        em_past_show(&common, (em_past_moment){TICKS - 1, 0.0}, EM_GRAPH_BLOCK, 40, cosine, sine);
        for (int32_t i = 0; i < 40; i++) {
            const double wanted = course(EM_GRAPH_BLOCK + i, TICKS - 1 - ago);
            CHECK(fabs(cosine[i] - wanted) < 1e-14 && fabs(sine[i] + wanted) < 1e-14);
            if (ago == (double)(int64_t)ago) CHECK(cosine[i] == wanted && sine[i] == -wanted);
        }
    }
    em_past_free(&common);
}

/* What edges of these delays see, and in a table if theirs is 0. */
static void edges_see(
    const em_graph *graph, em_history_form form, const double *late, em_past_moment when, void *cells,
    double *found)
{
    em_past past;
    em_sense sense = {.graph = graph, .table = {{.cells = cells, .n = AGENTS, .pairs = true}}};
    CHECK(em_past_create(&past, AGENTS, LONGEST, form, graph->ends));
    em_past_lay(&past, graph, late);
    for (uint64_t tick = 0; tick <= when.tick; tick++) fill(&past.ring, tick);
    for (int64_t block = 0; block < em_graph_blocks(AGENTS); block++) {
        const int64_t first = block * EM_GRAPH_BLOCK, count = em_graph_count(AGENTS, block);
        em_late_block(&past, &sense, when, 1, first, count, found + 2 * first);
    }
    em_past_free(&past);
}

/* All with the same delay. */
static void edges_see_what_is_shown(const em_graph *graph)
{
    const size_t all = 2 * 5 * EM_GRAPH_BLOCK * sizeof(double);
    double *shown = calloc(1, all), *nothing = calloc(1, all), *wanted = calloc(1, all),
           *found = calloc(1, all);
    const em_sense sense = {.graph = graph, .table = {{.cells = shown, .n = AGENTS, .pairs = true}}};
    double *late = malloc((size_t)graph->ends * sizeof *late);
    em_past common;
    CHECK(em_past_create(&common, AGENTS, LONGEST, EM_HISTORY_APART, 0));
    for (uint64_t tick = 0; tick < TICKS; tick++) fill(&common.ring, tick);
    for (double ago = 0.0; ago <= LONGEST; ago = ago == 0.0 ? 1.0 : ago + 0.25)
        for (double node = 0.0; node <= 1.0; node += 0.5) {
            const em_past_moment when = {TICKS - 1, ago == 0.0 ? 0.0 : node};
            common.late = ago;
            for (int64_t e = 0; e < graph->ends; e++) late[e] = ago;
            for (int64_t block = 0; block < em_graph_blocks(AGENTS); block++) {
                const int64_t first = block * EM_GRAPH_BLOCK, count = em_graph_count(AGENTS, block);
                double cosine[EM_GRAPH_BLOCK], sine[EM_GRAPH_BLOCK];
                em_past_show(&common, when, first, count, cosine, sine);
                em_table_store(&sense.table[0], first, count, cosine, sine);
            }
            for (int64_t block = 0; block < em_graph_blocks(AGENTS); block++) {
                const int64_t first = block * EM_GRAPH_BLOCK, count = em_graph_count(AGENTS, block);
                double *none[EM_SENSE_CHANNELS] = {NULL};
                em_sense_block(&sense, 1, first, count, none, none, wanted + 2 * first);
            }
            for (em_history_form form = EM_HISTORY_PAIRS; form <= EM_HISTORY_LINES; form++) {
                if (form == EM_HISTORY_PAIRS && ago != (double)(int64_t)ago) continue;
                edges_see(graph, form, late, when, ago == 0.0 ? shown : nothing, found);
                CHECK(memcmp(found, wanted, all) == 0);
            }
        }
    em_past_free(&common), free(late), free(shown), free(nothing), free(wanted), free(found);
}

/* Whole delays, long runs of 0 among them, since rows stand by degree: either form shows the same. */
static void lines_show_what_pairs_show(const em_graph *graph)
{
    const size_t all = 2 * 5 * EM_GRAPH_BLOCK * sizeof(double);
    double *cells = calloc(1, all), *one = calloc(1, all), *other = calloc(1, all),
           *late = malloc((size_t)graph->ends * sizeof *late);
    const em_table table = {.cells = cells, .n = AGENTS, .pairs = true};
    uint64_t seed = 4;
    for (int64_t i = 0; i < AGENTS; i++) {
        const double cosine = check_uniform(&seed), sine = check_uniform(&seed);
        em_table_store(&table, i, 1, &cosine, &sine);
    }
    for (int64_t i = 0, e = 0; i < AGENTS; i++)
        for (int64_t degree = em_rows_find(graph, i).degree, end = e + degree; e < end; e++)
            late[e] = degree == 2 || degree == 3 ? 0.0 : 1.0 + (double)(check_random(&seed) % LONGEST);
    for (double node = 0.0; node <= 1.0; node += 0.5) {
        edges_see(graph, EM_HISTORY_PAIRS, late, (em_past_moment){TICKS - 1, node}, cells, one);
        edges_see(graph, EM_HISTORY_LINES, late, (em_past_moment){TICKS - 1, node}, cells, other);
        CHECK(memcmp(one, other, all) == 0);
    }
    free(cells), free(one), free(other), free(late);
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
            const em_past_moment when = {tick, (double)(tick % 3) / 2.0};
            em_late_block(&j->past, &j->sense, when, 1, first, count, field);
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
    const em_history_form form = em_past_form(AGENTS, LONGEST, late, graph->ends);
    CHECK(form == (whole ? EM_HISTORY_PAIRS : EM_HISTORY_LINES));
    CHECK(em_past_create(&j.past, AGENTS, LONGEST, form, graph->ends));
    em_past_lay(&j.past, graph, late);
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
    ticks_are_kept(EM_HISTORY_APART), ticks_are_kept(EM_HISTORY_PAIRS), ticks_are_kept(EM_HISTORY_LINES);
    cubics_are_met();
    for (int k = 0; k < 4; k++) {
        em_graph *graph = phases_scattered(AGENTS, 6, 900, 7, k % 2 == 1);
        if (k < 2 && size == 1) edges_see_what_is_shown(graph), lines_show_what_pairs_show(graph);
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
