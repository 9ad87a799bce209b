"""Files: every format that can be read, compressed or not, and everything that is wrong with one."""

import gzip
import io
import sys

import numpy as np
import pytest

from emerge import errors, files
from emerge.topology import Topology

LOLLIPOP = Topology.from_edges([(0, 1), (1, 2), (2, 0), (2, 3)])
WEIGHTED = Topology.from_edges([(0, 1), (1, 2), (2, 0), (2, 3)], weights=[0.5, 2, -1, 4])


@pytest.fixture
def put(tmp_path):
    """Write a file, compressed where its name says so, and return its path."""

    def write(name, content):
        path = tmp_path / name
        raw = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return path

    return write


PLAIN = {
    "blanks": ("web.txt", "0 1\n1 2\n2 0\n2 3\n"),
    "tabs": ("web.tsv", "0\t1\n1\t2\n2\t0\n2\t3"),
    "commas": ("web.csv", "0,1\n1, 2\n2,0\n2 ,3\n"),
    "header": ("web.csv", "source,target\n0,1\n1,2\n2,0\n2,3\n"),
    "tsv header": ("web.tsv", "# from somewhere\nsource\ttarget\n0\t1\n1\t2\n2\t0\n2\t3\n"),
    "comments": ("web.txt", "# head\n\n0 1 # first\n1 2\n   \n% middle\n2 0\n2 3\n"),
    "percent": ("web.txt", "% head\n0 1\n1 2\n2 0 % end\n2 3\n"),
    "windows": ("WEB.TXT", "\ufeff0 1\r\n1 2\r\n2 0\r\n2 3\r\n"),
    "commas in txt": ("web.txt", "0,1\n1,2\n2,0\n2,3\n"),
    "gz": ("web.txt.gz", "0 1\n1 2\n2 0\n2 3\n"),
    "csv.gz": ("web.csv.gz", "a,b\n0,1\n1,2\n2,0\n2,3\n"),
    "tsv.gz": ("web.tsv.gz", "0\t1\n1\t2\n2\t0\n2\t3\n"),
}


@pytest.mark.parametrize(("name", "content"), PLAIN.values(), ids=PLAIN)
def test_edge_lists(put, name, content):
    path = put(name, content)
    web = Topology.read(path)
    assert web == LOLLIPOP
    assert Topology.read(str(path)) == LOLLIPOP
    assert Topology.read(path, directed=True).edges.tolist() == [[0, 1], [1, 2], [2, 0], [2, 3]]
    assert len(Topology.read(path, n=9)) == 9
    headed = "head" in "".join(web.notes)
    assert headed == ("source" in content or "a,b" in content)


@pytest.mark.parametrize("name", ["web.txt", "web.csv", "web.csv.gz"])
def test_weighted_edge_lists(put, name):
    content = "0 1 .5\n1 2 2\n2 0 -1e0\n2 3 4.0\n"
    if "csv" in name:
        content = "source,target,weight\n" + content.replace(" ", ",")
    assert Topology.read(put(name, content)) == WEIGHTED


def test_edge_list_policy(put):
    web = Topology.read(put("web.txt", "1 2\n2 1\n5 5\n"))
    assert len(web) == 6
    assert web.edges.tolist() == [[1, 2]]
    assert web.notes == (
        "the least agent number is 1, so agent 0 has no edges",
        "1 self-loop was left out",
        "1 repeated edge was merged",
    )
    assert Topology.read(put("none.txt", "# nobody knows anybody\n"), n=4) == Topology.from_edges([], 4)


def test_a_long_list_agrees_with_numpy(put):
    rng = np.random.default_rng(1)
    pairs = rng.integers(0, 5000, (30_000, 2))
    weights = rng.normal(size=30_000)
    lines = [f"{i} {j} {weight!r}" for (i, j), weight in zip(pairs.tolist(), weights.tolist(), strict=True)]
    web = Topology.from_edges(pairs, 5000, weights=weights)
    assert Topology.read(put("web.txt", "\n".join(lines)), n=5000) == web
    lines[20_000] = "% another sort of comment"
    kept = np.arange(30_000) != 20_000
    less = Topology.read(put("less.txt", "\n".join(lines)), n=5000)
    assert less == Topology.from_edges(pairs[kept], 5000, weights=weights[kept])
    assert less != web


