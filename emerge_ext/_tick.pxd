"""The update loop: what every member of a team does from the first tick of a batch to the last.

`tick_member` is entered by each member with its rank and the *measured* size of the team. It knows blocks, units of
them, stages and joins; what a block does is `em_swarm.h`, who does it `em_steal.h`, how members meet `em_team.h`, which
graph holds `em_rcu.h`. At each join the last arriver alone does the serial part before it lets the others go on.
Fields of `Batch` below the line are written there, or by their member before its first join, and nowhere else, so
members read them only after a join.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from em cimport (
    EM_ADAPT_LAND, EM_ADAPT_STUCK, EM_ROUND_LAND, EM_STEP_ADAPTIVE, EM_SWARM_NOBODY, em_adapt_begin, em_adapt_next,
    em_adapt_time, em_atomic_load, em_atomic_store, em_base_nanoseconds, em_base_pause, em_gossip_sum, em_graph,
    em_graph_blocks, em_graph_deal, em_isa, em_rcu, em_rcu_enter, em_ring, em_ring_pour_all, em_round_begin,
    em_round_next, em_scratch, em_steal_fill, em_steal_next, em_steal_queue, em_step_methods, em_stride_publishes,
    em_swarm, em_swarm_coherence, em_swarm_enter, em_swarm_inbox, em_swarm_spread, em_swarm_sum_up, em_swarm_tune,
    em_swarm_turn_over, em_team, em_team_arrive, em_team_open, em_team_wait, em_word, memory_order_relaxed,
)


cdef enum Schedule:
    BARRIER     # all agents together: a stage reads one table of phasors and writes the other
    GOSSIP      # each as soon as it can, from one table of the newest phasors
    ORDERED     # one after another, by one worker


cdef enum Target:
    NO_TARGET
    COHERENT
    LOCKED


cdef enum Reason:
    RUNNING
    REACHED
    TIMED_OUT
    CANCELLED
    LATE
    DIVERGED
    STUCK       # no adaptive step is short enough


cdef struct Batch:
    em_swarm *swarm
    const em_isa *isa       # the hot loops as compiled for this processor
    em_team *team
    em_rcu *rcu             # which graph holds
    em_ring *rings          # of nudges on their way, or NULL
    em_scratch *scratch     # one for each member
    em_steal_queue *queues  # one for each member, empty between batches
    bint steals             # members without work take it from others; off only in tests and benchmarks
    int slow                # a member that a test slows down, or -1
    int64_t delay           # by so many ns for each block
    Schedule schedule
    const int64_t *order    # agents in their order, for ORDERED
    int64_t ticks           # to be done in this batch
    bint stale              # phasors are not those of the phases
    bint settle             # phasors or inbox want a prologue
    bint first              # of its run: the target is tested, and coherence kept, before the first tick
    Target target
    double level            # coherence to reach, or spread of rates to fall to
    double floor            # coherence below which Python gets its turn at once, or negative
    int64_t deadline        # of the run, on em_base_nanoseconds, or negative
    const em_word *cancel   # not 0 when the run is to end, or NULL
    int64_t patience        # ns that a tick may take, or negative
    int64_t until           # of the batch: Python gets its turn then, wherever the ticks are
    double *trace           # coherence of each tick goes here, or NULL
    # ----
    int size                # of the team, as it was measured
    int stage               # the one that is done next, or now
    bint swapped            # another graph holds from the next tick on
    int64_t look            # the tick after which the clock is looked at next
    int64_t looked          # when it was last, and at which tick
    int64_t looked_at
    bint paused             # the batch has taken its time
    bint fell               # coherence fell below the floor
    int64_t ended           # when the last tick ended, where there is patience
    int64_t done
    int64_t kept            # entries of the trace
    int64_t batched         # nudges moved from rings into the inbox
    Reason reason


cdef inline void _judge(Batch *batch) noexcept nogil:
    """Keep the coherence of the state reached, and decide whether the run goes on."""
    cdef em_swarm *swarm = batch.swarm
    if batch.trace != NULL:
        batch.trace[batch.kept] = em_swarm_coherence(swarm)
        batch.kept += 1
    if batch.floor >= 0 and em_swarm_coherence(swarm) < batch.floor:
        batch.paused = batch.fell = True
    if em_atomic_load(&swarm.fault, memory_order_relaxed) != EM_SWARM_NOBODY:
        batch.reason = DIVERGED
    elif batch.target == COHERENT and em_swarm_coherence(swarm) >= batch.level:
        batch.reason = REACHED
    elif batch.target == LOCKED and em_swarm_spread(swarm) <= batch.level:
        batch.reason = REACHED
    elif batch.cancel != NULL and em_atomic_load(batch.cancel, memory_order_relaxed) != 0:
        batch.reason = CANCELLED
    elif batch.deadline >= 0 and em_base_nanoseconds() >= batch.deadline:
        batch.reason = TIMED_OUT


cdef inline void _judge_tick(Batch *batch) noexcept nogil:
    """End the run if the last tick took too long."""
    cdef int64_t now
    if batch.patience < 0:
        return
    now = em_base_nanoseconds()
    if batch.reason == RUNNING and now - batch.ended > batch.patience:
        batch.reason = LATE
    batch.ended = now


cdef inline bint _goes_on(Batch *batch) noexcept nogil:
    return batch.done < batch.ticks and batch.reason == RUNNING and not batch.paused


cdef inline void _look_at_clock(Batch *batch) noexcept nogil:
    """End the batch if it has taken its time.

    Looks again when that time is over, or in 5 ms if that is sooner, as long as ticks take what they took.
    """
    cdef int64_t now, took, left
    if batch.done < batch.look or batch.done == batch.ticks:
        return
    now = em_base_nanoseconds()
    took = (now - batch.looked) // max(1, batch.done - batch.looked_at) + 1
    left = min(5_000_000, batch.until - now)
    batch.looked, batch.looked_at = now, batch.done
    batch.look = batch.done + min(max(1, left // took), 2 * batch.done)
    batch.paused = batch.paused or left <= 0


cdef inline void _adopt(Batch *batch) noexcept nogil:
    """Enter the graph that holds now; if it is another one, phasors are to be made anew."""
    cdef em_graph *graph = <em_graph *>em_rcu_enter(batch.rcu)
    if graph != batch.swarm.sense.graph:
        em_swarm_enter(batch.swarm, graph)
        batch.swapped = True
        batch.swarm.adapt.holds = False
        batch.look = batch.done + 1


cdef inline void _begin_tick(Batch *batch) noexcept nogil:
    """Choose the first stage of the tick that comes, and tune the parameters to its time."""
    cdef em_swarm *swarm = batch.swarm
    batch.stage = 0
    if swarm.avalanche != NULL:
        batch.stage = em_round_begin(swarm)
        return
    if swarm.step == EM_STEP_ADAPTIVE:
        if em_atomic_load(&swarm.turned, memory_order_relaxed) != 0:
            em_atomic_store(&swarm.turned, 0, memory_order_relaxed)
            swarm.adapt.holds = False
        batch.stage = em_adapt_begin(&swarm.adapt, swarm.tick * swarm.dt, (swarm.tick + 1) * swarm.dt)
    _tune(batch)


cdef inline void _tune(Batch *batch) noexcept nogil:
    """Tune the parameters to the time of the stage that comes."""
    cdef em_swarm *swarm = batch.swarm
    cdef double part
    if swarm.step == EM_STEP_ADAPTIVE:
        em_swarm_tune(swarm, swarm.origin + em_adapt_time(&swarm.adapt, batch.stage))
    else:
        part = em_step_methods[<int>swarm.step].node[batch.stage]
        em_swarm_tune(swarm, swarm.origin + (swarm.tick + part) * swarm.dt)


cdef inline bint _ends_tick(Batch *batch) noexcept nogil:
    """Return whether the stage that was done is the last of its tick."""
    if batch.swarm.avalanche != NULL:
        return batch.stage == EM_ROUND_LAND
    if batch.swarm.step == EM_STEP_ADAPTIVE:
        return batch.stage == EM_ADAPT_LAND
    return batch.stage + 1 == em_step_methods[<int>batch.swarm.step].stages


cdef inline void _go_on(Batch *batch) noexcept nogil:
    """Choose the stage that follows within the tick."""
    if batch.swarm.avalanche != NULL:
        batch.stage = em_round_next(batch.swarm, batch.stage)
        return
    if batch.swarm.step == EM_STEP_ADAPTIVE:
        batch.stage = em_adapt_next(&batch.swarm.adapt, batch.stage, em_graph_blocks(batch.swarm.n))
        if batch.stage == EM_ADAPT_STUCK:
            batch.reason = STUCK
            return
    else:
        batch.stage += 1
    _tune(batch)


cdef inline void _end_tick(Batch *batch) noexcept nogil:
    """Do what is due once a tick, and begin the next one unless there is none, or phasors are to be made first."""
    batch.done += 1
    batch.swarm.tick += 1
    batch.swarm.drawn += 1
    if batch.rings != NULL:
        batch.batched += em_ring_pour_all(batch.rings, em_swarm_inbox(batch.swarm))
    _judge(batch)
    _judge_tick(batch)
    _look_at_clock(batch)
    _adopt(batch)
    if _goes_on(batch) and not batch.swapped:
        _begin_tick(batch)


cdef inline void _after_stage(Batch *batch) noexcept nogil:
    cdef em_swarm *swarm = batch.swarm
    cdef int rank
    if batch.schedule != BARRIER or (swarm.avalanche != NULL and batch.stage == EM_ROUND_LAND):
        em_swarm_sum_up(swarm)
    elif swarm.avalanche != NULL:
        pass  # a part of a round makes no phasors
    elif swarm.step != EM_STEP_ADAPTIVE or em_stride_publishes(batch.stage):
        em_swarm_turn_over(swarm)
    if _ends_tick(batch):
        _end_tick(batch)
    else:
        _go_on(batch)
    if batch.steals and batch.size > 1 and _goes_on(batch):
        for rank in range(batch.size):
            em_steal_fill(&batch.queues[rank], em_graph_deal(swarm.sense.graph, swarm.unit, rank, batch.size),
                          em_graph_deal(swarm.sense.graph, swarm.unit, rank + 1, batch.size))


cdef inline void _join(Batch *batch, em_scratch *scratch, uint32_t size,
                       void (*alone)(Batch *) noexcept nogil) noexcept nogil:
    """Meet the others; the last to arrive does `alone` before anybody goes on."""
    cdef uint32_t ticket = 0
    cdef int64_t arrived
    if size == 1:
        alone(batch)
    elif em_team_arrive(batch.team, size, &ticket):
        alone(batch)
        em_team_open(batch.team)
    else:
        arrived = em_base_nanoseconds()
        em_team_wait(batch.team, size, ticket, -1)
        scratch.waited += em_base_nanoseconds() - arrived


cdef inline void _after_publishing(Batch *batch) noexcept nogil:
    batch.swapped = False
    em_swarm_sum_up(batch.swarm)
    if batch.schedule == GOSSIP:
        em_gossip_sum(batch.swarm)
    if not batch.first or batch.done > 0:
        _begin_tick(batch)


cdef inline void _before_first(Batch *batch) noexcept nogil:
    _judge(batch)
    if _goes_on(batch):
        _begin_tick(batch)


cdef struct Member:
    int rank
    int size
    int64_t begin           # its units by the first dealing
    int64_t end
    int64_t unit            # the next of them, where nothing is stolen
    uint64_t seed           # of whom to steal from


cdef inline void _deal(Batch *batch, Member *me) noexcept nogil:
    me.begin = em_graph_deal(batch.swarm.sense.graph, batch.swarm.unit, me.rank, me.size)
    me.end = em_graph_deal(batch.swarm.sense.graph, batch.swarm.unit, me.rank + 1, me.size)


cdef inline int64_t _end(Batch *batch, Member *me) noexcept nogil:
    """Return the block after the last of one's units."""
    return min(me.end * batch.swarm.unit, em_graph_blocks(batch.swarm.n))


