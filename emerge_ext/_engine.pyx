"""The door between Python and the cellar.

It owns the memory that threads touch, releases the GIL once for a batch of ticks, opens the parallel region,
and turns a status into an exception. Meaning is checked upstairs: here only types and shapes are.

`Graph` is a topology that never changes, `Listing` edges that one is made of, `Engine` a swarm on one, `Ring` holds
nudges on their way to one; `Words` and `Meeting` are the machines that Python threads may use for themselves. All
memory of these is the cellar's; Python gets copies of it.
"""

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.pythread cimport (
    PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock, PyThread_get_thread_ident,
    PyThread_release_lock, PyThread_type_lock, NOWAIT_LOCK, WAIT_LOCK,
)
from cython.parallel cimport parallel, prange
from libc.math cimport NAN, atan2, hypot
from libc.stdint cimport UINT32_MAX, UINT64_MAX, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from em cimport *
from _tick cimport (
    BARRIER, Batch, COHERENT, DIVERGED, GOSSIP, LOCKED, NO_TARGET, ORDERED, STUCK, Schedule, Target, _begin_tick,
    tick_member,
)

import os

from numpy import empty as _empty

from emerge.errors import Busy, Closed, Diverged, Full, InvalidValue, TooLarge


cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define EM_OPENMP _OPENMP
    #else
    #define EM_OPENMP 0
    static int omp_get_num_threads(void) { return 1; }
    static int omp_get_thread_num(void) { return 0; }
    static int omp_get_max_threads(void) { return 1; }
    #endif
    #if defined(__clang__)
    #define EM_COMPILER "clang " __clang_version__
    #elif defined(__GNUC__)
    #define EM_COMPILER "gcc " __VERSION__
    #elif defined(_MSC_VER)
    #define EM_COMPILER "msvc"
    #else
    #define EM_COMPILER "unknown"
    #endif
    """
    const int EM_OPENMP
    const char *EM_COMPILER
    int omp_get_num_threads() nogil
    int omp_get_thread_num() nogil
    int omp_get_max_threads() nogil


cdef const em_isa *ISAS[8]
cdef int isas = em_isa_list(ISAS)
cdef int chosen = isas - 1

AGENTS_OF_BLOCK = EM_GRAPH_BLOCK
REACH = EM_PHASE_REACH

PARAMETERS, HARMONICS, NOISE = EM_ACT_PARAMETERS, EM_ACT_HARMONICS, EM_ACT_NOISE
cdef dict MODELS = {em_act_models[k].name.decode(): k for k in range(EM_ACT_KINDS)}
cdef dict METHODS = {em_step_methods[k].name.decode(): k for k in range(EM_STEP_KINDS)}
cdef int64_t PIECES = 256  # of a phase of building, for each worker, between two looks at signals
cdef dict FINDINGS = {
    EM_CHECK_PHASE: "a phase is outside [0, 2 pi)",
    EM_CHECK_FREQUENCY: "a natural frequency is not finite",
    EM_CHECK_PHASOR: "a phasor is not that of its phase",
    EM_CHECK_SUM: "a sum of phasors is not that of its block",
    EM_CHECK_GRAPH: "a row of the graph is out of order or out of range",
    EM_CHECK_LIVING: "the number of living agents is not that of the marks",
    EM_CHECK_VELOCITY: "a velocity is not finite",
    EM_CHECK_ENERGY: "an energy is negative, or more than an agent can hold",
    EM_CHECK_WEIGHT: "a weight that adapts is not finite",
}
cdef dict TRIALS = {
    "mutex": EM_TRIAL_MUTEX, "atomic": EM_TRIAL_ATOMIC, "channel": EM_TRIAL_CHANNEL, "rcu": EM_TRIAL_RCU,
    "inbox": EM_TRIAL_INBOX, "ring": EM_TRIAL_RING,
}
cdef dict SCHEDULES = {"barrier": BARRIER, "gossip": GOSSIP, "ordered": ORDERED}
cdef tuple ENDINGS = ("running", "reached", "timeout", "cancelled", "deadline")  # by `Reason`
cdef enum:
    SLICE = 50_000_000      # ns between two looks at signals
    WORTH_TILES = 16        # ticks for which tiles are worth being made
    FIRST_RECORD = 65_536   # ticks that a batch may record, or as many as have been: room is made for all of them

cdef int most_threads = omp_get_max_threads()  # before other libraries of this process change it for themselves
cdef bint regions_were_opened = False
cdef bint forked = False
cdef int generation = 0


def build():
    """Return how this extension was built: compiler, OpenMP's version date or 0, and its most threads."""
    return {
        "compiler": EM_COMPILER.decode(),
        "openmp": EM_OPENMP,
        "openmp_threads": most_threads,
    }