@pytest.mark.parametrize("ending", [".mtx", ".mtx.gz"])
def test_matrix_market(put, ending):
    pytest.importorskip("scipy")
    head = "%%MatrixMarket matrix coordinate"
    pattern = f"{head} pattern symmetric\n% c\n4 4 4\n2 1\n3 2\n3 1\n4 3\n"
    assert Topology.read(put("a" + ending, pattern)) == LOLLIPOP
    real = f"{head} real symmetric\n4 4 4\n2 1 0.5\n3 2 2\n3 1 -1\n4 3 4\n"
    assert Topology.read(put("b" + ending, real)) == WEIGHTED
    general = f"{head} integer general\n3 3 2\n1 2 1\n1 3 1\n"
    web = Topology.read(put("c" + ending, general))
    assert web.neighbours(0).tolist() == [1, 2]
    assert web.directed
    array = "%%MatrixMarket matrix array real general\n2 2\n0\n3\n3\n0\n"
    assert Topology.read(put("d" + ending, array)) == Topology.from_edges([(0, 1)], weights=3)


@pytest.mark.parametrize("web", [LOLLIPOP, WEIGHTED, LOLLIPOP.without(3)])
@pytest.mark.parametrize("ending", [".graphml", ".gml", ".graphml.gz", ".gml.gz"])
def test_graphml_and_gml(tmp_path, web, ending):
    networkx = pytest.importorskip("networkx")
    path = tmp_path / ("web" + ending)
    write = networkx.write_gml if "gml" in ending and "graphml" not in ending else networkx.write_graphml
    write(web.to_networkx(), path)
    back = Topology.read(path)
    assert back == web
    assert back.labels is None
    labelled = Topology.from_edges(web.edges, weights=web.weights, labels=["ant", "bee", "cow", "dog"])
    write(labelled.to_networkx(), path)
    assert Topology.read(path).labels.tolist() == ["ant", "bee", "cow", "dog"]
    assert Topology.read(path) == web
    write(networkx.DiGraph([("u", "v"), ("w", "v")]), path)
    assert Topology.read(path).edges.tolist() == [[0, 1], [2, 1]]


def test_names_inside_graphml_and_gml(put):
    pytest.importorskip("networkx")
    graphml = (
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
        '<key id="d0" for="node" attr.name="name" attr.type="string"/>'
        '<graph edgedefault="undirected">'
        '<node id="n0"><data key="d0">Oslo</data></node><node id="n1"><data key="d0">Rome</data></node>'
        '<edge source="n0" target="n1"/></graph></graphml>'
    )
    assert Topology.read(put("a.graphml", graphml)).labels.tolist() == ["Oslo", "Rome"]
    same = Topology.read(put("b.graphml", graphml.replace("Rome", "Oslo")))
    assert same.labels.tolist() == ["n0", "n1"], "names that are no names are not used"
    gml = "graph [ node [ id 3 ] node [ id 7 ] edge [ source 3 target 7 ] ]"
    assert Topology.read(put("a.gml", gml)).labels.tolist() == ["3", "7"]


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia"])
def test_npz(tmp_path, form):
    sparse = pytest.importorskip("scipy.sparse")
    path = tmp_path / "web.npz"
    for web in (LOLLIPOP, WEIGHTED, Topology.from_edges([(0, 1), (2, 1)], directed=True)):
        sparse.save_npz(path, web.to_scipy().asformat(form))
        assert Topology.read(path) == web
        sparse.save_npz(path, sparse.coo_matrix(web.to_scipy()).asformat(form))
        assert Topology.read(path) == web


