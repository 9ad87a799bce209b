"""The slow truth: the Kuramoto family in plain NumPy, one sine for each edge.

Written from the equation alone, by another algorithm than the engine's (which adds phasors), and with nothing
of emerge in it. Every result of the engine is compared with it somewhere.
"""

from dataclasses import dataclass

import numpy as np


def strengths(n, edges, weights, normalize):
    """What divides the sum of each agent; `edges` are directed, (i, j) meaning that i senses j."""
    if normalize == "none":
        return np.ones(n)
    if normalize == "agents":
        return np.full(n, float(n))
    total = np.bincount(edges[:, 0], np.abs(weights), n)
    return np.where(total > 0, total, 1.0)


def rates(phase, frequency, edges, weights, *, coupling, lag=0.0, normalize="weight"):
    """Rates of change of all phases."""
    i, j = edges[:, 0], edges[:, 1]
    n = len(phase)
    pull = np.bincount(i, weights * np.sin(phase[j] - phase[i] - lag), n)
    return frequency + coupling * pull / strengths(n, edges, weights, normalize)


def euler(phase, frequency, edges, weights, *, ticks, dt, **model):
    """Phases after some ticks of the explicit Euler method, in [0, 2 pi)."""
    for _ in range(ticks):
        phase = np.mod(phase + dt * rates(phase, frequency, edges, weights, **model), 2 * np.pi)
    return phase


def ordered(phase, frequency, edges, weights, *, order, ticks, dt, coupling, lag=0.0, normalize="weight"):
    """Phases when one agent after another takes its Euler step, each seeing all earlier ones."""
    phase = np.array(phase)
    divided = strengths(len(phase), edges, weights, normalize)
    rows = [np.flatnonzero(edges[:, 0] == i) for i in range(len(phase))]
    for _ in range(ticks):
        for i in order:
            pull = np.sum(weights[rows[i]] * np.sin(phase[edges[rows[i], 1]] - phase[i] - lag))
            phase[i] = np.mod(phase[i] + dt * (frequency[i] + coupling * pull / divided[i]), 2 * np.pi)
    return phase


def coherence(phase):
    """R, as the length of the mean of unit vectors."""
    return np.hypot(np.mean(np.cos(phase)), np.mean(np.sin(phase)))


def both_ways(topology):
    """Directed edges and weights of a topology, from what it shows to users."""
    edges = np.asarray(topology.edges)
    weights = np.ones(len(edges)) if topology.weights is None else np.asarray(topology.weights)
    if topology.directed:
        return edges, weights
    return np.concatenate([edges, edges[:, ::-1]]), np.concatenate([weights, weights])


def apart(a, b):
    """Largest difference of two sets of phases, around the circle."""
    return np.max(np.abs((np.asarray(a) - b + np.pi) % (2 * np.pi) - np.pi))


# ---- models and methods, in their own words


