/* The hot loops for x86-64 with AVX2. System headers come first: they are for any processor. */
#include "em_base.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#elif defined(__x86_64__) && defined(__GNUC__)
#pragma GCC target("avx2")
#endif

#include "em_isa.h"

#if EM_ISA_X86
const em_isa em_isa_avx2 = EM_ISA_TABLE("avx2");
#endif

#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute pop
#endif