def npz(**arrays) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


MARKET = "%%MatrixMarket matrix coordinate real general\n"
CSR = {"format": b"csr", "shape": [2, 2], "data": [1.0], "indptr": [0, 1, 1]}
BAD = {
    "unknown ending": ("web.dat", "0 1", ".txt, .tsv, .csv, .mtx"),
    "no ending": ("web", "0 1", "ending"),
    "npz.gz": ("web.npz.gz", "0 1", "but .npz"),
    "empty": ("web.txt", "", "is empty"),
    "empty npz": ("web.npz", "", "is empty"),
    "only comments": ("web.txt", "# none\n", "holds no edges: give the number of agents"),
    "only a header": ("web.csv", "a,b\n", "holds no edges"),
    "one column": ("web.txt", "# one\n\n0\n", "line 3: '0' is no edge.*2 or 3 columns"),
    "four columns": ("web.txt", "0 1 2 3\n", "line 1"),
    "columns vary": ("web.txt", "0 1\n1 2 3\n", "line 2: '1 2 3' is no edge.*2 columns"),
    "columns miss": ("web.csv", "0,1,1\n1,2\n", "line 2: '1,2' is no edge.*3 columns"),
    "empty field": ("web.csv", "0,1\n1,\n", "line 2"),
    "words": ("web.txt", "0 1\na b\n", "line 2: 'a b'"),
    "header in txt": ("web.txt", "source target\n0 1\n", "line 1: 'source target'"),
    "second header": ("web.csv", "a,b\nc,d\n0,1\n", "line 2"),
    "negative": ("web.txt", "0 1\n1 2\n3 -4\n", "line 3: '3 -4'.*whole numbers from 0"),
    "fraction": ("web.txt", "0 1\n1 2.5\n", "line 2: '1 2.5'"),
    "whole float": ("web.txt", "0 1\n1 2.0\n", "line 2: '1 2.0'"),
    "too many agents": ("web.txt", "0 1\n1 2147483648\n", "line 2.*agents from 0 to 2147483646"),
    "beyond int64": ("web.txt", "0 1\n1 99999999999999999999\n", "line 2.*agents from 0"),
    "nan weight": ("web.txt", "0 1 1\n1 2 nan\n", "line 2: '1 2 nan'.*finite number as weight"),
    "inf weight": ("web.txt", "0 1 1\n1 2 inf\n", "line 2"),
    "word weight": ("web.csv", "i,j,w\n0,1,1\n1,2,heavy\n", "line 3: '1,2,heavy'"),
    "long line": ("web.txt", "0 1\n" + "x" * 200, "line 2: '" + "x" * 57 + "...'"),
    "binary": ("web.txt", b"0 1\n\xff\xfe\x00\n", "no text in UTF-8"),
    "late binary": ("web.txt", b"0 1\n" * 50_000 + b"\xff\n", "no text in UTF-8"),
    "market": ("web.mtx", "0 1\n", "no Matrix Market file"),
    "market beyond": ("web.mtx", MARKET + "2 2 1\n3 1 1.0\n", "no Matrix Market file"),
    "market cut": ("web.mtx", MARKET + "2 2 2\n1 2 1.0\n", "no Matrix Market file"),
    "market shape": ("web.mtx", MARKET + "2 3 1\n1 2 1.0\n", "square"),
    "market complex": ("web.mtx", MARKET.replace("real", "complex") + "2 2 1\n1 2 1 1\n", "real numbers"),
    "market nan": ("web.mtx", MARKET + "2 2 1\n1 2 nan\n", "weight nan"),
    "graphml": ("web.graphml", "<graphml><graph>", "no GraphML file"),
    "graphml text": ("web.graphml", "0 1\n", "no GraphML file"),
    "gml": ("web.gml", "graph [ node", "no GML file"),
    "gml edge": ("web.gml", "graph [ node [ id 0 label 0 ] edge [ source 0 target 5 ] ]", "no GML file"),
    "gml nobody": ("web.gml", "graph [ ]", "n must be from 1"),
    "npz text": ("web.npz", "0 1\n", "no saved sparse matrix"),
    "npz keys": ("web.npz", npz(**CSR, indices=[1], extra=[1]), "it holds .*'extra'"),
    "npz arrays": ("web.npz", npz(a=[1], b=[2]), "it holds \\['a', 'b'\\]"),
    "npz indices": ("web.npz", npz(**CSR, indices=[5]), "no saved sparse matrix"),
    "npz format": ("web.npz", npz(**{**CSR, "format": b"xyz"}, indices=[1]), "no saved sparse matrix"),
    "npz pickle": ("web.npz", npz(**{**CSR, "data": np.array([{}])}, indices=[1]), "no saved sparse matrix"),
}


