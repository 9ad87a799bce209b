"""The part of the door that lists of edges come in by, from arrays or text, and become graphs.

Included by `_engine.pyx`, after `_graph.pxi`.
"""


@cython.final
cdef class Listing:
    """Edges as somebody lists them, looked through by many workers; then made into a graph, in its rows alone."""

    cdef em_list list
    cdef em_list_arrays arrays
    cdef em_text text
    cdef const uint8_t[::1] bytes
    cdef tuple held

    @staticmethod
    def of_arrays(one not None, other not None, const double[:] weights, int64_t limit, int workers):
        """Look through edges in columns of int32 or int64, aligned, with weights or None; agents are below a limit."""
        cdef Listing made = Listing.__new__(Listing)
        made.arrays.edges = _column(one, &made.arrays.one)
        if _column(other, &made.arrays.other) != made.arrays.edges or (
                weights is not None and weights.shape[0] != made.arrays.edges):
            raise InvalidValue("the columns of a list of edges must be of one length")
        if weights is not None and made.arrays.edges > 0:
            made.arrays.weight = <const char *>&weights[0]
            made.arrays.stride = weights.strides[0]
        made.held = (one, other, weights)
        em_list_init(&made.list, em_list_read_arrays, &made.arrays, em_build_chunks(made.arrays.edges), limit,
                     weights is not None)
        return made._look(workers)

    @staticmethod
    def of_text(const uint8_t[::1] text not None, int64_t first, bint weighted, bint commas, bint mapped,
                int64_t limit, int workers):
        """Look through edges in lines, the first of which begins there; `mapped`: it is a file seen as memory."""
        cdef Listing made = Listing.__new__(Listing)
        made.bytes = text
        made.text.size = text.shape[0]
        made.text.text = <const char *>&text[0] if text.shape[0] > 0 else NULL
        made.text.first = first
        made.text.piece = EM_TEXT_PIECE
        made.text.separator = b"," if commas else b" "
        made.text.mapped = mapped
        em_text_init(&made.text, &made.list, limit, weighted)
        return made._look(workers)

    cdef Listing _look(self, int workers):
        cdef em_build build
        em_build_init(&build, NULL, NULL, &self.list, 0)
        _each(em_list_look, &build, self.list.pieces, workers)
        return self

    @property
    def odd(self):
        """Whether an edge cannot be taken, or a line needs a closer look; then the rest tells of a part."""
        return _found(&self.list.odd) != 0

    @property
    def foreign(self):
        """Whether there is text beyond ASCII, in comments."""
        return _found(&self.list.foreign) != 0

    @property
    def edges(self):
        """How many edges are listed, with those from an agent to itself."""
        return _found(&self.list.edges)

    @property
    def loops(self):
        """How many edges are from an agent to itself."""
        return _found(&self.list.loops)

    @property
    def least(self):
        """The least agent."""
        return _found(&self.list.least)

    @property
    def most(self):
        """The greatest agent."""
        return _found(&self.list.most)

    @property
    def weighted(self):
        """Whether there are weights."""
        return self.list.weighted

    @property
    def uneven(self):
        """Whether any weight is not 1."""
        return _found(&self.list.uneven) != 0

    def graph(self, int64_t n, bint weighted, bint directed, int workers):
        """Make rows of n agents, with weights if wanted; of undirected edges both ends.

        Returns the graph, how many edges were there already, and None, or the first whose weights add up to no number.
        """
        cdef int64_t edges = self.edges - self.loops
        cdef em_build build
        cdef Graph made
        weighted &= self.list.weighted and edges > 0
        made = _rows(n, edges if directed else 2 * edges, weighted)
        em_build_init(&build, made.graph, NULL, &self.list, edges)
        build.walk = em_list_walk
        build.directed = directed
        self.list.limit = n
        _fill_rows(&build, self.list.pieces, workers)
        repeats = _found(&build.repeats)
        if repeats > 0:
            _fold(&build, made.graph, workers)
        _settle(&build, made.graph, workers)
        beyond = _found(&build.beyond)
        return (made, repeats if directed else repeats // 2,
                None if beyond == UINT64_MAX else (beyond >> 32, beyond & UINT32_MAX))


cdef int64_t _column(object array, em_list_column *column) except -1:
    """Tell where the entries of an array stand, which must live on; returns how many there are."""
    cdef const int32_t[:] narrow
    cdef const int64_t[:] wide
    column.wide = array.itemsize == 8
    if column.wide:
        wide = array
        column.first = <const char *>&wide[0] if wide.shape[0] > 0 else NULL
        column.stride = wide.strides[0]
        return wide.shape[0]
    narrow = array
    column.first = <const char *>&narrow[0] if narrow.shape[0] > 0 else NULL
    column.stride = narrow.strides[0]
    return narrow.shape[0]


cdef int _fold(em_build *build, em_graph *graph, int workers) except -1:
    """Let one of equal ends stay, and drop weights that have all become 1."""
    _each_block(em_fold_block, build, graph, workers)
    with nogil:
        em_fold_trim(build)
    if graph.weights != NULL and _found(&build.uneven) == 0:
        em_base_free(graph.weights)
        graph.weights = NULL
    return 0
