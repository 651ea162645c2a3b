"""A sentence through the autoencoder: z ~ q(z|x), z' = F(z), the reconstruction, and the loss with its terms."""

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from .alignment import Aligned
from .distributed import batch_mean, batch_rows, of_main
from .latent_code import LatentCode
from .metric import log_kernel
from .mmd import mmd
from .outputs import WaeRnfOutput
from .posterior_head import Posterior

if TYPE_CHECKING:
    from .modeling_wae_rnf import WaeRnfModel

NOISE_SEED = 0  # of what is drawn outside of training where the draws are to be the same


class Asked(NamedTuple):
    """What a forward is to give beside the latent variable."""

    loss: bool
    logits: bool
    hidden_states: bool
    features: bool


class Autoencoding:
    """The forward pass of training: what `WaeRnfModel.forward` gives of sentences without latents of the caller."""

    def _autoencode(
        self: "WaeRnfModel",
        sentences: Aligned,
        labels: torch.Tensor | None,
        kl_weight: float | None,
        mmd_weight: float | None,
        sample: bool | None,
        asked: Asked,
    ) -> WaeRnfOutput:
        posterior = self._encode(sentences, kl_weight, sample is not False)
        z, generator = self._draw(posterior, sample)
        code = self._code(posterior, z.view_as(z))  # whose gradient an objective may weigh, but not the MMD's
        weighted = self.objective.importance_weighted
        first, first_prime = (z[0], code.z_prime[0]) if weighted else (z, code.z_prime)
        found: dict[str, Any] = {"latents": first}
        whole = asked.logits or asked.hidden_states or (asked.features and not self.config.has_latents)
        if whole or (asked.loss and not weighted):
            words, states = self._read(sentences, first_prime, whole)
        if asked.loss:
            if weighted:
                reconstruction = self._nll_of_samples(sentences, code.z_prime, labels)
            else:
                reconstruction = self._nll(sentences, states, labels)
            divergence = self._mmd(first, self._weight("mmd_weight", mmd_weight), generator)
            found |= self._losses(reconstruction, code, kl_weight, mmd_weight, divergence)
            if self.training and self.auxiliary_losses:
                one = self._code(posterior, first) if weighted else code
                found["auxiliary"] = self._auxiliary(one, sentences, labels)
                for name, weight in self.config.auxiliary_losses.items():
                    found["loss"] = found["loss"] + weight * self._mean(found["auxiliary"][name])
        if whole:
            words, states = sentences.restore(words), sentences.restore(states)
        if asked.logits:
            found["logits"] = self.decoder.logits(states)
        if asked.hidden_states:
            found["hidden_states"] = (words, states)
        if asked.features:  # the same at every word, so that whatever way they are pooled gives the sentence's
            mean = posterior.mean.unsqueeze(1).expand(-1, sentences.length, -1)
            found["last_hidden_state"] = mean if self.config.has_latents else states
        return WaeRnfOutput(**found)

    def _draw(
        self: "WaeRnfModel", posterior: Posterior, sample: bool | None
    ) -> tuple[torch.Tensor, torch.Generator | None]:
        """z, and the generator of what else is drawn in this forward; None is the global one.

        z is (batch, latent_size), or (samples, batch, latent_size) where the objective weighs samples: one, where it
        is the posterior's mean.
        """
        if sample is None:
            how = "sample" if self.training else self.config.eval_latents
        else:
            how = "sample" if sample else "mean"
        generator = None
        if how != "sample" and not self.training:  # training against one sample of the prior would fit that sample
            generator = torch.Generator(posterior.mean.device).manual_seed(NOISE_SEED)
        if how == "mean":
            return posterior.mean.unsqueeze(0) if self.objective.importance_weighted else posterior.mean, generator
        shape = {"sample_shape": (self.config.importance_samples,)} if self.objective.importance_weighted else {}
        return posterior.rsample(generator=generator, **shape), generator

    def _code(self: "WaeRnfModel", posterior: Posterior, z: torch.Tensor) -> LatentCode:
        """z' = F(z) and what the flow's steps add to the loss."""
        z_prime, log_abs_det, flow_inputs = self.flow(z)
        kernel, bandwidth = self.config.flow_kernel, self.config.kernel_bandwidth
        log_kernels = []
        if kernel is not None:
            log_kernels = [log_kernel(step, self.centres.to(z.dtype), kernel, bandwidth) for step in flow_inputs]
        return LatentCode(posterior, z, z_prime, log_abs_det, log_kernels, kernel)

    def _nll_of_samples(
        self: "WaeRnfModel", sentences: Aligned, z_prime: torch.Tensor, labels: torch.Tensor | None
    ) -> torch.Tensor:
        """-log p(x | z') of each sample, (samples, batch), all of them through the decoder at once.

        Each has dropout of its own, which is then one more thing that the weights average over: still a bound.
        """
        samples = len(z_prime)
        repeated, labels = sentences.repeat(samples), labels if labels is None else labels.repeat(samples, 1)
        return self.reconstruct_nll(repeated, z_prime.flatten(0, 1), labels).view(samples, -1)

    def sentence_losses(
        self: "WaeRnfModel",
        sentences: Aligned,
        posterior: Posterior,
        z: torch.Tensor,
        kl_weight: float | None = None,
        fused: bool = True,
    ) -> torch.Tensor:
        """What each sentence pays at z ~ q(z|x), without what is of the whole batch; outside of training its -ELBO.

        Args:
            sentences: [`Aligned`].
            posterior: q(z|x); z: (batch, latent_size).
            kl_weight: alpha; the configuration's when None.
            fused: as for `Decoder.nll`.

        Returns:
            (batch,), nats.
        """
        code = self._code(posterior, z)
        targets, scored = sentences.targets()
        reconstruction = self.decoder.nll(self._read(sentences, code.z_prime)[1], targets, scored, fused)
        kl = self.objective.kl(code, self.prior)
        if not self.training:
            return self.objective.bound(reconstruction, kl, code)
        return self.objective.loss(reconstruction, kl, code, self._weight("kl_weight", kl_weight))

    def _losses(
        self: "WaeRnfModel",
        reconstruction: torch.Tensor,
        code: LatentCode,
        kl_weight: float | None,
        mmd_weight: float | None,
        divergence: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        """The loss and its terms by name."""
        config, objective = self.config, self.objective
        kl = charged = objective.kl(code, self.prior)
        if config.free_bits or config.minimum_rate:
            per_dimension = self.prior.kl_per_dimension(code.posterior)
            assert per_dimension is not None  # the configuration refuses these options where there is none
            charged = self._mean(per_dimension).clamp_min(config.free_bits).sum()
            charged = charged.clamp_min(config.minimum_rate)
        loss = self._mean(objective.loss(reconstruction, charged, code, self._weight("kl_weight", kl_weight)))
        terms = {"reconstruction": reconstruction, "kl": kl, "log_abs_det": code.log_abs_det}
        terms["log_kernel"] = code.log_kernel
        return {
            "loss": loss + self._weight("mmd_weight", mmd_weight) * divergence,
            **{name: objective.of_sentence(values) for name, values in terms.items()},
            "bound": objective.bound(reconstruction, kl, code),
            "mmd": divergence,
        }

    def _auxiliary(
        self: "WaeRnfModel", code: LatentCode, sentences: Aligned, labels: torch.Tensor | None
    ) -> dict[str, torch.Tensor]:
        """{name: (batch,)}"""
        targets, scored = sentences.targets(labels)
        losses = self.auxiliary_losses.items()
        return {name: loss(code, targets, scored, self.decoder) for name, loss in losses}

    def _mmd(self: "WaeRnfModel", z: torch.Tensor, weight: float, generator: torch.Generator | None) -> torch.Tensor:
        if weight == 0:
            return z.new_zeros(())
        z = batch_rows(z) if self.training else z
        if len(z) < 2:  # one sentence is no sample of a distribution: the statistic is not defined, and left out
            return z.new_zeros(())
        prior = self.prior.sample(z.shape, generator, dtype=z.dtype, device=z.device)
        return mmd(z, of_main(prior) if self.training else prior, self.config.mmd_kernel)

    def _mean(self: "WaeRnfModel", values: torch.Tensor) -> torch.Tensor:
        """The mean over the sentences; while training, over those of all processes."""
        return batch_mean(values) if self.training else values.mean(0)

    def _weight(self: "WaeRnfModel", name: str, given: float | None) -> float:
        return getattr(self.config, name) if given is None else given
