"""The part of the door that nudges wait at.

Included by `_engine.pyx`.
"""


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
