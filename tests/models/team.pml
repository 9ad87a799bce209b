/* em_team.h: members meet over and over, and all of them would rather sleep.
 *
 * Each step is one atomic access, of one order for all. The number of the phase is kept modulo 2, where C keeps
 * it modulo 2^30, so that it wraps here. The kernel compares and falls asleep in one step. Whoever sleeps and is
 * not woken ends in a deadlock, which the checker reports. Left out: spinning, timeouts, abort.
 *
 * WRONG=1: the last arriver opens before it resets `arrived`.
 * WRONG=2: it looks for sleepers before it opens, and not at what it replaced.
 * WRONG=3: a sleeper does not compare.
 * WRONG=4: the last arriver opens before it works.
 */
#define MEMBERS  3
#define PHASES   4
#define SLEEPERS 1
#define PHASE    2
#define GATES    4

byte arrived, gate, serial;
byte done[MEMBERS];
bool asleep[MEMBERS];

inline work_alone()
{
    for (j : 0 .. MEMBERS - 1) {
        assert(done[j] == phase + 1)
    }
    serial++
}

inline wake()
{
    d_step {
        for (j : 0 .. MEMBERS - 1) {
            asleep[j] = false
        }
        j = 0
    }
}

inline open()
{
#if WRONG != 1
    arrived = 0;
#endif
    seen = gate;
#if WRONG == 2
    atomic { gate = (gate / PHASE + 1) * PHASE % GATES }
#else
    do
    :: atomic { gate == seen -> gate = (seen / PHASE + 1) * PHASE % GATES; break }
    :: atomic { gate != seen -> seen = gate }
    od;
#endif
    if
    :: seen & SLEEPERS -> wake()
    :: else
    fi;
#if WRONG == 1
    arrived = 0;
#endif
}

inline wait()
{
    do
    :: seen = gate;
       if
       :: seen / PHASE != ticket -> break
       :: else
       fi;
       if
       :: !(seen & SLEEPERS) ->
          atomic {
              if
              :: gate == seen -> gate = seen | SLEEPERS; again = false
              :: else -> again = true
              fi
          }
       :: else -> again = false
       fi;
       if
       :: again
       :: else ->
          atomic {
              if
#if WRONG == 3
              :: asleep[me] = true
#else
              :: gate == (seen | SLEEPERS) -> asleep[me] = true
              :: else
#endif
              fi
          }
          !asleep[me]
       fi
    od
}

proctype member(byte me)
{
    byte phase, ticket, seen, j;
    bool last, again;
    do
    :: phase == PHASES -> break
    :: else ->
       done[me]++;
       ticket = gate / PHASE;
       atomic { arrived++; last = (arrived == MEMBERS) }
       if
       :: last ->
#if WRONG == 4
          open(); work_alone()
#else
          work_alone(); open()
#endif
       :: else -> wait()
       fi;
       assert(serial == phase + 1);
       phase++
    od
}

init
{
    byte k;
    atomic {
        for (k : 0 .. MEMBERS - 1) {
            run member(k)
        }
    }
}
