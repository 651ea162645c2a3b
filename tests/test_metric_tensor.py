"""The metrics of a model, each against something independent: autograd, enumeration, divergences, the loss."""

import math
from pathlib import Path

import pytest
import torch

from modeling_wae_rnf.components import COMPONENTS
from modeling_wae_rnf.decoder_metric import draw_sentences
from modeling_wae_rnf.flows import Flow
from modeling_wae_rnf.geodesics import curve_length, shortest_curves
from modeling_wae_rnf.metric_tensor import METRICS, ConformalMetric, FlowMetric, in_double, metric_of
from modeling_wae_rnf.riemannian_metric import straight_line
from wae_rnf.evaluation.model_directory import load_model

GOLDEN = Path(__file__).parent / "golden" / "models"


@pytest.fixture(scope="module")
def model():
    return load_model(GOLDEN / "wae-rnf")[0]


def points(seed, number=5, size=4):
    return torch.randn(number, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pair_metric(model, name, a, b, **options):
    return metric_of(model, name, torch.stack([a, b], dim=1), **options)


def test_the_flow_s_jacobian_is_that_of_autograd():
    torch.manual_seed(0)
    flow = Flow(6, 4).double()
    for step in flow.steps:
        step.reset_parameters("normal")
    for z in points(0, size=6):
        expected = torch.autograd.functional.jacobian(lambda z: flow(z)[0], z)
        torch.testing.assert_close(flow.jacobian(z), expected)
    z = points(0, 10, 6).view(2, 5, 6)
    assert flow.jacobian(z).shape == (2, 5, 6, 6)
    torch.testing.assert_close(flow.jacobian(z).slogdet().logabsdet, flow(z)[1], rtol=0, atol=1e-5)


def test_the_volume_of_the_conformal_metric_is_what_the_loss_sums(model):
    """√det G = K |det J| of all the flow's steps, eq. 16 and 17."""
    z = points(0)
    code = in_double(model)._code(None, z)
    log_volume = metric_of(model, "conformal", z.unsqueeze(1)).tensor(z).logdet() / 2
    torch.testing.assert_close(log_volume, code.log_abs_det + code.log_kernel, rtol=0, atol=1e-6)
    log_volume = metric_of(model, "flow", z.unsqueeze(1)).tensor(z).logdet() / 2
    torch.testing.assert_close(log_volume, code.log_abs_det, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", METRICS)
def test_short_segments_are_as_long_as_the_tensor_says(model, name):
    z, direction = points(0), points(1)
    metric = pair_metric(model, name, z, z + direction)
    tensor = metric.tensor(z.unsqueeze(1)).squeeze(1)
    expected = torch.einsum("bi,bij,bj->b", direction, tensor, direction)
    assert (torch.linalg.eigvalsh(tensor) > 0).all()
    torch.testing.assert_close(tensor, tensor.mT)
    size = 1e-4
    ends = torch.stack([z - size / 2 * direction, z + size / 2 * direction], dim=1)
    torch.testing.assert_close(metric.squared_lengths(ends).squeeze(1) / size**2, expected, rtol=1e-5, atol=0)


def two_tokens(vocab_size):
    """Every sentence of two tokens after beginning-of-sentence, and the one that ends after the first."""
    return torch.tensor([[1, 2, 0]] + [[1, a, b] for a in range(vocab_size) if a != 2 for b in range(vocab_size)])


@pytest.mark.parametrize("decoder", COMPONENTS["decoder"])
def test_the_decoder_s_tensor_is_the_fisher_information(tiny_model, decoder):
    """Over all sentences of two tokens, weighed by p(x|z): E ∇log p ∇log pᵀ, by autograd of the model's own score."""
    model = in_double(tiny_model(vocab_size=5, latents_at_every_step=True, decoder_type=decoder).eval())
    z = points(0, 1)
    ids = two_tokens(5)
    mask = torch.ones_like(ids, dtype=torch.bool)
    mask[:, 2] = ids[:, 1].ne(2)

    def log_probs(z):
        return -model.score(ids, mask, model.push(z.expand(len(ids), -1))[0])

    probs = log_probs(z[0]).exp().detach()
    assert probs.sum().item() == pytest.approx(1)
    scores = torch.autograd.functional.jacobian(log_probs, z[0])
    expected = torch.einsum("x,xi,xj->ij", probs, scores, scores)
    metric = metric_of(model, "decoder", z.unsqueeze(1))
    tensors = []
    for sentence in range(len(ids)):  # the mean over sentences is that of p(x|z) once each is weighed by it
        metric.input_ids, metric.mask = ids[None, sentence : sentence + 1], mask[None, sentence : sentence + 1]
        tensors.append(metric.tensor(z.unsqueeze(1))[0, 0])
    torch.testing.assert_close(torch.einsum("x,xij->ij", probs, torch.stack(tensors)), expected)


def test_drawn_sentences_have_the_model_s_distribution(tiny_model):
    model = in_double(tiny_model(vocab_size=5, max_words=1).eval())
    parts = (model.flow, model.decoder, model.embedding, model.config)
    ids, mask = draw_sentences(*parts, points(0, 2), 20_000)
    assert torch.equal(mask, ids.ne(0) | (mask & ids.eq(0)))
    first = torch.nn.functional.one_hot(ids[:, :, 1], 5).double().mean(1)
    z_prime = model.push(points(0, 2))[0]
    hidden, _ = model.decoder.step(
        model.embedding(torch.ones(2, dtype=torch.long)), z_prime, model.decoder.start(z_prime)
    )
    torch.testing.assert_close(first, model.decoder.logits(hidden).softmax(-1), rtol=0, atol=0.015)


def test_drawn_sentences_depend_on_their_own_z_alone(model):
    parts = [in_double(part) for part in (model.flow, model.decoder, model.embedding)]
    z = points(0)
    ids, mask = draw_sentences(*parts, model.config, z, 2)
    for row in range(len(z)):
        alone, alone_mask = draw_sentences(*parts, model.config, z[row : row + 1], 2)
        width = alone.shape[-1]
        assert torch.equal(ids[row, :, :width] * mask[row, :, :width], alone[0] * alone_mask[0])
        assert not mask[row, :, width:].any()
    ended = (ids * mask).eq(model.config.eos_token_id).sum(-1)
    assert (ended <= 1).all()


def test_one_kl_converges_at_first_order_and_both_at_second(model):
    """Along a fixed curve: twice Σ KL(p_i || p_i+1) against Jeffreys' divergence, each against a very fine sum."""
    a, b = points(0), points(1)
    metric = pair_metric(model, "decoder", a, b)

    def energies(segments):
        log_probs = metric.logits(straight_line(a, b, segments + 1)).log_softmax(-1)
        one = (log_probs[:, :-1].exp() * -log_probs.diff(dim=1)).sum(-1)
        one = (one * metric.mask[:, None, :, 1:]).sum(-1).mean(-1)
        both = metric.squared_lengths(straight_line(a, b, segments + 1))
        return segments * torch.stack([2 * one.sum(-1), both.sum(-1)])

    exact = energies(1024)[1]
    errors = torch.stack([(energies(segments) - exact).abs() for segments in (32, 64)])
    orders = (errors[0] / errors[1]).log2().median(-1).values
    assert orders[0] == pytest.approx(1, abs=0.2)
    assert orders[1] == pytest.approx(2, abs=0.2)


def identity():
    """A planar flow that does nothing: û = 0 where softplus(uᵀw) = 1."""
    flow = Flow(2, 1).double().requires_grad_(False)
    flow.steps[0].w.copy_(torch.tensor([1.0, 0.0]))
    flow.steps[0].u.copy_(torch.tensor([math.log(math.e - 1), 0.0]))
    return flow


def test_the_conformal_geodesic_goes_around_a_centre():
    """K is largest at a centre, so a step costs most there."""
    flow = identity()
    metric = ConformalMetric(flow, torch.zeros(1, 2, dtype=torch.float64), "imq", 10.0)
    a, b = torch.tensor([[-4.0, 0.4]]).double(), torch.tensor([[4.0, 0.4]]).double()
    curve = shortest_curves(metric, a, b, 51)
    assert curve.converged.all()
    assert curve.points.norm(dim=-1).min() > 1.5
    assert curve_length(metric, curve.points) < 0.97 * curve_length(metric, straight_line(a, b, 51))


def test_under_the_gaussian_kernel_infinity_is_near():
    """∫ K^(1/d) dr over a ray is finite, and so is the way there: between far points no curve is the shortest."""
    flow = identity()
    metrics = [
        ConformalMetric(flow, torch.zeros(1, 2, dtype=torch.float64), kernel, 1.0) for kernel in ("gaussian", "imq")
    ]
    rays = [
        torch.linspace(0, end, 4001, dtype=torch.float64)[:, None] * torch.tensor([1.0, 0.0]) for end in (10, 20, 40)
    ]
    near, far = ([curve_length(metric, ray).item() for ray in rays] for metric in metrics)
    assert near == pytest.approx([(torch.pi / 2) ** 0.5] * 3, rel=1e-2)
    assert far[2] - far[1] == pytest.approx(far[1] - far[0], rel=0.1)  # a step more for each doubling, without end


def test_the_flow_metric_is_flat_and_symmetric(model):
    a, b = points(0), points(1)
    metric = FlowMetric(in_double(model.flow))
    curve = metric.geodesic(a, b, 21)
    distance = (metric.flow(a)[0] - metric.flow(b)[0]).norm(dim=-1)
    torch.testing.assert_close(curve_length(metric, curve), distance)
    torch.testing.assert_close(metric.geodesic(b, a, 21).flip(1), curve, rtol=0, atol=1e-9)
    assert (curve_length(metric, straight_line(a, b, 201)) > distance).all()
