"""The part of the door that graphs come in by: made of rows, keys, rules or draws, by many workers.

Included by `_engine.pyx`.
"""


@cython.final
cdef class Graph:
    """Who senses whom, in the cellar's memory; never changes. Made by those below."""

    cdef em_graph *graph
    cdef PyThread_type_lock lock
    cdef int born
    cdef tuple told     # the rule, once it has been asked for

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
        _fill_rows(&build, em_build_chunks(edges), workers)
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

    @staticmethod
    def scale_free(int64_t n, int64_t m, uint64_t key, int workers):
        """Attach agents one after another by m edges each, to ends of earlier ones; m below n."""
        cdef int64_t edges = m * (n - m)
        cdef Graph made = _rows(n, 2 * edges, False)
        cdef em_build build
        cdef em_grow grow
        em_grow_init(&grow, key, n, m)
        em_build_init(&build, made.graph, em_grow_edges, &grow, edges)
        grow.target = <int32_t *>_take(edges * sizeof(int32_t), "whom agents are attached to")
        try:
            _each(em_grow_clear, &build, em_build_chunks(edges), workers)
            _attach_all(&build, &grow, workers)
            _fill_rows(&build, em_build_chunks(edges), workers)
        finally:
            em_base_free(grow.target)
        _settle(&build, made.graph, workers)
        return made

    @staticmethod
    def regular(int64_t n, int64_t degree, uint64_t key, int workers):
        """Pair edge ends at random, as many of each of n agents; n * degree is even, degree below n."""
        cdef Graph made = _rows(n, n * degree, False)
        cdef em_build build
        cdef em_pair pair
        cdef uint32_t sample = 0
        em_pair_init(&pair, key, n, degree)
        em_build_init(&build, made.graph, NULL, &pair, 0)
        while not _paired(&build, &pair, sample, workers):
            sample += 1
        if pair.drawn < degree:
            _each_block(em_pair_leave, &build, made.graph, workers)
        _settle(&build, made.graph, workers)
        return made

    def rewired(self, int64_t moves, bint directed, int64_t half, uint64_t key, int workers):
        """Redirect so many edges of a stored graph to agents that the one who keeps an edge is not joined with.

        Either agent keeps an edge; of directed ones, the one that senses; with `half` of those of a ring of so many
        neighbours on either hand, the one from which it leads on.
        """
        if self.graph.kind != EM_GRAPH_STORED:
            raise InvalidValue("only a stored graph can be rewired")
        cdef Graph made = _rows(self.graph.n, self.graph.ends, self.graph.weights != NULL)
        cdef int64_t blocks = em_graph_blocks(self.graph.n)
        cdef em_build build
        cdef em_rewire rewire
        em_build_init(&build, made.graph, NULL, &rewire, 0)
        build.walk = em_rewire_walk_block
        build.directed = directed
        try:
            if em_rewire_init(&rewire, self.graph, key, moves, half) != EM_OK:
                raise TooLarge(f"where the rows of {self.graph.n} agents stand takes memory that cannot be had")
            _each(em_rewire_number, &build, blocks, workers)
            if em_rewire_begin(&build) != EM_OK:
                raise TooLarge(f"a permutation of {build.edges} edges cannot be had: there is no memory left")
            _fill_rows(&build, blocks, workers)
            _rewire_again(&build, &rewire, workers)
        finally:
            em_rewire_free(&rewire)
        _settle(&build, made.graph, workers)
        return made

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
        if self.told is None and self.graph.kind != EM_GRAPH_STORED:
            self._renew()
            _acquire(self.lock)
            try:
                if self.told is None:
                    self.told = self._rule()
            finally:
                PyThread_release_lock(self.lock)
        return self.told

    cdef tuple _rule(self):
        cdef em_graph *graph = self.graph
        cdef int64_t k
        if graph.kind == EM_GRAPH_LATTICE:
            return tuple([graph.side[k] for k in range(graph.sides)]), graph.reach, graph.wraps
        return (
            tuple([graph.border[k + 1] - graph.border[k] for k in range(graph.groups)]),
            tuple([graph.between[k] for k in range(<int64_t>graph.groups * graph.groups)]),
        )

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
        return held + em_tiles_size(em_tiles_of(graph), graph) + em_listen_size(graph)

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

    cdef int listen(self) except -1:
        """Make the lists of who hears whom; one thread at a time, and once."""
        cdef bint made
        self._renew()
        with nogil:
            PyThread_acquire_lock(self.lock, WAIT_LOCK)
            made = em_listen_make(self.graph)
            PyThread_release_lock(self.lock)
        if not made:
            raise TooLarge(f"the lists of who hears whom need {12 * self.graph.ends} bytes, which cannot be had")
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


