"""The model's geometry: shapes, every system, the ways of interpolation, misuse."""

from pathlib import Path

import pytest
import torch

from modeling_wae_rnf.decoder_metric import DecoderMetric
from modeling_wae_rnf.metric_tensor import METRICS
from modeling_wae_rnf.riemannian_metric import straight_line
from wae_rnf.commands.main import main
from wae_rnf.evaluation.model_directory import load_model

GOLDEN = Path(__file__).parent / "golden" / "models"
SYSTEMS = sorted({path.name for path in GOLDEN.iterdir()} - {"lstm-lm"})


@pytest.fixture(params=SYSTEMS)
def any_model(request):
    return load_model(GOLDEN / request.param)[0]


@pytest.fixture
def model():
    model = load_model(GOLDEN / "wae-rnf")[0]
    model.config.max_words = 8  # where no sentence is like those of training, none ends
    return model


def ends(model, number=3):
    torch.manual_seed(0)
    return model.sample_prior(number), model.sample_prior(number)


def metrics_of(model):
    return [name for name in METRICS if name != "conformal" or model.config.flow_kernel]


def test_shapes_and_types_of_every_system(any_model):
    a, b = ends(any_model)
    for metric in metrics_of(any_model):
        assert any_model.metric_tensor(a, metric=metric).shape == (3, 4, 4)
        assert any_model.metric_tensor(a[0], metric=metric).shape == (4, 4)
        curves = any_model.geodesic(a, b, metric=metric)
        assert curves.shape == (3, 21, 4)
        assert curves.dtype == a.dtype
        torch.testing.assert_close(curves[:, [0, -1]], torch.stack([a, b], dim=1), rtol=0, atol=0)
        length, energy = any_model.curve_length(curves, metric=metric), any_model.curve_energy(curves, metric=metric)
        torch.testing.assert_close(energy, length.square() / 2, rtol=1e-4, atol=0)
        distance = any_model.latent_distance(a, b, metric=metric)
        torch.testing.assert_close(distance, length, rtol=1e-4, atol=0)
        line = any_model.curve_length(straight_line(a, b, 41), metric=metric)
        assert (distance < line * (1 + 1e-4)).all()
        assert any_model.curve_length(curves[0], metric=metric).shape == ()


@pytest.mark.parametrize("metric", METRICS)
def test_few_steps_are_picked_from_a_curve_of_more(model, metric):
    a, b = ends(model)
    curves, fewer = (model.geodesic(a, b, steps=steps, metric=metric) for steps in (21, 5))
    torch.testing.assert_close(fewer, curves[:, ::5], rtol=0, atol=1e-6)


def test_pairs_in_parts(model, monkeypatch):
    a, b = ends(model)
    together = model.geodesic(a, b, metric="decoder")
    monkeypatch.setattr("modeling_wae_rnf.decoder_metric.TOKENS_AT_ONCE", 1)
    alone = model.geodesic(a, b, metric="decoder")
    lengths = [model.curve_length(curves, metric="decoder") for curves in (together, alone)]
    torch.testing.assert_close(*lengths, rtol=DecoderMetric.tolerance, atol=0)  # single precision rounds otherwise


def test_without_a_flow_its_metric_is_euclidean():
    model = load_model(GOLDEN / "vae")[0]
    a, b = ends(model)
    torch.testing.assert_close(model.metric_tensor(a), torch.eye(4).expand(3, 4, 4))
    assert torch.equal(model.geodesic(a, b), model.geodesic(a, b, metric="euclidean"))
    torch.testing.assert_close(model.latent_distance(a, b), (a - b).norm(dim=-1))


def test_the_distance_of_the_flow_is_that_behind_it(model):
    a, b = ends(model)
    torch.testing.assert_close(model.latent_distance(a, b), (model.push(a)[0] - model.push(b)[0]).norm(dim=-1))


@pytest.mark.parametrize("metric", ["conformal", "decoder"])
def test_distances_are_those_of_a_metric(model, metric):
    a, b = ends(model)
    there, back = model.latent_distance(a, b, metric=metric), model.latent_distance(b, a, metric=metric)
    torch.testing.assert_close(there, back, rtol=1e-4, atol=0)
    assert model.latent_distance(a, a, metric=metric).tolist() == [0, 0, 0]


