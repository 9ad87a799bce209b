"""The door between Python and the cellar.

It owns the memory that threads touch, releases the GIL once for a batch of ticks, opens the parallel region,
and turns a status into an exception. Meaning is checked upstairs: here only types and shapes are.

`Graph` is a topology that never changes, `Engine` a swarm on one, `Ring` holds nudges on their way to one; `Words`
and `Meeting` are the machines that Python threads may use for themselves. All memory of these is the cellar's;
Python gets copies of it.
"""

cimport cython
from cpython.exc cimport PyErr_CheckSignals
from cpython.pythread cimport (
    PyThread_acquire_lock, PyThread_allocate_lock, PyThread_free_lock, PyThread_get_thread_ident,
    PyThread_release_lock, PyThread_type_lock, NOWAIT_LOCK, WAIT_LOCK,
)
from cython.parallel cimport parallel, prange
from libc.math cimport NAN, atan2, hypot
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from em cimport *
from _tick cimport (
    BARRIER, Batch, COHERENT, DIVERGED, GOSSIP, LOCKED, NO_TARGET, ORDERED, Schedule, Target, tick_member,
)

import os

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

cdef dict MODELS = {"kuramoto": EM_ACT_KURAMOTO}
cdef int64_t PIECES = 256  # of a phase of building, for each worker, between two looks at signals
cdef dict FINDINGS = {
    EM_CHECK_PHASE: "a phase is outside [0, 2 pi)",
    EM_CHECK_FREQUENCY: "a natural frequency is not finite",
    EM_CHECK_PHASOR: "a phasor is not that of its phase",
    EM_CHECK_SUM: "a sum of phasors is not that of its block",
    EM_CHECK_GRAPH: "a row of the graph is out of order or out of range",
    EM_CHECK_LIVING: "the number of living agents is not that of the marks",
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


cdef void *_take(size_t size, str what) except NULL:
    cdef void *memory = em_base_alloc(size)
    if memory == NULL:
        raise TooLarge(f"{what} needs {size} bytes, which cannot be had: use fewer agents or edges")
    return memory


@cython.final
cdef class Graph:
    """Who senses whom, in the cellar's memory; never changes. Made by those below."""

    cdef em_graph *graph
    cdef PyThread_type_lock lock
    cdef int born

    def __cinit__(self):
        self.born = generation
        self.lock = PyThread_allocate_lock()

    def __dealloc__(self):
        em_graph_free(self.graph)
        PyThread_free_lock(self.lock)

    @staticmethod
    def groups(const int64_t[::1] sizes not None, const double[::1] weights not None):
        """Make a graph of groups; row by row, with which weight agents of one sense those of another, 0 for not."""
        if weights.shape[0] != sizes.shape[0] * sizes.shape[0] or sizes.shape[0] == 0:
            raise InvalidValue(f"{sizes.shape[0]} groups need {sizes.shape[0] ** 2} weights, not {weights.shape[0]}")
        return _graph(em_groups_create(<int32_t>sizes.shape[0], &sizes[0], &weights[0]), 8 * weights.shape[0])

    @staticmethod
    def lattice(const int64_t[::1] sides not None, int reach, bint wraps):
        """Make a grid, or with `wraps` a torus, on which agents sense `reach` others on either hand of each side."""
        if not 0 < sides.shape[0] <= EM_GRAPH_SIDES:
            raise InvalidValue(f"a lattice has 1 to {EM_GRAPH_SIDES} sides, not {sides.shape[0]}")
        if 2 * reach * sides.shape[0] > EM_LATTICE_SHIFTS:
            raise InvalidValue(f"agents of a lattice have at most {EM_LATTICE_SHIFTS} neighbours")
        return _graph(em_lattice_create(<int>sides.shape[0], &sides[0], reach, wraps), sizeof(em_graph))

    @staticmethod
    def stored(const int32_t[::1] degree not None, const int32_t[::1] indices not None,
               const double[::1] weights=None, int workers=1):
        """Lay out rows: their degrees, whom they sense in ascending order, and weights or None."""
        cdef int64_t n = degree.shape[0], ends = indices.shape[0]
        cdef Graph made = _rows(n, ends, weights is not None and ends > 0)
        cdef em_build build
        cdef em_build_rows rows
        rows.degree = &degree[0]
        rows.indices = &indices[0] if ends > 0 else NULL
        rows.weights = &weights[0] if weights is not None and ends > 0 else NULL
        em_build_init(&build, made.graph, NULL, &rows, 0)
        _each_block(em_build_copy_degrees, &build, made.graph, workers)
        _begin(&build, made.graph, ends)
        _each_block(em_build_copy_rows, &build, made.graph, workers)
        _settle(&build, made.graph, workers)
        return made

    @staticmethod
    def from_keys(const int64_t[::1] keys not None, int64_t n, const double[::1] weights, bint directed, int workers):
        """Make rows of distinct edges, first agent in the high half of a key; of undirected ones both ends."""
        cdef int64_t edges = keys.shape[0], ends = edges if directed else 2 * edges
        cdef Graph made = _rows(n, ends, weights is not None and ends > 0)
        cdef em_build build
        em_build_init(&build, made.graph, em_build_unpack, <void *>&keys[0] if edges > 0 else NULL, edges)
        build.directed = directed
        build.weight = &weights[0] if weights is not None and edges > 0 else NULL
        _fill_rows(&build, made.graph, edges, workers)
        _settle(&build, made.graph, workers)
        return made

    @staticmethod
    def random(int64_t n, int64_t edges, uint64_t key, int workers):
        """Draw distinct pairs of n agents, each set of so many equally likely; at most half of all."""
        cdef em_draw draw
        em_draw_init(&draw, key, n, 0, 0.0)
        return _drawn(em_draw_pairs, &draw, edges, workers)

    @staticmethod
    def small_world(int64_t n, int64_t degree, double rewire, uint64_t key, int workers):
        """Redirect edges of a ring, each with a probability, to agents further off; degree below n - 1."""
        cdef em_draw draw
        em_draw_init(&draw, key, n, degree // 2, rewire)
        return _drawn(em_draw_ring, &draw, n * (degree // 2), workers)

    @property
    def n(self):
        """Number of agents."""
        return self.graph.n

    @property
    def kind(self):
        """How it is kept: "complete", "groups", "lattice" or "stored"."""
        if self.graph.kind == EM_GRAPH_GROUPS:
            return "complete" if self.graph.groups == 1 and self.graph.between[0] == 1.0 else "groups"
        return "lattice" if self.graph.kind == EM_GRAPH_LATTICE else "stored"

    @property
    def rule(self):
        """What a graph that is not stored was made of: sizes and weights of groups, or sides, reach and wraps."""
        cdef em_graph *graph = self.graph
        cdef int64_t k
        if graph.kind == EM_GRAPH_GROUPS:
            return (
                tuple([graph.border[k + 1] - graph.border[k] for k in range(graph.groups)]),
                tuple([graph.between[k] for k in range(<int64_t>graph.groups * graph.groups)]),
            )
        if graph.kind == EM_GRAPH_LATTICE:
            return tuple([graph.side[k] for k in range(graph.sides)]), graph.reach, graph.wraps
        return None

    @property
    def edge_ends(self):
        """Sum of all degrees."""
        return self.graph.ends

    @property
    def weighted(self):
        """Whether rows are stored with weights."""
        return self.graph.weights != NULL

    def show(self, int32_t[::1] degree not None, int32_t[::1] indices=None, double[::1] weights=None):
        """Write the degrees of all agents of a stored graph, and the rows with or without their weights."""
        cdef em_graph *graph = self.graph
        cdef int64_t block
        cdef int32_t *index = &indices[0] if indices is not None and graph.ends > 0 else NULL
        cdef double *weight = &weights[0] if weights is not None and graph.ends > 0 else NULL
        if graph.kind != EM_GRAPH_STORED or degree.shape[0] != graph.n:
            raise InvalidValue("only the rows of a stored graph can be shown, to an array for all agents")
        if indices is not None and indices.shape[0] != graph.ends or (
                weights is not None and weights.shape[0] != graph.ends):
            raise InvalidValue(f"arrays of {graph.ends} entries are needed")
        if weight != NULL and graph.weights == NULL:
            raise InvalidValue("the graph has no weights")
        with nogil:
            for block in range(em_graph_blocks(graph.n)):
                em_rows_degrees(graph, block, &degree[block * EM_GRAPH_BLOCK], NULL)
                if index != NULL:
                    em_rows_show(graph, block, index, weight)

    def degree_of(self, int64_t agent):
        """Return how many neighbours an agent of a stored graph senses."""
        return self._row(agent).degree

    def neighbours(self, int64_t agent, int32_t[::1] out not None):
        """Write whom an agent of a stored graph senses, ascending, to an array of as many entries."""
        cdef em_rows_walk row = self._row(agent)
        cdef int64_t edge
        if out.shape[0] != row.degree:
            raise InvalidValue(f"an array of {row.degree} entries is needed, not of {out.shape[0]}")
        for edge in range(row.degree):
            out[edge] = self.graph.indices[em_rows_place(&row, edge)]

    cdef em_rows_walk _row(self, int64_t agent) except *:
        if self.graph.kind != EM_GRAPH_STORED or not 0 <= agent < self.graph.n:
            raise InvalidValue(f"there is no stored row of agent {agent}")
        return em_rows_find(self.graph, agent)

    @property
    def nbytes(self):
        """Bytes of memory that the graph holds."""
        cdef em_graph *graph = self.graph
        cdef int64_t held = sizeof(em_graph)
        if graph.kind == EM_GRAPH_STORED:
            held += 6 * graph.n + 4 * (graph.ends + EM_GRAPH_MARGIN) + 8 * (em_graph_blocks(graph.n) + 1)
        if graph.kind == EM_GRAPH_GROUPS:
            held += 16 * graph.groups + 8 + 8 * <int64_t>graph.groups * graph.groups
        if graph.weights != NULL:
            held += 8 * graph.ends
        if graph.divisor != NULL:
            held += 8 * graph.n
        return held + em_tiles_size(em_tiles_of(graph), graph)

    def cut(self, int workers):
        """Cut a stored graph into tiles, if there is memory and nobody has; tests do, and swarms that gain by it."""
        cdef em_tiles *tiles
        cdef int64_t band
        global regions_were_opened
        if self.graph.kind != EM_GRAPH_STORED or self.graph.weights != NULL:
            raise InvalidValue("only a stored graph without weights can be cut into tiles")
        self._renew()
        workers = _workers(workers, self.graph.n)
        regions_were_opened |= workers > 1
        with nogil:
            PyThread_acquire_lock(self.lock, WAIT_LOCK)
        tiles = em_tiles_create(self.graph) if em_tiles_of(self.graph) == NULL else NULL
        if tiles != NULL:
            for band in prange(tiles.bands, nogil=True, schedule="dynamic", num_threads=workers):
                em_tiles_cut(tiles, self.graph, band)
            em_tiles_offer(self.graph, tiles)
        PyThread_release_lock(self.lock)

    cdef void _renew(self) noexcept:
        """In a forked child: who held the lock is not there."""
        if self.born != generation:
            self.born = generation
            self.lock = PyThread_allocate_lock()

    cdef int divide(self) except -1:
        """Make what divides the fields if there are weights; one thread at a time, and once."""
        cdef bint made
        self._renew()
        with nogil:
            PyThread_acquire_lock(self.lock, WAIT_LOCK)
            made = em_rows_divide(self.graph)
            PyThread_release_lock(self.lock)
        if not made:
            raise TooLarge(f"the sums of weights need {8 * self.graph.n} bytes, which cannot be had")
        return 0


cdef Graph _graph(em_graph *graph, int64_t size):
    cdef Graph made = Graph.__new__(Graph)
    made.graph = graph
    if graph == NULL:
        raise TooLarge(f"a graph needs some {size} bytes, which cannot be had: use fewer agents or edges")
    return made


cdef Graph _rows(int64_t n, int64_t ends, bint weighted):
    """Make a graph whose rows are still to be filled."""
    return _graph(em_rows_create(n, ends, weighted), 6 * n + (12 if weighted else 4) * ends)


cdef int _each_block(em_build_phase phase, em_build *build, em_graph *graph, int workers) except -1:
    return _each(phase, build, em_graph_blocks(graph.n), workers)


cdef int _each(em_build_phase phase, em_build *build, int64_t pieces, int workers) except -1:
    """Do all pieces of a phase, with a look at signals now and then."""
    global regions_were_opened
    cdef int64_t piece, first = 0, end
    workers = 1 if forked else <int>min(workers, pieces)
    if workers > 1:
        regions_were_opened = True
    while first < pieces:
        end = min(first + PIECES * max(workers, 1), pieces)
        if workers > 1:
            for piece in prange(first, end, nogil=True, schedule="dynamic", num_threads=workers):
                phase(build, piece)
        else:
            with nogil:
                for piece in range(first, end):
                    phase(build, piece)
        PyErr_CheckSignals()
        first = end
    return 0


cdef int _begin(em_build *build, em_graph *graph, int64_t ends) except -1:
    """Let the blocks start where the degrees say, which must be those of so many ends."""
    if em_build_begin(build) != EM_OK:
        raise TooLarge(f"the rows of {graph.n} agents need {8 * graph.n} bytes more, which cannot be had")
    if graph.start[em_graph_blocks(graph.n)] != ends:
        raise InvalidValue(f"degrees add up to {graph.start[em_graph_blocks(graph.n)]}, but there are {ends} edge ends")
    return 0


cdef int _fill_rows(em_build *build, em_graph *graph, int64_t edges, int workers) except -1:
    """Count, scatter and sort the ends that the source gives."""
    cdef int64_t chunks = em_build_chunks(edges)
    _each_block(em_build_clear, build, graph, workers)
    _each(em_build_count, build, chunks, workers)
    _each_block(em_build_sum, build, graph, workers)
    try:
        _begin(build, graph, graph.ends)
        _each_block(em_build_open, build, graph, workers)
        _each(em_build_scatter, build, chunks, workers)
        _each_block(em_build_close, build, graph, workers)
    finally:
        em_build_free(build)
    return 0


cdef int _settle(em_build *build, em_graph *graph, int workers) except -1:
    """Lay the rows out as a tick reads them."""
    _each_block(em_build_settle, build, graph, workers)
    if em_atomic_load(&build.failed, memory_order_relaxed) != 0:
        raise TooLarge("rows cannot be laid out: there is no memory left for a copy of one block")
    return 0


cdef Graph _drawn(em_build_source source, em_draw *draw, int64_t edges, int workers):
    """Draw edges, and others for those that came twice, until all are distinct."""
    cdef Graph made = _rows(draw.n, 2 * edges, False)
    cdef em_build build
    cdef int64_t repeats
    em_build_init(&build, made.graph, source, draw, edges)
    _fill_rows(&build, made.graph, edges, workers)
    repeats = em_atomic_load(&build.repeats, memory_order_relaxed) // 2
    if repeats > 0:
        _draw_again(&build, draw, repeats, workers)
    _settle(&build, made.graph, workers)
    return made


cdef int _draw_again(em_build *build, em_draw *draw, int64_t repeats, int workers) except -1:
    """Drop what came twice, and draw others for it."""
    cdef em_status status
    draw.dropped = <uint64_t *>_take(repeats * sizeof(uint64_t), f"{repeats} repeated edges to draw again")
    try:
        _each_block(em_draw_drop, build, build.graph, workers)
        with nogil:
            status = em_draw_mend(build)
    finally:
        em_base_free(draw.dropped)
    if status != EM_OK:
        raise TooLarge(f"drawing {repeats} edges again needs {16 * repeats} bytes, which cannot be had")
    return 0


@cython.final
cdef class Flag:
    """A word that one thread sets and the tick looks at: how a run is told to end."""

    cdef em_word word

    def set(self):
        """Set it, for good; from any thread."""
        em_atomic_store(&self.word, 1, memory_order_relaxed)

    @property
    def is_set(self):
        """Whether anybody has set it."""
        return em_atomic_load(&self.word, memory_order_relaxed) != 0


@cython.final
cdef class Engine:
    """A swarm as the cellar holds it.

    One thread at a time runs it, between `claim` and `release`. State is read and written in turns with the
    batches of a run, first come first served; `nudge` alone never waits.
    """

    cdef em_swarm swarm
    cdef const em_isa *isa
    cdef em_team *team
    cdef em_scratch *scratch
    cdef em_steal_queue *queues
    cdef int scratches
    cdef em_table_pair *panels      # one for each of so many workers, where there are tiles
    cdef int panels_for
    cdef size_t panel_size
    cdef size_t judged              # the graph that has been found worth tiles or not
    cdef em_rcu *rcu
    cdef readonly Graph graph       # the one published last
    cdef list published             # all that may still be read
    cdef PyThread_type_lock graphs  # guards these two, and what normalises
    cdef readonly str normalize
    cdef bint stale
    cdef list attached              # rings that are emptied into the inbox; it and the chain of them in one's turn
    cdef em_ring *rings
    cdef int64_t ring_bytes
    cdef em_word runner
    cdef int born
    cdef PyThread_type_lock door
    cdef PyThread_type_lock turn
    # the clock
    cdef double origin
    cdef readonly int64_t tick
    cdef readonly double dt
    # what metrics tell
    cdef readonly int64_t ticks
    cdef int64_t batches, nanoseconds, swaps, drains, waited, steals, retries
    cdef em_word batched
    cdef int size
    # what tests and benchmarks may set
    cdef bint without_stealing
    cdef int slow
    cdef int64_t delay
    # the run
    cdef Batch batch
    cdef int64_t begun
    cdef readonly int working       # workers of the batch that is going on
    cdef readonly int64_t done      # ticks of the last batch, and the seconds that they took
    cdef readonly double took
    cdef double told_time, told_coherence
    cdef int64_t told_ticks
    cdef Schedule schedule
    cdef int64_t *order
    cdef bint first
    cdef Target target
    cdef double level
    cdef int64_t deadline
    cdef Flag cancel
    cdef int64_t patience
    cdef double floor
    cdef bint keeps
    cdef double *trace
    cdef int64_t kept, room

    def __cinit__(self, Graph graph not None, const double[::1] phase not None,
                  const double[::1] frequency not None, int workers, int cores, bint single=False):
        cdef int64_t n = graph.graph.n
        em_swarm_init(&self.swarm)
        self.swarm.single = single
        self.swarm.n = self.swarm.living = n
        self._fits(phase)
        self._fits(frequency)
        self.born = generation
        self.isa = ISAS[chosen]
        self.door = PyThread_allocate_lock()
        self.turn = PyThread_allocate_lock()
        self.graphs = PyThread_allocate_lock()
        self.published = []
        self.told_coherence = NAN
        self.attached = []
        self.slow = -1
        self.dt = 1.0
        self.swarm.step = EM_STEP_EULER
        self.team = <em_team *>_take(sizeof(em_team), "a team")
        em_team_init(self.team, cores)
        self.swarm.state[0] = <double *>_take(n * sizeof(double), "the phases")
        self.swarm.frequency = <double *>_take(n * sizeof(double), "the frequencies")
        self.swarm.share = <double *>_take(2 * em_graph_blocks(n) * sizeof(double), "the sums of blocks")
        self.rcu = <em_rcu *>_take(sizeof(em_rcu), "which graph holds")
        em_rcu_init(self.rcu, NULL)
        self._fill(phase, frequency, workers)
        self.set_graph(graph)
        self.swaps = 0

    def __dealloc__(self):
        em_inbox_free(em_swarm_inbox(&self.swarm))
        em_base_free(self.swarm.state[0])
        em_base_free(self.swarm.frequency)
        em_base_free(self.swarm.cells)
        em_base_free(em_swarm_wide(&self.swarm))
        em_sums_free(em_swarm_offered(&self.swarm))
        em_base_free(self.swarm.share)
        em_base_free(self.swarm.extent)
        em_base_free(self.swarm.failed)
        em_base_free(self.order)
        em_base_free(self.scratch)
        em_base_free(self.panels)
        em_steal_free(self.queues)
        em_base_free(self.trace)
        em_base_free(self.team)
        em_base_free(self.rcu)
        PyThread_free_lock(self.door)
        PyThread_free_lock(self.turn)
        PyThread_free_lock(self.graphs)

    cdef void _fill(self, const double[::1] phase, const double[::1] frequency, int workers):
        """Write phases and frequencies for the first time, each block by a worker that may own it later."""
        global regions_were_opened
        cdef int64_t block
        cdef const double *from_phase = &phase[0]
        cdef const double *from_frequency = &frequency[0]
        workers = _workers(workers, self.swarm.n)
        regions_were_opened |= workers > 1
        for block in prange(em_graph_blocks(self.swarm.n), nogil=True, schedule="static", num_threads=workers):
            em_swarm_fill(&self.swarm, block, from_phase, from_frequency)
        self.stale = True

    # ---- turns

    cdef void _wake(self) noexcept:
        """In a forked child: the threads that held locks or a claim, or were amid a tick, are not there."""
        if self.born != generation:
            self.born = generation
            self.stale = True
            self.door = PyThread_allocate_lock()
            self.turn = PyThread_allocate_lock()
            self.graphs = PyThread_allocate_lock()
            em_atomic_store(&self.runner, 0, memory_order_relaxed)

    cdef void _enter(self) noexcept:
        """Wait for one's turn: who holds the door while waiting goes before whoever comes later."""
        self._wake()
        _acquire(self.door)
        _acquire(self.turn)
        PyThread_release_lock(self.door)

    cdef void _leave(self) noexcept:
        PyThread_release_lock(self.turn)

    def __enter__(self):
        self.claim()

    def __exit__(self, kind, error, trace):
        self.release()

    cpdef claim(self):
        """Become the one thread that runs the swarm, or raise `Busy`; `with` does, and lets others in the end."""
        cdef uint64_t nobody = 0
        self._wake()
        if not em_atomic_compare_swap(&self.runner, &nobody, PyThread_get_thread_ident(), memory_order_acq_rel):
            raise Busy("this swarm is running already: wait for that run to end, or run a copy of the swarm")

    cpdef release(self):
        """Let others run the swarm; nothing happens unless this thread claimed it."""
        cdef uint64_t me = PyThread_get_thread_ident()
        em_atomic_compare_swap(&self.runner, &me, 0, memory_order_acq_rel)

    cdef int _admit(self, str what) except -1:
        """Refuse an assignment while another thread runs the swarm."""
        cdef uint64_t runner = em_atomic_load(&self.runner, memory_order_acquire)
        if runner != 0 and runner != <uint64_t>PyThread_get_thread_ident():
            raise Busy(
                f"{what} cannot be assigned while another thread runs the swarm:"
                " wait for the run to end, or send live.change(...) to a live loop"
            )
        return 0

    # ---- what a user sees and sets

    @property
    def time(self):
        """Origin + ticks * dt."""
        return self.origin + self.tick * self.dt

    @property
    def clock(self):
        """Origin, tick and dt."""
        return self.origin, self.tick, self.dt

    @property
    def nbytes(self):
        """Bytes of memory that the engine holds, without its graph."""
        cdef em_swarm *swarm = &self.swarm
        cdef int64_t blocks = em_graph_blocks(swarm.n)
        cdef int64_t held = sizeof(em_team) + sizeof(em_rcu) + 16 * swarm.n + 16 * blocks
        held += self.scratches * (sizeof(em_scratch) + sizeof(em_steal_queue))
        if self.order != NULL:
            held += 8 * swarm.n
        if swarm.failed != NULL:
            held += swarm.n
        held += em_sums_size(em_swarm_offered(swarm), blocks)
        held += em_table_size(swarm.n, False) * ((swarm.cells != NULL) + 2 * (em_swarm_wide(swarm) != NULL))
        if swarm.extent != NULL:
            held += 16 * blocks
        if em_swarm_inbox(swarm) != NULL:
            held += 8 * swarm.n + 8 * blocks
        held += self.panels_for * self.panel_size
        return held + self.ring_bytes + 8 * self.room

    cdef int _fits(self, const double[::1] array) except -1:
        if array.shape[0] != self.swarm.n:
            raise InvalidValue(f"an array of {self.swarm.n} entries is needed, not of {array.shape[0]}")
        return 0

    def read_phase(self, double[::1] out not None):
        """Copy the phases, turned by what waits in the inbox and wrapped."""
        self._fits(out)
        self._enter()
        self._gather()
        with nogil:
            em_swarm_read_phase(&self.swarm, &out[0])
        self._leave()

    def read_some(self, const int64_t[::1] agents not None, double[::1] out not None):
        """Copy the phases of some agents, as `read_phase` does."""
        cdef int64_t k
        cdef const em_inbox *inbox = em_swarm_inbox(&self.swarm)
        if out.shape[0] != agents.shape[0]:
            raise InvalidValue(f"an array of {agents.shape[0]} entries is needed, not of {out.shape[0]}")
        self._enter()
        try:
            for k in range(agents.shape[0]):
                if not 0 <= agents[k] < self.swarm.n:
                    raise InvalidValue(f"there is no agent {agents[k]}")
                out[k] = em_swarm_phase(&self.swarm, inbox, agents[k])
        finally:
            self._leave()

    def write_phase(self, const double[::1] phase not None):
        """Set the phases; what waited in the inbox is dropped, as it was meant for the phases before."""
        self._fits(phase)
        self._enter()
        try:
            self._admit("phase")
            self._gather()
            with nogil:
                em_swarm_write_phase(&self.swarm, &phase[0])
            self.stale = True
        finally:
            self._leave()

    def read_frequency(self, double[::1] out not None):
        """Copy the natural frequencies."""
        self._fits(out)
        self._enter()
        with nogil:
            memcpy(&out[0], self.swarm.frequency, self.swarm.n * sizeof(double))
        self._leave()

    def write_frequency(self, const double[::1] frequency not None):
        """Set the natural frequencies."""
        self._fits(frequency)
        self._enter()
        try:
            self._admit("frequency")
            with nogil:
                memcpy(self.swarm.frequency, &frequency[0], self.swarm.n * sizeof(double))
        finally:
            self._leave()

    def mark_failed(self, const int64_t[::1] agents not None, bint fails):
        """Let agents fail, or take them back, between two ticks."""
        cdef int64_t k
        cdef uint8_t *failed
        self._enter()
        try:
            if self.swarm.failed == NULL:
                failed = <uint8_t *>_take(self.swarm.n, "who has failed")
                memset(failed, 0, self.swarm.n)
                self.swarm.failed = failed
            for k in range(agents.shape[0]):
                if not 0 <= agents[k] < self.swarm.n:
                    raise InvalidValue(f"there is no agent {agents[k]}")
            for k in range(agents.shape[0]):
                self.swarm.living += <bint>self.swarm.failed[agents[k]] - fails
                self.swarm.failed[agents[k]] = fails
            self.stale = True
        finally:
            self._leave()

    def read_failed(self, uint8_t[::1] out not None):
        """Copy who has failed, as 0 and 1; returns whether anybody ever has."""
        if out.shape[0] != self.swarm.n:
            raise InvalidValue(f"an array of {self.swarm.n} entries is needed, not of {out.shape[0]}")
        self._enter()
        if self.swarm.failed != NULL:
            memcpy(&out[0], self.swarm.failed, self.swarm.n)
        else:
            memset(&out[0], 0, self.swarm.n)
        self._leave()
        return self.swarm.failed != NULL

    def set_graph(self, Graph graph not None):
        """Go on with another graph of as many agents, from the next tick on; never waits for a tick."""
        if graph.graph.n != self.swarm.n:
            raise InvalidValue(f"the topology has {graph.graph.n} agents, but the swarm has {self.swarm.n}")
        self._guard()
        try:
            if self.normalize == "weight":
                graph.divide()
            self._make_ready(graph.graph)
            self.published.append(graph)
            em_rcu_publish(self.rcu, graph.graph)
            self.graph = graph
            self.swaps += 1
            if PyThread_acquire_lock(self.turn, NOWAIT_LOCK):
                self._adopt()
                PyThread_release_lock(self.turn)
            self._reclaim()
        finally:
            PyThread_release_lock(self.graphs)

    cdef int _make_ready(self, const em_graph *graph) except -1:
        """Take what the tick needs for a graph and has not yet, before it is published; the guard is held."""
        cdef em_swarm *swarm = &self.swarm
        cdef em_sums *sums = em_swarm_offered(swarm)
        if graph.kind == EM_GRAPH_GROUPS and (sums == NULL or sums.groups < graph.groups):
            sums = em_sums_create(graph.groups, em_graph_blocks(swarm.n))
            if sums == NULL:
                raise TooLarge(f"sums of {graph.groups} groups cannot be had: there is no memory left")
            em_swarm_offer_sums(swarm, sums)
        if em_swarm_wants_wide(swarm, graph):
            if em_swarm_wide(swarm) == NULL:
                em_swarm_offer_wide(swarm, _take(2 * em_table_size(swarm.n, False), "the phasors"))
        elif swarm.cells == NULL:
            swarm.cells = _take(em_table_size(swarm.n, False), "the phasors")
        return 0

    cdef void _guard(self) noexcept:
        """Wait until nobody else changes which graphs are published."""
        self._wake()
        _acquire(self.graphs)

    cdef void _adopt(self) noexcept:
        """In one's turn: enter the graph that holds."""
        cdef em_graph *graph = <em_graph *>em_rcu_enter(self.rcu)
        if graph != self.swarm.sense.graph:
            em_swarm_enter(&self.swarm, graph)
            self.stale = True

    cdef int _reclaim(self) except -1:
        """Let go of graphs that nobody reads any more; the guard is held."""
        self.published = [graph for graph in self.published if em_rcu_in_use(self.rcu, (<Graph>graph).graph)]
        return 0

    def set_model(self, str name, parameters, str normalize):
        """Choose the model by its name in the cellar, its parameters in order, and what divides the field."""
        cdef em_act_kind kind
        cdef int i
        self._enter()
        try:
            self._admit("model")
            kind = MODELS[name]
            self._guard()
            try:
                if normalize == "weight":
                    for graph in self.published:
                        (<Graph>graph).divide()
                self.normalize = normalize
            finally:
                PyThread_release_lock(self.graphs)
            self.swarm.sense.scale = {"weight": 0.0, "agents": 1.0 / self.swarm.n, "none": 1.0}[normalize]
            for i in range(EM_ACT_PARAMETERS):
                self.swarm.parameters[i] = parameters[i] if i < len(parameters) else 0.0
            self.swarm.act = kind
            em_act_models[<int>kind].prepare(self.swarm.parameters)
        finally:
            self._leave()

    cdef em_inbox *_inbox(self) except NULL:
        """Return the inbox, made by the first who needs it."""
        cdef em_inbox *inbox = em_swarm_inbox(&self.swarm)
        cdef em_inbox *made
        if inbox == NULL:
            made = em_inbox_create(self.swarm.n, EM_GRAPH_BLOCK)
            if made == NULL:
                raise TooLarge(f"the inbox needs {8 * self.swarm.n} bytes, which cannot be had")
            inbox = em_swarm_offer_inbox(&self.swarm, made)
            if inbox != made:
                em_inbox_free(made)
        return inbox

    def nudge(self, const int64_t[::1] agents not None, const double[::1] angles not None):
        """Add angles (rad) to agents through the inbox: at any time, from any thread; nothing is lost."""
        cdef int64_t k, count = agents.shape[0]
        cdef const int64_t *agent
        cdef const double *angle
        cdef em_inbox *inbox = self._inbox()
        if count == 0 or angles.shape[0] != count:
            return
        agent, angle = &agents[0], &angles[0]
        with nogil:
            for k in range(count):
                em_inbox_add(inbox, agent[k], em_phase_to_binary(angle[k]))

    def nudge_one(self, int64_t agent, double angle):
        """Do as `nudge` for one agent."""
        em_inbox_add(self._inbox(), agent, em_phase_to_binary(angle))

    # ---- nudges on their way

    def attach(self, Ring ring not None):
        """Empty a ring into the inbox from now on, at the end of every tick; waits for its turn."""
        self._inbox()
        self._enter()
        try:
            self._gather()
            self._chain(self.attached + [ring])
        finally:
            self._leave()

    def detach(self, Ring ring not None):
        """Close a ring, move what is in it into the inbox, and let go of it; waits for its turn."""
        ring.close()
        self._enter()
        self._gather()
        self._leave()

    def flush(self, Ring ring not None):
        """Move what waits in a ring of this engine into the inbox, at any time; returns how many nudges."""
        return self._flush(ring, self._inbox())

    cdef int64_t _flush(self, Ring ring, em_inbox *inbox) noexcept:
        cdef int64_t moved
        ring._wake()
        with nogil:
            moved = em_ring_flush(ring.ring, inbox)
            em_atomic_add(&self.batched, moved, memory_order_relaxed)
        return moved

    cdef void _gather(self) noexcept:
        """In one's turn: move what waits in rings into the inbox, and let go of those that were closed before."""
        cdef Ring ring
        cdef list kept
        if self.rings == NULL:
            return
        kept = []
        for ring in self.attached:
            if not em_ring_is_closed(ring.ring):
                kept.append(ring)
            self._flush(ring, em_swarm_inbox(&self.swarm))
        self._chain(kept)

    cdef void _chain(self, list rings) noexcept:
        cdef Ring ring
        self.attached = rings
        self.rings, self.ring_bytes = NULL, 0
        for ring in rings:
            ring.ring.next = self.rings
            self.rings = ring.ring
            self.ring_bytes += sizeof(em_ring) + EM_RING_CELL * ring.ring.size

    # ---- keeping

    def snapshot(self, double[::1] phase not None, double[::1] frequency not None, uint64_t[::1] waiting not None):
        """Copy the state between two ticks for `resume`; returns the clock, and whether anything waits."""
        cdef bint nudged
        self._fits(phase)
        self._fits(frequency)
        if waiting.shape[0] != self.swarm.n:
            raise InvalidValue(f"an array of {self.swarm.n} entries is needed, not of {waiting.shape[0]}")
        self._enter()
        self._gather()
        with nogil:
            memcpy(&frequency[0], self.swarm.frequency, self.swarm.n * sizeof(double))
            nudged = em_swarm_read_apart(&self.swarm, &phase[0], &waiting[0])
        clock = self.clock
        self._leave()
        return clock, nudged

    def resume(self, clock, const uint64_t[::1] waiting=None):
        """Go on where a snapshot was taken, in a new engine made with its phases and frequencies."""
        cdef int64_t i
        cdef em_inbox *inbox
        self.origin, self.tick, self.dt = clock
        self.told_time = self.time
        if waiting is None:
            return
        if waiting.shape[0] != self.swarm.n:
            raise InvalidValue(f"an array of {self.swarm.n} entries is needed, not of {waiting.shape[0]}")
        inbox = self._inbox()
        for i in range(self.swarm.n):
            em_inbox_add(inbox, i, waiting[i])

    # ---- a run

    def begin(self, double dt, str schedule not None="barrier", const int64_t[::1] order=None,
              double coherent=-1.0, double locked=-1.0, double timeout=-1.0, bint keeps=False, Flag cancel=None,
              double patience=-1.0, double floor=-1.0):
        """Start a run: a negative `coherent`, `locked`, `timeout` or `patience` (s) means none.

        `keeps` R of every tick; a batch ends where R falls below `floor`, once; the run ends after the tick in which
        `cancel` is set, or that took longer than `patience`.
        """
        self._enter()
        try:
            self._set_out(dt, schedule, order)
            self.target = COHERENT if coherent >= 0 else LOCKED if locked >= 0 else NO_TARGET
            self.level = coherent if coherent >= 0 else locked
            if self.target == LOCKED:
                self.swarm.extent = <double *>_take(16 * em_graph_blocks(self.swarm.n), "the extents of blocks")
            self.deadline = em_base_nanoseconds() + <int64_t>(timeout * 1e9) if timeout >= 0 else -1
            self.cancel = cancel
            self.patience = <int64_t>(patience * 1e9) if patience >= 0 else -1
            self.floor = floor
            self.keeps = keeps
        finally:
            self._leave()

    cdef int _set_out(self, double dt, str schedule, const int64_t[::1] order) except -1:
        """In one's turn: start a run that nothing ends but its ticks."""
        cdef bint latest = schedule == "gossip"
        if order is not None:
            if order.shape[0] != self.swarm.n:
                raise InvalidValue(f"an order of {self.swarm.n} agents is needed, not of {order.shape[0]}")
            if self.order == NULL:
                self.order = <int64_t *>_take(self.swarm.n * sizeof(int64_t), "the order of agents")
            memcpy(self.order, &order[0], self.swarm.n * sizeof(int64_t))
        self.schedule = SCHEDULES[schedule]
        if latest != self.swarm.latest:
            self.swarm.latest = latest
            em_swarm_enter(&self.swarm, self.swarm.sense.graph)
            self.stale = True
        if dt != self.dt:
            self.origin, self.tick, self.dt = self.time, 0, dt
        self.swarm.dt = dt
        em_base_free(self.swarm.extent)
        self.swarm.extent = NULL
        self.target, self.cancel, self.keeps = NO_TARGET, None, False
        self.deadline, self.patience, self.floor = -1, -1, -1.0
        self.kept, self.first = 0, True
        em_atomic_store(&self.swarm.fault, EM_SWARM_NOBODY, memory_order_relaxed)
        return 0

    def step(self, int64_t ticks, double dt, str schedule not None, const int64_t[::1] order, int workers):
        """Claim the swarm, do `ticks` ticks in batches of 50 ms with signals handled in between, and release it."""
        self.claim()
        try:
            self._enter()
            try:
                self._set_out(dt, schedule, order)
                self._batch(ticks, workers, SLICE)
            finally:
                self._leave()
            self._tell()
            while self.done < ticks:
                PyErr_CheckSignals()
                ticks -= self.done
                self.advance(ticks, workers)
        finally:
            self.release()

    cpdef str advance(self, int64_t ticks, int workers, double seconds=1e-9 * SLICE):
        """Do up to `ticks` ticks with up to `workers` workers for some `seconds`, the GIL released.

        Returns how it ended, one of `ENDINGS`; raises `Diverged` with the swarm at its last finite state.
        """
        self._enter()
        try:
            self._batch(ticks, workers, <int64_t>(1e9 * seconds))
        finally:
            self._leave()
        return self._tell()

    cdef int _batch(self, int64_t ticks, int workers, int64_t nanoseconds) except -1:
        """In one's turn: do a batch."""
        workers = 1 if self.schedule == ORDERED else _workers(workers, self.swarm.n)
        self._prepare(ticks, workers)
        self.batch.until = self.begun + nanoseconds
        self.working = workers
        _run(&self.batch, workers)
        self.working = 0
        self._conclude()
        return 0

    def enter(self, int64_t ticks, int workers):
        """Begin what `advance` does, for threads that then call `member`: how tests see the tick without OpenMP."""
        self._enter()
        try:
            self._prepare(ticks, workers)
        except BaseException:
            self._leave()
            raise

    def member(self, int rank, int size):
        """Do one member's part of the batch that `enter` began, the GIL released."""
        with nogil:
            tick_member(&self.batch, rank, size)

    def leave(self):
        """End the batch that `enter` began, when all members have come back."""
        self._conclude()
        self._leave()
        return self._tell()

    cdef int _prepare(self, int64_t ticks, int workers) except -1:
        """In one's turn: all that a batch needs."""
        cdef Batch *batch = &self.batch
        if self.keeps:
            ticks = min(ticks, max(FIRST_RECORD, self.kept))
        self._make_room(ticks + 1, workers)
        self._adopt()
        if self.swarm.single and self.schedule == BARRIER:
            self._cut(ticks, workers)
        self._gather()
        memset(batch, 0, sizeof(Batch))
        batch.swarm, batch.isa, batch.team, batch.scratch = &self.swarm, self.isa, self.team, self.scratch
        batch.rcu, batch.queues, batch.steals = self.rcu, self.queues, not self.without_stealing
        batch.rings = self.rings
        batch.slow, batch.delay = self.slow, self.delay
        batch.schedule, batch.order = self.schedule, self.order
        batch.ticks, batch.first = ticks, self.first
        batch.stale = self.stale
        batch.settle = self.stale or em_swarm_inbox(&self.swarm) != NULL
        batch.target, batch.level, batch.deadline = self.target, self.level, self.deadline
        batch.cancel = &self.cancel.word if self.cancel is not None else NULL
        batch.patience, batch.floor = self.patience, self.floor
        batch.trace = self.trace + self.kept if self.keeps else NULL
        self.begun = em_base_nanoseconds()
        batch.looked = batch.ended = self.begun
        batch.until = self.begun + SLICE
        return 0

    cdef int _cut(self, int64_t ticks, int workers) except -1:
        """In one's turn: cut the graph into tiles if that pays, and give each worker room for the sums of a panel."""
        cdef const em_graph *graph = self.swarm.sense.graph
        cdef Graph one
        cdef const em_tiles *tiles
        cdef em_table_pair *panels
        cdef size_t size
        cdef int rank
        if em_tiles_of(graph) == NULL and self.ticks + ticks >= WORTH_TILES and self.judged != <size_t>graph:
            self.judged = <size_t>graph
            if em_tiles_pay(graph, True):
                for one in list(self.published):
                    if one.graph == graph:
                        one.cut(workers)
        tiles = em_tiles_of(graph)
        size = em_tiles_sums_size(tiles) if tiles != NULL else 0
        if size > self.panel_size or tiles != NULL and workers > self.panels_for:
            panels = <em_table_pair *>em_base_alloc(workers * size)
            if panels != NULL:
                em_base_free(self.panels)
                self.panels, self.panels_for, self.panel_size = panels, workers, size
        # a graph with tiles may also be entered amid the batch: whoever has no panel must not be told of any
        self.swarm.panel_room = self.panel_size if workers <= self.panels_for else 0
        for rank in range(workers if self.swarm.panel_room > 0 else 0):
            self.scratch[rank].panel = <em_table_pair *>(<char *>self.panels + rank * self.panel_size)
        em_swarm_cut(&self.swarm)
        return 0

    cdef int _conclude(self) except -1:
        """In one's turn: keep what a batch has done."""
        cdef int64_t nanoseconds = em_base_nanoseconds() - self.begun
        self._count(&self.batch, nanoseconds)
        self.done, self.took = self.batch.done, nanoseconds * 1e-9
        self.stale, self.first = self.batch.swapped, False
        if self.batch.fell:
            self.floor = -1.0
        self.tick += self.batch.done
        self.kept += self.batch.kept
        self.told_time, self.told_ticks = self.origin + self.tick * self.dt, self.ticks
        self.told_coherence = em_swarm_coherence(&self.swarm)

    cdef str _tell(self):
        """Let go of old graphs, and say how the batch ended."""
        cdef uint64_t lost
        if len(self.published) > 1:
            self._guard()
            try:
                self._reclaim()
            finally:
                PyThread_release_lock(self.graphs)
        if self.batch.reason == DIVERGED:
            lost = em_atomic_load(&self.swarm.fault, memory_order_relaxed)
            raise Diverged(
                f"agent {lost} would have turned by more than {EM_PHASE_REACH:g} rad in the tick that ended at"
                f" t = {self.time:g}: choose a smaller dt (it is {self.dt:g}) or weaker coupling"
            )
        return ENDINGS[self.batch.reason]

    cdef void _count(self, Batch *batch, int64_t nanoseconds) noexcept:
        """Add a batch to what metrics tell."""
        cdef int rank
        self.ticks += batch.done
        self.batches += 1
        self.nanoseconds += nanoseconds
        self.size = batch.size
        em_atomic_add(&self.batched, batch.batched, memory_order_relaxed)
        for rank in range(self.scratches):
            self.drains += self.scratch[rank].drains
            self.waited += self.scratch[rank].waited
            self.scratch[rank].drains = self.scratch[rank].waited = 0
            self.steals += self.queues[rank].stolen
            self.retries += self.queues[rank].lost
            self.queues[rank].stolen = self.queues[rank].lost = 0

    def handicap(self, int rank, int64_t nanoseconds, bint stealing):
        """For tests and benchmarks: slow one worker down (-1: none) by so many ns a block, with or without thieves."""
        self.slow, self.delay, self.without_stealing = rank, nanoseconds, not stealing

    def metrics(self):
        """Return counts since the engine was made, by name; times in seconds."""
        return {
            "ticks": self.ticks,
            "batches": self.batches,
            "seconds": self.nanoseconds * 1e-9,
            "workers": self.size,
            "join_wait": self.waited * 1e-9,
            "steals": self.steals,
            "retries": self.retries,
            "inbox_hits": self.drains,
            "batched": em_atomic_load(&self.batched, memory_order_relaxed),
            "nudges_waiting": sum([ring.fill for ring in self.attached]),
            "graph_swaps": self.swaps,
        }

    def check(self):
        """Return what is inconsistent, as sentences; waits for its turn."""
        cdef em_scratch *scratch = <em_scratch *>_take(sizeof(em_scratch), "scratch of one worker")
        cdef int found
        self._enter()
        with nogil:
            found = em_check_state(&self.swarm) | em_check_graph(self.swarm.sense.graph)
            if not self.stale:
                found |= em_check_phasors(&self.swarm, scratch)
        self._leave()
        em_base_free(scratch)
        return [FINDINGS[bit] for bit in FINDINGS if found & bit]

    cdef int _make_room(self, int64_t entries, int workers) except -1:
        """Scratch for the workers, and trace for what a batch will keep."""
        cdef double *trace
        cdef em_steal_queue *queues
        cdef int64_t room
        if workers > self.scratches:
            scratch = _take(workers * sizeof(em_scratch), "scratch of the workers")
            memset(scratch, 0, workers * sizeof(em_scratch))
            queues = em_steal_create(workers)
            if queues == NULL:
                em_base_free(scratch)
                raise TooLarge("the queues of the workers cannot be had: there is no memory left")
            em_steal_free(self.queues)
            self.queues = queues
            em_base_free(self.scratch)
            self.scratch, self.scratches = <em_scratch *>scratch, workers
        if self.keeps and self.kept + entries > self.room:
            room = max(2 * self.room, self.kept + entries)
            trace = <double *>_take(room * sizeof(double), "the record of coherence")
            if self.kept > 0:
                memcpy(trace, self.trace, self.kept * sizeof(double))
            em_base_free(self.trace)
            self.trace, self.room = trace, room
        return 0

    @property
    def told(self):
        """Time, ticks done and coherence at the end of the last batch."""
        return self.told_time, self.told_ticks, self.told_coherence

    def moment(self):
        """Time, ticks done and coherence, without waiting: of this moment, or of the last batch if one is going on.

        Coherence is NaN where it is not known.
        """
        cdef em_scratch *scratch
        cdef double order[2]
        cdef double coherence = NAN
        if PyThread_acquire_lock(self.turn, NOWAIT_LOCK):
            scratch = <em_scratch *>em_base_alloc(sizeof(em_scratch)) if self.stale else NULL
            if not self.stale:
                coherence = em_swarm_coherence(&self.swarm)
            elif scratch != NULL:
                with nogil:
                    em_swarm_order(self.swarm.n, self.swarm.state[0], self.swarm.failed, scratch, order)
                coherence = hypot(order[0], order[1]) / max(1, self.swarm.living)
            em_base_free(scratch)
            PyThread_release_lock(self.turn)
            return self.time, self.ticks, coherence
        return self.told

    @property
    def coherence(self):
        """Coherence at the end of the last tick."""
        return em_swarm_coherence(&self.swarm)

    @property
    def entries(self):
        """How many values of coherence the run has kept."""
        return self.kept

    def read_trace(self, double[::1] out not None):
        """Copy the coherence that the run has kept, from the state it started from on."""
        if self.kept > 0 and out.shape[0] > 0:
            memcpy(&out[0], self.trace, min(self.kept, out.shape[0]) * sizeof(double))


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


# ---- nudges on their way

@cython.boundscheck(False)
@cython.wraparound(False)
@cython.final
cdef class Ring:
    """A bounded ring of nudges for any threads, until it is closed; an engine that it is attached to empties it.

    Nothing of it changes after it is made but by atomic operations, or in a forked child before anybody uses it:
    it does not lean on the GIL.
    """

    cdef em_ring *ring
    cdef bint drops         # what finds the ring full; else it waits
    cdef double timeout     # s, or negative: for ever
    cdef em_word born, n_dropped, n_waited

    def __cinit__(self, int64_t size, bint drops, double timeout):
        self.ring = em_ring_create(size)
        if self.ring == NULL:
            raise TooLarge(f"a ring of {size} nudges needs {size * EM_RING_CELL} bytes, which cannot be had")
        self.drops, self.timeout = drops, timeout
        em_atomic_store(&self.born, generation, memory_order_relaxed)

    def __dealloc__(self):
        em_ring_free(self.ring)

    cdef void _wake(self) noexcept:
        """In a forked child: the threads that were amid putting or taking are not there."""
        if em_atomic_load(&self.born, memory_order_acquire) != <uint64_t>generation:
            with cython.critical_section(self):
                if em_atomic_load(&self.born, memory_order_relaxed) != <uint64_t>generation:
                    em_ring_mend(self.ring)
                    em_atomic_store(&self.born, generation, memory_order_release)

    def put_one(self, int64_t agent, double angle):
        """Queue a nudge; returns 1, or 0 if it was dropped. Raises `Full` or `Closed` if it is not in."""
        self._wake()
        if em_ring_put(self.ring, agent, em_phase_to_binary(angle)) == EM_OK:
            return 1
        return self._put(&agent, &angle, 1)

    def put_each(self, const int64_t[::1] agents not None, const double[::1] angles not None):
        """Queue nudges in their order; returns how many are in. Raises `Full` or `Closed` if the rest is not."""
        cdef int64_t count = min(agents.shape[0], angles.shape[0])
        self._wake()
        if count == 0:
            return self._put(NULL, NULL, 0)
        return self._put(&agents[0], &angles[0], count)

    cdef int64_t _put(self, const int64_t *agent, const double *angle, int64_t count) except -1:
        cdef int64_t k = 0, queued = 0, stuck = -1, deadline = -1
        cdef em_status status = EM_CLOSED if em_ring_is_closed(self.ring) else EM_OK
        while status == EM_OK and k < count:
            with nogil:
                while k < count:
                    status = em_ring_put(self.ring, agent[k], em_phase_to_binary(angle[k]))
                    if status == EM_CLOSED or status == EM_FULL and not self.drops:
                        break
                    queued += status == EM_OK
                    k += 1
            if k == count:
                status = EM_OK
            elif status == EM_FULL:
                if stuck < 0:
                    em_atomic_add(&self.n_waited, 1, memory_order_relaxed)
                if k != stuck and self.timeout >= 0:
                    deadline = em_base_nanoseconds() + <int64_t>(self.timeout * 1e9)
                stuck = k
                status = self._await(deadline)
        if k > queued:
            em_atomic_add(&self.n_dropped, k - queued, memory_order_relaxed)
        if status != EM_OK:
            self._refuse(status, queued, count)
        return queued

    cdef em_status _await(self, int64_t deadline) except *:
        """Wait for room in slices, with a look at signals after each."""
        cdef em_status status = EM_TIMED_OUT
        cdef int64_t until
        while status == EM_TIMED_OUT:
            until = em_base_nanoseconds()
            if 0 <= deadline <= until:
                return status
            until += SLICE
            if 0 <= deadline < until:
                until = deadline
            with nogil:
                status = em_ring_await(self.ring, until)
            PyErr_CheckSignals()
        return status

    cdef int _refuse(self, em_status status, int64_t queued, int64_t count) except -1:
        cdef str done = f"{queued} of {count} nudges were queued and will be applied, the others were not"
        if count == 1:
            done = "the nudge was not queued"
        if status == EM_CLOSED:
            raise Closed(f"the batcher is closed, and {done}: make another batcher, or call swarm.nudge")
        raise Full(
            f"the batcher has been full, with {self.ring.size} nudges, for {self.timeout:g} s, and {done}: let the"
            " swarm run, call flush(), or make one with a larger maxsize or timeout",
            queued,
        )

    def close(self):
        """Let nothing in any more; what is in stays until it is taken."""
        em_ring_close(self.ring)

    @property
    def closed(self):
        """Whether nothing gets in any more."""
        return em_ring_is_closed(self.ring)

    @property
    def size(self):
        """How many nudges there is room for."""
        return self.ring.size

    @property
    def fill(self):
        """How many nudges wait."""
        self._wake()
        return em_ring_fill(self.ring)

    @property
    def dropped(self):
        """How many nudges found it full and were dropped."""
        return em_atomic_load(&self.n_dropped, memory_order_relaxed)

    @property
    def waited(self):
        """How many calls had to wait."""
        return em_atomic_load(&self.n_waited, memory_order_relaxed)

    @property
    def retries(self):
        """How many swaps another thread won."""
        return em_atomic_load(&self.ring.lost, memory_order_relaxed)


# ---- machines for Python threads

BROKEN, OUT_OF_TIME = -1, -2


@cython.boundscheck(False)
@cython.wraparound(False)
@cython.final
cdef class Words:
    """Float64 numbers in atomic words, for any thread; indices and lengths are checked upstairs.

    Nothing of it changes after it is made but the words, and these only by atomic operations: it does not lean
    on the GIL. What works on many releases it.
    """

    cdef em_word *words
    cdef int64_t n

    def __cinit__(self, int64_t n, const double[::1] values=None):
        cdef int64_t i
        cdef const double *value = NULL
        if values is not None:
            n = values.shape[0]
            value = &values[0]
        self.words = <em_word *>_take(n * sizeof(em_word), f"an array of {n} atomic words")
        self.n = n
        with nogil:
            for i in range(n):
                em_atomic_store(&self.words[i], em_phase_bits(value[i] if value != NULL else 0.0), memory_order_relaxed)

    def __dealloc__(self):
        em_base_free(self.words)

    def load(self, int64_t index):
        """Return a number."""
        return em_phase_from_bits(em_atomic_load(&self.words[index], memory_order_acquire))

    def load_each(self, const int64_t[::1] index not None, double[::1] out not None):
        """Write the numbers at `index` to `out`."""
        cdef int64_t k
        with nogil:
            for k in range(index.shape[0]):
                out[k] = em_phase_from_bits(em_atomic_load(&self.words[index[k]], memory_order_acquire))

    def store(self, int64_t index, double value):
        """Replace a number."""
        em_atomic_store(&self.words[index], em_phase_bits(value), memory_order_release)

    def store_each(self, const int64_t[::1] index not None, const double[::1] value not None):
        """Replace the numbers at `index`."""
        cdef int64_t k
        with nogil:
            for k in range(index.shape[0]):
                em_atomic_store(&self.words[index[k]], em_phase_bits(value[k]), memory_order_release)

    def add(self, int64_t index, double value):
        """Add to a number; returns the one before."""
        return em_atomic_add_float(&self.words[index], value, memory_order_acq_rel)

    def add_each(self, const int64_t[::1] index not None, const double[::1] value not None,
                 double[::1] old not None):
        """Add to the numbers at `index`; those before go to `old`."""
        cdef int64_t k
        with nogil:
            for k in range(index.shape[0]):
                old[k] = em_atomic_add_float(&self.words[index[k]], value[k], memory_order_acq_rel)

    def turn(self, int64_t index, double angle):
        """Turn a phase; returns the one before."""
        return em_atomic_turn(&self.words[index], angle, memory_order_acq_rel)

    def turn_each(self, const int64_t[::1] index not None, const double[::1] angle not None,
                  double[::1] old not None):
        """Turn the phases at `index`; those before go to `old`."""
        cdef int64_t k
        with nogil:
            for k in range(index.shape[0]):
                old[k] = em_atomic_turn(&self.words[index[k]], angle[k], memory_order_acq_rel)

    def compare_exchange(self, int64_t index, double expected, double desired):
        """Replace a number if it is, to the bit, the expected one; returns whether."""
        cdef uint64_t seen = em_phase_bits(expected)
        return em_atomic_compare_swap(&self.words[index], &seen, em_phase_bits(desired), memory_order_acq_rel)

    def compare_exchange_each(self, const int64_t[::1] index not None, const double[::1] expected not None,
                              const double[::1] desired not None, uint8_t[::1] done not None):
        """Replace those numbers at `index` that are the expected ones; which were goes to `done`."""
        cdef int64_t k
        cdef uint64_t seen
        with nogil:
            for k in range(index.shape[0]):
                seen = em_phase_bits(expected[k])
                done[k] = em_atomic_compare_swap(
                    &self.words[index[k]], &seen, em_phase_bits(desired[k]), memory_order_acq_rel)

    def snapshot(self, double[::1] out not None):
        """Write all numbers to `out`, one after another."""
        cdef int64_t i
        with nogil:
            for i in range(min(self.n, <int64_t>out.shape[0])):
                out[i] = em_phase_from_bits(em_atomic_load(&self.words[i], memory_order_acquire))


@cython.final
cdef class Meeting:
    """A phase barrier for any threads, until it breaks; more threads than parties may come."""

    cdef em_team *team
    cdef uint32_t parties

    def __cinit__(self, uint32_t parties, int cores):
        self.team = <em_team *>_take(sizeof(em_team), "a team")
        em_team_init(self.team, cores)
        self.parties = parties

    def __dealloc__(self):
        em_base_free(self.team)

    def wait(self, double timeout):
        """Meet the others; a negative `timeout` (s) means none. Signals are handled while waiting.

        Returns the number of this arrival in its phase, BROKEN, or OUT_OF_TIME if this wait broke the barrier.
        """
        cdef uint32_t ticket, number
        cdef int spins = em_team_spins(self.team, self.parties)
        cdef int64_t deadline = -1
        cdef em_status status
        if timeout >= 0:
            deadline = em_base_nanoseconds() + <int64_t>(timeout * 1e9)
        while not em_team_is_broken(self.team):
            number = em_team_number(self.team, &ticket)
            if number + 1 == self.parties:
                return number if em_team_open_phase(self.team, ticket) else BROKEN
            status = self._await(ticket, spins, deadline)
            if status == EM_TIMED_OUT:
                return OUT_OF_TIME
            if status == EM_OK and number < self.parties:
                return number
        return BROKEN

    cdef em_status _await(self, uint32_t ticket, int spins, int64_t deadline) except *:
        """Wait in slices, with a look at signals between; whoever leaves before the phase opens breaks it."""
        cdef em_status status
        cdef int64_t until
        while True:
            with nogil:
                until = em_base_nanoseconds() + SLICE
                if 0 <= deadline < until:
                    until = deadline
                status = em_team_await(self.team, ticket, spins, until)
            if status != EM_TIMED_OUT:
                return status
            try:
                PyErr_CheckSignals()
            except BaseException:
                em_team_break(self.team, ticket)
                raise
            if until == deadline:
                return em_team_break(self.team, ticket)
            spins = 0

    def abort(self):
        """Break the barrier: all who wait for a phase that has not opened are told."""
        em_team_abort(self.team)

    @property
    def broken(self):
        """Whether nobody can meet any more."""
        return em_team_is_broken(self.team)

    @property
    def waiting(self):
        """How many have arrived in the phase that is filling; 0 if it is full or broken."""
        cdef uint32_t arrived = em_team_arrivals(self.team)
        return 0 if arrived >= self.parties or em_team_is_broken(self.team) else arrived


# ---- what an update costs

def trial(str name not None, int threads, int64_t rounds):
    """Let threads of the system update one agent so many times each; returns ns for one update.

    `name` is one of the ways of `em_trial.h`: mutex, atomic, channel, rcu, inbox, ring. NaN where it cannot be told.
    """
    cdef em_trial_way way
    cdef em_status status
    cdef double nanoseconds = 0.0
    if name not in TRIALS:
        raise InvalidValue(f"no trial is named {name!r}: there are {', '.join(TRIALS)}")
    if threads < 1 or rounds < 1:
        raise InvalidValue(f"a trial needs at least one thread and one round, not {threads} and {rounds}")
    way = TRIALS[name]
    with nogil:
        status = em_trial_run(way, threads, rounds, &nanoseconds)
    if status == EM_NO_MEMORY:
        raise TooLarge(f"a trial of {threads} threads cannot be had: use fewer")
    if status != EM_OK:
        raise RuntimeError(f"updates under {name} were lost or made twice by {threads} threads")
    return nanoseconds