@dataclass
class Law:
    """A model on a topology: parameters are numbers, one for each agent, or functions of time."""

    edges: np.ndarray
    weights: np.ndarray
    frequency: np.ndarray
    coupling: object = 0.0
    lag: object = 0.0
    normalize: str = "weight"
    harmonics: tuple = (1.0,)
    inertia: object = None
    damping: object = None
    triadic: object = 0.0
    tetradic: object = 0.0
    triads: tuple | None = None  # rows of three agents, a strength of each, and whether they are symmetric
    strength: object = 0.0
    drive_frequency: float = 0.0
    drive_phase: object = 0.0
    noise: object = 0.0
    energy: tuple | None = None

    def now(self, name, time):
        value = getattr(self, name)
        return value(time) if callable(value) else value

    def rates(self, time, phase, velocity=None, weights=None):
        """Rates of change of phase and, with inertia, velocity; what divides hangs on the weights of the topology."""
        n, weights = len(phase), self.weights if weights is None else weights
        i, j = self.edges[:, 0], self.edges[:, 1]
        gap = phase[j] - phase[i] - np.broadcast_to(self.now("lag", time), n)[i]
        sines = sum(a * np.sin((h + 1) * gap) for h, a in enumerate(self.harmonics))
        pull = np.bincount(i, weights * sines, n) / strengths(n, self.edges, self.weights, self.normalize)
        torque = self.frequency + self.now("coupling", time) * pull
        if self.triads is not None:
            torque = torque + self.triadic * self.by_threes(phase)
        for places, part in ((1, self.triadic), (2, self.tetradic)):
            if np.any(part) and self.triads is None:
                torque = torque + part * self.among(phase, places, weights)
        drive = self.drive_frequency * time + self.now("drive_phase", time)
        torque = torque + self.now("strength", time) * np.sin(drive - phase)
        if velocity is None:
            return [torque]
        return [velocity, (torque - self.now("damping", time) * velocity) / self.now("inertia", time)]

    def among(self, phase, places, weights):
        """What neighbours' triads, or tetrads (2), add up to: means of sin(2 j - k - i), or sin(j + k - l - i)."""
        n, (i, j) = len(phase), self.edges.T
        divided = strengths(n, self.edges, self.weights, self.normalize)
        z, second = (
            (
                np.bincount(i, weights * np.cos(h * phase[j]), n),
                np.bincount(i, weights * np.sin(h * phase[j]), n),
            )
            for h in (1, 2)
        )
        size, angle = np.hypot(*z) / divided, np.arctan2(z[1], z[0])
        if places == 2:
            return size**3 * np.sin(angle - phase)
        return size * np.hypot(*second) / divided * np.sin(np.arctan2(second[1], second[0]) - angle - phase)

    def by_threes(self, phase):
        """What the triads add up to that agents are in, one sine for each end of each."""
        n, (triads, weights, symmetric) = len(phase), self.triads
        pull, total = np.zeros(n), np.zeros(n)
        for i, j, k in (triads.T, np.roll(triads, 1, axis=1).T, np.roll(triads, 2, axis=1).T):
            one = np.sin(phase[j] + phase[k] - 2 * phase[i])
            two = (np.sin(2 * phase[j] - phase[k] - phase[i]) + np.sin(2 * phase[k] - phase[j] - phase[i])) / 2
            np.add.at(pull, i, weights * (one if symmetric else two))
            np.add.at(total, i, np.abs(weights) * np.ones(len(i)))
        divided = {"none": 1.0, "agents": float(n) ** 2, "weight": np.where(total > 0, total, 1.0)}
        return pull / divided[self.normalize]

    def kick(self, time, dt, normal):
        """What noise adds in a tick."""
        size = np.sqrt(2 * self.now("noise", time) * dt) * normal
        return [size] if self.inertia is None else [np.zeros_like(size), size / self.now("inertia", time)]

    def tick(self, method, time, dt, state, normal, held=None):
        """Return the next state, not wrapped, and the next energies."""
        return self.pay(time, dt, state, METHODS[method](self, time, dt, state, self.kick(time, dt, normal)), held)

    def pay(self, time, dt, state, after, held):
        """Shorten the turns that agents cannot pay for; returns the next state and the next energies."""
        if self.energy is None:
            return after, None
        capacity, cost, recovery = self.energy
        natural = self.frequency if self.inertia is None else self.frequency / self.now("damping", time)
        turn = after[0] - state[0] - dt * natural
        purse = held + dt * recovery
        part = np.minimum(1.0, np.divide(purse, cost * abs(turn), out=np.ones_like(purse), where=turn != 0))
        moved = [state[0] + dt * natural + part * turn] + [natural + part * (v - natural) for v in after[1:]]
        return moved, np.minimum(capacity, purse - part * cost * abs(turn))


@dataclass
class Learning(Law):
    """A model whose weights are its last state variable: dk/dt = rate (a cos(theta_j - theta_i + shift) - d k)."""

    adapt: tuple = (0.0, 1.0, 0.0, 1.0)  # rate, a, shift, d
    bounds: tuple = (-np.inf, np.inf)

    def rates(self, time, *state):
        *own, weights = state
        weights = np.clip(weights, *self.bounds)
        rate, strength, shift, decay = self.adapt
        gap = own[0][self.edges[:, 1]] - own[0][self.edges[:, 0]]
        change = rate * (strength * np.cos(gap + shift) - decay * weights)
        return [*super().rates(time, *own, weights=weights), change]

    def kick(self, time, dt, normal):
        return [*super().kick(time, dt, normal), np.zeros(len(self.edges))]

    def tick(self, method, time, dt, state, normal, held=None):
        *after, weights = METHODS[method](self, time, dt, state, self.kick(time, dt, normal))
        moved, purse = self.pay(time, dt, state, after, held)
        return [*moved, np.clip(weights, *self.bounds)], purse


def _add(state, *terms):
    return [s + sum(scale * term[k] for scale, term in terms) for k, s in enumerate(state)]


def _euler(law, t, dt, y, kick):
    return _add(y, (dt, law.rates(t, *y)), (1, kick))


def _heun(law, t, dt, y, kick):
    one = law.rates(t, *y)
    two = law.rates(t + dt, *_add(y, (dt, one), (1, kick)))
    return _add(y, (dt / 2, one), (dt / 2, two), (1, kick))


