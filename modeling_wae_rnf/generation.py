"""From latent variables to text: `generate`."""

from typing import TYPE_CHECKING, Any

import torch
from transformers.generation.utils import GenerateOutput

from .generation_options import check_options, check_room, complete, special_tokens
from .loops import GenerationLoops
from .prompts import align_prompts, check_prompts
from .recurrent_cache import CACHE_NAME, DecoderCache
from .seeding import seeded_by

if TYPE_CHECKING:
    from .modeling_wae_rnf import WaeRnfModel

PRIORS = ("pushforward", "flow_posterior")


class LatentGenerationMixin(GenerationLoops):
    """`generate` from the prior or from given latents."""

    @torch.no_grad()
    def generate(  # type: ignore[override]  # by place come our own arguments, by name Transformers' options
        self: "WaeRnfModel",
        inputs: torch.Tensor | None = None,
        num_samples: int | None = None,
        latents: torch.Tensor | None = None,
        z_prime: torch.Tensor | None = None,
        prior: str = "pushforward",
        generator: torch.Generator | None = None,
        **kwargs: Any,
    ) -> GenerateOutput | torch.LongTensor:
        """Decodes sentences. Every option of Transformers' `generate` applies: beams, top-k, streamers, scores, …

        The defaults are in `generation_config`: words are drawn from the model's own distribution, and a sentence
        has at most `config.max_words`.

        Args:
            inputs: (batch, length), prompts that the sentences begin with, padded on either side; also `input_ids`.
                An end-of-sentence at their end is taken away, and a beginning-of-sentence is put before them.
            num_samples: how many latents are drawn from the prior; by default one for each prompt.
            latents: (batch, latent_size), z in the base space, instead of drawing.
            z_prime: (batch, latent_size), the same in the decoder's space, after the flow.
            prior: how the model's prior is read: "pushforward", z ~ p(z) and z' = F(z); or "flow_posterior",
                z' ~ p(z). It is N(0, I), or uniform on the sphere, or the one that `config.prior` names; with topics
                it is that of [z ; t].
            generator: source of the random numbers, of latents and words; the global one when None.
            kwargs: options of `transformers.GenerationMixin.generate`.

        Returns:
            (batch, length) token ids from beginning-of-sentence on, padded after end-of-sentence; or what
            `return_dict_in_generate` asks for.

        Raises:
            ValueError: more than one of `num_samples`, `latents` and `z_prime`, latents of another shape, as many
                prompts as do not fit, no prompt at all, a prompt that leaves no room for a word, an unknown prior, an
                option that the model has no use for.

        Examples:
            >>> from .configuration_wae_rnf import WaeRnfConfig
            >>> from .modeling_wae_rnf import WaeRnfModel
            >>> model = WaeRnfModel(WaeRnfConfig(vocab_size=20, hidden_size=8, latent_size=4)).eval()
            >>> model.generate(num_samples=3, max_new_tokens=5).shape
            torch.Size([3, 6])
        """
        check_options(self, kwargs)
        if generator is not None and not isinstance(generator, torch.Generator):
            raise ValueError(f"generator must be a torch.Generator, not {generator!r}")
        cache = self._given_cache(kwargs)
        prompts, attention_mask = self._prompts(inputs, kwargs, cache)
        with seeded_by(generator, self.device):
            z_prime = self._latents(prompts, num_samples, latents, z_prime, prior, generator, cache)
            if len(prompts) == 1:
                prompts, attention_mask = (ids.expand(len(z_prime), -1) for ids in (prompts, attention_mask))
            check_room(self, prompts, kwargs)
            complete(self, kwargs)
            return super().generate(prompts, attention_mask=attention_mask, z_prime=z_prime, **kwargs)

    def _given_cache(self: "WaeRnfModel", kwargs: dict[str, Any]) -> DecoderCache | None:
        """The caller's cache, under whichever of its names, or None."""
        names = {name: kwargs.pop(name, None) for name in ("cache", "past_key_values")}
        cache = next((given for given in names.values() if given is not None), None)
        kind = type(self.decoder.new_cache())
        if cache is not None and not isinstance(cache, kind):
            raise ValueError(f"the cache must be a {kind.__name__}, not a {type(cache).__name__}")
        if cache is not None:
            kwargs[CACHE_NAME] = cache
        return cache

    def _prompts(
        self: "WaeRnfModel", inputs: torch.Tensor | None, kwargs: dict[str, Any], cache: DecoderCache | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Prompts and their mask, beginning-of-sentence first, padded on the left."""
        input_ids, mask = kwargs.pop("input_ids", None), kwargs.pop("attention_mask", None)
        if inputs is not None and input_ids is not None:
            raise ValueError("prompts are given as inputs or as input_ids, not as both")
        input_ids = inputs if input_ids is None else input_ids
        bos, eos, pad = special_tokens(self, kwargs)
        if input_ids is None:
            if mask is not None:
                raise ValueError("an attention_mask needs the prompts that it belongs to")
            input_ids = torch.empty(1, 0, dtype=torch.long)
        seen = 0 if cache is None else cache.get_seq_length()
        check_prompts(input_ids, None if seen else mask, self.config.vocab_size)
        input_ids = input_ids.to(self.device, torch.long)
        if mask is None:  # where a sentence's end is padding too, only its place tells them apart
            padding = {pad, self.config.pad_token_id} - {None, *eos}
            mask = torch.isin(input_ids, input_ids.new_tensor([*padding]), invert=True)
        mask = mask.to(self.device).long()
        if seen:  # what the cache has seen stays where it is
            if mask.shape[1] <= seen:
                raise ValueError(f"the cache has seen {seen} tokens; give the whole sentences, with a token more")
            return input_ids, mask
        if bos is None and not (input_ids.shape[1] and mask.any(1).all()):
            raise ValueError("without a bos_token_id, every prompt needs a word to begin with")
        pad = next(iter(eos), 0) if pad is None else pad
        return align_prompts(input_ids, mask, bos, eos, pad if pad in range(self.config.vocab_size) else 0)

    def _latents(
        self: "WaeRnfModel",
        prompts: torch.Tensor,
        num_samples: int | None,
        latents: torch.Tensor | None,
        z_prime: torch.Tensor | None,
        prior: str,
        generator: torch.Generator | None,
        cache: DecoderCache | None,
    ) -> torch.Tensor:
        """z' (batch, latent_size): drawn, or those that are given."""
        if sum(given is not None for given in (num_samples, latents, z_prime)) > 1:
            raise ValueError("generate takes num_samples, to draw from the prior, or latents, or z_prime: one of them")
        if prior not in PRIORS:
            raise ValueError(f'prior must be "pushforward" or "flow_posterior", not {prior!r}')
        if num_samples is not None and not (hasattr(num_samples, "__index__") and num_samples >= 1):
            raise ValueError(f"num_samples must be at least 1, a whole number, not {num_samples!r}")
        given_latents = {"latents": latents, "z_prime": z_prime}
        for name, given in given_latents.items():
            if given is not None:
                self._check_given(name, given)
        if latents is not None:
            z_prime = self.push(latents.to(self.device, self.dtype))[0]
        elif z_prime is None:
            if cache is not None and cache.get_seq_length() and self.decoder.latents_at_every_step:
                raise ValueError("to go on from a cache, give the latents or z_prime that its sentences began with")
            count = num_samples or len(prompts)
            z = self.sample_prior(count, generator)
            z_prime = self.push(z)[0] if prior == "pushforward" else z
        if len(prompts) not in (1, len(z_prime)):
            raise ValueError(
                f"{len(prompts)} prompts do not fit {len(z_prime)} latent variables; give one prompt or as many"
            )
        return z_prime.to(self.device, self.dtype)

    def _check_given(self: "WaeRnfModel", name: str, latents: torch.Tensor) -> None:
        size = self.config.latent_size
        if not isinstance(latents, torch.Tensor) or latents.dim() != 2 or latents.shape[1] != size:
            shape = tuple(latents.shape) if isinstance(latents, torch.Tensor) else f"a {type(latents).__name__}"
            raise ValueError(f"{name} must have shape (batch, {size}), not {shape}")
        if len(latents) == 0:
            raise ValueError(f"{name} has 0 rows: there is nothing to decode")
        if not latents.isfinite().all():
            raise ValueError(f"{name} must be finite numbers")
