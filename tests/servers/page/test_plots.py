import pytest

from multiserve.servers.page.plots import plot


@pytest.mark.parametrize(
    ("values", "points"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([None, None], [], id="no value"),
        pytest.param([0, 0], ["0,23.0 120,23.0"], id="zeros lie at the bottom, in one piece"),
        pytest.param([0, 4, 2], ["0,23.0 40,23.0 40,1.0 80,1.0 80,12.0 120,12.0"], id="the highest is at the top"),
        pytest.param([1, None, 1], ["0,1.0 40,1.0", "80,1.0 120,1.0"], id="a gap"),
    ],
)
def test_a_plot_is_a_line_for_each_run_of_values(values, points):
    lines = " ".join(f'<polyline class="failed" points="{each}"/>' for each in points)
    assert plot(values, "a <b>", "failed") == (
        '<svg viewBox="0 0 120 24" width="120" height="24" role="img" aria-label="a &lt;b&gt;">'
        f"<title>a &lt;b&gt;</title>{lines}</svg>"
    )