cdef inline void _publish(Batch *batch, Member *me, bint stale) noexcept nogil:
    """Fold what waits in the inbox and make phasors, of one's own blocks; all phasors if they are stale."""
    cdef em_scratch *scratch = batch.scratch + me.rank
    cdef int64_t block
    for block in range(me.begin * batch.swarm.unit, _end(batch, me)):
        batch.isa.publish(batch.swarm, block, stale, scratch)
    _join(batch, scratch, me.size, _after_publishing)


cdef inline void _prologue(Batch *batch, Member *me) noexcept nogil:
    """Bring phasors up to date, judge the state that a run starts from, and put one's blocks into the queue."""
    cdef em_scratch *scratch = batch.scratch + me.rank
    cdef int64_t block
    if batch.settle:
        _publish(batch, me, batch.stale)
    if batch.first:
        if batch.target == LOCKED:
            for block in range(me.begin * batch.swarm.unit, _end(batch, me)):
                batch.isa.look(batch.swarm, block, scratch)
        _join(batch, scratch, me.size, _before_first)
    if batch.steals and me.size > 1 and _goes_on(batch):
        em_steal_fill(&batch.queues[me.rank], me.begin, me.end)


cdef inline int64_t _next(Batch *batch, Member *me) noexcept nogil:
    """Return the next unit for this member in this stage, or -1."""
    if batch.steals and me.size > 1:
        return em_steal_next(batch.queues, me.size, me.rank, &me.seed)
    me.unit += 1
    return me.unit - 1 if me.unit <= me.end else -1


