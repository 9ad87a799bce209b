"""The laws of the house, read off the sources with the standard library alone."""

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

import emerge
from emerge import _engine, observe

HOUSE = Path(__file__).parent.parent
UPSTAIRS, GROUND = HOUSE / "src" / "emerge", HOUSE / "emerge_ext"
pytestmark = pytest.mark.skipif(not (UPSTAIRS.is_dir() and GROUND.is_dir()), reason="the sources of emerge are needed")

IMPORTS = {
    "errors": set(),
    "admit": {"errors"},
    "varying": {"admit", "errors"},
    "triads": {"admit", "errors"},
    "connectome": {"admit", "errors", "topology"},
    "machines": {"admit", "errors"},
    "trips": {"admit", "errors", "grid"},
    "grid": {
        "admit",
        "errors",
        "gridmake",
        "gridmotion",
        "gridrun",
        "machines",
        "model",
        "powerflow",
        "progress",
        "swarm",
        "topology",
        "trips",
    },
    "gridmake": {"admit", "errors", "files", "grid", "machines", "matpower"},
    "powerflow": {"admit", "errors", "grid", "model", "swarm"},
    "cascade": {"grid", "trips"},
    "gridmotion": {"admit", "cascade", "errors", "grid", "gridrun", "progress", "run", "swarm", "trips"},
    "gridrun": {"admit", "grid", "gridplot", "gridtext", "plot", "trips"},
    "gridtext": {"grid", "gridrun", "trips"},
    "gridplot": {"admit", "gridrun", "gridtext", "plot"},
    "plot": {"admit", "errors", "result"},
    "callback": {"errors"},
    "model": {"_engine", "admit", "callback", "errors", "varying"},
    "higher": {"errors", "model", "triads", "varying"},
    "method": {"_engine", "admit", "errors", "model"},
    "adaptive": {"_engine", "admit", "errors", "higher", "model", "topology"},
    "asking": {"_engine", "model"},
    "past": {"_engine", "admit", "checkpoint", "errors", "higher", "model", "result", "team", "topology"},
    "until": {"admit", "observer"},
    "phasor": {"_engine", "admit", "errors"},
    "links": {"edges", "errors", "topology"},
    "measure": {"admit", "errors", "links", "phasor", "topology"},
    "series": {"admit", "errors", "links", "phasor", "topology"},
    "observer": {"admit", "links", "phasor", "swarm", "topology", "until"},
    "samples": {"admit", "measure", "observer", "phasor", "swarm"},
    "totals": {"admit", "errors", "links", "measure", "observer", "phasor", "samples", "series", "swarm"},
    "record": {"errors", "firings", "links", "observer", "result", "run", "series", "swarm", "until"},
    "lyapunov": {"admit", "errors", "run", "swarm"},
    "pulse": {"errors", "model", "varying"},
    "firings": {"admit", "errors", "observer", "result", "swarm"},
    "observe": {"firings", "lyapunov", "measure", "observer", "samples", "series", "totals", "until"},
    "metrics": set(),
    "result": set(),
    "progress": {"admit", "errors"},
    "checkpoint": {"errors"},
    "team": {"_engine", "admit"},
    "atomic": {"_engine", "admit", "errors"},
    "barrier": {"_engine", "admit", "errors", "team"},
    "batch": {"_engine", "admit", "errors", "swarm"},
    "about": {"_engine", "team"},
    "bench": {"_engine", "atomic", "batch", "model", "swarm", "team", "topology"},
    "generate": {"edges"},
    "edges": {"_engine", "admit", "errors", "team"},
    "graphs": {"admit", "edges", "errors"},
    "matpower": {"edges", "errors"},
    "files": {"admit", "edges", "errors", "graphs", "matpower"},
    "constructors": {"_engine", "admit", "edges", "errors", "files", "generate", "graphs", "team"},
    "rules": {"edges", "generate"},
    "topology": {"_engine", "admit", "constructors", "edges", "errors", "graphs", "rules", "team"},
    "pace": set(),
    "event": set(),
    "fork": set(),
    "trace": {"errors"},
    "broadcast": {"admit", "errors", "event", "fork", "trace"},
    "cancel": {"_engine", "errors", "fork"},
    "clock": {"admit", "errors"},
    "lateness": set(),
    "moments": {"_engine"},
    "live": {
        "adaptive",
        "admit",
        "clock",
        "errors",
        "event",
        "fork",
        "lateness",
        "method",
        "metrics",
        "model",
        "moments",
        "run",
        "swarm",
        "team",
        "topology",
        "trace",
        "until",
    },
    "scrape": {"errors", "fork", "trace"},
    "monitor": {"admit", "errors", "live", "metrics", "scrape", "swarm"},
    "run": {
        "_engine",
        "admit",
        "asking",
        "broadcast",
        "errors",
        "event",
        "method",
        "model",
        "pace",
        "progress",
        "record",
        "result",
        "trace",
        "until",
    },
    "swarm": {
        "_engine",
        "adaptive",
        "admit",
        "asking",
        "broadcast",
        "cancel",
        "checkpoint",
        "clock",
        "errors",
        "event",
        "fork",
        "live",
        "method",
        "metrics",
        "model",
        "observer",
        "pace",
        "past",
        "progress",
        "record",
        "result",
        "run",
        "team",
        "topology",
        "until",
    },
}
"""Which rooms upstairs may know which others. Whoever is not listed stands above all of them."""

