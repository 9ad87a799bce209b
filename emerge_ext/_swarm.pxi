"""The part of the door that a swarm is run by: its state, its turns, its batches.

Included by `_engine.pyx`, after graphs and rings.
"""


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


cdef void _fill_share(em_swarm *swarm, const em_graph *graph, const double *phase, const double *frequency, int rank,
                      int size) noexcept nogil:
    """Do one worker's part of a first touch: the blocks that a tick would deal it."""
    cdef int64_t block
    for block in range(em_graph_deal(graph, 1, rank, size), em_graph_deal(graph, 1, rank + 1, size)):
        em_swarm_fill(swarm, block, phase, frequency)


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
    cdef readonly double dt
    # what the model and the integrator need
    cdef em_course *courses
    cdef int64_t points             # of all courses
    cdef double *work               # of the integrator
    cdef int64_t work_room          # numbers in it
    cdef double *strides            # of adaptive steps
    cdef int strides_for            # so many variables
    cdef double *rates              # that Python found
    cdef em_avalanche *avalanche    # of models whose agents fire, once there has been one
    cdef object kept_alive          # what the model's function belongs to
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
        self.team = <em_team *>_take(sizeof(em_team), "a team")
        em_team_init(self.team, cores)
        self.swarm.state[0] = <double *>_take(n * sizeof(double), "the phases")
        self.swarm.frequency = <double *>_take(n * sizeof(double), "the frequencies")
        self.swarm.share = <double *>_take(
            2 * EM_ACT_HARMONICS * em_graph_blocks(n) * sizeof(double), "the sums of blocks")
        self.rcu = <em_rcu *>_take(sizeof(em_rcu), "which graph holds")
        em_rcu_init(self.rcu, NULL)
        self._fill(graph.graph, phase, frequency, workers)
        self.set_graph(graph)
        self.swaps = 0

    def __dealloc__(self):
        cdef int k
        em_inbox_free(em_swarm_inbox(&self.swarm))
        for k in range(EM_ACT_VARIABLES):
            em_base_free(self.swarm.state[k])
            em_base_free(self.swarm.now[k])
        for k in range(EM_ACT_PARAMETERS):
            em_base_free(self.swarm.each[k])
        for k in range(EM_ENERGY_PARAMETERS):
            em_base_free(self.swarm.energy.each[k])
        em_base_free(self.swarm.energy.held)
        em_base_free(self.courses)
        em_triads_free(<em_triads *>self.swarm.sense.triads)
        em_plastic_free(&self.swarm.plastic)
        em_past_free(&self.swarm.past)
        em_base_free(self.work)
        em_base_free(self.strides)
        em_base_free(self.swarm.adapt.error)
        em_base_free(self.swarm.adapt.worst)
        em_base_free(self.rates)
        em_avalanche_free(self.avalanche)
        em_base_free(self.swarm.frequency)
        em_base_free(self.swarm.cells)
        em_base_free(em_swarm_wide(&self.swarm))
        em_sums_free(em_swarm_offered(&self.swarm))
        em_base_free(self.swarm.share)
        em_base_free(self.swarm.extent)
        em_base_free(self.swarm.displacement)
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

    cdef void _fill(self, const em_graph *graph, const double[::1] phase, const double[::1] frequency, int workers):
        """Write phases and frequencies for the first time, each block by the worker who owns it on that graph."""
        global regions_were_opened
        cdef const double *from_phase = &phase[0]
        cdef const double *from_frequency = &frequency[0]
        workers = _workers(workers, self.swarm.n)
        self.stale = True
        if workers == 1:
            with nogil:
                _fill_share(&self.swarm, graph, from_phase, from_frequency, 0, 1)
            return
        regions_were_opened = True
        with nogil, parallel(num_threads=workers):
            _fill_share(&self.swarm, graph, from_phase, from_frequency, omp_get_thread_num(), omp_get_num_threads())

    # ---- turns

    cdef void _wake(self) noexcept:
        """In a forked child: the threads that held locks or a claim, or were amid a tick, are not there."""
        if self.born != generation:
            self.born = generation
            self.stale = True
            self.swarm.adapt.holds = False
            em_round_mend(&self.swarm)
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
        """Refuse an assignment while another thread runs the swarm; returns whether this one does."""
        cdef uint64_t runner = em_atomic_load(&self.runner, memory_order_acquire)
        if runner != 0 and runner != <uint64_t>PyThread_get_thread_ident():
            raise Busy(
                f"{what} cannot be assigned while another thread runs the swarm:"
                " wait for the run to end, or send live.change(...) to a live loop"
            )
        return runner != 0

    @property
    def serving(self):
        """Method, schedule and dt of the run that this thread is amid, which another model must suit; None if of none.

        Raises `Busy` if another thread runs the swarm.
        """
        if not self._admit("model"):
            return None
        schedule = [name for name in SCHEDULES if SCHEDULES[name] == self.schedule][0]
        return em_step_methods[<int>self.swarm.step].name.decode(), schedule, self.dt

    # ---- what a user sees and sets

    @property
    def tick(self):
        """Ticks since the origin of the clock."""
        return self.swarm.tick

    @property
    def time(self):
        """Origin + ticks * dt."""
        return self.swarm.origin + self.swarm.tick * self.dt

    @property
    def clock(self):
        """Origin, tick, dt, and ticks since the swarm began."""
        return self.swarm.origin, self.swarm.tick, self.dt, self.swarm.drawn

    @property
    def nbytes(self):
        """Bytes of memory that the engine holds, without its graph."""
        cdef em_swarm *swarm = &self.swarm
        cdef int64_t blocks = em_graph_blocks(swarm.n)
        cdef int64_t held = sizeof(em_team) + sizeof(em_rcu) + 16 * swarm.n + 16 * blocks
        cdef int k
        held += 16 * (EM_ACT_HARMONICS - 1) * blocks
        for k in range(EM_ACT_VARIABLES):
            held += 8 * swarm.n * ((k > 0 and swarm.state[k] != NULL) + (swarm.now[k] != NULL))
        for k in range(EM_ACT_PARAMETERS):
            held += 8 * swarm.n * (swarm.each[k] != NULL)
        for k in range(EM_ENERGY_PARAMETERS):
            held += 8 * swarm.n * (swarm.energy.each[k] != NULL)
        held += 8 * swarm.n * ((swarm.energy.held != NULL) + (self.rates != NULL)) + 8 * self.work_room
        held += 8 * self.strides_for * EM_ADAPT_ARRAYS * swarm.n + 16 * blocks * (self.strides_for > 0)
        held += self.points * 16 + em_triads_size(swarm.sense.triads) + _weights_size(&swarm.plastic, swarm.sense.graph)
        held += em_past_size(&swarm.past, swarm.sense.graph.ends)
        held += self.scratches * (sizeof(em_scratch) + sizeof(em_steal_queue))
        if self.order != NULL:
            held += 8 * swarm.n
        if swarm.displacement != NULL:
            held += 8 * swarm.n
        if swarm.failed != NULL:
            held += swarm.n
        held += em_sums_size(em_swarm_offered(swarm), blocks)
        held += swarm.channels * em_table_size(swarm.n, False) * (
            (swarm.cells != NULL) + 2 * (em_swarm_wide(swarm) != NULL))
        if swarm.extent != NULL:
            held += 16 * blocks
        if em_swarm_inbox(swarm) != NULL:
            held += 8 * swarm.n + 8 * blocks
        held += self.panels_for * self.panel_size
        if self.avalanche != NULL:
            held += em_avalanche_size(swarm.n) + sizeof(em_avalanche_firing) * self.avalanche.room
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
            self.swarm.adapt.holds = False
        finally:
            self._leave()

    def track(self):
        """Count from now on how far agents turn, if that is not done already."""
        self._enter()
        try:
            self._track()
        finally:
            self._leave()

    cdef int _track(self) except -1:
        """In one's turn: begin to count how far agents turn; what waits in the inbox has turned them already."""
        cdef const em_inbox *inbox = em_swarm_inbox(&self.swarm)
        cdef double *turned
        cdef int64_t i
        if self.swarm.displacement != NULL:
            return 0
        turned = <double *>_take(self.swarm.n * sizeof(double), "how far agents turn")
        self._gather()
        for i in range(self.swarm.n):
            turned[i] = -em_phase_from_binary(em_inbox_peek(inbox, i)) if inbox != NULL else 0.0
        self.swarm.displacement = turned
        return 0

    def read_displacement(self, double[::1] out not None):
        """Copy how far agents have turned, by what waits in the inbox too; returns whether anybody counts."""
        cdef bint tracked
        self._fits(out)
        self._enter()
        self._gather()
        with nogil:
            tracked = em_swarm_read_displacement(&self.swarm, &out[0])
        self._leave()
        return tracked

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
            self.swarm.adapt.holds = False
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
        if em_past_of_edges(&self.swarm.past) and (
                graph.graph.kind != EM_GRAPH_STORED or graph.graph.ends != self.swarm.sense.graph.ends):
            raise InvalidValue("edges that have delays of their own can change their weights only")
        self._guard()
        try:
            if self.normalize == "weight":
                graph.divide()
            if self.swarm.avalanche != NULL:
                graph.listen()
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
        if graph.kind == EM_GRAPH_GROUPS and (
                sums == NULL or sums.groups < graph.groups or em_sums_channels(sums) < swarm.channels):
            sums = em_sums_create(swarm.channels, graph.groups, em_graph_blocks(swarm.n))
            if sums == NULL:
                raise TooLarge(f"sums of {graph.groups} groups cannot be had: there is no memory left")
            em_swarm_offer_sums(swarm, sums)
        if em_swarm_wants_wide(swarm, graph):
            if em_swarm_wide(swarm) == NULL:
                em_swarm_offer_wide(swarm, _take(2 * swarm.channels * em_table_size(swarm.n, False), "the phasors"))
        elif swarm.cells == NULL:
            swarm.cells = _take(swarm.channels * em_table_size(swarm.n, False), "the phasors")
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
            self.swarm.adapt.holds = False

    cdef int _reclaim(self) except -1:
        """Let go of graphs that nobody reads any more; the guard is held."""
        self.published = [graph for graph in self.published if em_rcu_in_use(self.rcu, (<Graph>graph).graph)]
        return 0

    def set_model(self, str name not None, parameters, str normalize not None, int channels=1, courses=(),
                  int64_t function=0, kept_alive=None, energy=None, triads=None):
        """Choose the model by its name in the cellar, with its parameters in their places, one number or n of them.

        `courses` are places, times and values of those that change with time, `function` the address of a user's own
        model, which `kept_alive` keeps; `energy` what turning costs: capacity, cost and recovery; `triads` whom each
        agent senses two at a time: starts, pairs, strengths or None, and whether they are symmetric.
        """
        cdef int kind = MODELS[name]
        self._enter()
        try:
            self._admit("model")
            self._equip(self.swarm.step, kind)  # a run that is going on has begun for the model before
            self._guard()
            try:
                if normalize == "weight":
                    for graph in self.published:
                        (<Graph>graph).divide()
                if em_act_models[kind].pulses:
                    self._take_avalanche()
                self.normalize = normalize
                self._set_triads(triads)
                self._set_channels(channels)
            finally:
                PyThread_release_lock(self.graphs)
            self.swarm.sense.scale = {"weight": 0.0, "agents": 1.0 / self.swarm.n, "none": 1.0}[normalize]
            if em_act_models[kind].rates > 1 and self.swarm.state[1] == NULL:
                self.swarm.state[1] = self._zeros("the velocities")
            if name == "given" and self.rates == NULL:
                self.rates = self._zeros("the rates")
            self._set_parameters(<em_act_kind>kind, parameters, channels)
            self.swarm.act = <em_act_kind>kind
            self.swarm.variables = em_act_models[kind].rates
            self.swarm.function = <em_act_function><size_t>function
            self.kept_alive = kept_alive
            self.swarm.given = self.rates
            self.swarm.avalanche = self.avalanche if em_act_models[kind].pulses else NULL
            self.stale = self.stale or self.swarm.avalanche != NULL
            self.swarm.adapt.holds = False
            self._set_courses(courses)
            self._set_energy(energy)
        finally:
            self._leave()

    cdef int _take_avalanche(self) except -1:
        """In one's turn, the guard held: have what agents that fire need, on every graph that may be read."""
        for graph in self.published:
            (<Graph>graph).listen()
        if self.avalanche == NULL:
            self.avalanche = em_avalanche_create(self.swarm.n)
        if self.avalanche == NULL:
            raise TooLarge(f"pulses on their way need {em_avalanche_size(self.swarm.n)} bytes, which cannot be had")
        return 0

    def keep_firings(self, int64_t most):
        """Record who fires from the next tick on, at most so many between two calls of `take_firings`.

        The next run does no longer.
        """
        self._enter()
        try:
            if self.swarm.avalanche == NULL:
                raise InvalidValue("agents of this model do not fire")
            if self.avalanche.keeps:
                raise InvalidValue("firings are recorded once in a run, and somebody does so already")
            self.avalanche.keeps, self.avalanche.most = True, most
            self.avalanche.count = self.avalanche.lost = 0
        finally:
            self._leave()

    def take_firings(self):
        """Return when who fired since the last call, in order of time, and how many more there were than fit."""
        cdef int64_t k, lost = 0, count = 0
        cdef double[::1] time
        cdef int64_t[::1] agent
        self._enter()
        try:
            if self.avalanche != NULL:
                count, lost = self.avalanche.count, self.avalanche.lost
            times, agents = _empty(count), _empty(count, "int64")
            time, agent = times, agents
            for k in range(count):
                time[k], agent[k] = self.avalanche.kept[k].time, self.avalanche.kept[k].agent
            if self.avalanche != NULL:
                self.avalanche.count = self.avalanche.lost = 0
            return times, agents, lost
        finally:
            self._leave()

    cdef double *_zeros(self, str what) except NULL:
        cdef double *array = <double *>_take(self.swarm.n * sizeof(double), what)
        memset(array, 0, self.swarm.n * sizeof(double))
        return array

    cdef int _set_triads(self, triads) except -1:
        """In one's turn, the guard held: keep triads, and have tables that all can read if there are any."""
        cdef em_swarm *swarm = &self.swarm
        cdef em_triads *before = <em_triads *>swarm.sense.triads
        cdef em_triads *made = NULL
        cdef const int64_t[::1] start
        cdef const int32_t[:, ::1] pair
        cdef const double[::1] strength = None
        if triads is not None:
            start, pair, strength, symmetric = triads
            if start.shape[0] != swarm.n + 1 or start[swarm.n] != pair.shape[0] or pair.shape[1] != 2 or (
                    strength is not None and strength.shape[0] != pair.shape[0]):
                raise InvalidValue("triads must be told by n + 1 starts, and pairs and strengths as many as they say")
            made = em_triads_create(
                swarm.n, pair.shape[0], &start[0], &pair[0, 0] if pair.shape[0] > 0 else NULL,
                &strength[0] if strength is not None and pair.shape[0] > 0 else NULL, symmetric)
            if made == NULL:
                raise TooLarge(f"{pair.shape[0]} ends of triads cannot be had: there is no memory left")
        swarm.sense.triads = made
        if (made == NULL) != (before == NULL):
            try:
                for graph in self.published:
                    self._make_ready((<Graph>graph).graph)
            except TooLarge:
                swarm.sense.triads = before
                em_triads_free(made)
                raise
            em_swarm_enter(swarm, swarm.sense.graph)
            self.stale = True
        em_triads_free(before)
        return 0

    cdef int _set_channels(self, int channels) except -1:
        """In one's turn, the guard held: have as many tables of phasors as the model has channels of field."""
        cdef em_swarm *swarm = &self.swarm
        cdef void *cells = swarm.cells
        cdef void *wide = em_swarm_wide(swarm)
        cdef int before = swarm.channels
        if channels == before:
            return 0
        swarm.channels, swarm.cells = channels, NULL
        em_swarm_offer_wide(swarm, NULL)
        try:
            for graph in self.published:
                self._make_ready((<Graph>graph).graph)
        except TooLarge:
            em_base_free(swarm.cells)
            em_base_free(em_swarm_wide(swarm))
            swarm.channels, swarm.cells = before, cells
            em_swarm_offer_wide(swarm, wide)
            raise
        em_base_free(cells)
        em_base_free(wide)
        em_swarm_enter(swarm, swarm.sense.graph)
        self.stale = True
        return 0

    cdef int _set_parameters(self, em_act_kind kind, parameters, int channels) except -1:
        """In one's turn: parameters of all agents, or arrays for each where one differs; the pull only if it does."""
        cdef em_swarm *swarm = &self.swarm
        cdef int64_t i
        cdef int p
        cdef const double[::1] array
        cdef const double *given[EM_ACT_PARAMETERS]
        cdef double raw[EM_ACT_PARAMETERS]
        cdef double ready[EM_ACT_PARAMETERS]
        cdef bint each = False, pull = False
        held = []
        for p in range(EM_ACT_PARAMETERS):
            given[p] = NULL
            if isinstance(parameters[p], float):
                swarm.raw[p] = parameters[p]
            else:
                array = parameters[p]
                self._fits(array)
                held.append(array)
                given[p], each = &array[0], True
                pull = pull or p < EM_ACT_OWN
                swarm.raw[p] = array[0]
        self._take_each(kind, channels, each, pull)
        em_act_prepare(kind, swarm.raw, swarm.ready)
        swarm.noisy = given[EM_ACT_NOISE] != NULL or swarm.raw[EM_ACT_NOISE] != 0
        if not each:
            return 0
        with nogil:
            memcpy(raw, swarm.raw, sizeof(raw))
            for i in range(swarm.n):
                for p in range(EM_ACT_PARAMETERS):
                    raw[p] = given[p][i] if given[p] != NULL else raw[p]
                em_act_prepare(kind, raw, ready)
                for p in range(EM_ACT_PARAMETERS):
                    if swarm.each[p] != NULL:
                        swarm.each[p][i] = ready[p]
        return 0

    cdef int _take_each(self, em_act_kind kind, int channels, bint each, bint pull) except -1:
        """In one's turn: have arrays for the parameters that the model reads, of the pull, of all others, or none."""
        cdef em_swarm *swarm = &self.swarm
        cdef double *taken[EM_ACT_PARAMETERS]
        cdef int p
        memset(taken, 0, sizeof(taken))
        try:
            for p in range(EM_ACT_PARAMETERS if each else 0):
                if em_act_reads(kind, channels, p) and (pull or p >= EM_ACT_OWN):
                    taken[p] = self._zeros("a parameter of each agent")
        except TooLarge:
            for p in range(EM_ACT_PARAMETERS):
                em_base_free(taken[p])
            raise
        for p in range(EM_ACT_PARAMETERS):
            em_base_free(swarm.each[p])
            swarm.each[p] = taken[p]
        return 0

    cdef int _set_courses(self, courses) except -1:
        """In one's turn: keep the points of what changes with time, behind the list of them."""
        cdef int64_t points = sum([len(times) for _, times, _ in courses]), k
        cdef int count = len(courses), c
        cdef em_course *course = NULL
        cdef double *point
        cdef const double[::1] times
        cdef const double[::1] values
        if count > 0:
            course = <em_course *>_take(count * sizeof(em_course) + 16 * points, "what changes with time")
            point = <double *>(course + count)
            for c in range(count):
                place, times, values = courses[c]
                for k in range(times.shape[0]):
                    point[k], point[times.shape[0] + k] = times[k], values[k]
                course[c].parameter, course[c].points = place, times.shape[0]
                course[c].time, course[c].value = point, point + times.shape[0]
                course[c].next = course + c + 1 if c + 1 < count else NULL
                point += 2 * times.shape[0]
                self.swarm.noisy = self.swarm.noisy or place == EM_ACT_NOISE
        em_base_free(self.courses)
        self.courses, self.points = course, points
        self.swarm.courses = course
        return 0

    cdef int _set_energy(self, energy) except -1:
        """In one's turn: what turning costs, or None; agents that hold nothing yet are filled up."""
        cdef em_energy *one = &self.swarm.energy
        cdef const double[::1] array
        cdef double *copy
        cdef bint fresh = one.held == NULL
        cdef int64_t i
        cdef int p
        cdef bint each = energy is not None and not isinstance(energy[0], float)
        for p in range(EM_ENERGY_PARAMETERS):
            copy = NULL
            if each:
                array = energy[p]
                self._fits(array)
                copy = <double *>_take(self.swarm.n * sizeof(double), "a parameter of energy")
                memcpy(copy, &array[0], self.swarm.n * sizeof(double))
            elif energy is not None:
                one.all[p] = energy[p]
            em_base_free(one.each[p])
            one.each[p] = copy
        if energy is None:
            em_base_free(one.held)
            one.held = NULL
            return 0
        if fresh:
            one.held = self._zeros("the energies")
        for i in range(self.swarm.n):
            if fresh or one.held[i] > em_energy_capacity(one, i):
                one.held[i] = em_energy_capacity(one, i)
        return 0

    cdef double *_array(self, str name) except NULL:
        cdef double *array = NULL
        if name == "velocity" and self.swarm.variables > 1:
            array = self.swarm.state[1]
        elif name == "energy":
            array = self.swarm.energy.held
        elif name == "frequency":
            array = self.swarm.frequency
        if array == NULL:
            raise InvalidValue(f"agents of this model have no {name}")
        return array

    def has(self, str name not None):
        """Return whether agents have a "velocity" or an "energy"."""
        return self.swarm.variables > 1 if name == "velocity" else self.swarm.energy.held != NULL

    def read(self, str name not None, double[::1] out not None):
        """Copy the "frequency", "velocity" or "energy" of all agents."""
        cdef double *array
        self._fits(out)
        self._enter()
        try:
            array = self._array(name)
            with nogil:
                memcpy(&out[0], array, self.swarm.n * sizeof(double))
        finally:
            self._leave()

    def write(self, str name not None, const double[::1] values not None):
        """Set what `read` reads."""
        cdef double *array
        self._fits(values)
        self._enter()
        try:
            self._admit(name)
            array = self._array(name)
            with nogil:
                memcpy(array, &values[0], self.swarm.n * sizeof(double))
            self.swarm.adapt.holds = False
            self.stale = self.stale or self.swarm.avalanche != NULL
        finally:
            self._leave()

    def set_adaptation(self, law not None):
        """Choose how the weights of the graph's edges adapt, from now on and for good; `write_weights` sets them first.

        `law` is rate times strength as cosine and sine of the shift, rate times decay, and bounds.
        """
        cdef em_plastic *plastic = &self.swarm.plastic
        self._enter()
        try:
            self._admit("adapt")
            plastic.turn[0], plastic.turn[1], plastic.decay, plastic.least, plastic.most = law
        finally:
            self._leave()

    def read_weights(self, double[::1] out not None):
        """Copy the weights that adapt, row by row."""
        self._enter()
        try:
            _show_weights(&self.swarm.plastic, self.swarm.sense.graph, out)
        finally:
            self._leave()

    def write_weights(self, const double[::1] values not None):
        """Set the weights that adapt; from the first time on, the graph's own are not read any more."""
        self._enter()
        try:
            self._admit("strengths")
            _fits_ends(self.swarm.sense.graph, values.shape[0])
            _take_weights(&self.swarm.plastic, self.swarm.sense.graph)
            _lay_weights(&self.swarm.plastic, self.swarm.sense.graph, values)
            em_swarm_cut(&self.swarm)
        finally:
            self._leave()

    def set_past(self, double late, const double[::1] each, rows):
        """Let agents sense late from now on, by so many ticks all, or by `each` edge, row by row, up to `late`.

        `rows` yields phases within reach: those of now, and of each tick before, as many as are kept.
        """
        cdef em_past past
        self._enter()
        try:
            self._admit("delay")
            if self.swarm.past.ring.cell != NULL:
                raise InvalidValue("the swarm has a past already")
            if each is not None and (
                    self.graph.graph.kind != EM_GRAPH_STORED or each.shape[0] != self.graph.graph.ends):
                raise InvalidValue("delays of edges must be told for each end of a stored topology")
            self._adopt()
            _make_past(&past, &self.swarm, late, each, iter(rows))
            self.swarm.past = past
            em_swarm_enter(&self.swarm, self.swarm.sense.graph)
            self.stale = True
        finally:
            self._leave()

    @property
    def past_size(self):
        """Numbers that are kept of the past; 0 where nobody senses late, or no tick has been done yet."""
        return em_history_size(&self.swarm.past.ring) if self.swarm.past.ring.cell != NULL else 0

    def write_past(self, const double[::1] cells not None):
        """Set what `snapshot` told of the past, in a new engine."""
        if cells.shape[0] != self.past_size:
            raise InvalidValue(f"the past is {self.past_size} numbers, not {cells.shape[0]}")
        memcpy(self.swarm.past.ring.cell, &cells[0], cells.shape[0] * sizeof(double))

    def set_key(self, uint64_t key):
        """Set what all that is drawn in ticks comes from."""
        self.swarm.key = key

    def field(self, double[::1] phase not None, double[::1] re not None, double[::1] im not None):
        """Copy the phases and what agents sense of each other, between two ticks."""
        cdef int64_t block
        self._fits(phase)
        self._fits(re)
        self._fits(im)
        self._enter()
        try:
            self._make_room(1, 1)
            self._adopt()
            self._gather()
            with nogil:
                for block in range(em_graph_blocks(self.swarm.n)):
                    self.isa.publish(&self.swarm, block, self.stale, self.scratch)
                em_swarm_sum_up(&self.swarm)
                for block in range(em_graph_blocks(self.swarm.n)):
                    self.isa.field(&self.swarm, block, self.scratch, &re[0], &im[0])
                memcpy(&phase[0], self.swarm.state[0], self.swarm.n * sizeof(double))
            self.stale = False
        finally:
            self._leave()

    def give(self, const double[::1] rates not None):
        """Set the rates that the model "given" takes for its own."""
        self._fits(rates)
        self._enter()
        memcpy(self.rates, &rates[0], self.swarm.n * sizeof(double))
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

    def snapshot(self, double[::1] phase not None, uint64_t[::1] waiting not None, double[::1] displacement not None,
                 **others):
        """Copy the state between two ticks for `resume`.

        Returns the clock, whether anything waits, and whether anybody counts how far agents turn.

        `others` are arrays for what `read` reads, by name.
        """
        cdef bint nudged, tracked
        cdef double[::1] out
        self._fits(phase)
        self._fits(displacement)
        if waiting.shape[0] != self.swarm.n:
            raise InvalidValue(f"an array of {self.swarm.n} entries is needed, not of {waiting.shape[0]}")
        self._enter()
        try:
            self._gather()
            for name in others:
                out = others[name]
                if name == "strengths":
                    _show_weights(&self.swarm.plastic, self.swarm.sense.graph, out)
                    continue
                if name == "past":
                    if out.shape[0] != self.past_size:
                        raise InvalidValue(f"the past is {self.past_size} numbers, not {out.shape[0]}")
                    memcpy(&out[0], self.swarm.past.ring.cell, out.shape[0] * sizeof(double))
                    continue
                self._fits(out)
                memcpy(&out[0], self._array(name), self.swarm.n * sizeof(double))
            with nogil:
                nudged = em_swarm_read_apart(&self.swarm, &phase[0], &waiting[0])
            tracked = self.swarm.displacement != NULL
            if tracked:
                memcpy(&displacement[0], self.swarm.displacement, self.swarm.n * sizeof(double))
            return self.clock, nudged, tracked
        finally:
            self._leave()

    def stride(self):
        """Return the adaptive step in hand: its place and tolerances, and all arrays of it if ticks are read off it.

        None if the last run did not take adaptive steps.
        """
        cdef em_adapt *adapt = &self.swarm.adapt
        cdef int64_t size = EM_ADAPT_ARRAYS * self.swarm.variables * self.swarm.n
        cdef double[::1] out
        self._enter()
        try:
            if self.swarm.step != EM_STEP_ADAPTIVE:
                return None
            arrays = _empty(size if adapt.holds else 0)
            if adapt.holds:
                out = arrays
                memcpy(&out[0], self.strides, size * sizeof(double))
            told = adapt.time, adapt.span, adapt.next, adapt.absolute, adapt.relative, adapt.least, adapt.most
            return told, arrays
        finally:
            self._leave()

    def set_stride(self, step, const double[::1] arrays not None):
        """Go on with an adaptive step that `stride` told, in a new engine."""
        cdef em_adapt *adapt = &self.swarm.adapt
        cdef int64_t size = EM_ADAPT_ARRAYS * self.swarm.variables * self.swarm.n
        if arrays.shape[0] not in (0, size):
            raise InvalidValue(f"an adaptive step is {size} numbers, not {arrays.shape[0]}")
        self._take_strides(self.swarm.variables)
        adapt.time, adapt.span, adapt.next, adapt.absolute, adapt.relative, adapt.least, adapt.most = step
        self.swarm.step = EM_STEP_ADAPTIVE
        adapt.holds = arrays.shape[0] > 0
        if adapt.holds:
            memcpy(self.strides, &arrays[0], size * sizeof(double))

    def resume(self, clock, const uint64_t[::1] waiting=None, const double[::1] displacement=None):
        """Go on where a snapshot was taken, in a new engine made with its phases and frequencies."""
        cdef int64_t i
        cdef em_inbox *inbox
        self.swarm.origin, self.swarm.tick, self.dt, self.swarm.drawn = clock
        self.swarm.dt = self.dt
        self.told_time = self.time
        if displacement is not None:
            self._fits(displacement)
            self._track()
            memcpy(self.swarm.displacement, &displacement[0], self.swarm.n * sizeof(double))
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
              double patience=-1.0, double floor=-1.0, str method not None="euler", tolerances=None):
        """Start a run: a negative `coherent`, `locked`, `timeout` or `patience` (s) means none.

        `keeps` R of every tick; a batch ends where R falls below `floor`, once; the run ends after the tick in which
        `cancel` is set, or that took longer than `patience`.
        """
        self._enter()
        try:
            self._set_out(dt, schedule, order, method, tolerances)
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

    cdef int _set_out(
            self, double dt, str schedule, const int64_t[::1] order, str method, tolerances) except -1:
        """In one's turn: start a run that nothing ends but its ticks."""
        cdef Schedule chosen = SCHEDULES[schedule]
        cdef bint latest = chosen == GOSSIP
        self._set_method(METHODS[method], dt, tolerances)
        if order is not None:
            if order.shape[0] != self.swarm.n:
                raise InvalidValue(f"an order of {self.swarm.n} agents is needed, not of {order.shape[0]}")
            if self.order == NULL:
                self.order = <int64_t *>_take(self.swarm.n * sizeof(int64_t), "the order of agents")
            memcpy(self.order, &order[0], self.swarm.n * sizeof(int64_t))
        self.schedule = chosen
        if latest != self.swarm.latest:
            self.swarm.latest = latest
            em_swarm_enter(&self.swarm, self.swarm.sense.graph)
            self.stale = True
        if dt != self.dt:
            self.swarm.origin, self.swarm.tick, self.dt = self.time, 0, dt
            self.swarm.adapt.holds = False
            self.stale = self.stale or self.swarm.avalanche != NULL
        self.swarm.dt = dt
        if self.avalanche != NULL:
            self.avalanche.keeps = False
        em_base_free(self.swarm.extent)
        self.swarm.extent = NULL
        self.target, self.cancel, self.keeps = NO_TARGET, None, False
        self.deadline, self.patience, self.floor = -1, -1, -1.0
        self.kept, self.first = 0, True
        em_atomic_store(&self.swarm.fault, EM_SWARM_NOBODY, memory_order_relaxed)
        return 0

    cdef int _set_method(self, int kind, double dt, tolerances) except -1:
        """In one's turn: choose the integrator, and take what it keeps between its stages."""
        cdef em_swarm *swarm = &self.swarm
        cdef em_adapt *adapt = &swarm.adapt
        self._equip(kind, swarm.act)
        if kind == EM_STEP_ADAPTIVE:
            told = adapt.absolute, adapt.relative, adapt.least, adapt.most
            if swarm.step != EM_STEP_ADAPTIVE or told != tolerances:
                adapt.absolute, adapt.relative, adapt.least, adapt.most = tolerances
                adapt.next = min(max(dt, adapt.least), adapt.most)
                adapt.holds = False
        swarm.step = <em_step_kind>kind
        return 0

    cdef int _equip(self, int method, int model) except -1:
        """In one's turn: take what a method keeps between its stages for a model; neither need be chosen yet."""
        cdef em_swarm *swarm = &self.swarm
        cdef const em_step *step = &em_step_methods[method]
        cdef int variables = em_act_models[model].rates
        cdef int64_t room = variables * step.work * swarm.n
        cdef double *work
        cdef int v
        if room > self.work_room:
            work = <double *>_take(room * sizeof(double), "what the method keeps between its stages")
            em_base_free(self.work)
            self.work, self.work_room = work, room
        swarm.work = self.work
        if step.stages > 1 and em_past_in_common(&swarm.past) and swarm.past.own == NULL:
            swarm.past.own = <double *>_take(2 * swarm.n * sizeof(double), "phasors within a tick")
        for v in range(variables):
            if step.stages != 1 and (v > 0 or em_act_models[model].phases) and swarm.now[v] == NULL:
                swarm.now[v] = self._zeros("the state of a stage")
        if method == EM_STEP_ADAPTIVE:
            self._take_strides(variables)
        _take_stages(&swarm.plastic, swarm.sense.graph, step.stages)
        return 0

    cdef int _take_strides(self, int variables) except -1:
        """Take what adaptive steps of so many variables need."""
        cdef em_swarm *swarm = &self.swarm
        cdef int64_t blocks = em_graph_blocks(swarm.n)
        cdef double *strides
        if self.strides_for < variables:
            strides = <double *>_take(
                variables * EM_ADAPT_ARRAYS * swarm.n * sizeof(double), "what adaptive steps keep")
            em_base_free(self.strides)
            self.strides, self.strides_for = strides, variables
            swarm.adapt.holds = False
        if swarm.adapt.error == NULL:
            swarm.adapt.error = <double *>_take(blocks * sizeof(double), "the errors of blocks")
        if swarm.adapt.worst == NULL:
            swarm.adapt.worst = <int64_t *>_take(blocks * sizeof(int64_t), "the worst agents of blocks")
        em_adapt_place(&swarm.adapt, self.strides, variables, swarm.n)
        return 0

    def step(self, int64_t ticks, double dt, str schedule not None, const int64_t[::1] order, int workers,
             str method not None="euler", tolerances=None):
        """Claim the swarm, do `ticks` ticks in batches of 50 ms with signals handled in between, and release it."""
        self.claim()
        try:
            self._enter()
            try:
                self._set_out(dt, schedule, order, method, tolerances)
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
        if self.swarm.single and self.schedule == BARRIER and self.swarm.plastic.weight == NULL:
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
        if not batch.settle and not batch.first:
            _begin_tick(batch)
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
        self.kept += self.batch.kept
        self.told_time, self.told_ticks = self.swarm.origin + self.swarm.tick * self.dt, self.ticks
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
            learns = self.swarm.plastic.weight != NULL
            raise Diverged(
                f"agent {lost} left the range of numbers in tick {self.swarm.tick - 1}, which ended at"
                f" t = {self.time:g} (its rate{' or a weight of it' if learns else ''} is not finite, or it would have"
                f" turned by more than {EM_PHASE_REACH:g} rad): choose a smaller dt (it is {self.dt:g})"
                f"{', bounds= of weights or a smaller rate of theirs' if learns else ' or weaker coupling'}"
            )
        if self.batch.reason == STUCK:
            raise Diverged(
                f"no step from t = {self.swarm.origin + self.swarm.adapt.time:.12g} on meets the tolerances, the last"
                f" was {self.swarm.adapt.span:.3g} long, and agent {self.swarm.adapt.blamed} is the worst: allow larger"
                " tolerances or a smaller dt_min, or look at that agent's parameters"
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
