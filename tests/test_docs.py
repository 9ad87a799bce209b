"""What is written is true: examples run, links lead somewhere, the table of atomics is the code's."""

import doctest
import importlib
import re
import shutil
from pathlib import Path

import pytest

import emerge

HOUSE = Path(__file__).parent.parent
PAGES = [HOUSE / "README.md", *sorted((HOUSE / "docs").rglob("*.md"))]
MODULES = sorted(path.stem for path in Path(emerge.__file__).parent.glob("*.py") if path.stem != "__main__")
in_checkout = pytest.mark.skipif(not (HOUSE / "docs").is_dir(), reason="the documents of emerge are needed")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), flags=re.M | re.S)


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "emerge" if module == "__init__" else f"emerge.{module}"
    if name in ("emerge.topology", "emerge.constructors", "emerge.grid"):
        pytest.importorskip("networkx", reason="networkx and SciPy (extra `graphs`) are in the examples")
    if name == "emerge.monitor":
        pytest.importorskip("prometheus_client", reason="extra metrics")
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0
    assert result.attempted or "Examples\n" not in Path(importlib.import_module(name).__file__).read_text()


@in_checkout
@pytest.mark.parametrize("page", [page for page in PAGES if page.exists() and blocks(page, "python")], ids=str)
def test_examples_on_pages(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scope = {}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), scope)


@in_checkout
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@in_checkout
def test_commands_that_are_named_exist():
    targets = set(re.findall(r"^([a-z-]+):", (HOUSE / "Makefile").read_text(), flags=re.M))
    for page in PAGES:
        for block in blocks(page, "console"):
            assert set(re.findall(r"^\$ make ([a-z-]+)", block, flags=re.M)) <= targets


@in_checkout
def test_every_decision_is_listed():
    folder = HOUSE / "docs" / "decisions"
    listed = re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text())
    assert listed == sorted(path.name for path in folder.glob("0*.md"))


def orders_in_code():
    """For each function of the ground floor and the cellar, the memory orders that its body names."""
    found = {}
    for path in sorted((HOUSE / "emerge_ext").glob("*.[hp]*")):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
        where = None
        owner = ""
        for line in text.splitlines():
            if match := re.match(r"cdef class (\w+)", line):
                owner = f"{match[1]}."
            if match := re.match(r"( *)(?:static (?:inline|EM_BASE_INLINE)|def|cpdef|cdef)\b[^(=]*?(\w+)\(", line):
                where = (owner if match[1] else "") + match[2]
            if where and "cimport" not in line and path.name != "em.pxd":
                found.setdefault(where, set()).update(re.findall(r"memory_order_(\w+)", line))
    return {name: orders for name, orders in found.items() if orders}


@in_checkout
def test_the_table_of_atomics_is_the_codes():
    rows = re.findall(
        r"^\| `([\w.]+)` \| [^|]* \| ([a-z_, ]+) \|", (HOUSE / "docs" / "concurrency.md").read_text(), flags=re.M
    )
    assert {name: set(orders.split(", ")) for name, orders in rows} == orders_in_code()


@pytest.mark.skipif(shutil.which("make") is None or not (HOUSE / "Makefile").exists(), reason="make is needed")
def test_the_makefile_explains_itself():
    makefile = (HOUSE / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.M))
    told = set(re.findall(r'"make ([a-z-]+)', makefile))
    assert targets - told == {"help", "installed", "ready"}
    assert told <= targets