def _rk4(law, t, dt, y, kick):
    a = law.rates(t, *y)
    b = law.rates(t + dt / 2, *_add(y, (dt / 2, a)))
    c = law.rates(t + dt / 2, *_add(y, (dt / 2, b)))
    d = law.rates(t + dt, *_add(y, (dt, c)))
    return _add(y, (dt / 6, a), (dt / 3, b), (dt / 3, c), (dt / 6, d))


def _semi_implicit(law, t, dt, y, kick):
    velocity = y[1] + dt * law.rates(t, *y)[1] + kick[1]
    return [y[0] + dt * velocity, velocity]


def _verlet(law, t, dt, y, kick):
    half = y[1] + dt / 2 * law.rates(t, *y)[1]
    phase = y[0] + dt * half
    torque = law.inertia * law.rates(t + dt, phase, np.zeros_like(half))[1]
    return [phase, (half + dt / 2 * torque / law.inertia) / (1 + dt / 2 * law.damping / law.inertia)]


def _fine(law, t, dt, y, kick):
    """What an adaptive method approaches: many small steps of a fixed one."""
    for k in range(4):
        y = _rk4(law, t + k * dt / 4, dt / 4, y, kick)
    return y


METHODS = {
    "euler": _euler,
    "heun": _heun,
    "rk4": _rk4,
    "semi-implicit": _semi_implicit,
    "verlet": _verlet,
    "dopri5": _fine,
}
"""By the names of the engine's; each takes law, time, dt, state and kick."""


def philox(counter, key):
    """Philox4x32-10 of Salmon et al. (2011), word by word: four words of 32 bits, two of key."""
    counter, key = [int(word) for word in counter], [int(word) for word in key]
    for _ in range(10):
        one, other = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [
            (other >> 32) ^ counter[1] ^ key[0],
            other & 0xFFFFFFFF,
            (one >> 32) ^ counter[3] ^ key[1],
            one & 0xFFFFFFFF,
        ]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return counter


