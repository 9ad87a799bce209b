/*
 * What this machine can do at most: bandwidth, and the bare gather of a graph's own indices.
 *
 *     limit bandwidth THREADS
 *     limit gather FILE AGENTS BYTES THREADS
 *
 * FILE holds AGENTS degrees and then all indices, each an int32, as the engine's rows hold them. A gather loads the
 * phasor of 16 bytes (two doubles) or 8 (two floats) at every index and adds it to one of eight accumulators: no row,
 * no arithmetic, nothing stored. Indices are split evenly. Each thread goes over its part as often as it takes to be told
 * apart from noise, so that no join is counted, with and without prefetching ahead; the quicker counts. One line
 * of JSON is printed, with a checksum, so that nothing timed can be left out by the compiler.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { TURNS = 3, ACCUMULATORS = 8, AHEAD = 64, PAGE = 1 << 21, THREADS_MOST = 1024 };
#define SECONDS         0.01
#define BANDWIDTH_BYTES ((size_t)128 << 20)

typedef double wide __attribute__((vector_size(16)));
typedef float narrow __attribute__((vector_size(8)));

typedef struct job job;
typedef double (*pass)(const job *, long rank);

struct job {
    pass pass;
    long threads;
    long agents, ends;
    const int32_t *index;
    const void *phasor;
    double *to, *one, *other;
    size_t count;
    long rounds;
    pthread_barrier_t gate;
    double begun[THREADS_MOST], ended[THREADS_MOST], sums[THREADS_MOST];
};

typedef struct {
    job *job;
    long rank;
} member;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void stop(const char *why)
{
    fprintf(stderr, "limit: %s\n", why);
    exit(1);
}

/* Memory on huge pages, where the system grants them. */
static void *room(size_t bytes)
{
    void *p = aligned_alloc(PAGE, (bytes + PAGE - 1) / PAGE * PAGE);
    if (!p) {
        stop("there is not enough memory");
    }
#ifdef MADV_HUGEPAGE
    madvise(p, bytes, MADV_HUGEPAGE);
#endif
    return p;
}

static long part(long whole, long rank, long threads)
{
    return (long)((__int128)whole * rank / threads);
}

#define GATHER(name, type, PREFETCH)                                                                         \
    static double name(const job *j, long rank)                                                              \
    {                                                                                                        \
        const int32_t *index = j->index;                                                                     \
        const type *phasor = j->phasor;                                                                      \
        long e = part(j->ends, rank, j->threads), end = part(j->ends, rank + 1, j->threads);                 \
        type sum[ACCUMULATORS] = {{0}};                                                                      \
        for (; e + ACCUMULATORS <= end; e += ACCUMULATORS) {                                                 \
            for (int k = 0; k < ACCUMULATORS; k++) {                                                         \
                PREFETCH;                                                                                    \
                sum[k] += phasor[index[e + k]];                                                              \
            }                                                                                                \
        }                                                                                                    \
        for (; e < end; e++) {                                                                               \
            sum[0] += phasor[index[e]];                                                                      \
        }                                                                                                    \
        for (int k = 1; k < ACCUMULATORS; k++) {                                                             \
            sum[0] += sum[k];                                                                                \
        }                                                                                                    \
        return (double)sum[0][0] + (double)sum[0][1];                                                        \
    }

/* The file is followed by AHEAD zeros, so that looking ahead stays inside. */
#define FETCH __builtin_prefetch(&phasor[index[e + k + AHEAD]])

GATHER(gather_wide, wide, (void)0)
GATHER(gather_wide_ahead, wide, FETCH)
GATHER(gather_narrow, narrow, (void)0)
GATHER(gather_narrow_ahead, narrow, FETCH)

static double triad(const job *j, long rank)
{
    size_t from = (size_t)part((long)j->count, rank, j->threads),
           to = (size_t)part((long)j->count, rank + 1, j->threads);
    double *restrict a = j->to;
    const double *restrict b = j->one, *restrict c = j->other;
    for (size_t i = from; i < to; i++) {
        a[i] = b[i] + 3.0 * c[i];
    }
    return a[from];
}

static double read_all(const job *j, long rank)
{
    size_t from = (size_t)part((long)j->count, rank, j->threads),
           to = (size_t)part((long)j->count, rank + 1, j->threads);
    const uint64_t *a = (const uint64_t *)(const void *)j->one;
    uint64_t sum = 0;
    for (size_t i = from; i < to; i++) {
        sum += a[i];
    }
    return (double)(sum >> 32);
}

static double fill(const job *j, long rank)
{
    size_t from = (size_t)part((long)j->count, rank, j->threads),
           to = (size_t)part((long)j->count, rank + 1, j->threads);
    for (size_t i = from; i < to; i++) {
        j->to[i] = 0.0;
        j->one[i] = 1.0 + (double)(i & 7);
        j->other[i] = 0.5;
    }
    return 0.0;
}

static void *work(void *argument)
{
    member *m = argument;
    job *j = m->job;
    double sum = 0.0;
    pthread_barrier_wait(&j->gate);
    j->begun[m->rank] = now();
    for (long round = 0; round < j->rounds; round++) {
        sum += j->pass(j, m->rank);
        __asm__ volatile("" ::: "memory"); /* each round loads anew */
    }
    j->ended[m->rank] = now();
    j->sums[m->rank] = sum;
    return NULL;
}

