"""The kernel that shapes the Riemannian metric: closeness of z to its nearest cluster centre (before eq. 16)."""

import torch

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def log_kernel(z: torch.Tensor, centres: torch.Tensor, kernel: str = "imq", bandwidth: float = 10.0) -> torch.Tensor:
    """log K(z) against the nearest centre c_k.

    "imq": K_m(z) = Σ_s 2ds / (2ds + ||z - c_k||²) over the seven `SCALES` s, the inverse multiquadratic.
    "gaussian": K_g(z) = exp(-β ||z - c_k||²), β = `bandwidth`.

    Args:
        z: (batch, d).
        centres: (num_centres, d).

    Returns:
        (batch,)

    Raises:
        ValueError: an unknown kernel, or centres of another dimension than z.

    Examples:
        >>> import torch
        >>> round(log_kernel(torch.zeros(1, 2), torch.zeros(3, 2)).exp().item(), 4)
        7.0
    """
    if centres.shape[-1] != z.shape[-1]:
        raise ValueError(f"the centres have dimension {centres.shape[-1]}, but z has dimension {z.shape[-1]}")
    distance = (z.unsqueeze(-2) - centres).square().sum(-1).amin(-1)  # squared, (batch,)
    if kernel == "gaussian":
        return -bandwidth * distance
    if kernel == "imq":
        scales = 2 * z.shape[-1] * distance.new_tensor(SCALES)
        return (scales / (scales + distance.unsqueeze(-1))).sum(-1).log()
    raise ValueError(f'kernel must be "imq" or "gaussian", not {kernel!r}')
