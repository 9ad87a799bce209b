/* Sine and cosine against long double, wrap and difference, and the binary angle. */
#include "em_phase.h"

#include "check.h"

static void sine_and_cosine(double x, double *worst)
{
    double c, s;
    em_phase_sincos(x, &c, &s);
    double error = fmax((double)fabsl(sinl((long double)x) - s), (double)fabsl(cosl((long double)x) - c));
    *worst = fmax(*worst, error);
}

static void wraps(double x)
{
    double r = em_phase_wrap(x);
    CHECK(r >= 0.0 && r < EM_PHASE_TURN);
    double turns = (x - r) / EM_PHASE_TURN;
    CHECK(fabs(turns - nearbyint(turns)) < 1e-9);
    if (x >= 0.0 && x < EM_PHASE_TURN) CHECK(r == x);
    if (em_phase_is_near(x)) CHECK(em_phase_bits(em_phase_wrap_near(x)) == em_phase_bits(r));
}

static void binary(double angle)
{
    double back = em_phase_from_binary(em_phase_to_binary(angle));
    CHECK(back >= -EM_PHASE_TURN / 2 && back <= EM_PHASE_TURN / 2);
    CHECK(fabs(remainder(angle - back, EM_PHASE_TURN)) <= 1e-15 * fmax(1.0, fabs(angle)));
}

int main(int argc, char **argv)
{
    check_size(argc, argv);
    uint64_t seed = 88172645463325252ull;
    double inside = 0.0, reach = 0.0;
    for (int k = 0; k < 1000000; k++) {
        double u = check_uniform(&seed);
        sine_and_cosine(u * EM_PHASE_TURN, &inside);
        sine_and_cosine((2 * u - 1) * EM_PHASE_REACH, &reach);
        wraps((4 * u - 2) * EM_PHASE_TURN);
        wraps((2 * u - 1) * EM_PHASE_REACH);
        binary((2 * u - 1) * 10);
    }
    for (int quarter = -8; quarter <= 8; quarter++)
        for (int ulp = -3; ulp <= 3; ulp++) {
            double x =
                em_phase_from_bits(em_phase_bits(fabs(quarter * EM_PHASE_TURN / 4)) + (uint64_t)(int64_t)ulp);
            if (quarter == 0) x = ulp * 1e-300;
            x = quarter < 0 ? -x : x;
            sine_and_cosine(x, &inside);
            wraps(x);
            binary(x);
        }
    CHECK(inside < 2 * 0x1p-52);
    CHECK(reach < 2 * 0x1p-52);
    CHECK(inside > 0.0); /* the comparison is not of a function with itself */

    CHECK(!em_phase_within_reach(NAN) && !em_phase_within_reach(INFINITY) && !em_phase_is_near(NAN));
    CHECK(fabs(em_phase_difference(0.1, EM_PHASE_TURN - 0.1) - 0.2) < 1e-15);
    CHECK(fabs(em_phase_difference(EM_PHASE_TURN - 0.1, 0.1) + 0.2) < 1e-15);
    CHECK(em_phase_difference(3.0, 3.0) == 0.0);

    uint64_t sum = 0, backwards = 0;
    for (int k = 0; k < 1000; k++) sum += em_phase_to_binary(0.001 * k);
    for (int k = 999; k >= 0; k--) backwards += em_phase_to_binary(0.001 * k);
    CHECK(sum == backwards);
    CHECK(fabs(remainder(em_phase_from_binary(sum) - 499.5, EM_PHASE_TURN)) < 1e-13);
    return 0;
}
