/* Trials: every way makes every update once, whatever the threads, and gives back all it took. */
#include "em_trial.h"

#include "check.h"

int main(int argc, char **argv)
{
    int size = check_size(argc, argv);
    for (int way = EM_TRIAL_MUTEX; way <= EM_TRIAL_RING; way++) {
        double cost = -1.0;
        CHECK(em_trial_run((em_trial_way)way, size, 1000, &cost) == EM_OK);
        CHECK(cost > 0.0);
    }
    CHECK(em_base_live() == 0);
    return 0;
}
