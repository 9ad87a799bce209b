/* em_listen.h: who hears an agent: the rows of a stored graph the other way round.
 *
 * A row lists whom an agent senses; a pulse goes to those who sense the agent that fires. Weights are whole numbers of a
 * unit, a power of two chosen so that the weights of all whom an agent senses add up within 62 bits: sums of them do
 * not depend on the order of their parts. Without weights the unit is 1, and what is heard is counted exactly.
 *
 * Made once for a graph (em_graph.h keeps it), before a swarm of pulses goes on with it, and never changed. Lattices are
 * heard by whom they sense; groups need no list.
 */
#ifndef EM_LISTEN_H
#define EM_LISTEN_H

#include "em_lattice.h"
#include "em_rows.h"

#define EM_LISTEN_BITS 62 /* of a sum of weights, and one for its sign */

/* The unit in which the weights of a graph are told. */
static inline double em_listen_unit(const em_graph *graph)
{
    double most = 0.0;
    int64_t degree = 1;
    int bits = 0, exponent;
    if (graph->weights == NULL) return 1.0;
    for (int64_t e = 0; e < graph->ends; e++) most = fmax(most, fabs(graph->weights[e]));
    for (int64_t i = 0; i < graph->n; i++) degree = graph->degree[i] > degree ? graph->degree[i] : degree;
    while (((int64_t)1 << bits) < degree) bits++;
    frexp(most, &exponent);
    return fmax(ldexp(1.0, exponent - (EM_LISTEN_BITS - bits)), 0x1p-1022);
}

static inline em_listen *em_listen_create(const em_graph *graph)
{
    em_listen *listen = em_base_alloc(sizeof *listen);
    if (listen == NULL) return NULL;
    const size_t n = (size_t)graph->n, ends = (size_t)graph->ends;
    *listen = (em_listen){.unit = em_listen_unit(graph)};
    listen->start = em_base_alloc((n + 1) * sizeof *listen->start);
    listen->share = em_base_alloc(n * sizeof *listen->share);
    listen->agent = em_base_alloc(ends * sizeof *listen->agent);
    if (graph->weights != NULL) listen->amount = em_base_alloc(ends * sizeof *listen->amount);
    if (!listen->start || !listen->share || !listen->agent || (graph->weights && !listen->amount)) {
        em_graph_free_listen(listen);
        return NULL;
    }
    memset(listen->start, 0, (n + 1) * sizeof *listen->start);
    return listen;
}

/* Where the lists of all agents end, and, for each agent, what divides the weights that it senses. */
static inline void em_listen_count(em_listen *listen, const em_graph *graph)
{
    for (int64_t block = 0; block < em_graph_blocks(graph->n); block++) {
        em_rows_walk walk = em_rows_enter(graph, block);
        while (em_rows_next(&walk)) {
            double strength = 0.0;
            for (int64_t e = 0; e < walk.degree; e++) {
                const int64_t at = em_rows_place(&walk, e);
                strength += graph->weights == NULL ? 1.0 : fabs(graph->weights[at]);
                listen->start[graph->indices[at]]++;
            }
            listen->share[walk.agent] = strength > 0.0 ? 1.0 / strength : 1.0;
        }
    }
    for (int64_t i = 0; i < graph->n; i++) listen->start[i + 1] += listen->start[i];
}

/* Enters every agent into the lists of those whom it senses, from their ends: `start` tells their beginnings then. */
static inline void em_listen_fill(em_listen *listen, const em_graph *graph)
{
    for (int64_t block = em_graph_blocks(graph->n) - 1; block >= 0; block--) {
        em_rows_walk walk = em_rows_enter(graph, block);
        while (em_rows_next(&walk))
            for (int64_t e = 0; e < walk.degree; e++) {
                const int64_t at = em_rows_place(&walk, e), to = --listen->start[graph->indices[at]];
                listen->agent[to] = (int32_t)walk.agent;
                if (graph->weights != NULL) listen->amount[to] = llrint(graph->weights[at] / listen->unit);
            }
    }
}

/* Has the lists made, if the graph needs any and has none; false if there is no memory. Not for two threads at once. */
static inline bool em_listen_make(em_graph *graph)
{
    if (graph->kind != EM_GRAPH_STORED || graph->listen != NULL) return true;
    em_listen *listen = em_listen_create(graph);
    if (listen == NULL) return false;
    em_listen_count(listen, graph);
    em_listen_fill(listen, graph);
    graph->listen = listen;
    return true;
}

/* Bytes that the lists of a graph take. */
static inline int64_t em_listen_size(const em_graph *graph)
{
    if (graph->listen == NULL) return 0;
    return (int64_t)sizeof *graph->listen + 8 * (2 * graph->n + 1) +
           graph->ends * (graph->weights == NULL ? 4 : 12);
}

/* 1 / sum of |weights| of an agent of a stored graph or a lattice. */
static inline double em_listen_share(const em_graph *graph, int64_t agent)
{
    if (graph->kind == EM_GRAPH_STORED) return graph->listen->share[agent];
    int32_t shift[EM_LATTICE_SHIFTS];
    const int shifts = em_lattice_shifts(graph, agent, shift);
    return shifts > 0 ? 1.0 / shifts : 1.0;
}

#endif
