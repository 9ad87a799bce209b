/* em_steal.h: three workers, two stages; in the first each fills its own queue, then the last arriver fills all.
 *
 * Each step is one atomic access, of one order for all; the join is one step to arrive and one to open.
 *
 * WRONG=1: a thief stores what it leaves, without comparing.
 * WRONG=2: the owner stores what it leaves, without comparing.
 * WRONG=3: the last arriver opens before it fills.
 * WRONG=4: a worker leaves without looking at its own queue again after a theft.
 */
#define WORKERS 3
#define STAGES  2

/* The deal: queue q holds blocks FIRST(q) .. FIRST(q + 1) - 1, one of the queues none. */
#define BLOCKS   4
#define FIRST(q) ((q) == 0 -> 0 : ((q) == WORKERS -> BLOCKS : 3))

byte begin[WORKERS], end[WORKERS];
byte done[BLOCKS];
byte arrived, opened;

inline fill(queue)
{
    d_step {
        assert(begin[queue] == end[queue]);
        begin[queue] = FIRST(queue);
        end[queue] = FIRST(queue + 1)
    }
}

inline fill_all()
{
    fill(0); fill(1); fill(2)
}

inline work()
{
    d_step { done[block]++; assert(done[block] == 1); block = 0; b = 0; e = 0; middle = 0; victim = 0; k = 0 }
}

inline join()
{
    atomic { arrived++; last = (arrived == WORKERS) }
    if
    :: last ->
       d_step {
           for (k : 0 .. BLOCKS - 1) {
               assert(done[k] == 1);
               done[k] = 0
           }
           k = 0;
           arrived = 0
       }
#if WRONG == 3
       opened++;
#endif
       if
       :: stage + 1 < STAGES -> fill_all()
       :: else
       fi;
#if WRONG != 3
       opened++
#endif
    :: else -> opened > stage
    fi
}

proctype worker(byte me)
{
    byte stage, b, e, middle, block, victim, k;
    bool last;
    fill(me);
own:
    atomic { b = begin[me]; e = end[me] }
again:
    if
    :: b == e
    :: else ->
       atomic {
           if
#if WRONG == 2
           :: begin[me] = b + 1; end[me] = e
#else
           :: begin[me] == b && end[me] == e -> begin[me] = b + 1
           :: else -> b = begin[me]; e = end[me]; goto again
#endif
           fi
       }
       block = b;
       work();
       goto own
    fi;
    if
    :: victim = 0
    :: victim = 1
    :: victim = 2
    fi;
    k = 0;
    do
    :: k == WORKERS -> break
    :: else ->
       atomic { b = begin[victim]; e = end[victim] }
half:
       if
       :: b == e
       :: else ->
          middle = b + (e - b) / 2;
          atomic {
              if
#if WRONG == 1
              :: begin[victim] = b; end[victim] = middle
#else
              :: begin[victim] == b && end[victim] == e -> end[victim] = middle
              :: else -> b = begin[victim]; e = end[victim]; goto half
#endif
              fi
          }
          block = middle;
          d_step { assert(begin[me] == end[me]); begin[me] = middle + 1; end[me] = e }
          work();
#if WRONG == 4
          break
#else
          goto own
#endif
       fi;
       victim = (victim + 1) % WORKERS;
       k++
    od;
    atomic { b = 0; e = 0; victim = 0; k = 0 }
    join();
    last = false;
    stage++;
    if
    :: stage < STAGES -> goto own
    :: else
    fi
}

init
{
    atomic { run worker(0); run worker(1); run worker(2) }
}
