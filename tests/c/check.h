/* check.h: what the C programs share: a check that cannot be compiled away, threads that start together, and
 * random numbers. Each program takes the number of threads as its one argument and is silent if all is well. */
#ifndef CHECK_H
#define CHECK_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(truth)                                                                                         \
    do {                                                                                                     \
        if (!(truth)) {                                                                                      \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #truth);                        \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

#define CHECK_THREADS 16

typedef struct {
    int rank;
    int size;
    void *shared;
} check_member;

static inline int check_size(int argc, char **argv)
{
    int size = argc > 1 ? atoi(argv[1]) : 1;
    CHECK(size >= 1 && size <= CHECK_THREADS);
    return size;
}

/* Runs `body` in `size` threads, each with its rank, and waits for all. */
static inline void check_together(int size, void *(*body)(void *), void *shared)
{
    pthread_t thread[CHECK_THREADS];
    check_member member[CHECK_THREADS];
    for (int rank = 0; rank < size; rank++) {
        member[rank] = (check_member){rank, size, shared};
        CHECK(pthread_create(&thread[rank], NULL, body, &member[rank]) == 0);
    }
    for (int rank = 0; rank < size; rank++) CHECK(pthread_join(thread[rank], NULL) == 0);
}

/* Marsaglia's xorshift64 (J. Stat. Softw. 8(14), 2003). */
static inline uint64_t check_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline double check_uniform(uint64_t *state)
{
    return (double)(check_random(state) >> 11) * 0x1p-53;
}

#endif
