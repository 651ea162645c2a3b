"""Adversarial autoencoders (Makhzani et al. 2015, arXiv 1511.05644): q(z) is matched to the prior by a game.

A discriminator D learns to tell samples of the prior from z ~ q(z|x), and the encoder pays -log D(z), with a weight,
beside the model's own loss. Both learn at each step, from the same z. A validation's loss is the model's alone: D
learns, so that what it says at one epoch is no measure for another.
"""

from typing import TYPE_CHECKING

from .strategy import Strategy

if TYPE_CHECKING:
    from modeling_wae_rnf import WaeRnfOutput

    from .discriminator import Discriminator
    from .stage import Stage


class Adversarial(Strategy):
    """loss + `adversarial_weight` · mean of -log D(z), and a step of D after each of the model's backward passes."""

    discriminator: "Discriminator"

    def begin(self, stage: "Stage") -> None:
        from .discriminator import Discriminator  # torch: the table of systems is read without it

        options, size = stage.arguments, stage.config.latent_size
        discriminator = Discriminator(size, options.discriminator_hidden_size, options.discriminator_learning_rate)
        self.discriminator = discriminator.to(stage.accelerator.device)

    def with_losses(self, stage: "Stage", output: "WaeRnfOutput") -> "WaeRnfOutput":
        from modeling_wae_rnf.distributed import batch_mean

        z = output.latents
        assert z is not None  # a forward of sentences gives them
        assert output.loss is not None
        adversarial = self.discriminator.loss_of_encoder(z)
        prior = stage.module.prior.sample(z.shape, device=z.device, dtype=z.dtype)
        told_apart = {"adversarial": adversarial, "discriminator": self.discriminator.learn(z, prior)}
        output.auxiliary = (output.auxiliary or {}) | told_apart
        output.loss = output.loss + stage.arguments.adversarial_weight * batch_mean(adversarial)
        return output

    def after_backward(self, stage: "Stage") -> None:
        self.discriminator.step()

    def learned(self) -> "dict[str, Discriminator]":
        return {"discriminator": self.discriminator}