cdef inline void _do_units(Batch *batch, Member *me) noexcept nogil:
    """Do units of the stage, one's own and then others', until there are none."""
    cdef em_scratch *scratch = batch.scratch + me.rank
    cdef int64_t until, unit
    me.unit = me.begin
    unit = _next(batch, me)
    while unit >= 0:
        if batch.schedule == GOSSIP:
            batch.isa.gossip(batch.swarm, unit, scratch)
        elif batch.swarm.avalanche != NULL:
            batch.isa.round(batch.swarm, batch.stage, unit, scratch)
        elif batch.swarm.step == EM_STEP_ADAPTIVE:
            batch.isa.stride(batch.swarm, batch.stage, unit, scratch)
        else:
            batch.isa.stage(batch.swarm, batch.stage, unit, scratch)
        if me.rank == batch.slow:
            until = em_base_nanoseconds() + batch.delay
            while em_base_nanoseconds() < until:
                em_base_pause()
        unit = _next(batch, me)


cdef inline void tick_member(Batch *batch, int rank, int size) noexcept nogil:
    """Do this member's part of all ticks of the batch; returns when the batch has ended for all members."""
    cdef em_scratch *scratch = batch.scratch + rank
    cdef Member me
    me.rank, me.size, me.seed = rank, size, rank
    _deal(batch, &me)
    if rank == 0:
        batch.size = size
    _prologue(batch, &me)
    while _goes_on(batch):
        if batch.swapped:
            _deal(batch, &me)
            _publish(batch, &me, True)
        if batch.schedule == ORDERED:
            batch.isa.ordered(batch.swarm, batch.order, scratch)
        else:
            _do_units(batch, &me)
        _join(batch, scratch, size, _after_stage)
