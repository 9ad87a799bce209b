"""Brain networks: what matrices become, delays along edges, files, and brains that are drawn."""

import numpy as np
import pytest

import emerge

WEIGHTS = np.array([[5.0, 1.0, 0.0], [1.0, 0.0, -0.5], [0.0, -0.5, 0.0]])
DISTANCES = np.array([[0.0, 30.0, 99.0], [30.0, 0.0, 12.0], [99.0, 12.0, 0.0]])


def test_symmetric_matrices_become_an_undirected_topology_without_the_diagonal():
    brain = emerge.Connectome(WEIGHTS, DISTANCES, labels=("a", "b", "c"))
    assert not brain.topology.directed
    assert brain.topology.edges.tolist() == [[0, 1], [1, 2]]
    assert brain.topology.weights.tolist() == [1.0, -0.5]
    assert [str(label) for label in brain.topology.labels] == ["a", "b", "c"]
    assert brain.delays(6.0).tolist() == [5.0, 2.0]
    assert brain.weights[0, 0] == 0
    assert WEIGHTS[0, 0] == 5  # ours is a copy


def test_rounding_directs_nothing_and_distances_are_read_where_weights_are():
    weights, distances = WEIGHTS.copy(), DISTANCES.copy()
    weights[1, 0] *= 1 + 1e-12
    distances[1, 0] *= 1 + 1e-12
    distances[0, 2], distances[2, 0], distances[0, 0] = np.nan, -1.0, np.inf
    brain = emerge.Connectome(weights, distances)
    assert brain.topology.edges.tolist() == [[0, 1], [1, 2]]
    assert np.array_equal(brain.weights, brain.weights.T)
    assert brain.delays(6.0) == pytest.approx([5.0, 2.0], rel=1e-11)
    assert brain.delays(np.inf).tolist() == [0.0, 0.0]


def test_brains_are_compared_by_what_they_are():
    one = emerge.Connectome.synthetic(20, seed=1)
    assert one == emerge.Connectome.synthetic(20, seed=1)
    assert hash(one) == hash(emerge.Connectome.synthetic(20, seed=1))
    assert one != emerge.Connectome.synthetic(20, seed=2)
    assert one != emerge.Connectome(one.weights, one.distances)  # which says not where its regions are
    assert one != 1


@pytest.mark.parametrize("length", [30.0, 7.0])
def test_others_become_a_directed_one_row_by_row(length):
    weights, distances = WEIGHTS.copy(), DISTANCES.copy()
    weights[1, 0], distances[1, 0] = 7.0, length
    brain = emerge.Connectome(weights, distances)
    assert brain.topology.directed
    assert brain.topology.edges.tolist() == [[0, 1], [1, 0], [1, 2], [2, 1]]
    assert brain.topology.weights.tolist() == [1.0, 7.0, -0.5, -0.5]
    assert brain.delays(2.0).tolist() == [15.0, length / 2, 6.0, 6.0]


@pytest.mark.parametrize("separator", [" ", ",", ";", "\t", "npy"])
def test_plain_matrices_are_read(tmp_path, separator):
    paths = tmp_path / "weights.npy", tmp_path / "distances.npy"
    for path, matrix in zip(paths, (WEIGHTS, DISTANCES), strict=True):
        if separator == "npy":
            np.save(path, matrix)
        else:
            np.savetxt(path.with_suffix(".txt"), matrix, delimiter=separator)
    if separator != "npy":
        paths = [path.with_suffix(".txt") for path in paths]
    (tmp_path / "names.txt").write_text("left\nright\nmiddle\n")
    brain = emerge.Connectome.read(*paths, labels=tmp_path / "names.txt")
    assert np.array_equal(brain.delays(1.0), emerge.Connectome(WEIGHTS, DISTANCES).delays(1.0))
    assert brain.labels == ("left", "right", "middle")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1 2\n3", r"weights\.txt: this is no matrix of numbers"),
        ("1 x\n3 4", r"weights\.txt: this is no matrix"),
        ("1 2\n", r"weights\.txt and .*: weights must be a square matrix"),
    ],
)
def test_files_that_hold_no_matrix_are_named(tmp_path, text, says):
    path = tmp_path / "weights.txt"
    path.write_text(text)
    with pytest.raises(emerge.GraphFileError, match=says):
        emerge.Connectome.read(path, path)


def test_a_drawn_brain_is_symmetric_seeded_and_the_nearer_the_stronger():
    brain, again, other = (emerge.Connectome.synthetic(80, density=0.2, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(brain.weights, again.weights)
    assert not np.array_equal(brain.weights, other.weights)
    assert np.array_equal(brain.weights, brain.weights.T)
    assert brain.topology.edge_count == pytest.approx(0.2 * 80 * 79 / 2, abs=1)
    assert (brain.weights[np.arange(40), np.arange(40) + 40] > 0).all()  # mirror images are joined
    assert np.allclose(brain.distances, np.linalg.norm(brain.positions[:, None] - brain.positions[None], axis=2))
    assert brain.weights[brain.weights > 0].mean() == pytest.approx(1)
    there = np.triu(brain.weights) > 0
    near = brain.distances[there] < np.median(brain.distances[there])
    assert brain.weights[there][near].mean() > 1.5 * brain.weights[there][~near].mean()
    assert brain.topology.components().max() == 0


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: emerge.Connectome(WEIGHTS, DISTANCES[:2, :2]), r"weights are of 3 regions, but distances of 2"),
        (lambda: emerge.Connectome(WEIGHTS[:2], DISTANCES), r"weights must be a square matrix, .* \(2, 3\)"),
        (lambda: emerge.Connectome(WEIGHTS, np.triu(DISTANCES)), r"distances must be symmetric .* of 0 and 1 differ"),
        (lambda: emerge.Connectome(WEIGHTS, -DISTANCES), r"distances must be at least 0, but that of 0 and 1 is -30"),
        (lambda: emerge.Connectome(WEIGHTS * np.nan, DISTANCES), r"weights must be finite, but that of 0 and 1 is nan"),
        (lambda: emerge.Connectome(WEIGHTS, DISTANCES, labels=["a"]), r"3 regions, but 1 labels"),
        (lambda: emerge.Connectome(WEIGHTS, DISTANCES, positions=[0.0]), r"positions must have shape \(3, 3\)"),
        (lambda: emerge.Connectome(WEIGHTS, DISTANCES).delays(0.0), r"speed must be greater than 0, not 0"),
        (lambda: emerge.Connectome(WEIGHTS, DISTANCES).delays(np.nan), r"speed must be finite"),
        (
            lambda: emerge.Connectome(WEIGHTS, DISTANCES + np.inf),
            r"distances must be finite, but that of 0 and 1 is inf",
        ),
        (lambda: emerge.Connectome.synthetic(5), r"regions must be an even number"),
        (lambda: emerge.Connectome.synthetic(6, density=0.0), r"density must be greater than 0"),
        (lambda: emerge.Connectome.synthetic(6, decay=-1.0), r"decay must be greater than 0"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make, says):
    with pytest.raises(emerge.InvalidValue, match=says):
        make()
