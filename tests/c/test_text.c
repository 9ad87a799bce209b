/* Edges as text: each kind of line, pieces cut at every byte, and random bytes beside a reader that is plain. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool commas; /* whether the decimal point is a comma, as a program may choose for all of its threads */

static double customary(const char *text, char **tail)
{
    double found = strtod(text, tail);
    char *point = strchr(text, '.');
    if (!commas || point == NULL) return found;
    *tail = point;
    return (double)atoll(text);
}

#define strtod customary
#include "em_fold.h"
#include "em_text.h"
#undef strtod

#include "check.h"
#include "phases.h"

#define LIMIT 1000

typedef struct {
    int64_t one, other;
    double weight;
} edge;

static edge seen[4096];
static int64_t taken;

static void take(em_build *build, const int32_t *one, const int32_t *other, const double *weight, int size)
{
    (void)build;
    for (int k = 0; k < size; k++) seen[taken++] = (edge){one[k], other[k], weight ? weight[k] : 1.0};
}

/* Reads a text, copied so that a sanitizer sees who reads outside of it; false if it is odd. Edges are in `seen`. */
static bool reads(const char *given, int64_t size, bool weighted, char separator, int64_t piece)
{
    char *copy = malloc((size_t)size + !size);
    memcpy(copy, given, (size_t)size);
    em_text text = {.text = copy, .size = size, .piece = piece, .separator = separator};
    em_list list;
    em_text_init(&text, &list, LIMIT, weighted);
    em_build build;
    em_build_init(&build, NULL, NULL, &list, 0);
    phases_each(&build, em_list_look, list.pieces, 1);
    taken = 0;
    for (int64_t k = 0; k < list.pieces; k++) em_list_walk(&build, k, weighted, take);
    int64_t with = taken;
    bool odd = em_atomic_load(&list.odd, memory_order_relaxed);
    if (!odd)
        CHECK(
            with == (int64_t)(em_atomic_load(&list.edges, memory_order_relaxed) -
                              em_atomic_load(&list.loops, memory_order_relaxed)));
    if (!odd && weighted) { /* and once more, weights left unread */
        for (int64_t k = 0; k < list.pieces; k++) em_list_walk(&build, k, false, take);
        CHECK(taken == 2 * with);
        for (int64_t k = 0; k < with; k++)
            CHECK(seen[k].one == seen[with + k].one && seen[k].other == seen[with + k].other);
        taken = with;
    }
    free(copy);
    return !odd;
}

static const struct {
    const char *text;
    bool weighted;
    char separator;
    int edges; /* or -1: odd */
} lines[] = {
    {"", false, ' ', 0},
    {"\n\r\n \t \n", false, ' ', 0},
    {"1 2", false, ' ', 1},
    {"1 2\n", false, ' ', 1},
    {"1 2\r\n3 4\r\n", false, ' ', 2},
    {"1 2\r", false, ' ', 1},
    {"1 2\r3 4\n", false, ' ', -1},
    {" \t1\t \t2 \n", false, ' ', 1},
    {"# 7 8\n%\n1 2#\n2 3 % x\r\n#", false, ' ', 2},
    {"# a\rb\n", false, ' ', -1},
    {"1 2 # a\rb\n", false, ' ', -1},
    {"1,2\n3 , 4\n 5,6 \n", false, ',', 3},
    {"1,2,\n", false, ',', -1},
    {"1,,2\n", false, ',', -1},
    {"1 2\n", false, ',', -1},
    {"1,2\n", false, ' ', -1},
    {"1\n", false, ' ', -1},
    {"1 \n", false, ' ', -1},
    {"1 2 3\n", false, ' ', -1},
    {"1 2\n", true, ' ', -1},
    {"1 2 3\n4 5 .5\n6 7 -1e-3# w\n8 9 +2.\r\n", true, ' ', 4},
    {"1,2,3\n4 , 5 ,\t.5 \n", true, ',', 2},
    {"1 2 3 4\n", true, ' ', -1},
    {"1 2 3,\n", true, ' ', -1},
    {"1 2 nan\n", true, ' ', -1},
    {"1 2 inf\n", true, ' ', -1},
    {"1 2 1e999\n", true, ' ', -1},
    {"1 2 1e-999\n", true, ' ', 1},
    {"1 2 0x10\n", true, ' ', -1},
    {"1 2 1_0\n", true, ' ', -1},
    {"1 2 --1\n", true, ' ', -1},
    {"1 2 1e\n", true, ' ', -1},
    {"1 2 .\n", true, ' ', -1},
    {"1 2 e5\n", true, ' ', -1},
    {"999 0\n", false, ' ', 1},
    {"1000 0\n", false, ' ', -1},
    {"0 99999999999999999999999999\n", false, ' ', -1},
    {"000000000000000000000000000001 2\n", false, ' ', 1},
    {"-1 2\n", false, ' ', -1},
    {"+1 2\n", false, ' ', -1},
    {"1.0 2\n", false, ' ', -1},
    {"1 2\v\n", false, ' ', -1},
    {"\xef\xbb\xbf"
     "1 2\n",
     false, ' ', -1},
    {"1 2 \xc2\xa0\n", false, ' ', -1},
    {"1 2 # \xc3\xa9\n", false, ' ', 1},
    {"a b\n", false, ' ', -1},
};

