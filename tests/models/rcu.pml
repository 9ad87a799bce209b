/* em_rcu.h: one user and two publishers, who free what is not in use; addresses are few, so they come again.
 *
 * Each step is one atomic access, of one order for all, as seq_cst makes it. Freeing what the user reads, or
 * entering what was freed, is an assertion that fails.
 *
 * WRONG=1: the user does not verify.
 * WRONG=2: it verifies before others see what it announced: acquire and release, where seq_cst is needed.
 * WRONG=3: `used` is looked at before `current`.
 * WRONG=4: a publisher looks at `used` only.
 * WRONG=5: the user leaves before it has read.
 */
#define OBJECTS    4
#define PUBLISHERS 2
#define PUBLISHES  2
#define ENTRIES    2
#define NONE       0

byte current = 1, used = NONE;
bool alive[OBJECTS + 1];
byte reading = NONE; /* no part of the machine: what the user may be reading now */

inline allocate()
{
    atomic {
        if
        :: !alive[1] -> next = 1
        :: !alive[2] -> next = 2
        :: !alive[3] -> next = 3
        :: !alive[4] -> next = 4
        :: else
        fi;
        alive[next] = (next != NONE)
    }
}

inline sweep()
{
    for (k : 1 .. OBJECTS) {
        if
        :: list[k] ->
#if WRONG == 3
           u = used;
           c = current;
#elif WRONG == 4
           u = used;
           c = NONE;
#else
           c = current;
           u = used;
#endif
           if
           :: c != k && u != k -> atomic { assert(reading != k); alive[k] = false; list[k] = false }
           :: else
           fi
        :: else
        fi
    }
    atomic { k = 0; c = 0; u = 0 }
}

proctype publisher(byte rank)
{
    byte published, next, k, c, u;
    bool list[OBJECTS + 1];
    list[1] = (rank == 0); /* the first object */
    do
    :: published == PUBLISHES -> break
    :: else ->
       allocate();
       if
       :: next != NONE -> current = next; atomic { list[next] = true; next = NONE; published++ }
       :: else
       fi;
       sweep()
    od
}

proctype user()
{
    byte entry, pointer, verified;
    for (entry : 1 .. ENTRIES) {
        pointer = current;
        do
        ::
#if WRONG == 2
           verified = current;
           used = pointer;
#elif WRONG == 1
           used = pointer;
           verified = pointer;
#else
           used = pointer;
           verified = current;
#endif
           if
           :: verified == pointer -> break
           :: else -> pointer = verified
           fi
        od;
#if WRONG == 5
        used = NONE;
#endif
        atomic { assert(alive[verified]); reading = verified; pointer = NONE; verified = NONE }
        reading = NONE;
        if
        :: used = NONE
        :: skip /* it need not leave before it enters again */
        fi
    }
    used = NONE
}

init
{
    atomic { alive[1] = true; run user(); run publisher(0); run publisher(1) }
}
