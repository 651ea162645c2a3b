"""The text autoencoder: token ids -> posterior -> z -> F(z) -> decoder -> loss, and prior -> F -> text."""

from typing import Any, NamedTuple

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers import initialization as init

from .affine_coupling import LastLayer
from .alignment import Aligned, align, can_read, check_shapes
from .batch_norm import BatchNorm
from .components import build, build_auxiliary_losses, part_of
from .configuration_wae_rnf import WaeRnfConfig
from .decoder import Decoder
from .distributed import batch_mean, batch_rows, of_main
from .encoder import Encoder
from .flows import Flow, PlanarFlow
from .gaussian import GaussianPosterior
from .generation import LatentGenerationMixin
from .generation_options import generation_defaults
from .inference import Inference
from .input_noise import drop_tokens, shuffle_tokens
from .inputs import check_inputs
from .latent_code import LatentCode
from .latent_geometry import LatentGeometry
from .latent_operations import LatentOperations
from .metric import log_kernel
from .mmd import mmd
from .objectives import Objective
from .outputs import WaeRnfOutput
from .part import Part
from .posterior_head import Posterior, PosteriorHead
from .priors import Prior
from .recurrent_cache import CACHE_NAME, DecoderCache
from .text_latent_pipeline import TextLatentPipeline  # noqa: F401  a saved directory takes along what is imported here

NOISE_SEED = 0  # of what is drawn outside of training where the draws are to be the same


class Asked(NamedTuple):
    """What a forward is to give beside the latent variable."""

    loss: bool
    logits: bool
    hidden_states: bool
    features: bool


