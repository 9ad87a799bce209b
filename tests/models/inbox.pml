/* em_inbox.h: two nudgers and the owner of a block of two agents.
 *
 * Each step is one atomic access, of one order for all. Every angle is 1, so that sums tell how many nudges came.
 *
 * WRONG=1: the owner takes the words before it clears the mark.
 * WRONG=2: a nudger marks before it adds.
 * WRONG=3: the owner loads a word and then clears it, in two steps.
 */
#define AGENTS  2
#define NUDGERS 2
#define NUDGES  3
#define DRAINS  3

byte word[AGENTS], phase[AGENTS];
bool mark;
byte begun[AGENTS], ended[AGENTS]; /* nudges: what they prove is checked by the owner */
byte nudgers = NUDGERS;

inline add()
{
    word[agent]++
}

proctype nudger(byte first)
{
    byte k, agent = first;
    for (k : 1 .. NUDGES) {
        begun[agent]++;
#if WRONG == 2
        mark = true;
        add();
#else
        add();
        mark = true;
#endif
        ended[agent]++;
        agent = 1 - agent
    }
    nudgers--
}

inline take()
{
    for (agent : 0 .. AGENTS - 1) {
#if WRONG == 3
        taken = word[agent];
        word[agent] = 0;
#else
        atomic { taken = word[agent]; word[agent] = 0 }
#endif
        phase[agent] = phase[agent] + taken
    }
}

inline drain()
{
    atomic { before[0] = ended[0]; before[1] = ended[1] }
    if
    :: !mark
    :: else ->
#if WRONG == 1
       take(); mark = false
#else
       mark = false; take()
#endif
    fi;
    for (agent : 0 .. AGENTS - 1) { /* nudges that were over are in the phase, none is in it twice */
        assert(before[agent] <= phase[agent] && phase[agent] <= begun[agent])
    }
}

proctype owner()
{
    byte k, agent, taken;
    byte before[AGENTS];
    for (k : 1 .. DRAINS) {
        drain()
    }
    nudgers == 0;
    drain();
    for (agent : 0 .. AGENTS - 1) {
        assert(word[agent] == 0 && phase[agent] == NUDGERS * NUDGES / AGENTS)
    }
}

init
{
    atomic { run owner(); run nudger(0); run nudger(1) }
}
