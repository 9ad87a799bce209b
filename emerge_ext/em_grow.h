/* em_grow.h: scale-free graphs, grown by preferential attachment.
 *
 * Edges come in bundles of m: bundle 0 is a star of agents 1 .. m around agent 0, bundle b > 0 comes with agent m + b,
 * who is joined with m targets. Each is an end of an earlier edge, uniformly drawn, so an agent is met in proportion to
 * its degree (Batagelj, Brandes 2005, doi:10.1103/PhysRevE.71.036113): half of all ends are agents that came with a
 * bundle, known at once; the other half are targets themselves. Targets that an agent has already are drawn again.
 *
 * Which end is drawn is a pure function of edge and attempt, so the outcome is that of attaching one agent after another
 * in whatever order it is found (as Sanders, Schulz 2016, doi:10.1016/j.ipl.2016.02.004, but that targets are kept, not
 * computed anew each time they are drawn: to be distinct they need each other):
 *
 *     clear     chunks of edges: no target is known but the star's
 *     attach    pieces of bundles, as often as some are left: each agent gets its targets
 *
 * Workers read each other's targets amid a pass. One that is not known yet is found on the spot, by whoever needs it: were
 * it left, all that hang on it would be, and those that hang on them. Chains are short, as each leads to an edge drawn from
 * all earlier ones; beyond EM_GROW_DEPTH an agent is left to the next pass.
 *
 * Invariant: a target never changes once it is known. Several workers may find it, and all find the same, since it is a
 * function of targets that are known. What it hangs on belongs to earlier bundles, so the first that is left gets further
 * in each pass, whoever does what.
 */
#ifndef EM_GROW_H
#define EM_GROW_H

#include "em_build.h"
#include "em_random.h"

#define EM_GROW_PIECE 4096 /* edges of a piece, about */
#define EM_GROW_DEPTH 32   /* of a chain of targets that are found on the spot: some kilobytes of a stack */

typedef struct {
    uint64_t key;
    int64_t bundles;
    int64_t m;
    int32_t *target; /* [bundles][m], -1 where it is not known */
    em_word left;    /* bundles that the last pass has left */
} em_grow;

static inline void em_grow_init(em_grow *grow, uint64_t key, int64_t n, int64_t m)
{
    *grow = (em_grow){.key = key, .bundles = n - m, .m = m};
}

static inline int32_t em_grow_load(const int32_t *target)
{
    return atomic_load_explicit((const _Atomic int32_t *)target, memory_order_relaxed);
}

static inline void em_grow_store(int32_t *target, int32_t agent)
{
    atomic_store_explicit((_Atomic int32_t *)target, agent, memory_order_relaxed);
}

/* The agent that edge `slot` of a bundle came with. */
static inline int32_t em_grow_agent(const em_grow *grow, int64_t bundle, int64_t slot)
{
    return (int32_t)(bundle == 0 ? slot + 1 : grow->m + bundle);
}

/* A source, once all targets are known. */
static inline void em_grow_edges(const em_build *build, int64_t first, int size, int32_t *one, int32_t *other)
{
    const em_grow *grow = build->given;
    int64_t bundle = first / grow->m, slot = first % grow->m;
    for (int k = 0; k < size; k++) {
        one[k] = em_grow_agent(grow, bundle, slot);
        other[k] = grow->target[first + k];
        if (++slot == grow->m) slot = 0, bundle++;
    }
}

static inline void em_grow_clear(em_build *build, int64_t chunk)
{
    em_grow *grow = build->given;
    int64_t first = chunk * EM_BUILD_CHUNK, end = first + EM_BUILD_CHUNK;
    for (int64_t k = first; k < (end < build->edges ? end : build->edges); k++)
        grow->target[k] = k < grow->m ? 0 : -1;
}

static inline int64_t em_grow_bundles(const em_grow *grow)
{
    return grow->m < EM_GROW_PIECE ? EM_GROW_PIECE / grow->m : 1;
}

static inline int64_t em_grow_pieces(const em_grow *grow)
{
    return (grow->bundles + em_grow_bundles(grow) - 1) / em_grow_bundles(grow);
}

/* An end of an earlier edge: an agent that came with it, or else, if that is -1, the target of that place. */
typedef struct {
    int64_t place;
    int32_t known;
} em_grow_end;

