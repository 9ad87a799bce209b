"""Pictures of what was measured; they need matplotlib."""

import math

import limit

OWN, LIMIT, OTHERS = "#c2410c", "#15803d", "#94a3b8"
SHOWN = ("random, 1,000", "random, 100,000", "random, 1,000,000", "ring lattice, 1,000,000", "complete, 1,000,000")


def new(count, size, **words):
    """Return a figure with so many axes, one below the other."""
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained", figsize=size)
    return figure, figure.subplots(count, 1, squeeze=False, **words).ravel()


def speeds(lines, about, path):
    """Draw for some cases what each way takes; of one way with several numbers of threads the best."""
    cases = [case for case in SHOWN if any(line["case"] == case for line in lines)] or [lines[0]["case"]]
    found = {case: least([line for line in lines if line["case"] == case]) for case in cases}
    high = [len(best) + 2 for best in found.values()]
    figure, axes = new(len(cases), (9, 0.2 * sum(high) + 0.8), sharex=True, gridspec_kw={"height_ratios": high})
    for axis, (case, best) in zip(axes, found.items(), strict=True):
        names = sorted(best, key=best.get, reverse=True)
        axis.scatter([best[name] for name in names], names, color=[colour(name) for name in names], zorder=2)
        for place, name in enumerate(names):
            axis.annotate(f"   {best[name]:.3g}", (best[name], place), va="center", fontsize=8)
        axis.set_xscale("log")
        axis.margins(x=0.12, y=0.08)
        axis.grid(axis="both", color="#e2e8f0", linewidth=0.8)
        axis.set_title(f"{case} agents", loc="left", fontsize=10)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel(f"ns for each agent and tick, logarithmic\n{about['machine']}", fontsize=8)
    figure.savefig(path, dpi=120)


def least(lines):
    """Return the nanoseconds of each way by its name; the engine by one worker is left out."""
    best = {}
    for line in lines:
        if line["who"] != "alone":
            best[line["name"]] = min(line["ns_per_agent_tick"], best.get(line["name"], math.inf))
    return best


def colour(name):
    return OWN if name.startswith("emerge") else LIMIT if name == limit.BARE else OTHERS


def growth(lines, about, caches, path):
    """Draw time and memory for each agent over the number of agents, with the sizes that caches hold marked."""
    figure, (time, memory) = new(2, (9, 7), sharex=True)
    for precision, style in (("double", "o-"), ("single", "s--")):
        some = [line for line in lines if line["precision"] == precision]
        if some:
            agents = [line["agents"] for line in some]
            colour = OWN if precision == "double" else "#1d4ed8"
            time.plot(agents, [line["ns_per_agent_tick"] for line in some], style, color=colour, label=precision)
            memory.plot(agents, [line["bytes_per_agent"] for line in some], style, color=colour, label=precision)
    for name, agents in caches.items():
        for axis in (time, memory):
            axis.axvline(agents, color=OTHERS, linewidth=0.8, linestyle=":")
        where = ("data", "axes fraction")
        time.annotate(f" phasors fill {name}", (agents, 0.03), xycoords=where, fontsize=8, va="bottom", rotation=90)
    time.set(xscale="log", yscale="log", ylabel="ns for each agent and tick")
    memory.set(xscale="log", ylabel="bytes for each agent", ylim=(0, None), xlabel=f"agents\n{about['machine']}")
    time.set_title("random graph of mean degree 10, as many workers as the engine picks", loc="left", fontsize=10)
    for axis in (time, memory):
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
