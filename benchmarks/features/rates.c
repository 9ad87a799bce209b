/* Kuramoto's model as a user would write it in C for emerge.Custom: one parameter, the coupling. */
#include <stdint.h>

void rates(
    int64_t count, const double *restrict phase, const double *restrict re, const double *restrict im,
    const double *restrict frequency, const double *restrict parameters, double *restrict rate)
{
    (void)phase, (void)re;
    for (int64_t i = 0; i < count; i++) rate[i] = frequency[i] + parameters[0] * im[i];
}