@pytest.mark.parametrize(("name", "content", "words"), BAD.values(), ids=BAD)
def test_bad_files_are_named(put, name, content, words):
    pytest.importorskip("scipy")
    pytest.importorskip("networkx")
    path = put(name, content)
    with pytest.raises(errors.GraphFileError, match=words) as caught:
        Topology.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", [".txt", ".mtx", ".graphml", ".gml", ".m"])
def test_broken_gzip(tmp_path, ending):
    pytest.importorskip("scipy")
    pytest.importorskip("networkx")
    whole = gzip.compress(b"0 1\n" * 1000)
    for k, raw in enumerate((whole[:-12], b"0 1\n", whole[:20] + b"\x00\x00\x00" + whole[23:])):
        path = tmp_path / f"web{k}{ending}.gz"
        path.write_bytes(raw)
        with pytest.raises(errors.GraphFileError, match=f"web{k}"):
            Topology.read(path)


def test_agents_beyond_the_number_given(put):
    path = put("web.txt", "0 1\n1 2\n0 7\n")
    with pytest.raises(errors.GraphFileError, match=r"line 3: '0 7' is no edge.*agents from 0 to 4"):
        Topology.read(path, n=5)
    assert len(Topology.read(path, n=8)) == 8
    with pytest.raises(errors.InvalidValue, match="n must be from 1"):
        Topology.read(path, n=0)


def test_paths_that_lead_nowhere(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"no file .*gone\.txt"):
        Topology.read(tmp_path / "gone.txt")
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(errors.GraphFileError, match="directory"):
        Topology.read(tmp_path / "folder.txt")
    with pytest.raises(errors.InvalidType, match="name of a file, not 5"):
        Topology.read(5)

    def refused(_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "web.txt").write_text("0 1\n")
    monkeypatch.setattr(files, "_text", refused)
    with pytest.raises(errors.GraphFileError, match=r"web\.txt cannot be read: Permission denied"):
        Topology.read(tmp_path / "web.txt")


def test_a_file_that_memory_does_not_hold(put, monkeypatch):
    def exhausted(*_, **__):
        raise MemoryError

    monkeypatch.setattr(files, "_content", exhausted)
    with pytest.raises(errors.TooLarge, match=r"web\.txt, 4 bytes long"):
        Topology.read(put("web.txt", "0 1\n"))


def test_formats_that_know_better_refuse_to_be_told(put):
    path = put("web.mtx", MARKET + "2 2 1\n1 2 1.0\n")
    for options in ({"n": 2}, {"directed": True}):
        with pytest.raises(errors.InvalidValue, match="for edge lists"):
            Topology.read(path, **options)


@pytest.mark.parametrize("name", ["web.mtx", "web.npz", "web.graphml", "web.gml"])
def test_without_the_extra_it_is_named(put, monkeypatch, name):
    for module in ("networkx", "scipy.sparse", "scipy.io"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(errors.MissingExtra, match="graphs"):
        Topology.read(put(name, "x"))
    assert Topology.read(put("web.txt", "0 1")).edge_count == 1
