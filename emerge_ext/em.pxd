"""The one window onto the cellar: what the door may see of the em_*.h machines."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t


cdef extern from "em_base.h" nogil:
    ctypedef enum em_status:
        EM_OK
        EM_NO_MEMORY
        EM_DIVERGED
        EM_TIMED_OUT
        EM_BROKEN
        EM_FULL
        EM_CLOSED

    void *em_base_alloc(size_t size)
    void em_base_free(void *memory)
    int64_t em_base_live()
    int64_t em_base_nanoseconds()
    void em_base_pause()


cdef extern from "<stdatomic.h>" nogil:
    ctypedef enum memory_order:
        memory_order_relaxed
        memory_order_acquire
        memory_order_release
        memory_order_acq_rel


cdef extern from "em_atomic.h" nogil:
    ctypedef struct em_word:
        pass

    uint64_t em_atomic_load(const em_word *word, memory_order order)
    void em_atomic_store(em_word *word, uint64_t value, memory_order order)
    bint em_atomic_compare_swap(em_word *word, uint64_t *expected, uint64_t value, memory_order order)
    uint64_t em_atomic_add(em_word *word, uint64_t value, memory_order order)
    double em_atomic_add_float(em_word *word, double value, memory_order order)
    double em_atomic_turn(em_word *word, double angle, memory_order order)


cdef extern from "em_team.h" nogil:
    ctypedef struct em_team:
        pass

    void em_team_init(em_team *team, int cores)
    bint em_team_arrive(em_team *team, uint32_t size, uint32_t *ticket)
    bint em_team_open(em_team *team)
    em_status em_team_wait(em_team *team, uint32_t size, uint32_t ticket, int64_t timeout)
    uint32_t em_team_number(em_team *team, uint32_t *ticket)
    bint em_team_open_phase(em_team *team, uint32_t ticket)
    void em_team_abort(em_team *team)
    em_status em_team_break(em_team *team, uint32_t ticket)
    bint em_team_is_broken(em_team *team)
    uint32_t em_team_arrivals(em_team *team)
    int em_team_spins(const em_team *team, uint32_t size)
    em_status em_team_await(em_team *team, uint32_t ticket, int spins, int64_t deadline)


cdef extern from "em_steal.h" nogil:
    ctypedef struct em_steal_queue:
        uint64_t taken
        uint64_t stolen
        uint64_t lost

    em_steal_queue *em_steal_create(int size)
    void em_steal_free(em_steal_queue *queues)
    void em_steal_fill(em_steal_queue *queue, int64_t begin, int64_t end)
    int64_t em_steal_next(em_steal_queue *queues, int size, int rank, uint64_t *seed)


cdef extern from "em_rcu.h" nogil:
    ctypedef struct em_rcu:
        pass

    void em_rcu_init(em_rcu *rcu, void *first)
    void *em_rcu_publish(em_rcu *rcu, void *next)
    void *em_rcu_enter(em_rcu *rcu)
    void em_rcu_leave(em_rcu *rcu)
    bint em_rcu_in_use(em_rcu *rcu, const void *pointer)


cdef extern from "em_phase.h" nogil:
    const double EM_PHASE_REACH
    double em_phase_wrap(double x)
    uint64_t em_phase_bits(double x)
    double em_phase_from_bits(uint64_t bits)
    double em_phase_difference(double a, double b)
    uint64_t em_phase_to_binary(double angle)
    double em_phase_from_binary(uint64_t binary)
    void em_phase_sincos(double x, double *cosine, double *sine)


cdef extern from "em_graph.h" nogil:
    const int64_t EM_GRAPH_BLOCK
    const int EM_GRAPH_SIDES
    const int EM_GRAPH_MARGIN

    ctypedef enum em_graph_kind:
        EM_GRAPH_STORED
        EM_GRAPH_GROUPS
        EM_GRAPH_LATTICE

    ctypedef struct em_graph:
        em_graph_kind kind
        int64_t n
        int64_t ends
        int64_t *start
        int32_t *indices
        double *weights
        double *divisor
        int32_t groups
        int64_t *border
        double *between
        int sides
        int64_t *side
        int reach
        bint wraps

    void em_graph_free(em_graph *graph)
    int64_t em_graph_blocks(int64_t n)
    int64_t em_graph_deal(const em_graph *graph, int64_t unit, int64_t rank, int64_t size)
    bint em_graph_shares(const em_graph *graph)


cdef extern from "em_rows.h" nogil:
    ctypedef struct em_rows_walk:
        int64_t degree

    em_rows_walk em_rows_find(const em_graph *graph, int64_t agent)
    int64_t em_rows_place(const em_rows_walk *walk, int64_t e)
    em_graph *em_rows_create(int64_t n, int64_t ends, bint weighted)
    void em_rows_degrees(const em_graph *graph, int64_t block, int32_t *degree, int64_t *row)
    void em_rows_show(const em_graph *graph, int64_t block, int32_t *indices, double *weights)
    void em_rows_lay_ends(const em_graph *graph, int64_t block, const double *shown, double *laid)
    void em_rows_show_ends(const em_graph *graph, int64_t block, const double *laid, double *shown)
    bint em_rows_divide(em_graph *graph)


cdef extern from "em_groups.h" nogil:
    em_graph *em_groups_create(int32_t groups, const int64_t *sizes, const double *weights)


cdef extern from "em_lattice.h" nogil:
    const int EM_LATTICE_SHIFTS

    em_graph *em_lattice_create(int sides, const int64_t *side, int reach, bint wraps)


cdef extern from "em_table.h" nogil:
    size_t em_table_size(int64_t n, bint single)


cdef extern from "em_tiles.h" nogil:
    ctypedef struct em_tiles:
        int64_t bands

    em_tiles *em_tiles_of(const em_graph *graph)
    void em_tiles_offer(em_graph *graph, em_tiles *tiles)
    bint em_tiles_pay(const em_graph *graph, bint single)
    em_tiles *em_tiles_create(const em_graph *graph)
    void em_tiles_cut(em_tiles *tiles, const em_graph *graph, int64_t band)
    int64_t em_tiles_size(const em_tiles *tiles, const em_graph *graph)
    size_t em_tiles_sums_size(const em_tiles *tiles)


cdef extern from "em_triads.h" nogil:
    ctypedef struct em_triads:
        pass

    em_triads *em_triads_create(int64_t n, int64_t ends, const int64_t *start, const int32_t *pair,
                                const double *strength, bint symmetric)
    void em_triads_free(em_triads *triads)
    int64_t em_triads_size(const em_triads *triads)


cdef extern from "em_sums.h" nogil:
    ctypedef struct em_sums:
        int32_t groups
        em_sums *smaller

    em_sums *em_sums_create(int channels, int32_t groups, int64_t blocks)
    int em_sums_channels(const em_sums *sums)
    void em_sums_free(em_sums *sums)
    int64_t em_sums_size(const em_sums *sums, int64_t blocks)


cdef extern from "em_build.h" nogil:
    ctypedef struct em_build

    ctypedef void (*em_build_source)(const em_build *build, int64_t first, int size, int32_t *one,
                                     int32_t *other) noexcept nogil
    ctypedef void (*em_build_take)(em_build *build, const int32_t *one, const int32_t *other, const double *weight,
                                   int size) noexcept nogil
    ctypedef void (*em_build_walk)(em_build *build, int64_t piece, bint weighted, em_build_take take) noexcept nogil
    ctypedef void (*em_build_phase)(em_build *build, int64_t piece) noexcept nogil

    ctypedef struct em_build:
        const double *weight
        em_graph *graph
        int64_t edges
        bint directed
        em_build_walk walk
        em_word failed
        em_word strayed
        em_word repeats
        em_word uneven
        em_word beyond

    ctypedef struct em_build_rows:
        const int32_t *degree
        const int32_t *indices
        const double *weights

    void em_build_init(em_build *build, em_graph *graph, em_build_source source, void *given, int64_t edges)
    int64_t em_build_chunks(int64_t edges)
    void em_build_unpack(const em_build *build, int64_t first, int size, int32_t *one, int32_t *other)
    void em_build_clear(em_build *build, int64_t block)
    void em_build_count(em_build *build, int64_t chunk)
    void em_build_sum(em_build *build, int64_t block)
    em_status em_build_begin(em_build *build)
    void em_build_open(em_build *build, int64_t block)
    void em_build_scatter(em_build *build, int64_t chunk)
    void em_build_close(em_build *build, int64_t block)
    void em_build_settle(em_build *build, int64_t block)
    void em_build_copy_degrees(em_build *build, int64_t block)
    void em_build_copy_rows(em_build *build, int64_t block)
    void em_build_free(em_build *build)


cdef extern from "em_fold.h" nogil:
    void em_fold_block(em_build *build, int64_t block)
    void em_fold_trim(em_build *build)


cdef extern from "em_list.h" nogil:
    ctypedef struct em_list_reader:
        pass

    ctypedef struct em_list:
        int64_t pieces
        int64_t limit
        bint weighted
        em_word edges
        em_word loops
        em_word least
        em_word most
        em_word uneven
        em_word foreign
        em_word odd

    ctypedef struct em_list_column:
        const char *first
        int64_t stride
        bint wide

    ctypedef struct em_list_arrays:
        em_list_column one
        em_list_column other
        const char *weight
        int64_t stride
        int64_t edges

    ctypedef bint (*em_list_read)(const em_list *list, int64_t piece, em_list_reader *reader) noexcept nogil

    void em_list_init(em_list *list, em_list_read read, const void *given, int64_t pieces, int64_t limit, bint weighted)
    void em_list_walk(em_build *build, int64_t piece, bint weighted, em_build_take take)
    void em_list_look(em_build *build, int64_t piece)
    bint em_list_read_arrays(const em_list *list, int64_t piece, em_list_reader *reader)


cdef extern from "em_text.h" nogil:
    const int64_t EM_TEXT_PIECE

    ctypedef struct em_text:
        const char *text
        int64_t size
        int64_t first
        int64_t piece
        char separator
        bint mapped

    void em_text_init(em_text *text, em_list *list, int64_t limit, bint weighted)


cdef extern from "em_draw.h" nogil:
    ctypedef struct em_draw:
        int64_t n
        uint64_t *dropped

    void em_draw_init(em_draw *draw, uint64_t key, int64_t n, int64_t half, double rewire)
    void em_draw_pairs(const em_build *build, int64_t first, int size, int32_t *one, int32_t *other)
    void em_draw_ring(const em_build *build, int64_t first, int size, int32_t *one, int32_t *other)
    void em_draw_drop(em_build *build, int64_t block)
    em_status em_draw_mend(em_build *build)


cdef extern from "em_shuffle.h" nogil:
    ctypedef struct em_shuffle:
        pass

    em_status em_shuffle_init(em_shuffle *shuffle, uint64_t key, uint32_t sample, uint64_t size)
    void em_shuffle_free(em_shuffle *shuffle)


cdef extern from "em_grow.h" nogil:
    ctypedef struct em_grow:
        int32_t *target
        em_word left

    void em_grow_init(em_grow *grow, uint64_t key, int64_t n, int64_t m)
    int64_t em_grow_pieces(const em_grow *grow)
    void em_grow_clear(em_build *build, int64_t chunk)
    void em_grow_attach(em_build *build, int64_t piece)
    void em_grow_edges(const em_build *build, int64_t first, int size, int32_t *one, int32_t *other)


cdef extern from "em_pair.h" nogil:
    ctypedef struct em_pair:
        uint64_t key
        int64_t degree
        int64_t drawn
        em_shuffle shuffle
        uint64_t *bad
        em_word found

    void em_pair_init(em_pair *pair, uint64_t key, int64_t n, int64_t degree)
    void em_pair_fill(em_build *build, int64_t block)
    void em_pair_find(em_build *build, int64_t block)
    bint em_pair_mend(em_build *build)
    void em_pair_leave(em_build *build, int64_t block)


cdef extern from "em_rewire.h" nogil:
    ctypedef struct em_rewire:
        uint64_t *wanted

    em_status em_rewire_init(em_rewire *rewire, const em_graph *old, uint64_t key, uint64_t moves, int64_t half)
    void em_rewire_number(em_build *build, int64_t block)
    em_status em_rewire_begin(em_build *build)
    void em_rewire_walk_block(em_build *build, int64_t block, bint weighted, em_build_take take)
    void em_rewire_drop(em_build *build, int64_t block)
    em_status em_rewire_table(em_build *build)
    void em_rewire_find(em_build *build, int64_t block)
    void em_rewire_mend(em_build *build)
    void em_rewire_free(em_rewire *rewire)


cdef extern from "em_sense.h" nogil:
    ctypedef struct em_sense:
        const em_graph *graph
        const em_triads *triads
        double scale


cdef extern from "em_past.h" nogil:
    ctypedef enum em_history_form:
        EM_HISTORY_APART

    ctypedef struct em_history:
        int64_t slots
        double *cell

    ctypedef struct em_past:
        em_history ring
        double late
        double *own

    int64_t em_history_size(const em_history *history)
    int64_t em_history_slot(const em_history *history, uint64_t tick, int64_t ago)
    bint em_past_create(em_past *past, int64_t n, double late, em_history_form form, int64_t ends)
    em_history_form em_past_form(int64_t n, double longest, const double *late, int64_t ends)
    void em_past_free(em_past *past)
    bint em_past_in_common(const em_past *past)
    void em_past_lay(em_past *past, const em_graph *graph, const double *late)
    bint em_past_of_edges(const em_past *past)
    void em_past_remember(em_past *past, int64_t slot, const double *phase, double *room)
    int64_t em_past_size(const em_past *past, int64_t ends)
    int64_t em_past_slots(double late, em_history_form form)


cdef extern from "em_act.h" nogil:
    ctypedef enum em_act_kind:
        EM_ACT_KINDS

    ctypedef void (*em_act_function)(
        int64_t count, const double *phase, const double *re, const double *im, const double *frequency,
        const double *parameters, double *rate) noexcept nogil

    ctypedef struct em_act:
        const char *name
        int rates
        bint phases
        bint pulses

    const int EM_ACT_VARIABLES
    const int EM_ACT_HARMONICS
    enum:
        EM_ACT_PARAMETERS
    const int EM_ACT_NOISE
    const int EM_ACT_OWN
    const em_act *em_act_models

    void em_act_prepare(em_act_kind kind, const double *raw, double *ready)
    bint em_act_reads(em_act_kind kind, int channels, int parameter)


cdef extern from "em_step.h" nogil:
    ctypedef enum em_step_kind:
        EM_STEP_ADAPTIVE
        EM_STEP_KINDS

    ctypedef struct em_step:
        const char *name
        int stages
        int work
        bint noise
        bint inertia
        double *node

    const em_step *em_step_methods


cdef extern from "em_plastic.h" nogil:
    ctypedef struct em_plastic:
        double *weight
        double *now
        double *work
        double *turn
        double decay
        double least
        double most

    bint em_plastic_serves(em_step_kind kind)
    void em_plastic_free(em_plastic *plastic)


cdef extern from "em_course.h" nogil:
    ctypedef struct em_course:
        int parameter
        int64_t points
        const double *time
        const double *value
        const em_course *next


cdef extern from "em_energy.h" nogil:
    const int EM_ENERGY_PARAMETERS

    ctypedef struct em_energy:
        double *held
        double *all
        double **each

    double em_energy_capacity(const em_energy *energy, int64_t agent)


cdef extern from "em_adapt.h" nogil:
    const int EM_ADAPT_LAND
    const int EM_ADAPT_ERROR
    const int EM_ADAPT_STUCK
    const int EM_ADAPT_ARRAYS
    const int EM_ADAPT_SLOPES

    ctypedef struct em_adapt:
        double **base
        double **end
        double *error
        int64_t *worst
        double time
        double span
        double next
        double least
        double most
        double absolute
        double relative
        bint holds
        int64_t blamed

    int em_adapt_begin(em_adapt *adapt, double tick, double target)
    int em_adapt_next(em_adapt *adapt, int stage, int64_t blocks)
    double em_adapt_time(const em_adapt *adapt, int stage)
    void em_adapt_place(em_adapt *adapt, double *memory, int variables, int64_t n)


cdef extern from "em_inbox.h" nogil:
    ctypedef struct em_inbox:
        pass

    em_inbox *em_inbox_create(int64_t n, int64_t block)
    void em_inbox_free(em_inbox *inbox)
    void em_inbox_add(em_inbox *inbox, int64_t agent, uint64_t angle)
    uint64_t em_inbox_take(em_inbox *inbox, int64_t agent)
    uint64_t em_inbox_peek(const em_inbox *inbox, int64_t agent)


cdef extern from "em_ring.h" nogil:
    ctypedef struct em_ring:
        em_word lost
        uint64_t size
        em_ring *next

    const int EM_RING_CELL

    em_ring *em_ring_create(int64_t size)
    void em_ring_free(em_ring *ring)
    em_status em_ring_put(em_ring *ring, int64_t agent, uint64_t angle)
    void em_ring_close(em_ring *ring)
    bint em_ring_is_closed(const em_ring *ring)
    int64_t em_ring_fill(const em_ring *ring)
    int64_t em_ring_pour_all(em_ring *first, em_inbox *inbox)
    int64_t em_ring_flush(em_ring *ring, em_inbox *inbox)
    em_status em_ring_await(const em_ring *ring, int64_t deadline)
    void em_ring_mend(em_ring *ring)


cdef extern from "em_listen.h" nogil:
    bint em_listen_make(em_graph *graph)
    int64_t em_listen_size(const em_graph *graph)


cdef extern from "em_avalanche.h" nogil:
    ctypedef struct em_avalanche_firing:
        double time
        int64_t agent

    ctypedef struct em_avalanche:
        bint keeps
        em_avalanche_firing *kept
        int64_t count
        int64_t room
        int64_t most
        int64_t lost

    em_avalanche *em_avalanche_create(int64_t n)
    void em_avalanche_free(em_avalanche *avalanche)
    int64_t em_avalanche_size(int64_t n)


cdef extern from "em_swarm.h" nogil:
    const uint64_t EM_SWARM_NOBODY

    ctypedef struct em_swarm:
        int64_t n
        int variables
        int channels
        double **state
        double **now
        double *frequency
        void *cells
        bint single
        bint latest
        double *share
        double *extent
        em_sense sense
        em_plastic plastic
        em_past past
        const em_tiles *tiles
        int64_t unit
        size_t panel_room
        em_act_kind act
        double *raw
        double *ready
        double **each
        const em_course *courses
        em_act_function function
        const double *given
        em_energy energy
        bint noisy
        uint64_t key
        em_step_kind step
        double dt
        double origin
        int64_t tick
        uint64_t drawn
        double *work
        em_adapt adapt
        em_word turned
        em_word fault
        double *displacement
        em_avalanche *avalanche
        uint8_t *failed
        int64_t living

    ctypedef struct em_table_pair:
        pass

    ctypedef struct em_scratch:
        double *field
        em_table_pair *panel
        int64_t drains
        int64_t waited

    em_inbox *em_swarm_inbox(em_swarm *swarm)
    em_inbox *em_swarm_offer_inbox(em_swarm *swarm, em_inbox *inbox)
    void em_swarm_init(em_swarm *swarm)
    void em_swarm_fill(em_swarm *swarm, int64_t block, const double *phase, const double *frequency)
    double em_swarm_phase(const em_swarm *swarm, const em_inbox *inbox, int64_t i)
    void em_swarm_read_phase(em_swarm *swarm, double *phase)
    bint em_swarm_read_displacement(em_swarm *swarm, double *turned)
    bint em_swarm_read_apart(em_swarm *swarm, double *phase, uint64_t *waiting)
    void em_swarm_write_phase(em_swarm *swarm, const double *phase)
    void em_swarm_order(int64_t n, const double *phase, const uint8_t *failed, em_scratch *scratch, double *order)
    bint em_swarm_wants_wide(const em_swarm *swarm, const em_graph *graph)
    void *em_swarm_wide(em_swarm *swarm)
    void em_swarm_offer_wide(em_swarm *swarm, void *cells)
    em_sums *em_swarm_offered(em_swarm *swarm)
    void em_swarm_offer_sums(em_swarm *swarm, em_sums *sums)
    void em_swarm_cut(em_swarm *swarm)
    void em_swarm_enter(em_swarm *swarm, const em_graph *graph)
    void em_swarm_sum_up(em_swarm *swarm)
    void em_swarm_tune(em_swarm *swarm, double time)
    void em_swarm_turn_over(em_swarm *swarm)
    double em_swarm_spread(const em_swarm *swarm)
    double em_swarm_coherence(const em_swarm *swarm)


cdef extern from "em_stride.h" nogil:
    bint em_stride_publishes(int stage)


cdef extern from "em_round.h" nogil:
    const int EM_ROUND_LAND

    int em_round_begin(em_swarm *swarm)
    int em_round_next(em_swarm *swarm, int part)
    void em_round_mend(em_swarm *swarm)


cdef extern from "em_gossip.h" nogil:
    void em_gossip_sum(em_swarm *swarm)


cdef extern from "em_check.h" nogil:
    const int EM_CHECK_PHASE
    const int EM_CHECK_FREQUENCY
    const int EM_CHECK_PHASOR
    const int EM_CHECK_SUM
    const int EM_CHECK_GRAPH
    const int EM_CHECK_LIVING
    const int EM_CHECK_VELOCITY
    const int EM_CHECK_ENERGY
    const int EM_CHECK_WEIGHT

    int em_check_state(const em_swarm *swarm)
    int em_check_phasors(em_swarm *swarm, em_scratch *scratch)
    int em_check_graph(const em_graph *graph)


cdef extern from "em_isa.h" nogil:
    ctypedef struct em_isa:
        const char *name
        void (*publish)(em_swarm *swarm, int64_t block, bint stale, em_scratch *scratch) noexcept nogil
        void (*look)(em_swarm *swarm, int64_t block, em_scratch *scratch) noexcept nogil
        void (*stage)(em_swarm *swarm, int stage, int64_t block, em_scratch *scratch) noexcept nogil
        void (*stride)(em_swarm *swarm, int stage, int64_t block, em_scratch *scratch) noexcept nogil
        void (*round)(em_swarm *swarm, int part, int64_t unit, em_scratch *scratch) noexcept nogil
        void (*field)(em_swarm *swarm, int64_t block, em_scratch *scratch, double *re, double *im) noexcept nogil
        void (*gossip)(em_swarm *swarm, int64_t block, em_scratch *scratch) noexcept nogil
        void (*ordered)(em_swarm *swarm, const int64_t *order, em_scratch *scratch) noexcept nogil

    int em_isa_list(const em_isa **isas)


cdef extern from "em_trial.h" nogil:
    ctypedef enum em_trial_way:
        EM_TRIAL_MUTEX
        EM_TRIAL_ATOMIC
        EM_TRIAL_CHANNEL
        EM_TRIAL_RCU
        EM_TRIAL_INBOX
        EM_TRIAL_RING

    em_status em_trial_run(em_trial_way way, int threads, int64_t rounds, double *nanoseconds)
