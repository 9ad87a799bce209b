"""The part of the door that weights which adapt are kept by.

Included by `_engine.pyx`, before swarms; what they are is `em_plastic.h`.
"""


cdef int _take_weights(em_plastic *plastic, const em_graph *graph) except -1:
    """Have weights for all edges of a graph, once; they are still to be set."""
    if graph.kind != EM_GRAPH_STORED:
        raise InvalidValue("weights adapt on stored graphs only")
    if plastic.weight == NULL:
        plastic.weight = <double *>_take(graph.ends * sizeof(double), "weights that adapt")
    return 0


cdef int _take_stages(em_plastic *plastic, const em_graph *graph, int stages) except -1:
    """Have what a method of so many stages keeps of weights that adapt."""
    if plastic.weight == NULL or stages == 1:
        return 0
    if plastic.now == NULL:
        plastic.now = <double *>_take(graph.ends * sizeof(double), "the weights of a stage")
    if plastic.work == NULL:
        plastic.work = <double *>_take(graph.ends * sizeof(double), "what the method keeps of weights")
    return 0


cdef int _fits_ends(const em_graph *graph, int64_t size) except -1:
    if size != graph.ends:
        raise InvalidValue(f"an array of {graph.ends} entries is needed, not of {size}")
    return 0


cdef int _show_weights(const em_plastic *plastic, const em_graph *graph, double[::1] out) except -1:
    """Copy weights that adapt, row by row."""
    cdef int64_t block
    _fits_ends(graph, out.shape[0])
    if plastic.weight == NULL:
        raise InvalidValue("the weights of this swarm do not adapt")
    for block in range(em_graph_blocks(graph.n) if graph.ends > 0 else 0):
        em_rows_show_ends(graph, block, plastic.weight, &out[0])
    return 0


cdef int _lay_weights(em_plastic *plastic, const em_graph *graph, const double[::1] values) except -1:
    """Set what `_show_weights` copies."""
    cdef int64_t block
    _fits_ends(graph, values.shape[0])
    for block in range(em_graph_blocks(graph.n) if graph.ends > 0 else 0):
        em_rows_lay_ends(graph, block, &values[0], plastic.weight)
    return 0


cdef int64_t _weights_size(const em_plastic *plastic, const em_graph *graph) noexcept:
    return 8 * graph.ends * ((plastic.weight != NULL) + (plastic.now != NULL) + (plastic.work != NULL))
