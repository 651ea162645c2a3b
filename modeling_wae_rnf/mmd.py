"""Maximum mean discrepancy: how far two samples are from having one distribution (eq. under 17)."""

import torch

from .kernel import SCALES
from .precision import full_precision


@full_precision
def mmd(x, y, kernel="imq"):
    """MMD² between the distributions that x and y were drawn from.

    "imq": k(x, y) = Σ_s 2ds / (2ds + ||x - y||²), unbiased (U-statistic): a point is not paired with itself.
    "gaussian": k(x, y) = exp(-||x - y||²), biased (V-statistic), as in the paper.

    Args:
        x: (n, d), y: (m, d). "imq" needs n and m of at least 2.

    Returns:
        scalar, without unit; the unbiased one may be negative.

    Raises:
        ValueError: an unknown kernel, or fewer than two points for "imq".

    Example:
        >>> mmd(torch.zeros(4, 2), torch.zeros(3, 2), kernel="gaussian")
        tensor(0.)
    """
    if kernel == "gaussian":
        return _gaussian(x, x).mean() + _gaussian(y, y).mean() - 2 * _gaussian(x, y).mean()
    if kernel == "imq":
        if min(len(x), len(y)) < 2:
            raise ValueError(f"the unbiased MMD needs two points a sample, not {len(x)} and {len(y)}")
        return _off_diagonal_mean(_imq(x, x)) + _off_diagonal_mean(_imq(y, y)) - 2 * _imq(x, y).mean()
    raise ValueError(f'kernel must be "imq" or "gaussian", not {kernel!r}')


def _squared_distance(x, y):
    # by products, not differences: (n, m) memory instead of (n, m, d)
    inner = x @ y.T
    return (x.square().sum(-1, keepdim=True) + y.square().sum(-1) - 2 * inner).clamp_min(0)


def _gaussian(x, y):
    return torch.exp(-_squared_distance(x, y))


def _imq(x, y):
    distance = _squared_distance(x, y)
    return sum(scale / (scale + distance) for scale in (2 * x.shape[-1] * s for s in SCALES))


def _off_diagonal_mean(kernel):
    n = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))
