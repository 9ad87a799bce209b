"""The picture: what its axes hold, and the file it becomes."""

import struct
import subprocess
import sys

import numpy as np
import pytest

import emerge
from emerge.plot import picture, save

pytest.importorskip("matplotlib", reason="extra plot")

RESULT_TITLES = ["Coherence over time", "Phases before", "Phases after", "Phases around their mean"]


def ran(topology, duration=5.0, until=None):
    """Run a swarm; return its result, and phases before and after."""
    rng = np.random.default_rng(2)
    swarm = emerge.Swarm(topology, emerge.Kuramoto(2.0), frequency=rng.normal(0, 0.1, len(topology)), seed=1)
    before = swarm.phase
    return swarm.run(duration, until=until, record="coherence"), before, swarm.phase


def web(n=500):
    return emerge.Topology.small_world(n, degree=10, rewire=0.2, seed=1)


def size(path):
    """Return width and height of a PNG."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", head[16:24])


class TestPicture:
    def test_shows_the_curves(self):
        result, before, after = ran(web(), until=emerge.coherent(0.9), duration=50.0)
        figure = picture(result, before, after, title="five hundred", target=0.9)
        assert figure.get_suptitle() == "five hundred"
        line, first, last, spread = figure.axes
        assert [axes.get_title("left").partition(":")[0] for axes in figure.axes] == RESULT_TITLES
        curve = next(drawn for drawn in line.lines if drawn.get_label() == "R")
        np.testing.assert_array_equal(curve.get_xdata(), result.history.time)
        np.testing.assert_array_equal(curve.get_ydata(), result.history.coherence)
        target = next(drawn for drawn in line.lines if drawn.get_label() == "target R = 0.9")
        assert set(target.get_ydata()) == {0.9}
        for axes, phase in ((first, before), (last, after)):
            level = abs(np.exp(1j * phase).mean())
            assert axes.get_title("left").endswith(f"R = {level:.3f}")
            dots = axes.collections[0].get_offsets()
            assert len(dots) == 500
            drawn = np.sort(np.arctan2(dots[:, 1], dots[:, 0]) % (2 * np.pi))
            np.testing.assert_allclose(drawn, np.sort(phase), atol=1e-9)
        assert line.get_xlabel()
        assert line.get_ylabel() == "coherence R"
        assert "°" in spread.get_xlabel()
        assert "%" in spread.get_ylabel()

    def test_arrow_is_the_mean_field(self):
        result, before, after = ran(web())
        last = picture(result, before, after, title="arrow").axes[2]
        field = np.exp(1j * after).mean()
        corners = last.patches[0].get_xy()
        tip = corners[np.hypot(*corners.T).argmax()]
        np.testing.assert_allclose(tip, [field.real, field.imag], atol=1e-12)

    def test_shares_are_of_all_agents(self):
        result, before, after = ran(web(5000))
        figure = picture(result, before, after, title="many")
        assert len(figure.axes[1].collections[0].get_offsets()) == 2000
        for drawn, phase in zip(figure.axes[3].patches, (before, before, after, after), strict=True):
            values = drawn.get_data().values
            apart = np.angle(np.exp(1j * phase) / np.exp(1j * phase).mean())
            assert values[len(values) // 2] == pytest.approx(100 * np.mean(np.abs(apart) < np.radians(2.5)))
            assert values[:-1].sum() == pytest.approx(100)  # the first and the last bar are one
            assert values[0] == values[-1]

    def test_is_the_same_every_time(self):
        result, before, after = ran(web(5000), duration=0.5)
        one, again = (picture(result, before, after, title="twice").axes[1].collections[0] for _ in range(2))
        np.testing.assert_array_equal(one.get_offsets(), again.get_offsets())

    @pytest.mark.parametrize("n", [1, 2, 100, 3000])
    def test_any_size(self, n, tmp_path):
        result, before, after = ran(emerge.Topology.complete(n), duration=0.1)
        save(picture(result, before, after, title=f"{n} $agents_{{"), tmp_path / "any.png")
        assert size(tmp_path / "any.png") == (1400, 900)

    def test_run_that_ended_before_it_began(self, tmp_path):
        result, before, after = ran(emerge.Topology.complete(1), until=emerge.coherent(0.5))
        assert result.ticks == 0
        save(picture(result, before, after, title="one", target=0.5), tmp_path / "one.png")
        assert size(tmp_path / "one.png") == (1400, 900)

    def test_nothing_overlaps(self):
        result, before, after = ran(web(3000))
        figure = picture(result, before, after, title="apart", target=0.95)
        figure.draw_without_rendering()
        boxes = [axes.get_tightbbox() for axes in figure.axes]
        for k, box in enumerate(boxes):
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= 1400
            assert box.y1 <= 900
            for other in boxes[:k]:
                assert min(box.x1, other.x1) <= max(box.x0, other.x0) or min(box.y1, other.y1) <= max(box.y0, other.y0)


class TestRefusals:
    def test_nothing_recorded(self):
        swarm = emerge.Swarm(emerge.Topology.complete(3), emerge.Kuramoto(1.0), seed=1)
        with pytest.raises(emerge.InvalidValue, match="record="):
            picture(swarm.run(0.1), swarm.phase, swarm.phase, title="nothing")

    @pytest.mark.parametrize("after", [[], [0.0, 1.0], [0.0, 1.0, np.nan]])
    def test_phases_that_do_not_agree(self, after):
        result, before, _ = ran(emerge.Topology.complete(3), duration=0.1)
        with pytest.raises(emerge.InvalidValue, match="after"):
            picture(result, before, after, title="odd")

    def test_no_phases(self):
        result, *_ = ran(emerge.Topology.complete(3), duration=0.1)
        with pytest.raises(emerge.InvalidValue, match="at least one agent"):
            picture(result, [], [], title="nobody")

    def test_directory_that_is_not_there(self, tmp_path):
        result, before, after = ran(emerge.Topology.complete(3), duration=0.1)
        with pytest.raises(FileNotFoundError):
            save(picture(result, before, after, title="lost"), tmp_path / "no" / "where.png")


def process(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


def test_missing_extra():
    done = process(
        "import sys; sys.modules['matplotlib'] = None\n"
        "import emerge, emerge.plot\n"
        "swarm = emerge.Swarm(emerge.Topology.complete(3), emerge.Kuramoto(1.0), seed=1)\n"
        "result = swarm.run(0.1, record='coherence')\n"
        "try: emerge.plot.picture(result, swarm.phase, swarm.phase, title='none')\n"
        "except emerge.MissingExtra as error: print(error)\n"
    )
    assert "pip install 'emerge-swarm[plot]'" in done.stdout


def test_leaves_pyplot_alone():
    done = process(
        "import sys, emerge, emerge.plot\n"
        "swarm = emerge.Swarm(emerge.Topology.complete(3), emerge.Kuramoto(1.0), seed=1)\n"
        "result = swarm.run(0.1, record='coherence')\n"
        "emerge.plot.picture(result, swarm.phase, swarm.phase, title='alone')\n"
        "print('matplotlib.pyplot' in sys.modules)\n"
    )
    assert done.stdout == "False\n", done.stderr