cdef int _fill_rows(em_build *build, int64_t pieces, int workers) except -1:
    """Count, scatter and sort the ends of the edges that the walk hands over, which come in so many pieces."""
    cdef em_graph *graph = build.graph
    _each_block(em_build_clear, build, graph, workers)
    _each(em_build_count, build, pieces, workers)
    _each_block(em_build_sum, build, graph, workers)
    try:
        _begin(build, graph, graph.ends)
        _each_block(em_build_open, build, graph, workers)
        _each(em_build_scatter, build, pieces, workers)
        _each_block(em_build_close, build, graph, workers)
    finally:
        em_build_free(build)
    if _found(&build.strayed) != 0:
        raise InvalidValue("edges were changed while a graph was made of them")
    return 0


cdef uint64_t _found(const em_word *word) noexcept:
    """What many workers have told in a word, after the phase they did so in."""
    return em_atomic_load(word, memory_order_relaxed)


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
    _fill_rows(&build, em_build_chunks(edges), workers)
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


cdef int _attach_all(em_build *build, em_grow *grow, int workers) except -1:
    """Find whom all agents are attached to, in as many passes as it takes."""
    cdef bint left = True
    while left:
        em_atomic_store(&grow.left, 0, memory_order_relaxed)
        _each(em_grow_attach, build, em_grow_pieces(grow), workers)
        left = em_atomic_load(&grow.left, memory_order_relaxed) != 0
    return 0


cdef int _paired(em_build *build, em_pair *pair, uint32_t sample, int workers) except -1:
    """Pair ends by one permutation, and mend what is bad; tells whether that could be done."""
    cdef int64_t repeats
    cdef bint mended
    if em_shuffle_init(&pair.shuffle, pair.key, sample, build.graph.n * pair.drawn) != EM_OK:
        raise TooLarge(f"a permutation of {build.graph.n * pair.drawn} ends cannot be had: there is no memory left")
    try:
        em_atomic_store(&build.repeats, 0, memory_order_relaxed)
        _each_block(em_pair_fill, build, build.graph, workers)
    finally:
        em_shuffle_free(&pair.shuffle)
    repeats = em_atomic_load(&build.repeats, memory_order_relaxed)
    if repeats == 0:
        return True
    em_atomic_store(&pair.found, 0, memory_order_relaxed)
    pair.bad = <uint64_t *>_take(repeats * sizeof(uint64_t), f"{repeats} edges to mend")
    try:
        _each_block(em_pair_find, build, build.graph, workers)
        with nogil:
            mended = em_pair_mend(build)
    finally:
        em_base_free(pair.bad)
    return mended


cdef int _rewire_again(em_build *build, em_rewire *rewire, int workers) except -1:
    """Find other places for edges that have met."""
    cdef em_status status
    cdef int64_t repeats = em_atomic_load(&build.repeats, memory_order_relaxed)
    if repeats == 0:
        return 0
    rewire.wanted = <uint64_t *>_take(repeats * sizeof(uint64_t), f"{repeats} repeated edges to redirect again")
    _each_block(em_rewire_drop, build, build.graph, workers)
    with nogil:
        status = em_rewire_table(build)
    if status != EM_OK:
        raise TooLarge(f"redirecting {repeats} edges again needs memory that cannot be had")
    _each_block(em_rewire_find, build, build.graph, workers)
    with nogil:
        em_rewire_mend(build)
    return 0