static void each_line(void)
{
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) {
        bool plain = reads(
            lines[k].text, (int64_t)strlen(lines[k].text), lines[k].weighted, lines[k].separator,
            EM_TEXT_PIECE);
        CHECK(plain == (lines[k].edges >= 0));
        CHECK(!plain || taken == lines[k].edges);
    }
    CHECK(!reads("1 2\0\n", 5, false, ' ', 99));
    CHECK(reads("1 2 0.1\n3 4 123456789.123456789e-5", 34, true, ' ', 99));
    CHECK(seen[0].weight == 0.1 && seen[1].weight == 123456789.123456789e-5);
    commas = true;
    CHECK(!reads("1 2 0.5\n", 8, true, ' ', 99) && !reads("1 2 5.\n", 7, true, ' ', 99));
    CHECK(reads("1 2 5\n", 6, true, ' ', 99) && seen[0].weight == 5);
    commas = false;
    char wide[3 * EM_TEXT_WEIGHT] = "1 2 ";
    for (int digits = 1; digits < 2 * EM_TEXT_WEIGHT; digits++) {
        wide[3 + digits] = '3';
        CHECK(reads(wide, 4 + digits, true, ' ', 99) == (digits < EM_TEXT_WEIGHT));
    }
}

static const char mixed[] =
    "# head\n0 1 2\n\n  5\t6 0.25 \r\n% c\n7 7 1\n999 0 -1e3# end\n12 13 1\n\n#\n0 1 4\n3 4 1.";

/* Wherever pieces are cut, and from wherever the first line begins. */
static void borders(void)
{
    const int64_t size = sizeof mixed - 1;
    edge whole[16];
    CHECK(reads(mixed, size, true, ' ', size));
    CHECK(taken == 6);
    memcpy(whole, seen, (size_t)taken * sizeof *whole);
    for (int64_t piece = 1; piece <= size; piece++) {
        CHECK(reads(mixed, size, true, ' ', piece) && taken == 6);
        CHECK(memcmp(whole, seen, sizeof *whole * 6) == 0);
    }
    for (int64_t cut = 0; cut < size; cut++) /* whatever the text ends with */
        for (int64_t piece = 1; piece <= 9; piece += 4) reads(mixed, cut, true, ' ', piece);
    for (int64_t first = 0; first < size; first++)
        for (int64_t piece = 1; piece <= size; piece += 7) {
            em_text text = {.text = mixed, .size = size, .first = first, .piece = piece, .separator = ' '};
            em_list list;
            em_text_init(&text, &list, LIMIT, true);
            int64_t expected = 0;
            taken = 0;
            for (int64_t k = 0; k < list.pieces; k++)
                em_list_walk(&(em_build){.given = &list}, k, true, take);
            for (int64_t k = taken; k-- > 0;) /* what is read are the last edges of all, or odd */
                expected += memcmp(&whole[6 - taken + k], &seen[k], sizeof *seen) == 0;
            if (first == 0 || mixed[first - 1] == '\n') CHECK(expected == taken);
        }
}

/* ---- a reader that is plain: it copies each line and takes it apart; 1, 0 for no edge, -1 for odd */

static int number(const char *word, int64_t *value)
{
    if (word == NULL || *word == 0 || strspn(word, "0123456789") != strlen(word) || strlen(word) > 15)
        return -1;
    *value = atoll(word);
    return *value < LIMIT ? 1 : -1;
}

static int plainly(char *line, size_t size, bool weighted, edge *found)
{
    char *word[8] = {NULL}, *rest = line;
    int words = 0;
    if (size > 0 && line[size - 1] == '\r') line[--size] = 0;
    if (memchr(line, '\r', size) != NULL) return -1;
    size_t data = 0;
    while (data < size && line[data] != '#' && line[data] != '%') data++;
    if (memchr(line, 0, data) != NULL) return -1;
    line[data] = 0;
    for (char *each; words < 8 && (each = strtok_r(rest, " \t", &rest)) != NULL;) word[words++] = each;
    if (words == 0) return 0;
    if (words != (weighted ? 3 : 2)) return -1;
    if (number(word[0], &found->one) < 0 || number(word[1], &found->other) < 0) return -1;
    found->weight = 1.0;
    if (!weighted) return 1;
    if (strspn(word[2], "0123456789.eE+-") != strlen(word[2])) return -1;
    char *tail;
    found->weight = strtod(word[2], &tail);
    return *tail == 0 && isfinite(found->weight) ? 1 : -1;
}

/* Reads all lines plainly; returns how many edges of different agents there are, or -1: odd. */
static int64_t all_plainly(const char *text, int64_t size, bool weighted, edge *found)
{
    int64_t edges = 0;
    for (int64_t k = 0, next; k < size; k = next) {
        char line[512];
        const char *stop = memchr(text + k, '\n', (size_t)(size - k));
        int64_t length = (stop == NULL ? text + size : stop) - (text + k);
        next = k + length + 1;
        memcpy(line, text + k, (size_t)length);
        line[length] = 0;
        int kind = plainly(line, (size_t)length, weighted, &found[edges]);
        if (kind < 0) return -1;
        edges += kind > 0 && found[edges].one != found[edges].other;
    }
    return edges;
}

