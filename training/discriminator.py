"""The discriminator of adversarial prior matching: which z are samples of the prior, and which of q(z|x)."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from modeling_wae_rnf.distributed import sum_over_processes

BETAS = (0.5, 0.999)  # of its Adam, as in the code of Shen et al.


class Discriminator(nn.Module):
    """The log odds s(z) that z is of the prior: two layers, with D(z) = sigmoid(s(z)) as its probability.

    It learns from losses of its own, with its own optimizer, and belongs to no model. It computes in single precision.

    Args:
        latent_size: of z.
        hidden_size: of the layer between.
        learning_rate: of its optimizer.

    Examples:
        >>> discriminator = Discriminator(latent_size=4, hidden_size=8, learning_rate=5e-4)
        >>> discriminator(torch.zeros(3, 4)).shape
        torch.Size([3])
    """

    def __init__(self, latent_size: int, hidden_size: int, learning_rate: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(latent_size, hidden_size), nn.ReLU(), nn.Linear(hidden_size, 1))
        self.optimizer = torch.optim.Adam(self.parameters(), learning_rate, BETAS)
        self.rows = 0  # that the gradients are of

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """s(z): (n, latent_size) -> (n,)."""
        return self.layers(z).squeeze(-1)

    def loss_of_encoder(self, z: torch.Tensor) -> torch.Tensor:
        """-log D(z), what the encoder pays for z that are told from the prior: (n, latent_size) -> (n,), nats.

        Its gradient does not vanish where D is sure. It goes to z alone.
        """
        fixed = {name: parameter.detach() for name, parameter in self.named_parameters()}
        return F.softplus(-functional_call(self, fixed, z))

    def learn(self, z: torch.Tensor, prior: torch.Tensor) -> torch.Tensor:
        """Adds up the gradient of -log D(prior) - log(1 - D(z)), until `step`.

        Args:
            z: (n, latent_size), of q(z|x).
            prior: (n, latent_size), samples of the prior.

        Returns:
            the losses, (n,), nats, without gradient; 2 ln 2 where it cannot tell the two.
        """
        losses = F.softplus(self(z.detach())) + F.softplus(-self(prior))
        losses.sum().backward()
        self.rows += len(z)
        return losses.detach()

    def step(self) -> None:
        """Moves it by the mean gradient over all rows since the last step, those of all processes."""
        rows = sum_over_processes(next(self.parameters()).new_tensor(float(self.rows)))
        for parameter in self.parameters():
            assert parameter.grad is not None  # it has learned
            parameter.grad = sum_over_processes(parameter.grad) / rows
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.rows = 0

    def get_extra_state(self) -> dict[str, Any]:
        """The optimizer's state, which a checkpoint has with the weights."""
        return self.optimizer.state_dict()

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        self.optimizer.load_state_dict(dict(state))
