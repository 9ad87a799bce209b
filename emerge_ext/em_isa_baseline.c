/* The hot loops for any processor that the build is for. */
#include "em_isa.h"

const em_isa em_isa_baseline = EM_ISA_TABLE("baseline");
