/* The hot loops for any processor that the build is for. */
#include "em_isa.h"

#if defined(__aarch64__)
const em_isa em_isa_baseline = EM_ISA_TABLE("neon"); /* which every such processor has */
#else
const em_isa em_isa_baseline = EM_ISA_TABLE("baseline");
#endif
