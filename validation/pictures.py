"""The pictures of the page: theory as lines, what the engine measures as points."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import emerge

from . import delays, fields, networks, noise, pairs, pulses, theory

LINE, POINT, OTHER = "#64748b", "#c2410c", "#1d4ed8"
DOTS: dict[str, Any] = {"marker": "o", "markersize": 5, "linestyle": "none", "zorder": 3}


def panels(rows: int, columns: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(3.7 * columns, 3.1 * rows), layout="constrained")
    return figure, list(np.ravel(figure.subplots(rows, columns)))


def dress(axes: Axes, title: str, x: str, y: str, **more: Any) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    axes.set(xlabel=x, ylabel=y, **more)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e2e8f0", linewidth=0.8)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=8)


def compare(
    axes: Axes,
    theory_of: Callable[[float], float],
    line: npt.ArrayLike,
    measure: Callable[[float], float],
    at: Iterable[float],
    *,
    colour: str = POINT,
    label: str = "measured",
) -> None:
    """Draw a closed form as a line, and what is measured at some places as points."""
    places = np.asarray(line, np.float64)
    some = [float(x) for x in at]
    axes.plot(places, [theory_of(float(x)) for x in places], color=LINE, linewidth=1.5, label="theory")
    axes.plot(some, [measure(x) for x in some], color=colour, label=label, **DOTS)


def draw_pairs(path: Path) -> None:
    figure, (lock, beat, order, swing) = panels(2, 2)
    compare(
        lock, lambda w: float(np.arcsin(w)), np.linspace(0, 1, 201), pairs.locked_gap, [*np.arange(0, 0.95, 0.1), 0.97]
    )
    dress(lock, "A1: two agents lock", "Δω / K", "gap Δθ, rad")
    compare(beat, lambda w: float(np.sqrt(w * w - 1)), np.linspace(1, 3, 400), pairs.beat, [1.02, 1.2, 1.5, 2, 2.5, 3])
    dress(beat, "A2: beyond that they beat", "Δω / K", "beat frequency / K")
    for (method, lengths), colour, slope in zip(
        pairs.LENGTHS.items(), ("#15803d", OTHER, POINT), (1, 2, 4), strict=True
    ):
        errors = [pairs.error_of(method, dt) for dt in lengths]
        order.loglog(lengths, errors, color=colour, label=f"{method}, slope {slope}", **DOTS)
        order.loglog(lengths, errors[-1] * (np.array(lengths) / lengths[-1]) ** slope, color=LINE, linewidth=1.5)
    dress(order, "A3: orders of the integrators", "dt", "error after t = 5, rad")

    def small_swings(power: float) -> float:
        return float(np.sqrt(2 * np.sqrt(1 - power**2) - 0.1**2 / 4))

    compare(
        swing,
        small_swings,
        np.linspace(0, 0.99, 200),
        pairs.swing_frequency,
        [0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95],
    )
    dress(swing, "A9: generator and motor", "P / K", "frequency of swings", ylim=(0, None))
    figure.savefig(path, dpi=110)


def draw_networks(path: Path) -> None:
    figure, (decay, twist, grid, onset) = panels(2, 2)
    value, _ = networks.slowest()
    compare(
        decay,
        lambda t: float(np.exp(-0.5 * value * t)),
        [0, 20],
        lambda t: networks.left(t, "rk4"),
        np.arange(1, 21, 2),
    )
    dress(decay, "A4: slowest mode, karate club", "t", "share that is left", yscale="log")
    draw_twisted(twist)
    reached, solved = networks.grid_gaps(emerge.SecondOrder(coupling=1.0, normalize="none"), method="semi-implicit")
    ends = [float(solved.min()), float(solved.max())]
    grid.plot(ends, ends, color=LINE, linewidth=1.5, label="equal")
    grid.plot(solved, reached, color=POINT, label="edges of a grid, with inertia", **DOTS)
    dress(grid, "A16: swing network at rest", "θᵢ − θⱼ, power flow, rad", "θᵢ − θⱼ, swarm, rad")
    web = networks.random_graph()
    critical, degree = networks.onset(web), web.degree.astype(np.float64)
    compare(
        onset,
        lambda x: theory.by_degree(x * critical, degree),
        np.r_[0.4, 1.0, np.linspace(1.01, 3, 50)],
        lambda x: networks.weighted_coherence(web, x * critical),
        np.arange(0.5, 3.01, 0.25),
    )
    dress(onset, "C1: random graph", "K / Kc", "R by links", ylim=(0, 1.02))
    figure.savefig(path, dpi=110)


def draw_twisted(axes: Axes) -> None:
    line, some = np.linspace(0.25, 0.42, 100), np.arange(0.26, 0.42, 0.02)
    for turns, colour in ((1, POINT), (2, OTHER)):
        growth = [max(theory.twisted(float(share), turns, waves) for waves in range(1, 5)) for share in line]
        seen = [networks.twisted_growth(round(float(share) * networks.RING), turns) for share in some]
        axes.plot(line, growth, color=LINE, linewidth=1.5, label="theory" if turns == 1 else None)
        axes.plot(some, seen, color=colour, label=f"measured, {turns} turn{'s' * (turns > 1)}", **DOTS)
    axes.axvline(0.3405, color=LINE, linewidth=0.8, linestyle=":")
    axes.axhline(0.0, color=LINE, linewidth=0.8, linestyle=":")
    dress(axes, "A15: twisted states of a ring", "share sensed on either side", "growth of the fastest wave")


def draw_noise(path: Path) -> None:
    figure, (random, free, onset) = panels(1, 3)
    n = noise.DRAWN
    r = np.linspace(0, 0.2, 200)
    random.plot(r, 2 * n * r * np.exp(-n * r * r), color=LINE, linewidth=1.5, label="theory (Rayleigh)")
    share, edges = np.histogram(noise.drawn(), bins=25, range=(0, 0.2), density=True)
    random.plot((edges[1:] + edges[:-1]) / 2, share, color=POINT, label="5000 swarms of 400", **DOTS)
    dress(random, "A13: random phases", "R", "density")
    compare(free, lambda t: 0.1 * t, [0, 1], noise.spread, np.arange(0.1, 1.01, 0.1))
    dress(free, "A14: noise alone, D = .05", "t", "variance of θ, rad²")
    compare(
        onset,
        theory.noisy,
        np.linspace(0.4, 3, 300),
        noise.noisy_coherence,
        [0.4, 0.7, 0.9, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3],
    )
    dress(onset, "B5: identical agents, D = .5", "K", "R", ylim=(0, 1.02))
    figure.savefig(path, dpi=110)


def draw_delays(path: Path) -> None:
    figure, (turning, order) = panels(1, 2)
    x = np.linspace(0.0, 20.0, 4000)
    for frequency, axes in ((1.0, turning), (np.pi, order)):
        common = frequency - np.sin(x)
        lag = x / np.where(common > 0.05, common, np.nan)
        for stands, style in ((np.cos(x) > 0, "-"), (np.cos(x) <= 0, ":")):
            axes.plot(
                np.where(stands, lag, np.nan),
                common,
                color=LINE,
                linewidth=1.5,
                linestyle=style,
                label="theory, in step" if style == "-" else "theory, unstable",
            )
        for lag_of in np.arange(0.25, 4.01, 0.25):
            turned, r = delays.late(frequency, 1.0, float(lag_of))
            colour = POINT if r > 0.999 else OTHER
            axes.plot([lag_of], [turned], color=colour, **DOTS)
        axes.plot([], [], color=POINT, label="measured, R = 1", **DOTS)
        axes.plot([], [], color=OTHER, label="measured, R < 1", **DOTS)
        dress(
            axes,
            f"A10: ω₀ = {'1' if frequency == 1 else 'π'}, K = 1",
            "delay τ",
            "frequency Ω",
            xlim=(0, 4.1),
            ylim=(frequency - 1.1, frequency + 2.2),
        )
    figure.savefig(path, dpi=110)


def draw_fields(path: Path) -> None:
    figure, (lorentz, normal, growth, higher, lag, turning, inertia, spare) = panels(2, 4)
    spare.set_axis_off()
    couplings = np.linspace(0.4, 4, 400)
    compare(
        lorentz, theory.lorentzian, couplings, fields.lorentzian_coherence, [0.5, 0.8, 1.1, 1.25, 1.5, 2, 2.5, 3, 4]
    )
    dress(lorentz, "B1: Lorentzian frequencies, γ = .5", "K", "R", ylim=(0, 1.02))
    compare(
        normal, theory.gaussian, couplings, fields.gaussian_coherence, [0.8, 1.3, 1.7, 1.8, 2, 2.25, 2.5, 3, 3.5, 4]
    )
    dress(normal, "B2: normal frequencies, σ = 1", "K", "R", ylim=(0, 1.02))
    time, coherence = fields.growing()
    growth.semilogy(time, 0.01 * np.exp(time), color=LINE, linewidth=1.5, label="theory, rate K/2 − γ")
    growth.semilogy(time[::10], coherence[::10], color=POINT, label="measured", **DOTS)
    dress(growth, "B7: growth while R is small, K = 3", "t", "R", ylim=(0.009, 1))
    compare(
        higher,
        lambda coupling: theory.higher_order(coupling, 8.0),
        np.linspace(-0.5, 2, 300),
        fields.higher_order,
        [-0.4, -0.1, 0.1, 0.25, 0.5, 1, 1.5, 2],
    )
    dress(higher, "B9: triads and tetrads, L = 8", "K", "R", ylim=(0, 1.02))
    draw_lags(lag, turning)
    draw_hysteresis(inertia)
    figure.savefig(path, dpi=110)


def draw_lags(coherence: Axes, turning: Axes) -> None:
    lags = np.linspace(0, 1.3, 300)
    r = np.array([theory.lorentzian(4.0, lag=lag) for lag in lags])
    some = [0, 0.15, 0.3, 0.5, 0.75, 1, 1.2]
    seen = np.array([fields.lagging(lag) for lag in some])
    for axes, line, points in ((coherence, r, seen[:, 0]), (turning, -2 * np.sin(lags) * (1 + r**2), seen[:, 1])):
        axes.plot(lags, line, color=LINE, linewidth=1.5, label="theory")
        axes.plot(some, points, color=POINT, label="measured", **DOTS)
    dress(coherence, "B4: with a lag, K = 4", "lag α, rad", "R", ylim=(0, 1.02))
    dress(turning, "B4: what the mean phase turns at", "lag α, rad", "Ω")


def draw_hysteresis(axes: Axes) -> None:
    up, down = fields.sweep()
    shown = fields.SWEEP <= 8
    line = np.linspace(1, 8, 141)
    for rising, seen, colour, mark in ((True, up, POINT, "^"), (False, down, OTHER, "v")):
        r = np.array([theory.inertial(float(coupling), 2.0, up=rising) for coupling in line])
        axes.plot(
            line[r > 0],
            r[r > 0],
            color=LINE,
            linewidth=1.5,
            linestyle="--" if rising else "-",
            label="theory, up" if rising else "theory, down",
        )
        axes.plot(
            fields.SWEEP[shown],
            np.array(seen)[shown],
            color=colour,
            label="K going up" if rising else "K coming down",
            **DOTS | {"marker": mark},
        )
    dress(axes, "C3: inertia, m = 2", "K", "R", ylim=(0, 1.02))


def draw_pulses(path: Path) -> None:
    figure, axes = panels(1, 2)
    time = np.arange(pulses.PERIODS + 1) * pulses.SPAN
    for place, (one, leak) in enumerate(zip(axes, (1.0, 0.0), strict=True)):
        one.axhline(1.0, color=LINE, linewidth=1.5, label="theory" if leak else None)
        for strength, colour in ((0.003, POINT), (0.001, OTHER)):
            for seed in range(pulses.SEEDS):
                seen = pulses.clusters(strength, seed, leak)
                one.semilogy(time, seen, color=colour, linewidth=0.8, label=None if seed else f"ε = {strength:g}")
        shape = "linear: not always one" if place else "concave, x′ = 2 − x"
        dress(one, f"C9: {shape}", "t", "clusters", ylim=(0.8, 120))
    figure.savefig(path, dpi=110)


PICTURES = {
    "pairs": draw_pairs,
    "networks": draw_networks,
    "noise": draw_noise,
    "fields": draw_fields,
    "pulses": draw_pulses,
    "delays": draw_delays,
}
"""How to draw the picture of each topic."""
