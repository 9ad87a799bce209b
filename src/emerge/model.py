"""Models: how agents answer the field they sense, as frozen values.

A model here is a name, checked parameters and a choice of what divides the field; what it computes is in the
cellar (`em_act.h`). A new model is a new dataclass here and a new function there.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from . import admit
from ._engine import HARMONICS, NOISE, PARAMETERS
from .callback import address
from .errors import InvalidType, InvalidValue
from .varying import Varying, varying

__all__ = [
    "MODELS",
    "Custom",
    "Energy",
    "Forced",
    "Kuramoto",
    "Model",
    "Normalize",
    "SecondOrder",
    "facts",
    "parameter",
    "saved",
]

Normalize = Literal["weight", "agents", "none"]
Floats = npt.NDArray[np.float64]
Parameter: TypeAlias = Any
"""A number, an array of one for each agent, or a `Varying`."""

OWN = 2 * HARMONICS
"""Place of the first parameter that is a model's own."""


@dataclass(frozen=True, slots=True)
class Energy:
    r"""What turning costs an agent.

    An agent that turns in a tick by Δ more or less than it would by itself pays ``cost`` · \|Δ\|. What it holds and
    what it recovers in the tick is what it can pay; one that cannot pay turns only as far as it can. Agents begin full.

    Parameters
    ----------
    capacity : float or array_like of shape (n,)
        Most energy that an agent holds, at least 0; in units of your choice.
    cost : float or array_like of shape (n,)
        Energy for a rad, at least 0.
    recovery : float or array_like of shape (n,)
        Energy recovered in a unit of time, at least 0.

    Raises
    ------
    InvalidType, InvalidValue
        If a parameter is no finite number that is at least 0.

    Notes
    -----
    By itself an agent turns at its natural frequency; with inertia, at natural frequency / damping, and what it cannot
    pay for is missing from its velocity too. Energy after a tick is min(capacity, before + recovery · dt − paid).

    Examples
    --------
    >>> import emerge
    >>> weary = emerge.Kuramoto(coupling=2.0, energy=emerge.Energy(capacity=1.0, cost=1.0, recovery=0.1))
    >>> swarm = emerge.Swarm(emerge.Topology.complete(50), weary, seed=1)
    >>> swarm.step(50)
    >>> bool((swarm.energy < 1.0).any())
    True
    """

    capacity: Parameter
    cost: Parameter
    recovery: Parameter

    def __post_init__(self) -> None:
        for name in ("capacity", "cost", "recovery"):
            object.__setattr__(self, name, parameter(getattr(self, name), name, least=0.0))

    def __eq__(self, other: object) -> bool:
        return _same(self, other)

    def __hash__(self) -> int:
        return _hash(self)

    def _for(self, n: int) -> tuple[float | Floats, ...]:
        """All numbers, or all arrays for n agents."""
        values = {name: getattr(self, name) for name in ("capacity", "cost", "recovery")}
        if all(isinstance(value, float) for value in values.values()):
            return tuple(values.values())
        return tuple(admit.vector(value, name, n) for name, value in values.items())


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Model:
    """What all models have in common; use one of those that are made of it."""

    _name: ClassVar[str]
    _own: ClassVar[tuple[str, ...]] = ()
    """Parameters in the cellar's order, after those of the pull."""
    _inertial: ClassVar[bool] = False
    _pulses: ClassVar[bool] = False
    noise: Parameter = field(default=0.0, kw_only=True)
    energy: Energy | None = field(default=None, kw_only=True)

    def __eq__(self, other: object) -> bool:
        return _same(self, other)

    def __hash__(self) -> int:
        return _hash(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._shown().items())})"

    def _shown(self) -> dict[str, Any]:
        """Parameters that tell something: all but those that are what they are by default."""
        own, common = _split(dataclasses.fields(self))
        return {
            one.name: value
            for one in own + common
            if not _is_default(value := getattr(self, one.name), one) or one.name in ("lag", "normalize")
        }

    def _with_coupling(self, coupling: object) -> Model:
        """Return the same model with another coupling."""
        if not hasattr(self, "coupling"):
            raise InvalidValue(f"{type(self).__name__} has no coupling: change its model instead")
        changed: dict[str, Any] = {"coupling": coupling}
        return dataclasses.replace(self, **changed)

    def _check(self, **bounds: dict[str, float]) -> None:
        """Check what all models have; `bounds` say what else is a parameter, and its least value."""
        bounds["noise"] = {"least": 0.0}
        for name, bound in bounds.items():
            object.__setattr__(self, name, parameter(getattr(self, name), name, **bound))
        if self._normalize not in get_args(Normalize):
            choices = ", ".join(repr(choice) for choice in get_args(Normalize))
            raise InvalidValue(f"normalize must be one of {choices}, not {self._normalize!r}")
        if self.energy is not None and not isinstance(self.energy, Energy):
            raise InvalidType(f"energy must be an emerge.Energy or None, not {self.energy!r}")
        self._check_varying()

    def _check_varying(self) -> None:
        values = [getattr(self, one.name) for one in dataclasses.fields(self)]
        if any(isinstance(value, np.ndarray) for value in values) and any(
            isinstance(value, Varying) and value.points is not None for value in values
        ):
            raise InvalidValue(
                "parameters for each agent do not go with points in time: give emerge.varying a function that returns"
                " the array"
            )

    @property
    def _noisy(self) -> bool:
        return not (isinstance(self.noise, float) and self.noise == 0.0)

    @property
    def _normalize(self) -> Any:
        return getattr(self, "normalize", None)

    @property
    def _asks(self) -> bool:
        """Whether Python is asked for rates, in each tick."""
        return False

    @property
    def _kind(self) -> str:
        """What the cellar calls the model."""
        return "given" if self._asks else self._name

    @property
    def _functions(self) -> dict[str, Varying]:
        """Parameters that a function gives, by name."""
        found = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        return {
            name: value for name, value in found.items() if isinstance(value, Varying) and value.function is not None
        }

    def _places(self) -> dict[int, tuple[str, object]]:
        """Names and values of parameters by their place in the cellar."""
        places = {NOISE: "noise"} | {OWN + k: name for k, name in enumerate(self._own)}
        places |= {place: name for place, name in enumerate(("coupling", "lag")) if hasattr(self, name)}
        strengths = enumerate(getattr(self, "harmonics", ()), start=2)
        return {place: (name, getattr(self, name)) for place, name in places.items()} | {
            place: ("harmonics", strength) for place, strength in strengths
        }

    def _rows_of_triads(self, _: int) -> object:
        """Return what the engine is told of interactions of three among so many agents, or None."""
        return None

    def _tell(self, engine: Any, n: int, time: float) -> None:
        """Choose this model in an engine of n agents; what functions give is asked for at this time."""
        parameters: list[float | Floats] = [0.0] * PARAMETERS
        courses = []
        for place, (name, value) in self._places().items():
            if isinstance(value, Varying):
                if value.points is not None:
                    courses.append((place, *(np.ascontiguousarray(column) for column in value.points.T)))
                value = parameter(value._at(time), f"what the function of {name} returns")
            parameters[place] = value if isinstance(value, float) else admit.vector(value, name, n)
        engine.set_model(
            self._kind,
            parameters,
            self._normalize,
            len(getattr(self, "harmonics", (1.0,))),
            tuple(courses),
            *self._function(),
            None if self.energy is None else self.energy._for(n),
            self._rows_of_triads(n),
        )

    def _function(self) -> tuple[int, object]:
        """Address of a compiled function, and what it belongs to."""
        return 0, None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Kuramoto(Model):
    r"""Kuramoto's model of coupled phase oscillators, with Sakaguchi's phase lag and Daido's harmonics.

    .. math:: \dot\theta_i = \omega_i + \frac{K_i}{n_i} \sum_j w_{ij} \sum_h a_h \sin(h(\theta_j - \theta_i - \alpha_i))

    The sum runs over the neighbours that agent i senses.

    Parameters
    ----------
    coupling : float, array_like of shape (n,) or Varying
        K, in rad per unit of time, finite. Positive coupling attracts, negative repels.
    lag : float, array_like of shape (n,) or Varying, default 0.0
        Phase lag :math:`\alpha` in rad, finite. 0 is Kuramoto's own model.
    normalize : {"weight", "agents", "none"}, default "weight"
        What :math:`n_i` is: the sum of \|w\| over the agent's edges (its degree where edges have no weights),
        the number of agents N, or 1. Papers differ and seldom say: mean-field theory (K/N) is ``"agents"``,
        power grids and Laplacians (K for each edge) are ``"none"``. With ``"weight"`` the strength of coupling
        does not depend on degree. An agent that senses nobody turns at its own frequency.
    harmonics : sequence of 1 to 4 floats, default (1.0,)
        Strengths :math:`a_h` of the harmonics h = 1 on. Each beyond the first costs as much as another swarm.
    noise : float, array_like of shape (n,) or Varying, default 0.0
        Intensity D of additive white noise, :math:`\langle\xi(t)\xi(t')\rangle = 2D\,\delta(t-t')`, in rad² per unit of
        time, at least 0. Drawn by the swarm's seed, agent and tick: the same bits on any number of threads.
    energy : Energy or None, default None
        What turning costs; None: nothing.

    Raises
    ------
    InvalidType, InvalidValue
        If a parameter is no finite number, or `normalize` is none of the three.

    References
    ----------
    Y. Kuramoto, Chemical Oscillations, Waves, and Turbulence, Springer 1984, doi:10.1007/978-3-642-69689-3;
    H. Sakaguchi and Y. Kuramoto, Prog. Theor. Phys. 76, 576 (1986), doi:10.1143/PTP.76.576, eq. 1, with the
    sign of the lag as there; H. Daido, Prog. Theor. Phys. 88, 1213 (1992), doi:10.1143/ptp/88.6.1213. Our departure:
    any topology, and the choice of what divides the sum.

    Examples
    --------
    >>> import emerge
    >>> emerge.Kuramoto(coupling=2.0)
    Kuramoto(coupling=2.0, lag=0.0, normalize='weight')
    """

    _name = "kuramoto"
    coupling: Parameter
    lag: Parameter = 0.0
    normalize: Normalize = "weight"
    harmonics: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "harmonics", _harmonics(self.harmonics))
        self._check(coupling={}, lag={})


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SecondOrder(Model):
    r"""Oscillators with inertia: the swing equation of power grids.

    .. math:: m_i \ddot\theta_i + d_i \dot\theta_i = \omega_i
        + \frac{K_i}{n_i} \sum_j w_{ij} \sin(\theta_j-\theta_i-\alpha_i)

    Natural frequencies :math:`\omega_i` are torques here: in a grid, the power that a node feeds in or takes (< 0).

    Parameters
    ----------
    coupling, lag, normalize, harmonics, noise, energy : as there
        As for `Kuramoto`. Noise is added to the torque. Energy needs damping greater than 0.
    inertia : float, array_like of shape (n,) or Varying, default 1.0
        m, in units of time² · torque, greater than 0.
    damping : float, array_like of shape (n,) or Varying, default 1.0
        d, in units of time · torque, at least 0.

    Raises
    ------
    InvalidType, InvalidValue
        If a parameter is no finite number within its bounds.

    Notes
    -----
    Velocities are state (`Swarm.velocity`), 0 at first. Methods: "verlet" is of second order and keeps energy where
    nothing damps, "semi-implicit" the same of first order, "rk4" and "dopri5" for accuracy.

    References
    ----------
    H. Tanaka, A. Lichtenberg, S. Oishi, Phys. Rev. Lett. 78, 2104 (1997), doi:10.1103/PhysRevLett.78.2104, eq. 1;
    G. Filatrella, A. Nielsen, N. Pedersen, Eur. Phys. J. B 61, 485 (2008), doi:10.1140/epjb/e2008-00098-8.

    Examples
    --------
    >>> import emerge
    >>> pair = emerge.Swarm(
    ...     emerge.Topology.complete(2), emerge.SecondOrder(coupling=1.0, damping=0.5), frequency=[0.5, -0.5], phase=0.0
    ... )
    >>> pair.step(5000, method="verlet")
    >>> round(float((pair.phase[0] - pair.phase[1]) % 6.283185307179586), 6)  # asin(1/2)
    0.523599
    """

    _name = "second order"
    _own = ("inertia", "damping")
    _inertial = True
    coupling: Parameter
    lag: Parameter = 0.0
    normalize: Normalize = "weight"
    inertia: Parameter = 1.0
    damping: Parameter = 1.0
    harmonics: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "harmonics", _harmonics(self.harmonics))
        self._check(coupling={}, lag={}, inertia={"above": 0.0}, damping={"least": 0.0})
        if self.energy is not None and not np.all(np.asarray(self.damping) > 0):
            raise InvalidValue("energy needs damping greater than 0: without, no agent has a frequency of its own")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Forced(Model):
    r"""Kuramoto's model with a drive from outside.

    .. math:: \dot\theta_i = \omega_i + \frac{K_i}{n_i} \sum_j w_{ij} \sin(\theta_j-\theta_i-\alpha_i)
        + F_i \sin(\Omega t + \phi - \theta_i)

    Parameters
    ----------
    coupling, lag, normalize, harmonics, noise, energy : as there
        As for `Kuramoto`.
    strength : float, array_like of shape (n,) or Varying, default 1.0
        F, in rad per unit of time, finite.
    drive_frequency : float, default 0.0
        Ω, in rad per unit of time, finite; one for all.
    drive_phase : float or Varying, default 0.0
        φ, in rad, finite; one for all.

    Raises
    ------
    InvalidType, InvalidValue
        If a parameter is no finite number.

    References
    ----------
    S. Shinomoto, Y. Kuramoto, Prog. Theor. Phys. 75, 1105 (1986), doi:10.1143/PTP.75.1105; L. Childs, S. Strogatz,
    Chaos 18, 043128 (2008), doi:10.1063/1.3049136.

    Examples
    --------
    >>> import emerge
    >>> model = emerge.Forced(coupling=0.0, strength=1.0, drive_frequency=0.5)
    >>> swarm = emerge.Swarm(emerge.Topology.complete(10), model, frequency=0.5, seed=1)
    >>> swarm.run(40.0).coherence > 0.999  # all follow the drive
    True
    """

    _name = "forced"
    _own = ("strength", "drive_frequency", "drive_phase")
    coupling: Parameter
    lag: Parameter = 0.0
    normalize: Normalize = "weight"
    strength: Parameter = 1.0
    drive_frequency: float = 0.0
    drive_phase: float | Varying = 0.0
    harmonics: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "harmonics", _harmonics(self.harmonics))
        object.__setattr__(self, "drive_frequency", admit.real(self.drive_frequency, "drive_frequency"))
        if not isinstance(self.drive_phase, Varying):
            object.__setattr__(self, "drive_phase", admit.real(self.drive_phase, "drive_phase"))
        self._check(coupling={}, lag={}, strength={})


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Custom(Model):
    r"""A model of your own: rates of change from phases, field and natural frequencies.

    The field is what an agent senses, seen from its own phase:

    .. math:: h_i = \frac{1}{n_i} \sum_j w_{ij} e^{\mathrm{i}(\theta_j - \theta_i)}

    so that Kuramoto's model is :math:`\omega_i + K \operatorname{Im} h_i`. The field itself is
    :math:`h_i e^{\mathrm{i}\theta_i}`.

    Parameters
    ----------
    function : scipy.LowLevelCallable, numba cfunc, ctypes function or callable
        Compiled, ``void (int64_t count, double *phase, double *re, double *im, double *frequency, double *parameters,
        double *rate)``: called for blocks of at most 512 agents by several threads at once, without the GIL, for every
        stage of any method; it must write `rate` and nothing else. A Python function
        ``f(phase, field, frequency, parameters) -> rate`` gets arrays of all agents, the field complex, and returns
        one: convenient and slower, as it is asked between batches of one tick, and for method "euler" alone.
    parameters : sequence of at most 7 floats, default ()
        Numbers that the function gets.
    normalize : {"weight", "agents", "none"}, default "weight"
        What the field is divided by, as for `Kuramoto`.
    noise, energy : as there
        As for `Kuramoto`.

    Raises
    ------
    InvalidType, InvalidValue
        If the function has other arguments, or a parameter is no finite number.

    Notes
    -----
    Phases are those of the stage, within a tick not wrapped. The same bits on any number of threads if the function
    says so. An agent whose rate is not finite ends the run with `Diverged`. A swarm with such a model is saved without
    the function: give the model to `Swarm.load` again.

    Examples
    --------
    >>> import emerge
    >>> def repel(phase, field, frequency, parameters):
    ...     return frequency - parameters[0] * field.imag
    >>> swarm = emerge.Swarm(emerge.Topology.complete(3), emerge.Custom(repel, parameters=(1.0,)), seed=1)
    >>> swarm.run(20.0).coherence < 1e-6
    True
    """

    _name = "function"
    function: Any
    parameters: tuple[float, ...] = ()
    normalize: Normalize = "weight"

    def __post_init__(self) -> None:
        address(self.function)
        most = NOISE - OWN
        given = admit.numbers(self.parameters, "parameters")
        if given.ndim != 1 or len(given) > most:
            raise InvalidValue(f"parameters must be at most {most} numbers, not an array of shape {given.shape}")
        object.__setattr__(self, "parameters", tuple(admit.real(value, "a parameter") for value in given.tolist()))
        self._check()

    @property
    def _asks(self) -> bool:
        return address(self.function) == 0

    def _places(self) -> dict[int, tuple[str, object]]:
        own: dict[int, tuple[str, object]] = {OWN + k: ("parameters", value) for k, value in enumerate(self.parameters)}
        return own | {NOISE: ("noise", self.noise)}

    def _function(self) -> tuple[int, object]:
        return address(self.function), self.function

    def _rates(self, phase: Floats, field: npt.NDArray[np.complex128], frequency: Floats) -> Floats:
        """Ask the Python function."""
        return admit.column(self.function(phase, field, frequency, self.parameters), "rates", len(phase), "agent")


