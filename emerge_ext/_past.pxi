"""The part of the door that lets agents sense late: how the ring of their past is made and filled.

Included by `_engine.pyx` before swarms, which hold what is made here.
"""


cdef int _make_past(em_past *past, em_swarm *swarm, double late, const double[::1] each, rows) except -1:
    """Make the past of a swarm: phases of this tick and of those before it, as many as `rows` must yield.

    `late` is the delay in ticks that all have in common, or the longest of `each`, told row by row. Nothing is left
    behind if there is no memory, or if `rows` raises.
    """
    cdef const em_graph *graph = swarm.sense.graph
    cdef int64_t ago, ends = 0 if each is None else graph.ends
    cdef const double *edge = NULL
    cdef em_history_form form = EM_HISTORY_APART
    cdef const double[::1] phase
    cdef double *cosine
    if ends > 0:
        edge = &each[0]
    if each is not None:
        form = em_past_form(swarm.n, late, edge, ends)
    if not em_past_create(past, swarm.n, late, form, ends):
        raise TooLarge(
            f"the past of {swarm.n} agents, {em_past_slots(late, form)} ticks of it, cannot be had:"
            " there is no memory left; use shorter delays or a larger dt"
        )
    cosine = NULL
    try:
        cosine = <double *>_take(2 * swarm.n * sizeof(double), "phasors of the past")
        if each is not None:
            with nogil:
                em_past_lay(past, graph, edge)
        for ago in range(past.ring.slots):
            phase = next(rows)
            if phase.shape[0] != swarm.n:
                raise InvalidValue(f"a past of {swarm.n} agents is needed, not of {phase.shape[0]}")
            with nogil:
                em_past_remember(past, em_history_slot(&past.ring, swarm.drawn, ago), &phase[0], cosine)
    except BaseException:
        em_past_free(past)
        memset(past, 0, sizeof(em_past))
        raise
    finally:
        em_base_free(cosine)
    return 0
