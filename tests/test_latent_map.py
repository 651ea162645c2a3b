"""The map of the latent space: the plane, the colours, and the way from a pixel to a sentence's code."""

import numpy as np
import pytest
import torch
from datasets import Dataset

from training_wae_rnf.latent_map import LatentMap


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


def test_what_cannot_be_mapped(tiny_model, sentences):
    language_model = tiny_model(latent_size=0, num_flows=0, flow_kernel=None, mmd_weight=0.0)
    with pytest.raises(ValueError, match="at least two dimensions"):
        LatentMap(language_model, sentences)
    with pytest.raises(ValueError, match="at least two sentences"):
        LatentMap(tiny_model(), sentences.select([0]))
