"""Metrics of the latent space: what a small step costs, as a tensor G(z) and as the length of a segment."""

import copy
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from .decoder_metric import DecoderMetric, draw_sentences, endless
from .flows import Flow
from .metric import log_kernel
from .riemannian_metric import Metric, straight_line

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class Euclidean(Metric):
    """G = 1: straight lines."""

    def tensor(self, z: Tensor) -> Tensor:
        return torch.eye(z.shape[-1], dtype=z.dtype, device=z.device).expand(*z.shape, -1)

    def squared_lengths(self, points: Tensor) -> Tensor:
        return points.diff(dim=-2).square().sum(-1)

    def geodesic(self, a: Tensor, b: Tensor, steps: int) -> Tensor | None:
        return straight_line(a, b, steps)


class FlowMetric(Metric):
    """G = JᵀJ, J = dF/dz (eq. 12): the Euclidean metric behind the flow, and flat. Without a flow it is Euclidean.

    A geodesic is what F⁻¹ makes of a straight line, γ(t) = F⁻¹((1 - t) F(a) + t F(b)), and ||F(a) - F(b)|| its length.
    A segment's length is that of the straight line behind the flow.

    Args:
        flow: a [`Flow`] of z's precision.
    """

    def __init__(self, flow: Flow) -> None:
        self.flow = flow

    def tensor(self, z: Tensor) -> Tensor:
        jacobian = self.flow.jacobian(z)
        return jacobian.mT @ jacobian

    def squared_lengths(self, points: Tensor) -> Tensor:
        return self.flow(points)[0].diff(dim=-2).square().sum(-1)

    def geodesic(self, a: Tensor, b: Tensor, steps: int) -> Tensor | None:
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

    def __init__(self, flow: Flow, centres: Tensor, kernel: str, bandwidth: float) -> None:
        super().__init__(flow)
        self.centres, self.kernel, self.bandwidth = centres, kernel, bandwidth

    def factor(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """K^(2/d) and F(z): (..., d) -> (...), (..., d)."""
        z_prime, _, inputs = self.flow(z)
        log_k = torch.stack([log_kernel(step, self.centres, self.kernel, self.bandwidth) for step in inputs]).sum(0)
        return (2 / z.shape[-1] * log_k).exp(), z_prime

    def tensor(self, z: Tensor) -> Tensor:
        return self.factor(z)[0][..., None, None] * super().tensor(z)

    def squared_lengths(self, points: Tensor) -> Tensor:
        factor, z_prime = self.factor(points)
        middle, _ = self.factor((points[..., 1:, :] + points[..., :-1, :]) / 2)
        factor = (factor[..., :-1] + 4 * middle + factor[..., 1:]) / 6
        return factor * z_prime.diff(dim=-2).square().sum(-1)

    def geodesic(self, a: Tensor, b: Tensor, steps: int) -> Tensor | None:
        return None  # curved

    def guess(self, a: Tensor, b: Tensor, steps: int) -> Tensor | None:
        return super().geodesic(a, b, steps)


def in_double(module: ModuleT) -> ModuleT:
    """A copy in double precision, in the form of evaluation, that nothing is learned in."""
    module = copy.deepcopy(module).double().requires_grad_(False).eval()
    for part in module.modules():
        part.training = isinstance(
            part, torch.nn.LSTM
        )  # the same in both forms, and cuDNN's has gradients in this one
    return module


def euclidean(model: Any, ends: Tensor, num_samples: int, max_words: int | None) -> Metric:
    return Euclidean()


def of_flow(model: Any, ends: Tensor, num_samples: int, max_words: int | None) -> Metric:
    return FlowMetric(in_double(model.flow))


def conformal(model: Any, ends: Tensor, num_samples: int, max_words: int | None) -> Metric:
    config = model.config
    if config.flow_kernel is None or config.num_flows == 0:
        raise ValueError("the conformal metric needs a flow with a kernel, which this model has not")
    return ConformalMetric(
        in_double(model.flow), model.centres.double(), config.flow_kernel, config.kernel_bandwidth
    )  # fmt: skip


def of_decoder(model: Any, ends: Tensor, num_samples: int, max_words: int | None) -> Metric:
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, not {num_samples}")
    if max_words is not None and max_words < 1:
        raise ValueError(f"max_words must be at least 1, not {max_words}")
    parts = in_double(model.flow), in_double(model.decoder), in_double(model.embedding)
    ids, mask = draw_sentences(*parts, model.config, ends.flatten(0, 1), num_samples, max_words)
    if cut := int(endless(ids, mask, model.config).sum()):
        words = max_words or model.config.max_words
        warnings.warn(f"{cut} of {ids[..., 0].numel()} sentences of p(x|z) were cut after {words} words", stacklevel=5)
    return DecoderMetric(*parts, ids.view(len(ends), -1, ids.shape[-1]), mask.view(len(ends), -1, ids.shape[-1]))


METRICS: dict[str, Callable[[Any, Tensor, int, int | None], Metric]] = {
    "euclidean": euclidean, "flow": of_flow, "conformal": conformal, "decoder": of_decoder,
}  # fmt: skip


def metric_of(model: Any, name: str, ends: Tensor, num_samples: int = 2, max_words: int | None = None) -> Metric:
    """A model's metric by its name.

    Args:
        model: a [`WaeRnfModel`].
        ends: (pairs, points, latent_size), in double precision: at these sentences are drawn, for "decoder".
        num_samples: sentences of each of them.
        max_words: after which such a sentence is cut, with a warning; the configuration's by default.

    Raises:
        ValueError: an unknown name, or a metric that the model does not have.
    """
    if name not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}, not {name!r}")
    return METRICS[name](model, ends, num_samples, max_words)
