"""The map of the latent space: the plane, the colours, and the way from a pixel to a sentence's code."""

import numpy as np
import pytest
import torch
from datasets import Dataset
from matplotlib.figure import Figure

from wae_rnf.evaluation import latent_map as latent_map_module
from wae_rnf.evaluation.latent_map import LatentMap


@pytest.fixture
def sentences():
    rng = np.random.default_rng(0)
    rows = [[1, *rng.integers(4, 13, 1 + number % 5).tolist(), 2] for number in range(60)]
    return Dataset.from_dict({"input_ids": rows, "length": [len(row) - 1 for row in rows]})


def test_points_are_the_projected_means(tiny_model, sentences):
    model = tiny_model().eval()
    latent_map = LatentMap(model, sentences)
    assert latent_map.points.shape == (60, 2)
    for row in (0, 17, 59):
        mean = model.embed(torch.tensor([sentences[row]["input_ids"]]))
        expected = latent_map.plane.transform(mean.numpy())
        np.testing.assert_allclose(latent_map.points[row], expected[0], atol=1e-5)
        np.testing.assert_allclose(latent_map.log_abs_det[row], model.push(mean)[1].item(), atol=1e-5)
    np.testing.assert_allclose(latent_map.centres, latent_map.plane.transform(model.centres.numpy()), atol=1e-5)


def test_a_place_becomes_the_code_that_lies_there(tiny_model, sentences):
    latent_map = LatentMap(tiny_model().eval(), sentences)
    z = latent_map.latents((0.3, -0.2))
    np.testing.assert_allclose(latent_map.plane.transform(z.numpy()), [[0.3, -0.2]], atol=1e-5)


def test_a_mark_is_found_where_its_pixel_is(tiny_model, sentences):
    latent_map = LatentMap(tiny_model().eval(), sentences)
    plain, place = latent_map.draw()
    pixel = (250, 300)
    marked, _ = latent_map.draw(place(pixel))
    rows, columns = np.nonzero((plain.astype(int) - marked).any(-1)[:, :420])  # left of the legend and the colour bar
    near = (abs(rows - pixel[1]) < 15) & (abs(columns - pixel[0]) < 15)
    assert near.sum() > 40


def test_pixels_mean_the_same_after_every_redraw(tiny_model, sentences):
    """A mark, even one far away, does not move what is already there; outside the axes there is no place."""
    latent_map = LatentMap(tiny_model().eval(), sentences)
    _, place = latent_map.draw()
    _, after = latent_map.draw((50.0, -3.0))
    pixels = [(250, 300), (400, 100), (120, 480)]
    assert [place(pixel) for pixel in pixels] == [after(pixel) for pixel in pixels]
    inside = [place((column, row)) for column in range(0, 700, 5) for row in range(0, 560, 5)]
    found = np.array([position for position in inside if position is not None])
    assert np.abs(found).max() <= latent_map.half_side * (1 + 1e-6)
    np.testing.assert_allclose(np.abs(found).max(), latent_map.half_side, rtol=0.05)
    for outside in ((5, 300), (690, 100), (250, 555), (-3, -3), (9000, 300)):
        assert place(outside) is None


def test_every_point_is_on_the_map(tiny_model, sentences):
    latent_map = LatentMap(tiny_model().eval(), sentences)
    assert np.abs(latent_map.points).max() < latent_map.half_side
    assert np.abs(latent_map.centres).max() < latent_map.half_side


def test_noise_is_not_magnified(tiny_model, sentences, monkeypatch):
    """A collapsed model: its points lie at one place, of one colour, and the map says so."""
    drawn = []
    monkeypatch.setattr(latent_map_module, "Figure", lambda **fields: drawn.append(Figure(**fields)) or drawn[-1])
    model = tiny_model(batch_norm=False).eval()
    with torch.no_grad():
        for weights in model.posterior_head.parameters():
            weights *= 1e-3
        model.centres.zero_()
    latent_map = LatentMap(model, sentences)
    assert np.abs(latent_map.points).max() < 0.01
    latent_map.draw()
    axes, colours = drawn[0].axes
    assert axes.get_title().startswith("collapsed: mutual information 0.0")
    assert axes.get_title().endswith("0 of 4 units with a KL over 0.05")
    assert np.ptp(axes.get_xlim()) >= 2
    assert np.ptp(axes.get_ylim()) >= 2
    assert np.ptp(colours.get_ylim()) >= 1


def test_what_cannot_be_mapped(tiny_model, sentences):
    language_model = tiny_model(latent_size=0, num_flows=0, flow_kernel=None, mmd_weight=0.0)
    with pytest.raises(ValueError, match="at least two dimensions"):
        LatentMap(language_model, sentences)
    with pytest.raises(ValueError, match="at least two sentences"):
        LatentMap(tiny_model(), sentences.select([0]))


@pytest.mark.parametrize("metric", ["flow", "conformal", "decoder"])
def test_the_background_is_the_volume_of_a_metric(tiny_model, sentences, metric, monkeypatch):
    """At the corners of the grid: log √det G, by the determinant of the metric's tensor."""
    monkeypatch.setattr(latent_map_module, "SIDE", 5)
    monkeypatch.setattr(latent_map_module, "SIDES", {})
    drawn = []
    monkeypatch.setattr(latent_map_module, "Figure", lambda **fields: drawn.append(Figure(**fields)) or drawn[-1])
    model = tiny_model(max_words=6).eval()
    latent_map = LatentMap(model, sentences)
    values = latent_map.volume(metric)
    for row, column in ((0, 0), (0, 4), (4, 0)):
        side = latent_map.half_side
        z = latent_map.latents(((column / 2 - 1) * side, (row / 2 - 1) * side)).double()
        tensor = model.metric_tensor(z, metric=metric, max_words=latent_map.max_words)[0]
        np.testing.assert_allclose(values[row, column], tensor.logdet() / 2, rtol=1e-3, atol=1e-3)
    assert (latent_map.draw(metric=metric)[0] != latent_map.draw(metric="flow")[0]).any() == (metric != "flow")
    label = drawn[0].axes[1].get_ylabel()
    assert label == f"log √det G of the {metric} metric, nats"
