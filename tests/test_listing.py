"""Lists of edges, arrays and text, made into rows by the engine: as NumPy reads and one sort merges them."""

import gzip
import io
import locale
import subprocess
import sys

import numpy as np
import pytest

from emerge import edges, errors, files
from emerge._engine import Listing, allocations
from emerge.topology import Topology

WORKERS = (1, 2, 3, 8)
MOST = 2**31 - 1


def drawn(n, number, seed):
    """Edges in no order, many of them again and again, either way round, some from an agent to itself."""
    rng = np.random.default_rng(seed)
    pairs = rng.integers(0, n, (number, 2))
    few = rng.integers(0, number, number // 2)
    pairs[rng.integers(0, number, number // 2)] = pairs[few, ::-1]
    return pairs, rng.normal(size=number) * 2.0 ** rng.integers(-30, 30, number)


def merged(pairs, weights, n, *, directed):
    """Degree, indices and weights by one sort: equal ends by weight, added one after another."""
    proper = pairs[:, 0] != pairs[:, 1]
    pairs, weights = pairs[proper], np.ones(proper.sum()) if weights is None else weights[proper]
    if not directed:
        pairs, weights = np.concatenate([pairs, pairs[:, ::-1]]), np.concatenate([weights, weights])
    order = np.lexsort([weights, pairs[:, 1], pairs[:, 0]])
    ends, place = np.unique(pairs[order], axis=0, return_inverse=True)
    sums = np.zeros(len(ends))
    for k, weight in zip(place.reshape(-1).tolist(), weights[order].tolist(), strict=True):
        sums[k] += weight
    return np.bincount(ends[:, 0], minlength=n), ends[:, 1], sums


def same(graph, expected) -> bool:
    degree, indices, weights = edges.rows_of(graph)
    return (
        np.array_equal(degree, expected[0])
        and np.array_equal(indices, expected[1])
        and (weights is None or np.array_equal(weights, expected[2]))
    )


def text_of(pairs, weights, separator=" "):
    columns = [pairs[:, 0].tolist(), pairs[:, 1].tolist(), *([] if weights is None else [weights.tolist()])]
    return "\n".join(separator.join(map(repr, line)) for line in zip(*columns, strict=True)).encode()


def listed(raw, *, weighted, workers, commas=False, limit=MOST):
    return Listing.of_text(np.frombuffer(raw, np.uint8), 0, weighted, commas, False, limit, workers)


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "number"), [(2, 1), (3, 40), (700, 90_000)])
def test_lists_are_merged_as_by_one_sort(n, number, weighted, directed):
    pairs, weights = drawn(n, number, 1)
    weights = weights if weighted else None
    raw = text_of(pairs, weights)
    read = np.loadtxt(io.BytesIO(raw), ndmin=2)
    expected = merged(read[:, :2].astype(int), read[:, 2] if weighted else None, n, directed=directed)
    for workers in WORKERS:
        for listing in (
            Listing.of_arrays(*pairs.T, weights, n, workers),
            listed(raw, weighted=weighted, workers=workers),
        ):
            assert not listing.odd
            assert (listing.least, listing.most) == (pairs.min(), pairs.max())
            assert (listing.edges, listing.loops) == (number, (pairs[:, 0] == pairs[:, 1]).sum())
            assert (listing.weighted, listing.uneven) == (weighted, weighted)
            graph, again, beyond = listing.graph(n, weighted, directed, workers)
            assert same(graph, expected)
            assert graph.weighted == weighted
            assert (1 if directed else 2) * (number - listing.loops - again) == graph.edge_ends
            assert beyond is None
    if number > 1:
        assert not same(Listing.of_arrays(*pairs[:2].T, None, n, 1).graph(n, False, directed, 1)[0], expected)


def test_three_equal_edges_add_up_alike_in_any_order():
    given = np.array([0.1, 0.2, 0.3])
    pairs = np.array([(0, 1), (1, 0), (0, 1)])
    sums = set()
    for order in ([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]):
        web = Topology.from_edges(pairs, weights=given[order])
        sums |= set(edges.rows_of(web._graph)[2].tolist())
    assert sums == {0.1 + 0.2 + 0.3}
    assert 0.3 + 0.2 + 0.1 not in sums, "another order gives another sum"


def test_weights_of_one_stay_none_unless_they_add_up():
    pairs = [(0, 1), (1, 2), (2, 1)]
    assert Topology.from_edges(pairs, weights=1).weights.tolist() == [1, 2]
    assert Topology.from_edges(pairs[:2], weights=1).weights is None
    assert Topology.from_edges(pairs, weights=[1, 0.5, 0.5]).weights is None
    assert Topology.from_edges(pairs, weights=[1, 0.5, 0.5]).notes == ("1 repeated edge was merged, the weights added",)
    with pytest.raises(errors.GraphError, match=r"repeated edge \(1, 2\) add up beyond the range"):
        Topology.from_edges(pairs, weights=[1, 1e308, 1e308])


KINDS = ["i1", "u1", "<i2", ">i2", "<u2", "<i4", ">i4", "<u4", "<i8", ">i8", "<u8"]


@pytest.mark.parametrize("kind", KINDS)
def test_any_whole_numbers_in_any_order_of_memory(kind):
    pairs, weights = drawn(120, 4000, 2)
    pairs[0] = 0, 119
    web = Topology.from_edges(pairs, weights=weights)
    given = pairs.astype(kind)
    assert Topology.from_edges(given, weights=weights) == web
    assert Topology.from_edges(np.asfortranarray(given), weights=weights) == web
    assert Topology.from_edges(given[::-1, ::-1], weights=np.repeat(weights, 3)[::3][::-1]) == web
    packed = np.zeros(len(pairs), np.dtype([("any", "u1"), ("pair", kind, 2), ("weight", "f8")]))
    packed["pair"], packed["weight"] = pairs, weights
    assert Topology.from_edges(packed["pair"], weights=packed["weight"]) == web, "nothing is aligned"
    given.setflags(write=False)
    assert Topology.from_edges(given, weights=weights) == web
    assert Topology.from_edges(given) != web


def test_numbers_that_only_look_right_when_they_are_cut():
    for wrong in (2**32, 2**63 + 1, 2**64 - 1):
        with pytest.raises(errors.GraphError, match=f"names agent {wrong}"):
            Topology.from_edges(np.array([(0, 1), (1, wrong)], np.uint64))
    with pytest.raises(errors.GraphError, match=f"names agent {-(2**32)}"):
        Topology.from_edges([(0, 1), (-(2**32), 1)])


@pytest.mark.parametrize("workers", WORKERS)
def test_arrays_that_change_meanwhile_harm_nobody(workers):
    before = allocations()
    pairs, _ = drawn(5000, 60_000, 3)
    listing = Listing.of_arrays(*pairs.T, None, 5000, workers)
    right = listing.graph(5000, False, False, workers)[0]
    for row, there in ((7, -1), (59_999, 5000), (300, 2**40)):
        kept = pairs[row, 1]
        pairs[row] = 4, there
        with pytest.raises(errors.InvalidValue, match=r"add up to|were changed"):
            listing.graph(5000, False, False, workers)
        pairs[row] = 4, kept
    del listing, right
    assert allocations() == before


ODD = {
    "old lines": (b"a,b\r0,1\r1,2\r2,0\r2,3", ".csv"),
    "plus": (b"0 1\n+1 2\n2 0\n2 3", ".txt"),
    "vertical": (b"0 1\n1\x0b2\n2 0\n2 3", ".txt"),
    "a blank of another kind": ("0 1\n1\u20032\n2 0\n2 3".encode(), ".txt"),
}
PLAIN = {
    "both comments": (b"# a\n0 1 % b\n1 2 # c\n2 0\n2 3", ".txt"),
    "accents": ("# \u00e9\u4e2d\n0 1\n1 2 # \U0001f600\n2 0\n2 3".encode(), ".txt"),
    "old lines in part": (b"a,b\r0,1\n1,2\n2,0\n2,3", ".csv"),
    "mark": (b"\xef\xbb\xbfa,b\n0,1\n1,2\n2,0\n2,3\n", ".csv"),
    "old end": (b"0 1\n1 2\n2 0\n2 3\r", ".txt"),
}


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("name", [*ODD, *PLAIN])
def test_lines_that_are_read_either_way(tmp_path, monkeypatch, name, packed):
    raw, ending = (ODD | PLAIN)[name]
    path = tmp_path / f"web{ending}{packed}"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    slow = []
    scanned = files._scanned
    monkeypatch.setattr(files, "_scanned", lambda *rest: slow.append(rest) or scanned(*rest))
    assert Topology.read(path) == Topology.from_edges([(0, 1), (1, 2), (2, 0), (2, 3)])
    assert bool(slow) == (name in ODD)


@pytest.mark.parametrize("raw", [b"# \xe9\n0 1\n", b"0 1 # \xff\n", b"0 1\n# \xe4\xb8", b"0 1\n# \xed\xa0\x80\n"])
def test_comments_that_are_no_text(tmp_path, raw):
    path = tmp_path / "web.txt"
    path.write_bytes(raw)
    with pytest.raises(errors.GraphFileError, match="no text in UTF-8"):
        Topology.read(path)


def test_weights_are_those_that_python_reads(tmp_path):
    rng = np.random.default_rng(4)
    bits = rng.integers(0, 2**64, 20_000, dtype=np.uint64).view(np.float64)
    weights = np.concatenate(
        [bits[np.isfinite(bits)], 10.0 ** rng.integers(-320, 300, 9000), [5e-324, 2**-1074.0, 0.1]]
    )
    words = [
        [repr, "{:.3g}".format, "{:+.25e}".format, "{:.17g}".format][k % 4](w) for k, w in enumerate(weights.tolist())
    ]
    (tmp_path / "web.txt").write_text("".join(f"0 {k + 1} {word}\n" for k, word in enumerate(words)))
    web = Topology.read(tmp_path / "web.txt")
    assert np.array_equal(web.weights, [float(word) for word in words])


LOCALE = """
import locale, sys
locale.setlocale(locale.LC_NUMERIC, sys.argv[1])
import emerge
assert locale.localeconv()["decimal_point"] == ","
assert emerge.Topology.read(sys.argv[2]).weights.tolist() == [0.5, 2.0]
"""


def test_a_comma_for_a_point_changes_nothing(tmp_path):
    (tmp_path / "web.txt").write_text("0 1 0.5\n1 2 2\n")
    old = locale.setlocale(locale.LC_NUMERIC)
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "German_Germany.1252"):
            try:
                locale.setlocale(locale.LC_NUMERIC, name)
            except locale.Error:
                continue
            break
        else:
            pytest.skip("a locale with a decimal comma is needed")
    finally:
        locale.setlocale(locale.LC_NUMERIC, old)
    subprocess.run([sys.executable, "-c", LOCALE, name, str(tmp_path / "web.txt")], check=True, timeout=60)


def test_files_that_are_mapped_are_read_as_those_that_are_unpacked(tmp_path):
    """Of several pieces, of which the pages are let go of while others read them."""
    pairs, weights = drawn(9000, 80_000, 5)
    raw = b"# head \xc3\xa9\n" + text_of(pairs, weights, ",")
    assert len(raw) > 5 * 2**18
    (tmp_path / "web.csv").write_bytes(raw)
    with gzip.open(tmp_path / "web.csv.gz", "wb", compresslevel=1) as packed:
        packed.write(raw)
    web = Topology.read(tmp_path / "web.csv", n=9000)
    assert same(web._graph, merged(pairs, weights, 9000, directed=False))
    assert Topology.read(tmp_path / "web.csv.gz", n=9000) == web
    one_way = Topology.read(tmp_path / "web.csv", n=9000, directed=True)
    assert same(one_way._graph, merged(pairs, weights, 9000, directed=True))
    assert one_way != web
