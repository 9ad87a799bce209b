"""The part of the door that lends machines of the cellar to Python threads, and says what an update costs.

Included by `_engine.pyx`.
"""

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
