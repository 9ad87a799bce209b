/* Permutations by number: each number goes to one place and comes from one, and all are as likely. */
#include "em_shuffle.h"

#include "check.h"

#include <stdbool.h>
#include <math.h>
#include <string.h>

enum { MOST = 5000, SAMPLES = 15000 };

static uint64_t forth(const em_shuffle *shuffle, uint64_t number)
{
    em_shuffle_forth(shuffle, &number, 1);
    return number;
}

static void permutes(uint64_t size)
{
    static bool taken[MOST];
    uint64_t number[MOST];
    em_shuffle shuffle, other;
    CHECK(em_shuffle_init(&shuffle, 5, 0, size) == EM_OK);
    CHECK(em_shuffle_init(&other, 5, 1, size) == EM_OK);
    memset(taken, 0, sizeof taken);
    int same = 0;
    for (uint64_t k = 0; k < size; k++) number[k] = k;
    em_shuffle_forth(&shuffle, number, (int)size);
    for (uint64_t k = 0; k < size; k++) {
        CHECK(number[k] < size && !taken[number[k]]);
        CHECK(number[k] == forth(&shuffle, k));
        taken[number[k]] = true;
        same += number[k] == forth(&other, k);
    }
    CHECK(size < 20 || same < 12); /* one on average */
    em_shuffle_back(&shuffle, number, (int)size);
    for (uint64_t k = 0; k < size; k++) CHECK(number[k] == k);
    em_shuffle_free(&shuffle);
    em_shuffle_free(&other);
}

/* Ends and numbers far beyond 32 bits. */
static void permutes_many(void)
{
    const uint64_t size = (UINT64_C(1) << 40) - 12345;
    em_shuffle shuffle;
    CHECK(em_shuffle_init(&shuffle, 6, 0, size) == EM_OK);
    uint64_t seed = 7, high = 0;
    for (int k = 0; k < 10000; k++) {
        uint64_t number = k < 2 ? (k == 0 ? 0 : size - 1) : check_random(&seed) % size, there = number;
        em_shuffle_forth(&shuffle, &there, 1);
        CHECK(there < size);
        high += there >= size / 2;
        em_shuffle_back(&shuffle, &there, 1);
        CHECK(there == number);
    }
    CHECK(high > 4800 && high < 5200);
    em_shuffle_free(&shuffle);
}

/* Where 0 goes, and all permutations of a few numbers: chi squared with `cells - 1` degrees of freedom. */
static void is_even(const int *count, int cells)
{
    double sum = 0.0, mean = (double)SAMPLES / cells;
    for (int k = 0; k < cells; k++) sum += (count[k] - mean) * (count[k] - mean) / mean;
    CHECK(sum < cells + 4.0 * sqrt(2.0 * cells));
}

static void any_is_as_likely(uint64_t size, int permutations)
{
    int *place = calloc((size_t)size, sizeof *place), *whole = calloc((size_t)permutations, sizeof *whole);
    for (int sample = 0; sample < SAMPLES; sample++) {
        em_shuffle shuffle;
        CHECK(em_shuffle_init(&shuffle, 8, (uint32_t)sample, size) == EM_OK);
        place[forth(&shuffle, 0)]++;
        int code = 0;
        for (uint64_t k = 0; permutations > 0 && k < size; k++) { /* its number, by Lehmer */
            int less = 0;
            for (uint64_t j = k + 1; j < size; j++) less += forth(&shuffle, j) < forth(&shuffle, k);
            code = code * (int)(size - k) + less;
        }
        if (permutations > 0) whole[code]++;
        em_shuffle_free(&shuffle);
    }
    is_even(place, (int)size);
    if (permutations > 0) is_even(whole, permutations);
    free(place), free(whole);
}

int main(int argc, char **argv)
{
    check_size(argc, argv);
    int64_t before = em_base_live();
    for (uint64_t size = 0; size < 70; size++) permutes(size);
    for (uint64_t size = 250; size < 260; size++) permutes(size);
    permutes(4096);
    permutes(4097);
    permutes_many();
    any_is_as_likely(2, 2);
    any_is_as_likely(3, 6);
    any_is_as_likely(5, 120);
    any_is_as_likely(100, 0);
    any_is_as_likely(300, 0);
    CHECK(em_base_live() == before);
    return 0;
}