INCLUDES = {
    "em_base": set(),
    "em_atomic": {"em_base", "em_phase"},
    "em_lane": {"em_base"},
    "em_phase": {"em_lane"},
    "em_pulse": {"em_phase"},
    "em_act": {"em_phase", "em_pulse"},
    "em_step": set(),
    "em_course": set(),
    "em_adapt": {"em_phase"},
    "em_energy": {"em_base"},
    "em_noise": {"em_phase", "em_random"},
    "em_team": {"em_base"},
    "em_steal": {"em_atomic", "em_base"},
    "em_rcu": {"em_base"},
    "em_graph": {"em_base"},
    "em_random": set(),
    "em_build": {"em_atomic", "em_rows"},
    "em_fold": {"em_build"},
    "em_list": {"em_build"},
    "em_text": {"em_list"},
    "em_mend": {"em_fold", "em_random"},
    "em_shuffle": {"em_base", "em_random"},
    "em_draw": {"em_mend"},
    "em_grow": {"em_build", "em_random"},
    "em_pair": {"em_mend", "em_shuffle"},
    "em_rewire": {"em_mend", "em_shuffle"},
    "em_triads": {"em_table"},
    "em_rows": {"em_graph"},
    "em_groups": {"em_graph"},
    "em_listen": {"em_lattice", "em_rows"},
    "em_avalanche": {"em_atomic", "em_groups", "em_listen"},
    "em_lattice": {"em_graph"},
    "em_sums": {"em_atomic", "em_base", "em_groups"},
    "em_table": {"em_atomic", "em_base", "em_phase"},
    "em_tiles": {"em_rows", "em_table"},
    "em_sense": {"em_lattice", "em_sums", "em_tiles", "em_triads"},
    "em_plastic": {"em_sense", "em_step"},
    "em_inbox": {"em_atomic", "em_base", "em_phase"},
    "em_ring": {"em_atomic", "em_base", "em_inbox"},
    "em_history": {"em_table"},
    "em_past": {"em_history", "em_rows", "em_sense"},
    "em_late": {"em_past"},
    "em_swarm": {"em_act", "em_adapt", "em_avalanche", "em_course", "em_energy", "em_inbox", "em_late", "em_plastic"},
    "em_stage": {"em_noise", "em_swarm"},
    "em_stride": {"em_stage"},
    "em_round": {"em_pulse", "em_stage"},
    "em_gossip": {"em_stage"},
    "em_order": {"em_stage"},
    "em_check": {"em_gossip"},
    "em_isa": {"em_gossip", "em_order", "em_round", "em_stride"},
    "em_trial": {"em_atomic", "em_base", "em_inbox", "em_rcu", "em_ring", "em_team"},
}
"""Which machines of the cellar may know which others: models know no schedule, the team knows no model."""


def rooms():
    return sorted(path.stem for path in UPSTAIRS.glob("*.py") if not path.stem.startswith("__"))


def machines():
    return sorted(path.stem for path in GROUND.glob("em_*.h"))