class WaeRnfModel(PreTrainedModel, LatentGenerationMixin, LatentOperations, LatentGeometry):
    """Text autoencoder: encoder, posterior, planar flows, a Riemannian metric, an MMD and a decoder (eq. 17).

    The configuration names its parts, see `components.py`. `config.objective` sets the latent terms of a sentence's
    loss, next to its reconstruction and `mmd_weight` · MMD(q(z), p(z)); alpha is `kl_weight`, z ~ q(z|x), z' = F(z),
    and p the prior, N(0, I) by default:

    - "paper": alpha · (KL(q(z|x) || p) - Σ log|det| - Σ log K), eq. 16 and 17;
    - "authors": alpha · (log q(z|x) - log p(z')) - Σ log|det| + Σ (½ log K_m or -log(1 + K_g)), what the authors'
      code computes;
    - "pushforward": alpha · KL(q(z|x) || p), a bound (alpha = 1) of the model z ~ p, z' = F(z);
    - "flow_posterior": alpha · (log q(z|x) - log p(z') - Σ log|det|), a bound of z' ~ p.

    Two replace the reconstruction as well, by an average over `importance_samples` z: see [`ImportanceWeighted`].

    - "iwae": -log mean w, log w = log p(x|z') - alpha · (log q(z|x) - log p(z)), a bound (alpha = 1) of z ~ p,
      z' = F(z);
    - "iwae_flow_posterior": the same of z' ~ p, log w = log p(x|z') - alpha · (log q(z|x) - log p(z') - Σ log|det|).

    KL is in closed form where the prior has one, and log q(z|x) - log p(z) at the sample otherwise.

    Examples:
        >>> config = WaeRnfConfig(vocab_size=20, embedding_size=8, hidden_size=8, latent_size=4)
        >>> model = WaeRnfModel(config)
        >>> input_ids = torch.tensor([[1, 5, 6, 2], [1, 7, 2, 0]])
        >>> output = model(input_ids, attention_mask=input_ids.ne(0).long())
        >>> output.reconstruction.shape
        torch.Size([2])
    """

    config: WaeRnfConfig
    embedding: nn.Module
    encoder: Encoder  # this and the two that follow: only with a latent variable
    posterior_head: PosteriorHead
    inference: Inference
    prior: Prior
    decoder: Decoder
    centres: torch.Tensor

    config_class = WaeRnfConfig
    base_model_prefix = ""
    main_input_name = "input_ids"
    _tied_weights_keys = {"decoder.projection.weight": "embedding.weight"}  # noqa: RUF012  with tie_word_embeddings
    _is_stateful = True  # the state cannot be taken back by some words, as assisted decoding would

    def __init__(self, config: WaeRnfConfig) -> None:
        super().__init__(config)
        config.check_combinations()  # fields may have been set one by one
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        if config.has_latents:
            self.encoder = build("encoder", config)
            self.posterior_head = build("posterior", config, self.encoder.state_size)
            self.inference = build("inference", config)
            self.prior = build("prior", config, self.encoder, self.posterior_head)
        else:
            self.prior = build("prior", config)
        self.flow = Flow(config.latent_size, config.num_flows)
        self.decoder = build("decoder", config)
        self.auxiliary_losses = nn.ModuleDict(build_auxiliary_losses(config))
        self.register_buffer("centres", torch.zeros(config.num_centres, config.latent_size))
        if any(isinstance(module, BatchNorm) for module in self.modules()):
            self._keep_in_fp32_modules_strict = {"running_mean", "running_var"}
        self.post_init()
        self.generation_config.update(**generation_defaults(config))

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, PlanarFlow):
            module.reset_parameters(self.config.flow_init, init)
        elif isinstance(module, (Part, LastLayer)):
            module.reset_parameters(init)
        elif isinstance(module, nn.Embedding):
            tied = self.config.tie_word_embeddings  # to a projection, whose scores must not start far apart
            init.normal_(module.weight, std=self.config.embedding_std * (module.embedding_dim**-0.5 if tied else 1))
        elif isinstance(module, (nn.Linear, nn.LSTM, nn.Conv1d, nn.ConvTranspose1d)):
            # PyTorch's own bounds; Transformers' would be normal(0.02)
            fan = module.hidden_size if isinstance(module, nn.LSTM) else module.weight[0].numel()
            for parameter in module.parameters(recurse=False):
                init.uniform_(parameter, -(fan**-0.5), fan**-0.5)
        elif isinstance(module, BatchNorm) and module.gamma is not None:
            super()._init_weights(module)
            init.constant_(module.weight, module.gamma)
        elif module is self:
            init.zeros_(self.centres)
        else:
            super()._init_weights(module)

    @property
    def objective(self) -> Objective:
        """The [`Objective`] that the configuration names."""
        return part_of("objective", self.config)

    @property
    def device(self) -> torch.device:
        """Where inputs belong: the device that computes, also where accelerate keeps the weights elsewhere."""
        hook = getattr(self, "_hf_hook", None)
        devices = (getattr(part, "execution_device", None) for part in getattr(hook, "hooks", (hook,)))
        device = next((device for device in devices if device is not None), None)
        return super().device if device is None else torch.device(device)

    def get_input_embeddings(self) -> nn.Module:
        return self.embedding

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.embedding = value

    def get_output_embeddings(self) -> nn.Module:
        return self.decoder.projection

    def set_output_embeddings(self, value: nn.Linear) -> None:
        self.decoder.projection = value

    def set_centres(self, centres: torch.Tensor) -> None:
        """Copies the cluster centres (num_centres, latent_size) that the kernel is measured from.

        Raises:
            ValueError: centres of another shape.
        """
        if centres.shape != self.centres.shape:
            raise ValueError(
                f"the centres have shape {tuple(centres.shape)}, but the model needs (num_centres, latent_size) = "
                f"{tuple(self.centres.shape)}"
            )
        self.centres.copy_(centres)

    def encode(self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None) -> Posterior:
        """q(z | x) of each sentence: a [`GaussianPosterior`], or a [`VonMisesFisherPosterior`] or
        [`GaussianDirichletPosterior`], of batch rows.

        Args:
            input_ids: (batch, length), from beginning- to end-of-sentence, padded on either side.
            attention_mask: (batch, length), 1 for tokens and 0 for padding; derived from `input_ids` when None.
        """
        return self._encode(align(input_ids, attention_mask, self.config, self.training))

    def _encode(self, sentences: Aligned, kl_weight: float | None = None, sample: bool = True) -> Posterior:
        if not self.config.has_latents:
            nothing = torch.empty(len(sentences.input_ids), 0, dtype=self.dtype, device=sentences.input_ids.device)
            return GaussianPosterior(nothing, nothing)
        return self.inference(self, self._with_noise(sentences), kl_weight, sample)

    def _with_noise(self, sentences: Aligned) -> Aligned:
        """What the encoder reads of sentences; in training a denoising autoencoder's reads less."""
        if self.training and self.config.input_drop:
            sentences = drop_tokens(sentences, self.config.input_drop)
        if self.training and self.config.input_shuffle:
            sentences = shuffle_tokens(sentences, self.config.input_shuffle)
        return sentences

    def sample_prior(self, num_samples: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """z of the prior, by default N(0, I) or uniform on the sphere: (num_samples, latent_size), no gradient."""
        shape = (num_samples, self.config.latent_size)
        return self.prior.sample(shape, generator, device=self.device, dtype=self.dtype)

    def push(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """z' = F(z) and log|det dF/dz|: (..., latent_size) -> (..., latent_size), (...)."""
        z_prime, log_abs_det, _ = self.flow(z)
        return z_prime, log_abs_det

    def score(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None,
        z_prime: torch.Tensor,
        labels: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """-log p(x | z'), nats per sentence.

        Args:
            input_ids, attention_mask: (batch, length), as for `encode`.
            z_prime: (batch, latent_size), in the decoder's space.
            labels: (batch, length), the tokens to be scored; -100 leaves one out. Defaults to `input_ids`.

        Returns:
            (batch,)
        """
        return self.reconstruct_nll(align(input_ids, attention_mask, self.config, self.training), z_prime, labels)

    def score_tokens(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None, z_prime: torch.Tensor
    ) -> torch.Tensor:
        """-log p(x_t | x_<t, z') of each token after beginning-of-sentence, in nats.

        Args:
            input_ids, attention_mask: (batch, length), as for `encode`.
            z_prime: (batch, latent_size), in the decoder's space.

        Returns:
            (batch, length - 1), one row a sentence from its first token on, zero behind its last. A row sums to
            `score`. Where a beginning-of-sentence was missing, there is a column more.
        """
        sentences = align(input_ids, attention_mask, self.config, self.training)
        targets, scored = sentences.targets()
        return self.decoder.token_nll(self._read(sentences, z_prime)[1], targets, scored)

    def reconstruct_nll(
        self, sentences: Aligned, z_prime: torch.Tensor, labels: torch.Tensor | None = None
    ) -> torch.Tensor:
        """`score` of sentences that are [`Aligned`]."""
        return self._nll(sentences, self._read(sentences, z_prime)[1], labels)

    def _read(
        self, sentences: Aligned, z_prime: torch.Tensor, whole: bool = False
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What the decoder reads and its state after each word, (batch, width - 1, ...); `whole`: the last one too."""
        read = sentences.input_ids if whole else sentences.input_ids[:, :-1]
        words = self.embedding(self._drop_words(read))
        return words, self.decoder(words, z_prime, sentences.mask[:, 0 if whole else 1 :].sum(-1))

    def _nll(self, sentences: Aligned, states: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """-log p of the next words, in nats per sentence, from the states before them."""
        targets, scored = sentences.targets(labels)
        return self.decoder.nll(states[:, : targets.shape[1]], targets, scored)

    def _drop_words(self, input_ids: torch.Tensor) -> torch.Tensor:
        rate = self.config.word_dropout
        if not self.training or rate == 0:
            return input_ids
        dropped = torch.rand(input_ids.shape, device=input_ids.device) < rate
        dropped[:, 0] = False  # beginning-of-sentence is no word
        unknown = self.config.unk_token_id
        assert unknown is not None  # the configuration refuses word dropout without it
        return input_ids.masked_fill(dropped, unknown)

    def _code(self, posterior: Posterior, z: torch.Tensor) -> LatentCode:
        """z' = F(z) and what the flow's steps add to the loss."""
        z_prime, log_abs_det, flow_inputs = self.flow(z)
        kernel, bandwidth = self.config.flow_kernel, self.config.kernel_bandwidth
        log_kernels = []
        if kernel is not None:
            log_kernels = [log_kernel(step, self.centres.to(z.dtype), kernel, bandwidth) for step in flow_inputs]
        return LatentCode(posterior, z, z_prime, log_abs_det, log_kernels, kernel)

    def _mmd(self, z: torch.Tensor, weight: float, generator: torch.Generator | None) -> torch.Tensor:
        if weight == 0:
            return z.new_zeros(())
        z = batch_rows(z) if self.training else z
        if len(z) < 2:  # one sentence is no sample of a distribution: the statistic is not defined, and left out
            return z.new_zeros(())
        prior = self.prior.sample(z.shape, generator, dtype=z.dtype, device=z.device)
        return mmd(z, of_main(prior) if self.training else prior, self.config.mmd_kernel)

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        latents: torch.Tensor | None = None,
        z_prime: torch.Tensor | None = None,
        past_key_values: DecoderCache | None = None,
        cache: DecoderCache | None = None,
        use_cache: bool | None = None,
        kl_weight: float | None = None,
        mmd_weight: float | None = None,
        sample: bool | None = None,
        return_dict: bool | None = None,
        return_loss: bool = True,
        return_logits: bool | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        inputs_embeds: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
    ) -> WaeRnfOutput | tuple[Any, ...]:
        """The training forward; with `latents` or `z_prime`, the decoder alone.

        Args:
            input_ids: (batch, length), from beginning- to end-of-sentence, padded on either side. A sentence without
                beginning-of-sentence is read as if it had one.
            attention_mask: (batch, length); derived from `input_ids` when None.
            labels: (batch, length), tokens to be scored, -100 for those that are not.
            latents: (batch, latent_size), z in the base space: returns `.logits`, and a loss only with `labels`.
            z_prime: (batch, latent_size), the same after the flow, in the decoder's space.
            cache, past_key_values: of the decoder's `new_cache`, with `latents` or `z_prime`: `input_ids` are the
                tokens after those it has seen, and it takes these in. Transformers changed the name in 5.24; both do.
            use_cache: with `latents` or `z_prime`, make such a cache where none is given.
            kl_weight, mmd_weight: alpha and lambda at this step; those of the configuration when None.
            sample: draw z from the posterior; False takes its mean, as an autoencoder does, and outside of training
                draws nothing else either. When None, training draws, and otherwise `config.eval_latents` says.
            return_dict: False for a tuple.
            return_loss: False leaves the loss and its terms out.
            return_logits: give the next words' scores, at the z of this forward. When None `config.return_logits`
                says: outside of training, unless it is true or false. With `latents` or `z_prime` they are given
                unless False.
            output_hidden_states: give `hidden_states`; as the configuration says when None.
            output_attentions: there are none to give; only None and False are taken.
            inputs_embeds: refused: the words themselves are needed, to tell where a sentence begins and to score it.
            token_type_ids: not used, since there are no pairs of sentences; some tokenizers give it.

        Returns:
            [`WaeRnfOutput`]

        Raises:
            ValueError: embedded words, attention weights, an empty batch, tensors whose shapes do not fit each other,
                both `latents` and `z_prime`, a cache with neither, or with `labels`.
        """
        cache = past_key_values if cache is None else cache
        input_ids = check_inputs(
            self.config, input_ids, inputs_embeds, labels, latents, z_prime, cache, output_attentions
        )
        hidden_states = bool(
            self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        )
        if latents is not None:
            z_prime = self.push(latents)[0]
        if z_prime is None:
            sentences = align(input_ids, attention_mask, self.config, self.training)
            features = not self.training and labels is None
            asked = Asked(return_loss, self._forms_logits(return_logits), hidden_states, features)
            output = self._autoencode(sentences, labels, kl_weight, mmd_weight, sample, asked)
        else:
            cache = self.decoder.new_cache() if use_cache and cache is None else cache
            asked = Asked(labels is not None, return_logits is not False, hidden_states, False)
            output = self._next_words(input_ids, attention_mask, z_prime, cache, labels, asked)
        return output if return_dict is not False else output.to_tuple()

    def _forms_logits(self, return_logits: bool | None) -> bool:
        if return_logits is None:
            return_logits = self.config.return_logits
        return not self.training if return_logits is None else return_logits

    def _next_words(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None,
        z_prime: torch.Tensor,
        cache: DecoderCache | None,
        labels: torch.Tensor | None,
        asked: Asked,
    ) -> WaeRnfOutput:
        """The logits after each of the words; padding, on either side, leaves the state as it is."""
        if attention_mask is not None:  # that of generation is of all words, those that the cache has seen too
            attention_mask = attention_mask[:, -input_ids.shape[1] :]
        mask = check_shapes(input_ids, attention_mask, self.config)
        words = self.embedding(input_ids)
        memory = self.decoder.new_cache() if cache is None else cache
        if memory.get_seq_length() == 0:
            self._begin(input_ids, mask, z_prime, memory)
        states = self.decoder.extend(words, z_prime, memory, mask)
        memory.count(input_ids.shape[1])
        reconstruction = self.score(input_ids, attention_mask, z_prime, labels) if asked.loss else None
        carried: dict[str, Any] = {CACHE_NAME: cache}
        return WaeRnfOutput(
            loss=None if reconstruction is None else self._mean(reconstruction),
            reconstruction=reconstruction,
            logits=self.decoder.logits(states) if asked.logits else None,
            **carried,
            hidden_states=(words, states) if asked.hidden_states else None,
        )

    def _begin(self, input_ids: torch.Tensor, mask: torch.Tensor, z_prime: torch.Tensor, memory: DecoderCache) -> None:
        """Puts a beginning-of-sentence before the sentences that have none."""
        first = input_ids.gather(1, mask.long().argmax(1, keepdim=True)).squeeze(1)
        missing = (mask.any(1) & first.ne(self.config.bos_token_id)).unsqueeze(1)
        if can_read(input_ids) and not bool(missing.any()):
            return
        begin = self.embedding(torch.full_like(first, self.config.bos_token_id))
        self.decoder.extend(begin.unsqueeze(1), z_prime, memory, missing)

    def _mean(self, values: torch.Tensor) -> torch.Tensor:
        """The mean over the sentences; while training, over those of all processes."""
        return batch_mean(values) if self.training else values.mean(0)

    def _autoencode(
        self,
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

    def _draw(self, posterior: Posterior, sample: bool | None) -> tuple[torch.Tensor, torch.Generator | None]:
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

    def _nll_of_samples(self, sentences: Aligned, z_prime: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """-log p(x | z') of each sample, (samples, batch), all of them through the decoder at once.

        Each has dropout of its own, which is then one more thing that the weights average over: still a bound.
        """
        samples = len(z_prime)
        repeated, labels = sentences.repeat(samples), labels if labels is None else labels.repeat(samples, 1)
        return self.reconstruct_nll(repeated, z_prime.flatten(0, 1), labels).view(samples, -1)

    def sentence_losses(
        self,
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

    def _weight(self, name: str, given: float | None) -> float:
        return getattr(self.config, name) if given is None else given

    def _auxiliary(self, code: LatentCode, sentences: Aligned, labels: torch.Tensor | None) -> dict[str, torch.Tensor]:
        """{name: (batch,)}"""
        targets, scored = sentences.targets(labels)
        losses = self.auxiliary_losses.items()
        return {name: loss(code, targets, scored, self.decoder) for name, loss in losses}

    def _losses(
        self,
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
