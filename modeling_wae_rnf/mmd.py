"""Maximum mean discrepancy: how far two samples are from having one distribution (eq. under 17)."""

import warnings

import torch

from .metric import SCALES
from .precision import full_precision

RATES = {"gaussian": lambda size: 1.0, "gaussian_scaled": lambda size: 10 / size**2}  # r of exp(-r ||x - y||²)
BLIND = 1e-3  # a kernel between samples of the prior under which nothing of their distance is left


@full_precision
def mmd(x: torch.Tensor, y: torch.Tensor, kernel: str = "imq") -> torch.Tensor:
    """MMD² between the distributions that x and y were drawn from.

    "imq": k(x, y) = Σ_s 2ds / (2ds + ||x - y||²), unbiased (U-statistic): a point is not paired with itself.
    "gaussian": k(x, y) = exp(-||x - y||²), biased (V-statistic), as in the paper. Two samples of N(0, I) have a kernel
    of 5^(-d/2) in the mean: 6e-12 for d = 32, so that the statistic is 1/n + 1/m whatever the samples are, and its
    gradient vanishes. A warning says so where that mean is under 1e-3, from d = 9 on.
    "gaussian_scaled": k(x, y) = exp(-10 ||x - y||² / d²), biased, the authors' code for Yelp and Yahoo.

    Args:
        x: (n, d), y: (m, d). "imq" needs n and m of at least 2.

    Returns:
        scalar, without unit; the unbiased one may be negative.

    Raises:
        ValueError: an unknown kernel, or fewer than two points for "imq".

    Examples:
        >>> mmd(torch.zeros(4, 2), torch.zeros(3, 2), kernel="gaussian")
        tensor(0.)
    """
    size = x.shape[-1]
    if kernel == "gaussian" and 5 ** (-size / 2) < BLIND:
        warnings.warn(
            f'the "gaussian" MMD kernel exp(-||x - y||²) is blind in {size} dimensions: between samples of the prior '
            f'it is {5 ** (-size / 2):.0e} in the mean; choose "imq" or "gaussian_scaled"',
            stacklevel=2,
        )
    if kernel in RATES:
        pairs = ((x, x), (y, y), (x, y))
        within_x, within_y, across = (
            torch.exp(-RATES[kernel](size) * _squared_distance(*pair)).mean() for pair in pairs
        )
        return within_x + within_y - 2 * across
    if kernel == "imq":
        if min(len(x), len(y)) < 2:
            raise ValueError(f"the unbiased MMD needs two points a sample, not {len(x)} and {len(y)}")
        return _off_diagonal_mean(_imq(x, x)) + _off_diagonal_mean(_imq(y, y)) - 2 * _imq(x, y).mean()
    raise ValueError(f'kernel must be "imq", "gaussian" or "gaussian_scaled", not {kernel!r}')


def _squared_distance(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    # by products, not differences: (n, m) memory instead of (n, m, d)
    inner = x @ y.T
    return (x.square().sum(-1, keepdim=True) + y.square().sum(-1) - 2 * inner).clamp_min(0)


def _imq(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    scales = 2 * x.shape[-1] * x.new_tensor(SCALES)
    return (scales / (scales + _squared_distance(x, y).unsqueeze(-1))).sum(-1)


def _off_diagonal_mean(kernel: torch.Tensor) -> torch.Tensor:
    n = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))