/* Seconds for one pass of all threads together, each doing so many rounds: from the first begun to the last ended. */
static double timed(job *j, pass pass, long rounds)
{
    static member members[THREADS_MOST];
    static pthread_t threads[THREADS_MOST];
    double begun = 0.0, ended = 0.0;
    j->pass = pass;
    j->rounds = rounds;
    pthread_barrier_init(&j->gate, NULL, (unsigned)j->threads);
    for (long rank = 0; rank < j->threads; rank++) {
        members[rank] = (member){j, rank};
        if (pthread_create(&threads[rank], NULL, work, &members[rank])) {
            stop("a thread could not be created");
        }
    }
    for (long rank = 0; rank < j->threads; rank++) {
        pthread_join(threads[rank], NULL);
        begun = !rank || j->begun[rank] < begun ? j->begun[rank] : begun;
        ended = !rank || j->ended[rank] > ended ? j->ended[rank] : ended;
    }
    pthread_barrier_destroy(&j->gate);
    return (ended - begun) / (double)rounds;
}

/* The least of some turns, each long enough to be told. */
static double least(job *j, pass pass, double *checksum)
{
    long rounds = 1;
    double best = timed(j, pass, rounds);
    while (best * (double)rounds < SECONDS && rounds < 1L << 24) {
        rounds *= 2;
        best = timed(j, pass, rounds);
    }
    for (int turn = 1; turn < TURNS; turn++) {
        double seconds = timed(j, pass, rounds);
        best = seconds < best ? seconds : best;
    }
    *checksum = 0.0;
    for (long rank = 0; rank < j->threads; rank++) {
        *checksum += j->sums[rank] / (double)rounds;
    }
    return best;
}

static void bandwidth(job *j)
{
    double seen, sums;
    j->count = BANDWIDTH_BYTES / sizeof(double);
    j->to = room(BANDWIDTH_BYTES), j->one = room(BANDWIDTH_BYTES), j->other = room(BANDWIDTH_BYTES);
    timed(j, fill, 1);
    double reading = least(j, read_all, &sums), adding = least(j, triad, &seen);
    /* Storing to a line that is not in the cache loads it first: 32 bytes for each element. */
    printf(
        "{\"threads\": %ld, \"triad\": %.4g, \"read\": %.4g, \"checksum\": %.17g}\n", j->threads,
        32e-9 * (double)j->count / adding, 8e-9 * (double)j->count / reading, seen + sums);
}

static int32_t *indices(job *j, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) {
        stop("the file cannot be read");
    }
    j->ends = ftell(file) / (long)sizeof(int32_t) - j->agents;
    if (j->ends < 0 || fseek(file, j->agents * (long)sizeof(int32_t), SEEK_SET)) {
        stop("the file holds fewer degrees than there are agents");
    }
    int32_t *index = room(((size_t)j->ends + AHEAD) * sizeof *index);
    if (fread(index, sizeof *index, (size_t)j->ends, file) != (size_t)j->ends) {
        stop("the file cannot be read");
    }
    memset(index + j->ends, 0, AHEAD * sizeof *index);
    fclose(file);
    for (long e = 0; e < j->ends; e++) {
        if (index[e] < 0 || index[e] >= j->agents) {
            stop("an index is outside of the graph");
        }
    }
    return index;
}

static void gather(job *j, const char *path, int bytes)
{
    double plain_sum, ahead_sum;
    size_t values = 2 * (size_t)j->agents;
    void *phasor = room(values * (size_t)bytes / 2);
    j->index = indices(j, path);
    for (size_t i = 0; i < values; i++) {
        if (bytes == 16) {
            ((double *)phasor)[i] = 1.0 + (double)(i & 7);
        } else {
            ((float *)phasor)[i] = 1.0f + (float)(i & 7);
        }
    }
    j->phasor = phasor;
    double plain = least(j, bytes == 16 ? gather_wide : gather_narrow, &plain_sum);
    double ahead = least(j, bytes == 16 ? gather_wide_ahead : gather_narrow_ahead, &ahead_sum);
    printf(
        "{\"threads\": %ld, \"bytes\": %d, \"plain\": %.6g, \"ahead\": %.6g, \"ends\": %ld, \"checksum\": "
        "%.17g}\n",
        j->threads, bytes, 1e9 * plain, 1e9 * ahead, j->ends, (plain_sum + ahead_sum) / 2);
}

int main(int count, char **words)
{
    static job job;
    int bandwidth_wanted = count == 3 && !strcmp(words[1], "bandwidth");
    int gather_wanted = count == 6 && !strcmp(words[1], "gather");
    if (!bandwidth_wanted && !gather_wanted) {
        stop("bandwidth THREADS, or gather FILE AGENTS BYTES THREADS");
    }
    job.threads = atol(words[count - 1]);
    if (job.threads < 1 || job.threads > THREADS_MOST) {
        stop("there must be 1 to 1024 threads");
    }
    if (bandwidth_wanted) {
        bandwidth(&job);
        return 0;
    }
    int bytes = atoi(words[4]);
    job.agents = atol(words[3]);
    if (job.agents < 1 || (bytes != 8 && bytes != 16)) {
        stop("there must be an agent, and 8 or 16 bytes for each");
    }
    gather(&job, words[2], bytes);
    return 0;
}
