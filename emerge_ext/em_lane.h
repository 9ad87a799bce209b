/* em_lane.h: eight lanes: the order in which the numbers of a block are added up, and the vectors that do it.
 *
 * Lane i % 8 takes number i, and the lanes are added by a fixed tree, so the sum of a block is the same to the bit
 * for vectors of two, four or eight doubles. With GCC and clang, em_lane is a vector as wide as the target has, and
 * EM_LANE_PARTS of them are the eight lanes; elsewhere loops over lanes say the same. Contraction and reassociation
 * are off.
 */
#ifndef EM_LANE_H
#define EM_LANE_H

#include "em_base.h"

#include <stdint.h>

#define EM_LANE_COUNT 8

#if defined(__AVX512F__)
#define EM_LANE_WIDTH 8
#elif defined(__AVX2__)
#define EM_LANE_WIDTH 4
#else
#define EM_LANE_WIDTH 2
#endif
#define EM_LANE_PARTS   (EM_LANE_COUNT / EM_LANE_WIDTH)
#define EM_LANE_ABREAST 4 /* vectors that a loop keeps going, so that none waits for its own last result */

#if defined(__GNUC__)
typedef double em_lane __attribute__((vector_size(8 * EM_LANE_WIDTH)));
typedef uint64_t em_lane_bits __attribute__((vector_size(8 * EM_LANE_WIDTH)));
typedef double em_lane_of
    __attribute__((vector_size(8 * EM_LANE_WIDTH), aligned(8), may_alias)); /* anywhere */
typedef float em_lane_of_float __attribute__((vector_size(4 * EM_LANE_WIDTH), aligned(4), may_alias));
#define EM_LANE_VECTORS 1
#else
#define EM_LANE_VECTORS 0
#endif

static inline double em_lane_tree(const double *lane)
{
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static inline double em_lane_sum(int64_t count, const double *restrict value)
{
    double lane[EM_LANE_COUNT] = {0.0};
    int64_t whole = count - count % EM_LANE_COUNT;
    for (int64_t i = 0; i < whole; i += EM_LANE_COUNT)
        for (int l = 0; l < EM_LANE_COUNT; l++) lane[l] += value[i + l];
    for (int64_t i = whole; i < count; i++) lane[i % EM_LANE_COUNT] += value[i];
    return em_lane_tree(lane);
}

#endif
