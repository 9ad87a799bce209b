"""Integrators by name, and which of them can serve a model under a schedule.

What an integrator does is in the cellar (`em_step.h`, `em_adapt.h`), and so is what it can serve: it is read there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal, get_args

from . import _engine, admit
from .errors import InvalidValue
from .model import Model

__all__ = ["METHODS", "PLAIN", "Integrator", "Method", "integrator"]

Method = Literal["euler", "heun", "rk4", "semi-implicit", "verlet", "dopri5"]
"""How rates of change become the next state."""

METHODS: tuple[Method, ...] = get_args(Method)

RTOL, ATOL = 1e-6, 1e-9
"""What adaptive steps may be wrong by unless the user says."""


@dataclass(frozen=True, slots=True)
class Integrator:
    """A method that was checked, and the tolerances of one that adapts its steps: absolute, relative, bounds of dt."""

    method: Method = "euler"
    tolerances: tuple[float, float, float, float] | None = None


PLAIN = Integrator()
"""Euler's method, which serves all models under all schedules."""


def integrator(
    method: object,
    schedule: str,
    model: Model,
    rtol: float | None = None,
    atol: float | None = None,
    dt_min: float | None = None,
    dt_max: float | None = None,
) -> Integrator:
    """Check a method for a schedule and a model, and take its tolerances; by name, say what it cannot serve."""
    bounds = {"rtol": rtol, "atol": atol, "dt_min": dt_min, "dt_max": dt_max}
    given = [name for name, value in bounds.items() if value is not None]
    if method not in METHODS:
        raise InvalidValue(f"method must be one of {', '.join(map(repr, METHODS))}, not {method!r}")
    chosen: Method = method
    stages, noise, inertia = _engine.methods()[chosen]
    if schedule != "barrier" and stages != 1:
        raise InvalidValue(
            f"method={chosen!r} senses several times in a tick, which schedule={schedule!r} cannot serve: use"
            " schedule='barrier', or method='euler'"
        )
    if model._pulses and (schedule != "barrier" or chosen != "euler"):
        raise InvalidValue(
            f"agents of {type(model).__name__} turn at known rates between pulses, in the order of time of all:"
            " leave out method=, and use schedule='barrier'"
        )
    if model._noisy and not noise:
        raise InvalidValue(f"method={chosen!r} cannot serve noise: use 'euler' (Euler-Maruyama) or 'heun' (stochastic)")
    if inertia and not model._inertial:
        raise InvalidValue(f"method={chosen!r} is for models with inertia, such as emerge.SecondOrder: use 'rk4'")
    if model.energy is not None and stages == 0:
        raise InvalidValue(f"method={chosen!r} cannot serve energy, which is paid for tick by tick: use 'rk4'")
    if model._asks and stages != 1:
        raise InvalidValue(
            f"method={chosen!r} asks for rates several times in a tick, and a Python function is asked once: use"
            " method='euler', or compile the function (numba.cfunc)"
        )
    if stages != 0:
        if given:
            raise InvalidValue(f"{given[0]} is for method='dopri5', and the method is {chosen!r}")
        return Integrator(chosen)
    absolute = ATOL if atol is None else admit.real(atol, "atol", above=0.0)
    relative = RTOL if rtol is None else admit.real(rtol, "rtol", above=0.0)
    least = 0.0 if dt_min is None else admit.real(dt_min, "dt_min", above=0.0)
    most = inf if dt_max is None else admit.real(dt_max, "dt_max", above=0.0)
    if least > most:
        raise InvalidValue(f"dt_min must be at most dt_max, {most:g}, not {least:g}")
    return Integrator(chosen, (absolute, relative, least, most))