def imported(room):
    """Rooms that a module imports when it is loaded or later."""
    found = set()
    for node in ast.walk(ast.parse((UPSTAIRS / f"{room}.py").read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found |= {node.module} if node.module else {alias.name for alias in node.names}
    return {name for name in found if name == "_engine" or (UPSTAIRS / f"{name}.py").exists()}


def code(path):
    """A C or Cython source without comments and strings."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(), flags=re.S)
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)


@pytest.mark.parametrize("room", IMPORTS)
def test_rooms_import_only_what_they_may(room):
    assert imported(room) <= IMPORTS[room]


def test_rooms_that_are_not_listed_are_above_all():
    below = set(IMPORTS)
    for room in below:
        assert imported(room) - {"_engine"} <= below


@pytest.mark.parametrize("machine", INCLUDES)
def test_machines_include_only_what_they_may(machine):
    included = set(re.findall(r'#include "(em_\w+)\.h"', (GROUND / f"{machine}.h").read_text()))
    assert included <= INCLUDES[machine]


def test_every_machine_is_listed():
    assert machines() == sorted(INCLUDES)


def test_no_machine_knows_python_or_openmp():
    for path in [*GROUND.glob("em_*.h"), *GROUND.glob("em_*.c")]:
        text = path.read_text()
        assert "Python.h" not in text
        assert "omp" not in re.findall(r"\bomp\w*|#pragma omp", text)


@pytest.mark.parametrize("machine", INCLUDES)
def test_functions_are_named_by_their_machine(machine):
    names = re.findall(
        r"^static (?:inline|EM_BASE_INLINE) [\w ]+?\**(\w+)\(", (GROUND / f"{machine}.h").read_text(), flags=re.M
    )
    assert all(name.startswith(f"{machine}_") for name in names)
    assert names or machine == "em_isa"


def test_no_order_is_left_implicit():
    """Every C11 atomic operation says its order; sequential consistency is for the one machine that needs it."""
    for path in [*GROUND.glob("em_*.h"), *GROUND.glob("em_*.c"), *GROUND.glob("*.p*")]:
        operations = re.findall(r"\batomic_(?!init\b)(\w+)\(", code(path))
        assert all(name.endswith("_explicit") for name in operations), path.name
        assert "memory_order_seq_cst" not in code(path) or path.name == "em_rcu.h", path.name
        assert "atomic_thread_fence" not in code(path), path.name
        assert not re.search(r"\bvolatile\b(?! *\()", code(path).replace("__volatile__", "")), path.name


def test_below_the_door_nobody_takes_the_gil():
    for path in GROUND.glob("*.p*"):
        assert "with gil" not in path.read_text()
    assert re.findall(r"^cdef inline .*?:$", (GROUND / "_tick.pxd").read_text(), flags=re.M | re.S)
    for line in re.findall(r"^cdef inline [^:]*:", (GROUND / "_tick.pxd").read_text(), flags=re.M):
        assert "noexcept nogil" in line


def test_one_window_onto_the_cellar():
    for path in GROUND.glob("*.p*"):
        if path.name != "em.pxd":
            assert '.h"' not in path.read_text()


def test_rooms_have_a_purpose():
    without = {"utils", "util", "common", "core", "helpers", "config", "misc"}
    names = {path.stem.removeprefix("em_") for path in HOUSE.rglob("*.*") if {".venv", "build"}.isdisjoint(path.parts)}
    assert not names & without
    for path in UPSTAIRS.glob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), path.name
    for path in [*GROUND.glob("em_*.h"), *GROUND.glob("em_*.c")]:
        assert path.read_text().startswith("/*"), path.name


def test_the_stub_lists_what_the_module_has():
    stub = ast.parse((UPSTAIRS / "_engine.pyi").read_text())
    listed = {}
    for node in stub.body:
        if isinstance(node, ast.ClassDef):
            listed[node.name] = {
                part.name if isinstance(part, ast.FunctionDef) else part.target.id
                for part in node.body
                if isinstance(part, ast.FunctionDef | ast.AnnAssign)
            } - {"__init__", "__buffer__", "__enter__", "__exit__"}
        elif isinstance(node, ast.FunctionDef):
            listed[node.name] = None
        elif isinstance(node, ast.AnnAssign):
            listed[node.target.id] = None
    listed.pop("Build"), listed.pop("Counts")
    public = {name for name, value in vars(_engine).items() if name[0] != "_" and not inspect.ismodule(value)}
    assert set(listed) == public - {"Busy", "Closed", "Diverged", "Full", "InvalidValue", "TooLarge"}
    for name, members in listed.items():
        if members is not None:
            assert members == {member for member in vars(getattr(_engine, name)) if not member.startswith("_")}


def test_everything_public_is_exported_once():
    there = {name for name, value in vars(emerge).items() if not name.startswith("_") and not inspect.ismodule(value)}
    late = {name for name, module in emerge._LATE.items() if name != module}
    assert sorted(emerge.__all__) == sorted(there | late)


def public():
    """Public callables, with methods and properties of public classes."""
    named = [(name, getattr(emerge, name)) for name in emerge.__all__]
    named += [(f"observe.{name}", getattr(observe, name)) for name in observe.__all__]
    for name, thing in named:
        yield name, thing
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            for member in dir(thing):
                value = inspect.getattr_static(thing, member)
                if not (getattr(value, "__module__", None) or "emerge").startswith("emerge"):
                    continue  # inherited, and documented where it comes from
                if not member.startswith("_") and (callable(getattr(thing, member)) or isinstance(value, property)):
                    yield f"{name}.{member}", value


PUBLIC = dict(public())


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_documented(name):
    thing = PUBLIC[name]
    text = inspect.getdoc(thing) or ""
    assert text, "no docstring"
    assert text.partition("\n")[0].endswith("."), "the first line is one sentence"
    if isinstance(thing, property) or (inspect.isclass(thing) and issubclass(thing, Exception)):
        return
    function = getattr(thing, "__func__", thing)
    signature = inspect.signature(function if not inspect.isclass(thing) else thing)
    given = [parameter for parameter in signature.parameters if parameter not in ("self", "cls")]
    if inspect.isclass(thing) and "made by" in " ".join(text.split()):
        return  # a value whose makers document the parameters
    if given and "Attributes\n---" not in text:
        assert "Parameters\n---" in text
        section = text.partition("Parameters\n")[2].partition("\nRaises\n")[0]
        for parameter in given:
            assert re.search(rf"^[\w, *]*\b{parameter}\b[\w, ]* : ", section, flags=re.M), parameter
    if given and not inspect.isclass(thing):
        assert "Raises\n---" in text


def test_every_module_can_be_imported_alone():
    for room in rooms():
        importlib.import_module(f"emerge.{room}")