@pytest.mark.filterwarnings("ignore:.*did not converge")
@pytest.mark.parametrize("metric", METRICS)
def test_points_far_out(model, metric):
    a, b = (30 * z for z in ends(model))
    curves = model.geodesic(a, b, metric=metric, starts=1)
    assert curves.isfinite().all()
    line = model.curve_length(straight_line(a, b, 21), metric=metric)
    assert (model.curve_length(curves, metric=metric) < line * (1 + 1e-3)).all()


def test_one_dimension(tiny_model):
    model = tiny_model(latent_size=1).eval()
    a, b = torch.tensor([[-1.0]]), torch.tensor([[2.0]])
    for metric in METRICS:
        curve = model.geodesic(a, b, steps=9, metric=metric)[0, :, 0]
        assert (curve.diff() > 0).all()


def test_curves_are_a_differentiable_measure(model):
    curves = straight_line(*ends(model), 5).requires_grad_()
    for metric in METRICS:
        model.curve_energy(curves, metric=metric).sum().backward()
    assert curves.grad.isfinite().all()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_interpolation_along_a_geodesic(model, batch):
    other = {name: values.flip(0) for name, values in batch.items()}
    a, b = model.embed(**batch), model.embed(**other)
    for metric in (None, "euclidean", "decoder"):
        found = model.interpolate(batch, other, steps=5, path="geodesic", metric=metric, max_new_tokens=5)
        curves = model.geodesic(a, b, steps=5, metric=metric or "flow")
        expected = model.generate(latents=curves.flatten(0, 1), do_sample=False, max_new_tokens=5)
        assert torch.equal(found.flatten(0, 1), expected)
    behind = model.interpolate(batch, other, steps=5, space="z_prime", max_new_tokens=5)
    assert torch.equal(behind, model.interpolate(batch, other, steps=5, path="geodesic", max_new_tokens=5))


def test_the_command(capsys):
    arguments = ["interpolate", str(GOLDEN / "wae-rnf"), "the cat sat .", "a dog ran .", "--steps", "3"]
    assert main([*arguments, "--path", "geodesic", "--metric", "decoder"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert main([*arguments, "--metric", "decoder"]) == 2
    assert "--metric is of --path geodesic alone" in capsys.readouterr().err
    assert main([*arguments, "--path", "geodesic", "--space", "z_prime"]) == 2
    assert "--path geodesic runs in z" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda model, z: model.metric_tensor(z, metric="round"),
            "metric must be one of euclidean, flow, conf",
        ),
        (lambda model, z: model.metric_tensor(z[:, :3]), r"have shape \(..., 4\), not \(3, 3\)"),
        (lambda model, z: model.metric_tensor(z / 0), "must be finite"),
        (lambda model, z: model.curve_length(z[0]), "a curve has at least two points"),
        (lambda model, z: model.curve_energy(z[:1]), "a curve has at least two points"),
        (lambda model, z: model.geodesic(z, z[:2]), r"must both have shape \(batch, latent_size\)"),
        (lambda model, z: model.geodesic(z, z, steps=1), "steps must be at least 2, not 1"),
        (lambda model, z: model.geodesic(z, z, starts=0), "starts must be at least 1, not 0"),
        (lambda model, z: model.latent_distance(z[0], z[0]), r"must both have shape \(batch, latent_size\)"),
        (lambda model, z: model.metric_tensor(z, metric="decoder", num_samples=0), "num_samples must be at least 1"),
    ],
)
def test_misuse(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(model, ends(model)[0])


@pytest.mark.parametrize("options", [{"path": "straight", "metric": "flow"}, {"path": "geodesic", "space": "z_prime"}])
def test_misuse_of_geodesic_interpolation(model, batch, options):
    with pytest.raises(ValueError, match="geodesic"):
        model.interpolate(batch, batch, **options)


def test_systems_that_lack_a_metric(batch):
    vae, language_model = load_model(GOLDEN / "vae")[0], load_model(GOLDEN / "lstm-lm")[0]
    with pytest.raises(ValueError, match="the conformal metric needs a flow with a kernel"):
        vae.metric_tensor(ends(vae)[0], metric="conformal")
    nothing = torch.empty(2, 0)
    for call in (
        lambda: language_model.metric_tensor(nothing),
        lambda: language_model.geodesic(nothing, nothing),
        lambda: language_model.latent_distance(nothing, nothing),
        lambda: language_model.curve_length(nothing),
        lambda: language_model.curve_energy(nothing),
    ):
        with pytest.raises(ValueError, match="a language model has no latent variable"):
            call()
