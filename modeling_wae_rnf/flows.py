"""Planar flows: z' = F(z) = f_K ∘ … ∘ f_1 (z), with log|det dF/dz|."""

from collections.abc import Sequence
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

from .precision import full_precision

# Keeps the logarithm finite where f is flat. The reference values hold it: a bias of 1e-8 / |det| nats a step.
FLOOR = 1e-8
BISECTIONS = 64  # halves an interval to one floating-point number, in double precision too


class PlanarFlow(nn.Module):
    """f(z) = z + û tanh(wᵀz + b) (Rezende & Mohamed 2015, arXiv 1505.05770, eq. 10).

    û = u + (softplus(uᵀw) - 1 - uᵀw) w / ||w||² keeps ûᵀw >= -1, so that f is invertible.

    Args:
        latent_size: d; parameters u and w have shape (d,), b has shape (1,).

    Examples:
        >>> flow = PlanarFlow(4)
        >>> z, log_abs_det = flow(torch.zeros(3, 4))
        >>> z.shape, log_abs_det.shape
        (torch.Size([3, 4]), torch.Size([3]))
    """

    def __init__(self, latent_size: int) -> None:
        super().__init__()
        self.u = nn.Parameter(torch.empty(latent_size))
        self.w = nn.Parameter(torch.empty(latent_size))
        self.b = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self, how: str = "uniform", init: ModuleType = nn.init) -> None:
        """Starts anew: "uniform" in ±1/√d with b = 0, or "normal", N(0, 1) with b = 1 (authors' code).

        Args:
            init: where `uniform_`, `normal_` and `constant_` come from.
        """
        bound = self.u.numel() ** -0.5
        for parameter in (self.u, self.w):
            if how == "uniform":
                init.uniform_(parameter, -bound, bound)
            else:
                init.normal_(parameter)
        init.constant_(self.b, 0.0 if how == "uniform" else 1.0)

    def _invertible_u(self) -> tuple[torch.Tensor, torch.Tensor]:
        """û (d,), and 1 + ûᵀw, positive by construction."""
        inner = self.u @ self.w
        margin = F.softplus(inner)
        return self.u + (margin - 1 - inner) * self.w / self.w.square().sum(), margin

    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """z (..., d) -> f(z) (..., d) and log|det df/dz| (...)."""
        u_hat, margin = self._invertible_u()
        activation = torch.tanh(z @ self.w + self.b.squeeze(0))
        squared = activation.square()
        # 1 + (1 - tanh²) ûᵀw, written as a sum of positive terms: nothing cancels where f is nearly flat
        determinant = squared + (1 - squared) * margin
        return z + activation.unsqueeze(-1) * u_hat, (determinant + FLOOR).log()

    def jacobian(self, z: torch.Tensor) -> torch.Tensor:
        """df/dz = 1 + (1 - tanh²) û wᵀ: (..., d) -> (..., d, d)."""
        u_hat, _ = self._invertible_u()
        slope = 1 - torch.tanh(z @ self.w + self.b.squeeze(0)).square()
        return torch.eye(len(self.w)).to(z) + slope[..., None, None] * torch.outer(u_hat, self.w)

    @torch.no_grad()
    def inverse(self, z_prime: torch.Tensor) -> torch.Tensor:
        """z' = f(z) (..., d) -> z (..., d).

        Along w the step is the increasing function wᵀz + ûᵀw tanh(wᵀz + b), which has no inverse in closed form:
        wᵀz is bisected, as far as floating point goes, between the bounds that |tanh| <= 1 sets.
        """
        u_hat, margin = self._invertible_u()
        goal, reach = z_prime @ self.w, (margin - 1).abs()
        low, high = goal - reach, goal + reach
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            above = middle + (margin - 1) * torch.tanh(middle + self.b) > goal
            low, high = torch.where(above, low, middle), torch.where(above, middle, high)
        return z_prime - torch.tanh(low + self.b).unsqueeze(-1) * u_hat


class Flow(nn.Module):
    """The composition F of `num_flows` planar flows; the identity when there are none."""

    def __init__(self, latent_size: int, num_flows: int) -> None:
        super().__init__()
        self.steps: Sequence[PlanarFlow] = nn.ModuleList(  # type: ignore[assignment]  # whose stubs know no kind
            PlanarFlow(latent_size) for _ in range(num_flows)
        )

    @full_precision
    def forward(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
        """z (..., d) -> F(z) (..., d), log|det dF/dz| (...) and the list of the K steps' inputs."""
        log_abs_det = z.new_zeros(z.shape[:-1])
        inputs = []
        for step in self.steps:
            inputs.append(z)
            z, step_log_abs_det = step(z)
            log_abs_det = log_abs_det + step_log_abs_det
        return z, log_abs_det, inputs

    @full_precision
    def jacobian(self, z: torch.Tensor) -> torch.Tensor:
        """dF/dz = J_K … J_1, each at its step's input: (..., d) -> (..., d, d)."""
        jacobian = torch.eye(z.shape[-1]).to(z).expand(*z.shape, -1)
        for step in self.steps:
            jacobian = step.jacobian(z) @ jacobian
            z, _ = step(z)
        return jacobian

    @full_precision
    def inverse(self, z_prime: torch.Tensor) -> torch.Tensor:
        """F(z) (..., d) -> z (..., d), by the inverse of each step in turn."""
        for step in reversed(self.steps):
            z_prime = step.inverse(z_prime)
        return z_prime
