/* em_ring.h: two threads that put, one that takes, and one that closes amid it and takes what is left.
 *
 * Each step is one access, of one order for all. What somebody was told is in comes out once, nothing else does, and
 * what one thread puts comes out in its order. Positions are numbered modulo 8, where C has 2^63, and start where they
 * soon wrap. Whoever has nothing to do sleeps until that changes, so whoever would look in vain for ever ends in a
 * deadlock, which the checker reports.
 *
 * WRONG=1: who puts tells that the entry is there before it is.
 * WRONG=2: who takes gives the cell back before it has read the entry.
 * WRONG=3: who puts takes a position without comparing.
 * WRONG=4: who takes takes a position without comparing.
 * WRONG=5: the swap does not see that the ring was closed meanwhile.
 * WRONG=6: who puts does not ask whether the cell is empty.
 * WRONG=7: the ring has one cell.
 */
#define PRODUCERS 2
#define PUTS      2
#define RING      8
#define FIRST     (RING - 2)
#define CLOSED    RING /* the bit of `put` that is no part of the position */
#if WRONG == 7
#define SIZE 1
#else
#define SIZE 2
#endif

#define CELL(at)        ((at) % SIZE)
#define NEXT(at)        (((at) + 1) % RING)
#define AHEAD(turn, at) (((turn) + RING - (at)) % RING)
#define LOWER(ahead)    ((ahead) >= RING / 2)
#define FULL            (put < CLOSED && LOWER(AHEAD(turn[CELL(put)], put)))
#define READY           (turn[CELL(taken)] == NEXT(taken))

byte put = FIRST, taken = FIRST;
byte turn[SIZE], entry[SIZE];

/* No part of the machine: who is at work, what was told to be in, what came out, what comes next of each. */
byte working;
bool told[PRODUCERS * PUTS];
byte got[PRODUCERS * PUTS], next[PRODUCERS];

proctype producer(byte me)
{
    byte serial, at, ahead;
    at = put;
    do
    :: serial == PUTS || at >= CLOSED -> break
    :: else ->
       ahead = AHEAD(turn[CELL(at)], at);
#if WRONG == 6
       ahead = 0;
#endif
       if
       :: LOWER(ahead) -> !FULL; at = put
       :: ahead > 0 && !LOWER(ahead) -> at = put
       :: ahead == 0 ->
          atomic {
              if
#if WRONG == 3
              :: put = NEXT(at)
#elif WRONG == 5
              :: put % RING == at -> put = put - at + NEXT(at)
#else
              :: put == at -> put = NEXT(at)
#endif
              :: else -> at = put; ahead = 1
              fi
          }
          if
          :: ahead == 0 ->
#if WRONG == 1
             turn[CELL(at)] = NEXT(at);
             entry[CELL(at)] = me * PUTS + serial;
#else
             entry[CELL(at)] = me * PUTS + serial;
             turn[CELL(at)] = NEXT(at);
#endif
             d_step { told[me * PUTS + serial] = true; serial++ }
             at = put
          :: else
          fi
       fi
    od;
    working--
}

/* One entry, or nothing if it is not complete or another was first. */
inline take()
{
    at = taken;
    if
    :: turn[CELL(at)] == NEXT(at) ->
       atomic {
           if
#if WRONG == 4
           :: taken = NEXT(at); in_order()
#else
           :: taken == at -> taken = NEXT(at); in_order()
#endif
           :: else -> at = RING
           fi
       }
       if
       :: at < RING ->
#if WRONG == 2
          turn[CELL(at)] = (at + SIZE) % RING;
          d_step { came = entry[CELL(at)]; out() }
#else
          d_step { came = entry[CELL(at)]; out() }
          turn[CELL(at)] = (at + SIZE) % RING
#endif
       :: else
       fi
    :: else
    fi;
    at = 0
}

inline in_order()
{
    assert(entry[CELL(at)] % PUTS == next[entry[CELL(at)] / PUTS]);
    next[entry[CELL(at)] / PUTS]++
}

inline out()
{
    got[came]++;
    assert(got[came] == 1);
    came = 0
}

proctype taker()
{
    byte at, came;
    do
    :: put >= CLOSED -> break
    :: READY -> take()
    od;
    working--
}

proctype closer()
{
    byte at, came, end, k;
    atomic { end = put; put = put + CLOSED }
    do
    :: taken == end -> break
    :: taken != end && READY -> take()
    od;
    working == 0;
    for (k : 0 .. PRODUCERS * PUTS - 1) {
        assert(got[k] == told[k])
    }
}

init
{
    atomic {
        turn[CELL(FIRST)] = FIRST;
#if WRONG != 7
        turn[CELL(FIRST + 1)] = FIRST + 1;
#endif
        working = PRODUCERS + 1;
        run producer(0); run producer(1); run taker(); run closer()
    }
}