/* Draws an end of the edges before a bundle; without a place if the numbers were not fair: see em_random_below. */
static inline em_grow_end em_grow_draw(const em_grow *grow, int64_t bundle, int64_t slot, uint32_t attempt)
{
    uint64_t one, other;
    uint32_t b, part;
    em_random_draw(grow->key, (uint64_t)(bundle * grow->m + slot), attempt, EM_RANDOM_ATTACH, &one, &other);
    bool fair = em_random_below(one, (uint32_t)bundle, &b);
    fair &= em_random_below(other, 2 * (uint32_t)grow->m, &part);
    if (!fair) return (em_grow_end){.place = -1, .known = 0};
    return (em_grow_end){
        .place = b * grow->m + part / 2,
        .known = part % 2 == 0 ? em_grow_agent(grow, b, part / 2) : -1,
    };
}

static inline bool em_grow_has(const int32_t *target, int64_t size, int32_t agent)
{
    bool has = false;
    for (int64_t k = 0; k < size && !has; k++) has = em_grow_load(&target[k]) == agent;
    return has;
}

static inline int32_t em_grow_find(em_grow *grow, int64_t place, int depth);

/* Settles a target of a bundle, all before it being known; `end` is its first draw. False if a chain is too long. */
static inline bool em_grow_settle(em_grow *grow, int64_t bundle, int64_t slot, em_grow_end end, int depth)
{
    int32_t *own = grow->target + bundle * grow->m;
    for (uint32_t attempt = 1;; attempt++) {
        if (end.place >= 0) {
            int32_t agent = end.known >= 0 ? end.known : em_grow_find(grow, end.place, depth);
            if (agent < 0) return false;
            if (!em_grow_has(own, slot, agent)) {
                em_grow_store(&own[slot], agent);
                return true;
            }
        }
        end = em_grow_draw(grow, bundle, slot, attempt);
    }
}

/* The target of a place, or -1 if the chain it ends is too long. */
static inline int32_t em_grow_find(em_grow *grow, int64_t place, int depth)
{
    const int32_t known = em_grow_load(&grow->target[place]);
    if (known >= 0 || depth == 0) return known;
    const int64_t bundle = place / grow->m;
    for (int64_t k = bundle * grow->m; k <= place; k++) {
        const int64_t slot = k - bundle * grow->m;
        if (em_grow_load(&grow->target[k]) < 0 &&
            !em_grow_settle(grow, bundle, slot, em_grow_draw(grow, bundle, slot, 0), depth - 1))
            return -1;
    }
    return em_grow_load(&grow->target[place]);
}

/* Gives the agent of a bundle its targets. All are drawn before any is looked at, since they are far apart. */
static inline bool em_grow_attach_one(em_grow *grow, int64_t bundle)
{
    const int32_t *own = grow->target + bundle * grow->m;
    em_grow_end end[EM_BUILD_BATCH];
    for (int64_t first = 0; first < grow->m; first += EM_BUILD_BATCH) {
        const int size = grow->m - first < EM_BUILD_BATCH ? (int)(grow->m - first) : EM_BUILD_BATCH;
        for (int k = 0; k < size; k++) {
            end[k] = em_grow_draw(grow, bundle, first + k, 0);
            if (end[k].known < 0) EM_BASE_FETCH(&grow->target[end[k].place]);
        }
        for (int k = 0; k < size; k++) /* but those that somebody has settled */
            if (em_grow_load(&own[first + k]) < 0 &&
                !em_grow_settle(grow, bundle, first + k, end[k], EM_GROW_DEPTH))
                return false;
    }
    return true;
}

/* A phase, pieces. */
static inline void em_grow_attach(em_build *build, int64_t piece)
{
    em_grow *grow = build->given;
    int64_t bundle = piece * em_grow_bundles(grow), end = bundle + em_grow_bundles(grow);
    uint64_t left = 0;
    for (; bundle < end && bundle < grow->bundles; bundle++)
        if (em_grow_load(&grow->target[(bundle + 1) * grow->m - 1]) < 0)
            left += !em_grow_attach_one(grow, bundle);
    if (left > 0) em_atomic_add(&grow->left, left, memory_order_relaxed);
}

#endif
