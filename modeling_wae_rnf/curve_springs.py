"""A curve as springs in a row: near the inverse of its energy's Hessian, for the minimization to start from."""

import torch
from torch import Tensor

SPREAD = 0.03  # of a metric's mean eigenvalue, added to all: what it hardly sees is not stretched
LEAST = 1e-6  # stiffness of a segment, relative to the mean


def of_segments(tensors: Tensor, segments: int) -> Tensor:
    """About the metric on each segment of a curve, from its tensors at a few places.

    Where there is no metric, since the curve leaves its domain, and where it is 0, it is 1.

    Args:
        tensors: (pairs, places, d, d), at equal distances along the curve, its ends included.
        segments: of the curve.

    Returns:
        (pairs, segments, d, d)
    """
    identity, mean = torch.eye(tensors.shape[-1]).to(tensors), tensors.diagonal(dim1=-2, dim2=-1).mean(-1)
    known = tensors.isfinite().all(-1).all(-1) & (mean > 0)
    tensors = torch.where(known[..., None, None], tensors + SPREAD * mean[..., None, None] * identity, identity)
    places = (torch.arange(segments).to(tensors) + 0.5) / segments * (tensors.shape[1] - 1)
    before = places.long()
    return torch.lerp(tensors[:, before], tensors[:, before + 1], (places - before)[:, None, None])


def relaxed(forces: Tensor, flexibility: Tensor, stiffness: Tensor) -> Tensor:
    """Where forces move the joints of springs in a row, whose ends stay: the inverse of a block tridiagonal matrix.

    A spring's stretch is R_i t_i, of a tension t_i = t_1 - Σ_j<i f_j, and all stretches add up to 0, which gives t_1.

    Args:
        forces: (n, N - 1, d) on the joints of N springs.
        flexibility: R of a spring, (n, N, d, d), but for a number:
        stiffness: (n, N), by which its inverse is multiplied.

    Returns:
        (n, N - 1, d)

    Example:
        >>> one = torch.ones(1, 2, 1, 1)
        >>> relaxed(torch.ones(1, 1, 1), one, stiffness=torch.tensor([[1.0, 3.0]]))  # f / (1 + 3)
        tensor([[[0.2500]]])
    """
    stiffness = stiffness.nan_to_num(0.0)
    stiffness = torch.maximum(stiffness, LEAST * stiffness.mean(-1, keepdim=True))
    flexibility = flexibility / stiffness[..., None, None]
    loads = torch.nn.functional.pad(forces, (0, 0, 1, 0)).cumsum(1)  # before each spring
    first = torch.linalg.solve(flexibility.sum(1), (flexibility @ loads.unsqueeze(-1)).sum(1))  # (n, d, 1)
    tension = first.mT - loads
    return (flexibility @ tension.unsqueeze(-1)).squeeze(-1).cumsum(1)[:, :-1]
