"""The update loop: what every member of a team does from the first tick of a batch to the last.

`tick_member` is entered by each member with its rank and the *measured* size of the team. It knows blocks,
stages and joins; what a block does is `em_swarm.h`, how members meet is `em_team.h`. At each join the last
arriver alone does the serial part, `_after_stage`, before it lets the others go on. Fields of `Batch` below the
line are written there and nowhere else, so members read them only after a join.
"""

from libc.stdint cimport int64_t, uint32_t

from em cimport (
    EM_SWARM_NOBODY, em_atomic_load, em_base_nanoseconds, em_gossip_sum, em_graph_deal, em_isa, em_scratch,
    em_step_methods, em_swarm, em_swarm_coherence, em_swarm_spread, em_swarm_sum_up, em_swarm_turn_over, em_team,
    em_team_arrive, em_team_open, em_team_wait, memory_order_relaxed,
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
    DIVERGED


cdef struct Batch:
    em_swarm *swarm
    const em_isa *isa       # the hot loops as compiled for this processor
    em_team *team
    em_scratch *scratch     # one for each member
    Schedule schedule
    const int64_t *order    # agents in their order, for ORDERED
    int64_t ticks           # to be done in this batch
    bint stale              # phasors are not those of the phases
    bint settle             # phasors or inbox want a prologue
    bint first              # of its run: the target is tested, and coherence kept, before the first tick
    Target target
    double level            # coherence to reach, or spread of rates to fall to
    int64_t deadline        # on em_base_nanoseconds, or negative
    double *trace           # coherence of each tick goes here, or NULL
    # ----
    int size                # of the team, as it was measured
    int64_t done
    int64_t kept            # entries of the trace
    Reason reason


cdef inline void _judge(Batch *batch) noexcept nogil:
    """Keep the coherence of the state reached, and decide whether the run goes on."""
    cdef em_swarm *swarm = batch.swarm
    if batch.trace != NULL:
        batch.trace[batch.kept] = em_swarm_coherence(swarm)
        batch.kept += 1
    if em_atomic_load(&swarm.fault, memory_order_relaxed) != EM_SWARM_NOBODY:
        batch.reason = DIVERGED
    elif batch.target == COHERENT and em_swarm_coherence(swarm) >= batch.level:
        batch.reason = REACHED
    elif batch.target == LOCKED and em_swarm_spread(swarm) <= batch.level:
        batch.reason = REACHED
    elif batch.deadline >= 0 and em_base_nanoseconds() >= batch.deadline:
        batch.reason = TIMED_OUT


cdef inline void _after_stage(Batch *batch, bint last) noexcept nogil:
    if batch.schedule == BARRIER:
        em_swarm_turn_over(batch.swarm)
    else:
        em_swarm_sum_up(batch.swarm)
    if last:
        batch.done += 1
        _judge(batch)


cdef inline void _join(Batch *batch, em_scratch *scratch, uint32_t size,
                       void (*alone)(Batch *, bint) noexcept nogil, bint last) noexcept nogil:
    """Meet the others; the last to arrive does `alone` before anybody goes on."""
    cdef uint32_t ticket = 0
    cdef int64_t arrived
    if size == 1:
        alone(batch, last)
    elif em_team_arrive(batch.team, size, &ticket):
        alone(batch, last)
        em_team_open(batch.team)
    else:
        arrived = em_base_nanoseconds()
        em_team_wait(batch.team, size, ticket, -1)
        scratch.waited += em_base_nanoseconds() - arrived


cdef inline void _after_prologue(Batch *batch, bint last) noexcept nogil:
    em_swarm_sum_up(batch.swarm)
    if batch.schedule == GOSSIP:
        em_gossip_sum(batch.swarm)


cdef inline void _before_first(Batch *batch, bint last) noexcept nogil:
    _judge(batch)


cdef inline void _prologue(Batch *batch, int64_t begin, int64_t end, em_scratch *scratch, uint32_t size) \
        noexcept nogil:
    """Fold what waited in the inbox, make stale phasors, and judge the state that a run starts from."""
    cdef int64_t block
    if batch.settle:
        for block in range(begin, end):
            batch.isa.publish(batch.swarm, block, batch.stale, scratch)
        _join(batch, scratch, size, _after_prologue, False)
    if batch.first:
        if batch.target == LOCKED:
            for block in range(begin, end):
                batch.isa.look(batch.swarm, block, scratch)
        _join(batch, scratch, size, _before_first, False)


cdef inline void tick_member(Batch *batch, int rank, int size) noexcept nogil:
    """Do this member's part of all ticks of the batch; returns when the batch has ended for all members."""
    cdef em_swarm *swarm = batch.swarm
    cdef em_scratch *scratch = batch.scratch + rank
    cdef int64_t begin = em_graph_deal(swarm.sense.graph, rank, size)
    cdef int64_t end = em_graph_deal(swarm.sense.graph, rank + 1, size)
    cdef int64_t block
    cdef int stage, stages = em_step_methods[<int>swarm.step].stages
    if rank == 0:
        batch.size = size
    _prologue(batch, begin, end, scratch, size)
    while batch.done < batch.ticks and batch.reason == RUNNING:
        if batch.schedule == GOSSIP:
            for block in range(begin, end):
                batch.isa.gossip(swarm, block, scratch)
            _join(batch, scratch, size, _after_stage, True)
        elif batch.schedule == ORDERED:
            batch.isa.ordered(swarm, batch.order, scratch)
            _join(batch, scratch, size, _after_stage, True)
        else:
            for stage in range(stages):
                for block in range(begin, end):
                    batch.isa.stage(swarm, stage, block, scratch)
                _join(batch, scratch, size, _after_stage, stage + 1 == stages)
