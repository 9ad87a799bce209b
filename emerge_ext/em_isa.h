/* em_isa.h: the hot loops, one set of them for each instruction set.
 *
 * em_isa_<name>.c compile the same source, em_stage.h and all around it, each for its own target, so that one
 * build runs on every processor of its kind and fast on each. All give the same bits: contraction and
 * reassociation are off, and sums have fixed lanes. em_isa_list tells which this processor can run.
 */
#ifndef EM_ISA_H
#define EM_ISA_H

#include "em_gossip.h"
#include "em_order.h"
#include "em_round.h"
#include "em_stride.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define EM_ISA_X86 1
#else
#define EM_ISA_X86 0
#endif

typedef struct {
    const char *name;
    void (*publish)(em_swarm *swarm, int64_t block, bool stale, em_scratch *scratch);
    void (*look)(em_swarm *swarm, int64_t block, em_scratch *scratch);
    void (*stage)(em_swarm *swarm, int stage, int64_t block, em_scratch *scratch);
    void (*stride)(em_swarm *swarm, int stage, int64_t block, em_scratch *scratch);
    void (*round)(em_swarm *swarm, int part, int64_t unit, em_scratch *scratch);
    void (*field)(em_swarm *swarm, int64_t block, em_scratch *scratch, double *re, double *im);
    void (*gossip)(em_swarm *swarm, int64_t block, em_scratch *scratch);
    void (*ordered)(em_swarm *swarm, const int64_t *order, em_scratch *scratch);
} em_isa;

#define EM_ISA_TABLE(isa)                                                                                    \
    {isa,           em_round_publish, em_stage_look,   em_stage_unit, em_stride_unit,                        \
     em_round_unit, em_stage_field,   em_gossip_block, em_order_tick}

extern const em_isa em_isa_baseline, em_isa_avx2, em_isa_avx512;

/* Fills `isas` with what runs here, from the slowest to the fastest; returns how many, at most 3. */
static inline int em_isa_list(const em_isa **isas)
{
    int count = 0;
    isas[count++] = &em_isa_baseline;
#if EM_ISA_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2")) isas[count++] = &em_isa_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        isas[count++] = &em_isa_avx512;
#endif
    return count;
}

#endif
