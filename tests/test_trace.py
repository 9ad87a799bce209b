"""The id of a trace: in events and log records, across threads and tasks."""

import asyncio
import logging
import subprocess
import sys
import threading

import pytest

import emerge


def swarm():
    return emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), seed=1)


def ids(inbox):
    return {event.trace for event in inbox}


def test_events_and_records_carry_it(caplog):
    one = swarm()
    with caplog.at_level(logging.INFO, "emerge"), one.events.subscribe() as inbox:
        with emerge.trace("mine") as name:
            one.run(1.0)
            one.fail(3)
        assert name == "mine"
    assert ids(inbox) == {"mine"}
    assert [record.trace for record in caplog.records] == ["mine"]
    assert "run ended: duration" in caplog.text


def test_outside_there_is_none():
    one = swarm()
    with one.events.subscribe() as inbox:
        with emerge.trace("before"):
            pass
        one.run(1.0)
    assert ids(inbox) == {None}


def test_the_inner_one_holds():
    one = swarm()
    with one.events.subscribe(emerge.Failed) as inbox, emerge.trace("outer"):
        with emerge.trace("inner"):
            one.fail(1)
        one.fail(2)
    assert [event.trace for event in inbox] == ["inner", "outer"]


def test_it_is_left_after_an_error():
    with pytest.raises(RuntimeError), emerge.trace("mine"):
        raise RuntimeError
    one = swarm()
    with one.events.subscribe(emerge.Failed) as inbox:
        one.fail(1)
    assert ids(inbox) == {None}


def test_threads_do_not_see_each_others():
    one, other = swarm(), swarm()
    inboxes = [each.events.subscribe() for each in (one, other)]
    both = threading.Barrier(2)

    def run(each, name):
        with emerge.trace(name):
            both.wait(20)
            each.run(1.0)

    runners = [threading.Thread(target=run, args=(each, name)) for each, name in ((one, "a"), (other, "b"))]
    for runner in runners:
        runner.start()
    for runner in runners:
        runner.join(timeout=20)
    for inbox in inboxes:
        inbox.close()
    assert [ids(inbox) for inbox in inboxes] == [{"a"}, {"b"}]


def test_tasks_have_their_own_also_in_the_thread_that_runs():
    swarms = [swarm() for _ in range(3)]
    inboxes = [each.events.subscribe() for each in swarms]

    async def run(each, name):
        with emerge.trace(name):
            await each.run_async(1.0)

    async def main():
        await asyncio.gather(*(run(each, str(number)) for number, each in enumerate(swarms)))

    asyncio.run(main())
    for inbox in inboxes:
        inbox.close()
    assert [ids(inbox) for inbox in inboxes] == [{"0"}, {"1"}, {"2"}]


@pytest.mark.parametrize("name", ["", 3, None])
def test_bad_ids(name):
    with pytest.raises(emerge.InvalidType, match="a text that is not empty"), emerge.trace(name):
        pass


def test_the_logger_is_silent_by_default():
    code = (
        "import emerge, logging\nlogging.getLogger('emerge').error('loud')\n"
        "s = emerge.Swarm(emerge.Topology.ring(8), emerge.Kuramoto(coupling=1.0), seed=1)\n"
        "s.on(emerge.Started)(lambda event: 1 / 0)\ns.run(1.0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == done.stderr == ""
