"""The command line: `emerge run` lets a swarm find its step, `info` tells what a file holds, `bench` measures.

Here are the options and what is printed when; what is made of them is in `job`, what is told in `report`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any, get_args

import click
import numpy as np
import numpy.typing as npt
from rich.console import Console

from . import bench as measure
from . import job, plot, report
from . import speed as ticks
from .about import about
from .errors import EmergeError, InvalidValue, MissingExtra
from .method import METHODS
from .model import Normalize
from .result import History, RunResult
from .topology import Topology
from .until import Coherent

__all__ = ["commands"]

BAD_INPUT = 2


class Commands(click.Group):
    """The group of commands; what goes wrong in one becomes a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # whoever read our output has left; click ends quietly
        except (EmergeError, OSError, MemoryError) as error:
            click.echo(f"emerge: {_sentence(error)}", err=True)
            ctx.exit(BAD_INPUT)
        except KeyboardInterrupt:
            click.echo("emerge: interrupted", err=True)
            ctx.exit(report.INTERRUPTED)


def _sentence(error: BaseException) -> str:
    """Put an error in one line."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{os.fspath(error.filename)}: {error.strerror}"
    return " ".join(str(error).split()) or "there is not enough memory"


def _read(read: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Let an option be read by a function of ours; what that refuses is a usage error."""

    def callback(_: click.Context, __: click.Parameter, text: str | None) -> Any:
        try:
            return None if text is None else read(text)
        except EmergeError as error:
            raise click.BadParameter(str(error)) from None

    return callback


def _agents(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(side) for side in text.lower().split("x"))
    except ValueError:
        raise InvalidValue(f"agents must be a whole number, or sides such as 300x400, not {text!r}") from None