MODELS: dict[str, Any] = {model.__name__: model for model in (Kuramoto, SecondOrder, Forced, Custom)}
"""Models by the name that saved swarms call them; other rooms add theirs."""


def facts(model: Model) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Return what a file keeps of a model: numbers, and arrays by the name of their parameter; no functions."""
    named, arrays = _kept(model, "model_")
    return {"model": type(model).__name__, "parameters": named}, arrays


def _kept(value: Any, prefix: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    named: dict[str, Any] = {}
    arrays: dict[str, npt.NDArray[Any]] = {}
    for one in dataclasses.fields(value):
        fact = getattr(value, one.name)
        if isinstance(fact, Energy):
            named[one.name], more = _kept(fact, f"{prefix}{one.name}_")
            arrays |= more
        elif isinstance(fact, np.ndarray):
            arrays[prefix + one.name] = fact
        elif isinstance(fact, Varying):
            named[one.name] = None if fact.points is None else {"points": fact.points.tolist()}
        else:
            named[one.name] = None if one.name == "function" else fact
    return named, arrays


def saved(facts: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> Model:
    """Make a model again from what a file kept of it."""
    kind = MODELS[facts["model"]]
    parameters: dict[str, Any] = {
        name: varying(value["points"]) if isinstance(value, dict) and "points" in value else value
        for name, value in facts["parameters"].items()
    }
    spent = parameters.pop("energy", None)
    given = {name.removeprefix("model_"): array for name, array in arrays.items() if name.startswith("model_")}
    if spent is not None:
        costs = {name.removeprefix("energy_"): given.pop(name) for name in list(given) if name.startswith("energy_")}
        parameters["energy"] = Energy(**spent, **costs)
    if any(value is None for value in parameters.values()):
        raise InvalidType(
            f"the model {kind.__name__} of this swarm has a function in it, which no file can hold: give it to"
            " emerge.Swarm.load(path, model=...)"
        )
    model: Model = kind(**parameters, **given)
    return model


def parameter(
    value: object, name: str, *, above: float | None = None, least: float | None = None
) -> float | Floats | Varying:
    """Return a number, a read-only array, or what changes with time, if all of it is finite and within the bounds."""
    if isinstance(value, Varying):
        for each in [] if value.points is None else value.points[:, 1].tolist():
            admit.real(each, name, above=above, least=least)
        return value
    if np.ndim(value) == 0:  # type: ignore[arg-type]
        return admit.real(value, name, above=above, least=least)
    array = admit.numbers(value, name)
    array = admit.finite(np.array(array, np.float64), name)
    if array.ndim != 1 or array.size == 0:
        raise InvalidValue(f"{name} must be one number or one for each agent, not an array of shape {array.shape}")
    admit.real(float(array.min()), name, above=above, least=least)
    array.flags.writeable = False
    return array


def _harmonics(value: object) -> tuple[float, ...]:
    given = admit.numbers(value, "harmonics")
    if given.ndim != 1 or not 1 <= len(given) <= HARMONICS:
        raise InvalidValue(f"harmonics must be 1 to {HARMONICS} numbers, not an array of shape {given.shape}")
    return tuple(admit.real(strength, "a harmonic") for strength in given.tolist())


def _split(
    every: tuple[dataclasses.Field[Any], ...],
) -> tuple[list[dataclasses.Field[Any]], list[dataclasses.Field[Any]]]:
    """Part a model's own parameters from those that all models have."""
    return [one for one in every if not one.kw_only], [one for one in every if one.kw_only]


def _is_default(value: object, one: dataclasses.Field[Any]) -> bool:
    return one.default is not dataclasses.MISSING and type(value) is type(one.default) and bool(value == one.default)


def _facts(value: Any) -> list[Any]:
    return [getattr(value, one.name) for one in dataclasses.fields(value)]


def _same(one: object, other: object) -> bool:
    if type(one) is not type(other):
        return False
    return all(
        np.array_equal(a, b) if isinstance(a, np.ndarray) or isinstance(b, np.ndarray) else a == b
        for a, b in zip(_facts(one), _facts(other), strict=True)
    )


def _hash(value: object) -> int:
    return hash(tuple(fact.tobytes() if isinstance(fact, np.ndarray) else fact for fact in _facts(value)))
