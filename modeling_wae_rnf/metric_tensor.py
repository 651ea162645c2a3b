"""Metrics of the latent space: what a small step costs, as a tensor G(z) and as the length of a segment."""

import copy

import torch

from .decoder_metric import DecoderMetric, draw_sentences
from .metric import log_kernel
from .riemannian_metric import Metric, straight_line


class Euclidean(Metric):
    """G = 1: straight lines."""

    def tensor(self, z):
        return torch.eye(z.shape[-1], dtype=z.dtype, device=z.device).expand(*z.shape, -1)

    def squared_lengths(self, points):
        return points.diff(dim=-2).square().sum(-1)

    def geodesic(self, a, b, steps):
        return straight_line(a, b, steps)


class FlowMetric(Metric):
    """G = JᵀJ, J = dF/dz (eq. 12): the Euclidean metric behind the flow, and flat. Without a flow it is Euclidean.

    A geodesic is what F⁻¹ makes of a straight line, γ(t) = F⁻¹((1 - t) F(a) + t F(b)), and ||F(a) - F(b)|| its length.
    A segment's length is that of the straight line behind the flow.

    Args:
        flow: a [`Flow`] of z's precision.
    """

    def __init__(self, flow):
        self.flow = flow

    def tensor(self, z):
        jacobian = self.flow.jacobian(z)
        return jacobian.mT @ jacobian

    def squared_lengths(self, points):
        return self.flow(points)[0].diff(dim=-2).square().sum(-1)

    def geodesic(self, a, b, steps):
        if not len(self.flow.steps):
            return straight_line(a, b, steps)
        inner = self.flow.inverse(straight_line(self.flow(a)[0], self.flow(b)[0], steps)[..., 1:-1, :])
        return torch.cat([a.unsqueeze(-2), inner, b.unsqueeze(-2)], dim=-2)


class ConformalMetric(FlowMetric):
    """G = K^(2/d) JᵀJ, whose volume element √det G = K |det J| is the regularized volume of eq. 16.

    K = Π_k K(z_k) over the flow's steps, each at its own input z_k, as the loss sums it. It is large near the centres,
    so a step costs most there: the shortest curves go around them.

    With the Gaussian kernel the way to infinity has a finite length, and points far from all centres may have no
    shortest curve between them.

    Args:
        flow: a [`Flow`] of z's precision.
        centres, kernel, bandwidth: as for `log_kernel`.
    """

    def __init__(self, flow, centres, kernel, bandwidth):
        super().__init__(flow)
        self.centres, self.kernel, self.bandwidth = centres, kernel, bandwidth

    def factor(self, z):
        """K^(2/d) and F(z): (..., d) -> (...), (..., d)."""
        z_prime, _, inputs = self.flow(z)
        log_k = sum(log_kernel(step, self.centres, self.kernel, self.bandwidth) for step in inputs)
        return (2 / z.shape[-1] * log_k).exp(), z_prime

    def tensor(self, z):
        return self.factor(z)[0][..., None, None] * super().tensor(z)

    def squared_lengths(self, points):
        factor, z_prime = self.factor(points)
        middle, _ = self.factor((points[..., 1:, :] + points[..., :-1, :]) / 2)
        factor = (factor[..., :-1] + 4 * middle + factor[..., 1:]) / 6
        return factor * z_prime.diff(dim=-2).square().sum(-1)

    def geodesic(self, a, b, steps):
        return None  # curved

    def guess(self, a, b, steps):
        return super().geodesic(a, b, steps)


def in_double(module):
    """A copy in double precision, in the form of evaluation, that nothing is learned in."""
    module = copy.deepcopy(module).double().requires_grad_(False).eval()
    for part in module.modules():
        part.training = isinstance(
            part, torch.nn.LSTM
        )  # the same in both forms, and cuDNN's has gradients in this one
    return module


def euclidean(model, ends, num_samples):
    return Euclidean()


def of_flow(model, ends, num_samples):
    return FlowMetric(in_double(model.flow))


def conformal(model, ends, num_samples):
    config = model.config
    if config.flow_kernel is None or config.num_flows == 0:
        raise ValueError("the conformal metric needs a flow with a kernel, which this model has not")
    return ConformalMetric(
        in_double(model.flow), model.centres.double(), config.flow_kernel, config.kernel_bandwidth
    )  # fmt: skip


def of_decoder(model, ends, num_samples):
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, not {num_samples}")
    parts = [in_double(part) for part in (model.flow, model.decoder, model.embedding)]
    ids, mask = draw_sentences(*parts, model.config, ends.flatten(0, 1), num_samples)
    return DecoderMetric(*parts, ids.view(len(ends), -1, ids.shape[-1]), mask.view(len(ends), -1, ids.shape[-1]))


METRICS = {"euclidean": euclidean, "flow": of_flow, "conformal": conformal, "decoder": of_decoder}


def metric_of(model, name, ends, num_samples=2):
    """A model's metric by its name.

    Args:
        model: a [`WaeRnfModel`].
        ends: (pairs, points, latent_size), in double precision: at these sentences are drawn, for "decoder".
        num_samples: sentences of each of them.

    Raises:
        ValueError: an unknown name, or a metric that the model does not have.
    """
    if name not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}, not {name!r}")
    return METRICS[name](model, ends, num_samples)