def _goal(text: str) -> str:
    job.goal(text)
    return text


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print what this build is."""
    if wanted and not ctx.resilient_parsing:
        click.echo(f"emerge {about().version}")
        click.echo("\n".join(str(about()).splitlines()[1:]))
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version,
    help="Show version, compiler, OpenMP and workers.",
)  # fmt: skip
def commands() -> None:
    """Simulate swarms of coupled phase oscillators: who falls into step, and when.

    \b
    Try it:
      emerge run                        100 000 agents on a small world
      emerge run grid.m                 a power grid, to its synchronous state
      emerge info web.txt               what a graph file holds
      emerge bench concurrency          what updates and ticks cost on this machine

    Each command has a page of its own, such as: emerge run --help
    """  # noqa: D301 - click wants the sign itself


AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")

RUN_OPTIONS = (
    click.option("--agents", metavar="N", callback=_read(_agents), help="""Number of agents of a generated graph
        [100000]. Grid and torus are made as square as that number allows; or give sides, as 300x400."""),
    click.option("--topology", metavar="NAME", type=click.Choice(job.TOPOLOGIES),
        help=f"Generated graph: {', '.join(job.TOPOLOGIES)} [small-world]."),
    click.option("--degree", type=float, help="""Mean number of neighbours; ring, small-world and scale-free
        want an even one [10; ring: 2]."""),
    click.option("--rewire", type=float, help="Share of a small world's edges that lead anywhere [0.2]."),
    click.option("--coupling", type=float, help="""Coupling K in rad per unit of time [2; 1 for a file with
        frequencies]."""),
    click.option("--lag", type=float, default=0.0, help="Phase lag in rad [0]."),
    click.option("--noise", type=float, default=0.0, help="Intensity D of white noise in rad² per unit of time [0]."),
    click.option("--frequency", metavar="SPEC", callback=_read(job.Frequencies.parse), help="""Natural
        frequencies: normal:MEAN,SPREAD, uniform:LOW,HIGH, lorentz:CENTRE,WIDTH or one number for all
        [those of the file, else normal:0,0.1]."""),
    click.option("--normalize", type=click.Choice(get_args(Normalize)), default="weight", help="""What the sum
        over neighbours is divided by: an agent's weight (its degree), the number of agents, or nothing
        [weight]."""),
    click.option("--method", type=click.Choice(METHODS), default="euler", help="""How rates become phases; noise
        wants euler or heun [euler]."""),
    click.option("--dt", type=float, help="""Length of a tick in units of time [0.01; for a file with
        frequencies as long as is stable, 0.95 at coupling 1]."""),
    click.option("--duration", type=float, help="""Longest time to simulate, in units of time [200; for a
        file with frequencies 2 million ticks]."""),
    click.option("--until", metavar="GOAL", callback=_read(_goal), help="""When to end: a coherence in
        (0, 1]; locked or locked:TOLERANCE, when all turn equally fast; or never, after the duration
        [0.95; locked:1e-7 for a file with frequencies]."""),
    click.option("--timeout", type=float, metavar="SECONDS", help="Longest time to wait, on the clock on the wall."),
    click.option("--seed", type=int, default=1, help="Seed of all that is drawn; a seed gives one result [1]."),
    click.option("--threads", type=int, help="Workers [as many as the work is worth]."),
)  # fmt: skip


def _with_run_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(RUN_OPTIONS):
        command = option(command)
    return command


@commands.command(short_help="Run a swarm until it is in step; keep result and picture.")
@click.argument("graph", required=False, metavar="[GRAPH]")
@_with_run_options
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("emerge-run"), metavar="DIR",
    help="Directory for result.npz and run.png; made if it is not there, files in it replaced [emerge-run].",
)  # fmt: skip
@AS_JSON
@click.pass_context
def run(ctx: click.Context, /, out: Path, as_json: bool, **options: Any) -> None:
    """Run a swarm until it is in step, show what happened, and keep result and picture.

    GRAPH is a file: an edge list (.txt .tsv .csv), .mtx, .npz, .graphml, .gml, or a MATPOWER case (.m).
    Without it a graph is generated. A file that brings frequencies, a power grid, starts with phases within a
    quarter turn of 0 and runs until it is locked.

    \b
    Examples:
      emerge run
      emerge run --topology complete --agents 1000 --coupling 1 --normalize agents
      emerge run --topology torus --agents 300x400 --until never --duration 50
      emerge run web.txt --coupling 3 --frequency lorentz:0,0.5 --until 0.8
      emerge run grid.m --out grid

    \b
    Exit codes:
      0    target reached, or the duration over with --until never
      2    bad input
      3    target not reached in the duration or timeout given
      130  interrupted by Ctrl-C; what was reached is kept
    """  # noqa: D301 - click wants the sign itself
    work = job.prepare(job.Options(**options))
    out.mkdir(parents=True, exist_ok=True)
    before, coherence = work.swarm.phase, work.swarm.coherence
    begun = perf_counter()
    result = _result(work, bar=not as_json and Console(stderr=True).is_terminal)
    seconds = perf_counter() - begun
    after = work.swarm.phase
    facts = report.about_run(work, result, coherence, after, seconds)
    facts["files"]["result"] = str(out / "result.npz")
    report.keep(out / "result.npz", work, result, before, after, facts)
    try:
        _draw(out / "run.png", work, result, before, after)
        facts["files"]["picture"] = str(out / "run.png")
    except MissingExtra as error:
        facts["notes"].append(str(error))
    _show(facts, report.run_table, as_json)
    ctx.exit(facts["exit_code"])


def _result(work: job.Job, *, bar: bool) -> RunResult:
    """Run, and return how it ended, also when it was interrupted."""
    swarm = work.swarm
    try:
        return swarm.run(
            work.duration,
            dt=work.dt,
            method=work.method,
            until=work.target,
            timeout=work.timeout,
            record="coherence",
            progress=bar,
        )
    except KeyboardInterrupt:
        if swarm.result is not None:
            return swarm.result
        time, coherence = swarm.time, swarm.coherence  # the bar was there, the first tick was not
        history = History(np.array([time]), np.array([coherence]))
        return RunResult("interrupted", time, 0, coherence, 0.0, history)


def _draw(
    path: Path,
    work: job.Job,
    result: RunResult,
    before: npt.NDArray[np.float64],
    after: npt.NDArray[np.float64],
) -> None:
    """Draw the picture of a run."""
    target = work.target.level if isinstance(work.target, Coherent) else None
    name, n = Path(work.graph).name, len(before)
    title = f"{name[:60]}: {n:,} agent{'' if n == 1 else 's'}, coupling {work.coupling:g}"
    plot.save(plot.picture(result, before, after, title=title, target=target), path)


@commands.command(short_help="Tell what a graph file holds.")
@click.argument("graph")
@AS_JSON
def info(graph: str, as_json: bool) -> None:
    """Tell what a graph file holds: agents, edges, degrees, components, and what was left out.

    \b
    Examples:
      emerge info web.txt
      emerge info grid.m --json
    """  # noqa: D301 - click wants the sign itself
    _show(report.about_graph(graph, Topology.read(graph)), report.graph_table, as_json)


@commands.group()
def bench() -> None:
    """Measure on this machine.

    \b
    Examples:
      emerge bench speed
      emerge bench concurrency
    """  # noqa: D301 - click wants the sign itself


QUICK = click.option("--quick", is_flag=True, help="Try everything once, in small; the figures mean nothing.")


@bench.command(short_help="Tell what updates and ticks cost.")
@QUICK
@AS_JSON
def concurrency(quick: bool, as_json: bool) -> None:
    """Tell what one update costs under a mutex, an atomic word, a channel and read-copy update, and what a tick takes.

    Updates: alone and contended by all cores, from C and from Python. Ticks: of 10 to a million agents, with 1 to
    16 workers; the number that the engine picks by itself is marked. It takes about a minute; let the machine do
    nothing else meanwhile.

    \b
    Examples:
      emerge bench concurrency
      emerge bench concurrency --json
    """  # noqa: D301 - click wants the sign itself
    found = measure.concurrency(quick=quick)
    _show(report.about_concurrency(found), report.concurrency_tables, as_json)


@bench.command(short_help="Tell how fast a tick is.")
@QUICK
@AS_JSON
def speed(quick: bool, as_json: bool) -> None:
    """Tell how many nanoseconds a tick takes for each agent, by graph and size, and how much memory.

    Graphs: random, small world, scale-free, ring lattice and complete, of a thousand to a million agents; by one
    worker and by as many as the engine picks. Each is held against the equation before it is timed. It takes about a
    minute; let the machine do nothing else meanwhile.

    \b
    Examples:
      emerge bench speed
      emerge bench speed --json
    """  # noqa: D301 - click wants the sign itself
    _show(report.about_speed(ticks.speed(quick=quick)), report.speed_tables, as_json)


def _show(facts: report.Facts, table: Callable[[report.Facts], Any], as_json: bool) -> None:
    """Print facts as JSON or as a table, which is as wide as it needs to be where nobody looks at it."""
    if as_json:
        click.echo(json.dumps(facts, allow_nan=False))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=500)
    console.print(table(facts))
