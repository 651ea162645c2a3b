"""What one pass from words to z' leaves behind, for an objective to charge."""

from dataclasses import dataclass

import torch

from .posterior_head import Posterior


@dataclass
class LatentCode:
    """z ~ q(z|x) and z' = F(z), with what the flow's steps add to the loss.

    Args:
        posterior: q(z|x) of the batch.
        z, z_prime: (..., batch, latent_size); with several samples a sentence, these come first.
        log_abs_det: (..., batch), Σ log|det| over the flow's steps.
        log_kernels: log K at each step's input, (..., batch) each; empty without a kernel.
        flow_kernel: the kernel's name, or None.
    """

    posterior: Posterior
    z: torch.Tensor
    z_prime: torch.Tensor
    log_abs_det: torch.Tensor
    log_kernels: list[torch.Tensor]
    flow_kernel: str | None

    @property
    def log_kernel(self) -> torch.Tensor:
        """Σ log K over the flow's steps: (..., batch)."""
        return sum(self.log_kernels, self.zeros())

    def zeros(self) -> torch.Tensor:
        return self.z.new_zeros(self.z.shape[:-1])