static int drawn(uint64_t *seed, int below)
{
    return (int)(check_random(seed) % (uint64_t)below);
}

/* Writes lines as they should be, then strikes a few wrong keys; returns how many bytes there are. */
static int64_t typed(uint64_t *seed, char *text, bool weighted)
{
    static const char *const blank[] = {" ", "\t", "  "}, *const end[] = {
                                                              "\n", " \r\n", "# 1 2\n", "\n\n", " % x\n"};
    static const char keys[] = " \t\n\r#%0123456789.,-+eEx";
    char *at = text;
    for (int line = drawn(seed, 6); line >= 0; line--) {
        at += sprintf(at, "%d%s%d", drawn(seed, LIMIT), blank[drawn(seed, 3)], drawn(seed, LIMIT));
        if (weighted)
            at += sprintf(at, "%s%.*g", blank[drawn(seed, 3)], 1 + drawn(seed, 17), check_uniform(seed));
        at += sprintf(at, "%s", end[drawn(seed, 5)]);
    }
    int64_t size = at - text;
    for (int wrong = drawn(seed, 3); wrong > 0; wrong--)
        text[drawn(seed, (int)size)] =
            drawn(seed, 4) ? keys[drawn(seed, sizeof keys - 1)] : (char)drawn(seed, 256);
    return size - drawn(seed, 4);
}

static void random_bytes(void)
{
    uint64_t seed = 2024;
    int plain = 0, odd = 0;
    for (int round = 0; round < 20000; round++) {
        char text[512];
        edge expected[64];
        const bool weighted = round % 2;
        int64_t size = typed(&seed, text, weighted), edges = all_plainly(text, size, weighted, expected);
        bool found = reads(text, size, weighted, ' ', 1 + drawn(&seed, 100));
        CHECK(found == (edges >= 0));
        if (found) CHECK(taken == edges && memcmp(seen, expected, (size_t)edges * sizeof *seen) == 0);
        if (found)
            plain++;
        else
            odd++;
    }
    CHECK(plain > 5000 && odd > 5000);
}

/* Many lines, made into rows by many threads: the same as those of arrays. */
static void rows(int threads)
{
    enum { EDGES = 20000 };
    static char text[EDGES * 40];
    static int32_t one[EDGES], other[EDGES];
    static double weight[EDGES];
    uint64_t seed = 5;
    int64_t size = 0;
    for (int k = 0; k < EDGES; k++) {
        one[k] = (int32_t)(check_random(&seed) % LIMIT), other[k] = (int32_t)(check_random(&seed) % LIMIT);
        weight[k] = check_uniform(&seed);
        size += sprintf(text + size, "%d %d %.17g\n", one[k], other[k], weight[k]);
    }
    em_text lines_of = {.text = text, .size = size, .piece = 5000, .separator = ' '};
    em_list_arrays arrays = {{(char *)one, 4, false}, {(char *)other, 4, false}, (char *)weight, 8, EDGES};
    em_list list[2];
    em_graph *graph[2];
    em_text_init(&lines_of, &list[0], LIMIT, true);
    em_list_init(&list[1], em_list_read_arrays, &arrays, em_build_chunks(EDGES), LIMIT, true);
    for (int k = 0; k < 2; k++) {
        em_build build;
        em_build_init(&build, NULL, NULL, &list[k], 0);
        phases_each(&build, em_list_look, list[k].pieces, threads);
        int64_t edges = (int64_t)(em_atomic_load(&list[k].edges, memory_order_relaxed) -
                                  em_atomic_load(&list[k].loops, memory_order_relaxed));
        build.graph = graph[k] = em_rows_create(LIMIT, 2 * edges, true);
        build.walk = em_list_walk;
        phases_pieces(&build, list[k].pieces, threads);
        phases_each(&build, em_fold_block, em_graph_blocks(LIMIT), threads);
        em_fold_trim(&build);
        phases_each(&build, em_build_settle, em_graph_blocks(LIMIT), threads);
    }
    CHECK(graph[0]->ends == graph[1]->ends && graph[0]->ends < 2 * EDGES);
    size_t ends = (size_t)graph[0]->ends;
    CHECK(memcmp(graph[0]->indices, graph[1]->indices, ends * sizeof(int32_t)) == 0);
    CHECK(memcmp(graph[0]->weights, graph[1]->weights, ends * sizeof(double)) == 0);
    em_graph_free(graph[0]);
    em_graph_free(graph[1]);
}

int main(int argc, char **argv)
{
    int threads = check_size(argc, argv);
    int64_t before = em_base_live();
    rows(threads);
    if (threads == 1) {
        each_line();
        borders();
        random_bytes();
    }
    CHECK(em_base_live() == before);
    return 0;
}