def normals(key, tick, n, purpose=4):
    """Standard normal variates of n agents in a tick: Box and Muller's, l and l + 8 of sixteen share a draw."""
    out = np.empty(-(-n // 16) * 16)
    for number in range(len(out) // 2):
        words = philox([number, tick & 0xFFFFFFFF, tick >> 32, purpose], [key & 0xFFFFFFFF, key >> 32])
        one, other = words[1] << 32 | words[0], words[3] << 32 | words[2]
        unit, turn = 1.0 - (one >> 12) * 2.0**-52, (other >> 12) * 2.0**-52 - 0.5
        radius, place = np.sqrt(-2 * np.log(unit)), number // 8 * 16 + number % 8
        out[place], out[place + 8] = radius * np.cos(2 * np.pi * turn), radius * np.sin(2 * np.pi * turn)
    return out[:n]


# ---- agents that fire


@dataclass
class Fireflies:
    """Agents that turn until they fire; a pulse turns those who hear it by a curve. Whole avalanches, one by one.

    `drive` and `leak` for what integrates, or else `frequency`, and `curve` with `bend` b.
    """

    edges: np.ndarray  # (i, j): i hears j
    weights: np.ndarray
    strength: object
    frequency: object = None
    drive: object = None
    leak: object = None
    curve: str = "integrate"
    bend: object = 3.0
    normalize: str = "none"

    def rate(self):
        """How fast each turns between pulses, in closed form."""
        if self.frequency is not None:
            return np.asarray(self.frequency)
        with np.errstate(divide="ignore", invalid="ignore"):
            period = np.log(self.drive / (self.drive - np.asarray(self.leak))) / self.leak
        return 2 * np.pi / np.where(np.equal(self.leak, 0), 1 / np.asarray(self.drive), period)

    def jump(self, phase, charge):
        """Phases after a charge, 2 pi or more for who fires."""
        turns = phase / (2 * np.pi)
        if self.curve == "sine":
            after = phase - charge * np.sin(phase)
        elif self.curve == "advance":
            after = phase + 2 * charge * np.sin(phase / 2) ** 2
        elif self.curve == "concave":
            whole = np.exp(self.bend) - 1
            state = np.clip(np.log(1 + whole * turns) / self.bend + charge, 0, 1)
            after = 2 * np.pi * (np.exp(self.bend * state) - 1) / whole
        else:  # as time goes by: the charge after so long, and how long until so much
            period = 2 * np.pi / self.rate()
            state = self.charge(turns * period) + charge
            after = np.where(state >= 1, 2 * np.pi, self.time(np.clip(state, 0, 1)) / period * 2 * np.pi)
        return np.where(charge == 0, phase, np.maximum(after, 0))

    def charge(self, time):
        leak = np.where(np.equal(self.leak, 0), 1.0, self.leak)
        return np.where(np.equal(self.leak, 0), self.drive * time, self.drive / leak * (1 - np.exp(-leak * time)))

    def time(self, state):
        leak = np.where(np.equal(self.leak, 0), 1.0, self.leak)
        whole = np.maximum(1 - leak * state / self.drive, 1e-300)
        return np.where(np.equal(self.leak, 0), state / self.drive, -np.log(whole) / leak)

    def run(self, phase, span, failed=()):
        """Phases after a span of time, and all firings, as (time, agent)."""
        phase, rate, n, now, told = (
            np.array(phase),
            np.array(np.broadcast_to(self.rate(), len(phase))),
            len(phase),
            0.0,
            [],
        )
        alive = np.ones(n, bool)
        alive[list(failed)] = False
        rate[~alive] = 0.0
        divided = strengths(n, self.edges, self.weights, self.normalize)
        order = np.argsort(self.edges[:, 1], kind="stable")
        place = np.searchsorted(self.edges[order, 1], np.arange(n + 1))
        while True:
            due = np.full(n, np.inf)
            np.divide(2 * np.pi - phase, rate, out=due, where=rate > 0)
            wait = due.min()
            if not now + wait <= span * (1 + 1e-14):
                return np.mod(phase + rate * (span - now), 2 * np.pi), told
            now, phase = now + wait, phase + rate * wait
            phase = np.where(phase < 0, np.mod(phase, 2 * np.pi), phase)
            firing, fired = due <= wait + 1e-11, np.zeros(n, bool)
            while firing.any():
                fired |= firing
                told += [(now, int(agent)) for agent in np.flatnonzero(firing)]
                heard = np.concatenate([order[place[i] : place[i + 1]] for i in np.flatnonzero(firing)])
                weight = np.bincount(self.edges[heard, 0], self.weights[heard], n)
                after = self.jump(phase, self.strength * weight / divided)
                phase = np.where(fired | ~alive, phase, after)
                firing = alive & ~fired & (phase >= 2 * np.pi)
            phase[fired] = 0.0


# ---- sensing late


@dataclass
class Late(Law):
    """A law whose edges show what was: `late` ticks ago, one number for each directed edge; `seen` is the past.

    `seen` holds unit vectors e^{i theta} of ticks as complex numbers, the last of them the tick that begins at `begun`.
    """

    late: np.ndarray = None
    dt: float = 0.0
    begun: float = 0.0
    seen: list = None

    def shown(self, time, phase):
        """What each edge shows of its other end at a time within the tick: the cubic through four ticks."""
        node = np.round(2 * (time - self.begun) / self.dt) / 2
        j, seen = self.edges[:, 1], np.array(self.seen)
        ago = self.late - node
        newest = np.maximum(np.floor(ago).astype(int) - 1, 0)
        value = np.zeros(len(j), complex)
        for k in range(4):
            part = np.prod([(ago - newest - m) / (k - m) for m in range(4) if m != k], axis=0)
            value += part * seen[-1 - newest - k, j]
        return np.where(self.late > 0, value, np.exp(1j * phase)[j])

    def rates(self, time, phase, velocity=None):
        """Rates of change of phase and, with inertia, velocity."""
        n, i = len(phase), self.edges[:, 0]
        shown, divided = self.shown(time, phase), strengths(len(phase), self.edges, self.weights, self.normalize)

        def field(h):
            value = self.weights * shown**h
            return (np.bincount(i, value.real, n) + 1j * np.bincount(i, value.imag, n)) / divided

        facing = np.exp(-1j * (phase + self.now("lag", time)))
        pull = sum(a * (field(h + 1) * facing ** (h + 1)).imag for h, a in enumerate(self.harmonics))
        torque = self.frequency + self.now("coupling", time) * pull
        if np.any(self.triadic) or np.any(self.tetradic):
            z, own = field(1), np.exp(-1j * phase)
            torque = torque + ((self.triadic * field(2) * z.conj() + self.tetradic * abs(z) ** 2 * z) * own).imag
        drive = self.drive_frequency * time + self.now("drive_phase", time)
        torque = torque + self.now("strength", time) * np.sin(drive - phase)
        if velocity is None:
            return [torque]
        return [velocity, (torque - self.now("damping", time) * velocity) / self.now("inertia", time)]

    def go(self, method, state, ticks, normal=None):
        """Return the state after some ticks, whose past grows on the way."""
        self.seen = [*self.seen, np.exp(1j * state[0])]
        held = None if self.energy is None else np.broadcast_to(self.energy[0], len(state[0])).astype(float)
        for tick in range(ticks):
            self.begun = tick * self.dt
            still = np.zeros(len(state[0])) if normal is None else normal(tick)
            state, held = self.tick(method, self.begun, self.dt, state, still, held)
            self.seen.append(np.exp(1j * state[0]))
        return state
