/* em_team.h: threads meet phase after phase; all sleep as soon as they may; some lose patience, somebody aborts.
 *
 * Each step is one atomic access, of one order for all. A phase holds all three threads, two or one; whoever gets no
 * place waits for the phase to open and arrives again. Either somebody aborts, or none, one or two may run out of
 * time at any wait. All who are told of a phase are told the same. Numbers of phases are kept modulo 8, where C
 * keeps them modulo 2^30, and start where they soon wrap. The kernel compares and falls asleep in one step. Whoever
 * sleeps and is not woken ends in a deadlock, which the checker reports. Left out: spinning, weak swaps that fail
 * for no reason.
 *
 * WRONG=1: the last arriver opens before it works.
 * WRONG=2: it opens the gate before it passes `arrived` to the next phase.
 * WRONG=3: it looks for sleepers before it opens, and not at what it replaced.
 * WRONG=4: a sleeper does not compare.
 * WRONG=5: the last arriver opens what is broken.
 * WRONG=6: whoever loses patience breaks without comparing.
 * WRONG=7: the last arriver does not ask whether a later one has opened its phase.
 * WRONG=8: a waiter asks whether the gate is at another phase, not whether it is past.
 * WRONG=9: a waiter looks for a breach before it looks whether its phase has opened.
 */
#define MEMBERS   3
#define PHASES    3
#define IMPATIENT 2
#define SLEEPERS  1
#define BROKEN    2
#define PHASE     4
#define RING      8
#define ARRIVALS  8 /* `arrived` is ARRIVALS * phase + count; the count stops below, where C has 32 bits */
#define FIRST     (RING - 2)
#define NEXT      ((ticket + 1) % RING)
#define LAST      ((FIRST + PHASES) % RING)
#define PAST      ((seen / PHASE + RING - ticket - 1) % RING < RING / 2 - 1)

/* What a member is told; nothing, if it has lost patience. */
#define OPENED 1
#define BREACH 2

byte arrived = FIRST * ARRIVALS, gate = FIRST * PHASE;
bool asleep[MEMBERS];
byte places, impatient; /* threads in a phase; threads that may run out of time */
bool aborts;

/* No part of the machine: meetings to be had, phases worked for, what has been told of phases. */
byte left, serial, first_not_opened, first_broken = PHASES;

inline wake()
{
    d_step {
        for (j : 0 .. MEMBERS - 1) {
            asleep[j] = false
        }
        j = 0
    }
}

inline wake_sleepers()
{
    if
    :: seen & SLEEPERS -> wake(); seen = 0
    :: else -> seen = 0
    fi
}

inline arrive()
{
    ticket = arrived / ARRIVALS;
    number = arrived % ARRIVALS;
    arrived = (number + 1 < ARRIVALS -> arrived + 1 : arrived);
    phase = (ticket + RING - FIRST) % RING;
    assert(number < places || places < MEMBERS)
}

inline work_alone()
{
    d_step { assert(serial == phase); serial++ }
}

/* All are told the same of a phase, and none opens after one that broke. */
inline tell_opened()
{
    d_step {
        status = OPENED;
        assert(phase < first_broken);
        first_not_opened = (phase < first_not_opened -> first_not_opened : phase + 1)
    }
}

inline tell_broken()
{
    d_step {
        status = BREACH;
        assert(phase >= first_not_opened);
        first_broken = (phase < first_broken -> phase : first_broken)
    }
}

inline open()
{
    if
    :: places == MEMBERS -> ticket = gate / PHASE
    :: else
    fi;
#if WRONG != 2
    arrived = NEXT * ARRIVALS;
#endif
    seen = gate;
    do
    :: atomic {
           if
#if WRONG != 7
           :: PAST -> tell_opened(); seen = 0; break
#endif
#if WRONG != 5
           :: !PAST && seen & BROKEN -> tell_broken(); seen = 0; break
#endif
           :: else ->
              if
#if WRONG == 3
              :: gate / BROKEN == seen / BROKEN -> gate = NEXT * PHASE; tell_opened(); break
#else
              :: gate == seen -> gate = NEXT * PHASE; tell_opened(); break
#endif
              :: else -> seen = gate
              fi
           fi
       }
    od;
    wake_sleepers();
#if WRONG == 2
    arrived = NEXT * ARRIVALS
#endif
}

inline look()
{
    seen = gate;
    if
#if WRONG == 8
    :: seen / PHASE != ticket -> tell_opened()
    :: seen / PHASE == ticket && seen & BROKEN -> tell_broken()
#elif WRONG == 9
    :: seen & BROKEN -> tell_broken()
    :: !(seen & BROKEN) && PAST -> tell_opened()
#else
    :: PAST -> tell_opened()
    :: !PAST && seen & BROKEN -> tell_broken()
#endif
    :: else
    fi;
    assert(status != OPENED || serial > phase)
}

inline await()
{
    do
    :: atomic {
           look();
           if
           :: status -> seen = 0; break
           :: !status && me < impatient -> seen = 0; break
           :: !status
           fi
       }
       if
       :: seen & SLEEPERS
       :: else ->
          atomic {
              if
              :: gate == seen -> gate = seen | SLEEPERS; seen = gate
              :: else -> seen = 0
              fi
          }
       fi;
       if
       :: seen ->
          atomic {
              if
#if WRONG == 4
              :: asleep[me] = true
#else
              :: gate == seen -> asleep[me] = true
              :: else
#endif
              fi;
              seen = 0
          }
          atomic { !asleep[me] || me < impatient -> asleep[me] = false }
       :: else
       fi
    od
}

inline break_it()
{
    do
    :: atomic {
           look();
           if
           :: status -> seen = 0; break
           :: else
           fi
       }
       atomic {
           if
#if WRONG == 6
           :: gate = gate | BROKEN; tell_broken(); break
#else
           :: gate == seen -> gate = gate | BROKEN; tell_broken(); break
           :: else
#endif
           fi
       }
    od;
    wake_sleepers()
}

proctype member(byte me)
{
    byte phase, ticket, number, seen, status, j;
    do
    :: atomic { left == 0 -> break }
    :: atomic { left > 0 -> left--; arrive() }
again:
       if
       :: number + 1 == places ->
#if WRONG == 1
          open(); work_alone()
#else
          work_alone(); open()
#endif
       :: else ->
          await();
          if
          :: !status -> break_it()
          :: else
          fi
       fi;
       if
       :: status == BREACH -> break
       :: status == OPENED && number < places -> d_step { status = 0; phase = 0; ticket = 0; number = 0 }
       :: status == OPENED && number >= places -> atomic { status = 0; arrive(); goto again }
       fi
    od
}

proctype aborter()
{
    byte j;
    gate = gate | BROKEN;
    wake()
}

init
{
    byte k;
    atomic {
        if
        :: places = 3
        :: places = 2
        :: places = 1
        fi;
        left = PHASES * places;
        if
        :: run aborter(); aborts = true
        :: select(impatient : 0 .. IMPATIENT)
        fi;
        for (k : 0 .. MEMBERS - 1) {
            run member(k)
        }
        k = 0
    }
    _nr_pr == 1;
    assert(gate & BROKEN || (serial == PHASES && gate == LAST * PHASE && arrived == LAST * ARRIVALS));
    assert(aborts || impatient || !(gate & BROKEN))
}