def instruction_sets():
    """Return the names of the variants that this processor can run, the fastest last."""
    return [ISAS[k].name.decode() for k in range(isas)]


def instruction_set():
    """Return the name of the variant that engines made from now on will run."""
    return ISAS[chosen].name.decode()


def use_instruction_set(str name not None):
    """Let engines made from now on run another variant; all give the same bits."""
    global chosen
    if name not in instruction_sets():
        raise InvalidValue(
            f"no instruction set {name!r} here: this processor has {', '.join(instruction_sets())};"
            " set EMERGE_ISA to one of them, or unset it"
        )
    chosen = instruction_sets().index(name)


if os.environ.get("EMERGE_ISA"):
    use_instruction_set(os.environ["EMERGE_ISA"])


def methods():
    """Return what integrators can do, by name: stages in a tick (0: as many as it takes), noise, velocities."""
    return {
        name: (em_step_methods[<int>kind].stages, em_step_methods[<int>kind].noise, em_step_methods[<int>kind].inertia)
        for name, kind in METHODS.items()
    }


def methods_of_weights():
    """Return the names of the integrators that weights which adapt can be served by."""
    return tuple([name for name, kind in METHODS.items() if em_plastic_serves(<em_step_kind>kind)])


def allocations():
    """Return how many pieces of memory the engine holds at this moment."""
    return em_base_live()


def after_fork():
    """In a forked child: no parallel region may be opened if the parent opened one, and no claim stands."""
    global forked, generation
    forked = regions_were_opened
    generation += 1


def is_forked():
    """Return whether this process was forked from one that had opened a parallel region."""
    return forked


def order_parameter(const double[::1] phase not None, const uint8_t[::1] failed=None):
    """Return the coherence R and the mean phase in [-pi, pi] of phases within reach, but for those who failed.

    Added block by block, as a tick does it: the same bits as the coherence that a run reports.
    """
    cdef double[2] order
    cdef int64_t i, n = phase.shape[0], living = phase.shape[0]
    cdef const uint8_t *out = NULL
    if failed is not None:
        if failed.shape[0] != n:
            raise InvalidValue(f"who failed must be told of {n} agents, not of {failed.shape[0]}")
        out = &failed[0]
        for i in range(n):
            living -= out[i] != 0
    cdef em_scratch *scratch = <em_scratch *>_take(sizeof(em_scratch), "scratch of one worker")
    with nogil:
        em_swarm_order(n, &phase[0], out, scratch, order)
    em_base_free(scratch)
    return hypot(order[0], order[1]) / living if living > 0 else 0.0, atan2(order[1], order[0])


def phasors(const double[::1] phase not None, double[::1] out not None):
    """Write cos and sin of each phase, which must be within reach, side by side: as a tick computes them."""
    cdef int64_t i
    if out.shape[0] != 2 * phase.shape[0]:
        raise InvalidValue(f"an array of {2 * phase.shape[0]} entries is needed, not of {out.shape[0]}")
    with nogil:
        for i in range(phase.shape[0]):
            em_phase_sincos(phase[i], &out[2 * i], &out[2 * i + 1])


cdef void *_take(size_t size, str what) except NULL:
    cdef void *memory = em_base_alloc(size)
    if memory == NULL:
        raise TooLarge(f"{what} needs {size} bytes, which cannot be had: use fewer agents or edges")
    return memory


cdef void _acquire(PyThread_type_lock lock) noexcept:
    """Take a lock; the GIL is released only if that takes waiting."""
    if not PyThread_acquire_lock(lock, NOWAIT_LOCK):
        with nogil:
            PyThread_acquire_lock(lock, WAIT_LOCK)


cdef int _workers(int wanted, int64_t n) noexcept:
    """No more than there are blocks; one in a forked child, where a parallel region would hang."""
    return 1 if forked else <int>min(wanted, em_graph_blocks(n))


cdef void _run(Batch *batch, int workers) noexcept:
    """Open the parallel region, unless one worker is enough, and send every member through the tick."""
    global regions_were_opened
    if workers == 1:
        with nogil:
            tick_member(batch, 0, 1)
        return
    regions_were_opened = True
    with nogil, parallel(num_threads=workers):
        tick_member(batch, omp_get_thread_num(), omp_get_num_threads())


include "_ring.pxi"
include "_graph.pxi"
include "_list.pxi"
include "_plastic.pxi"
include "_past.pxi"
include "_swarm.pxi"
include "_machines.pxi"
