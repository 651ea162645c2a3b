"""From latent codes to text: `generate`, and what is built on it."""

from contextlib import contextmanager

import torch
from transformers import GenerationMixin, LogitsProcessor, LogitsProcessorList, SuppressTokensLogitsProcessor

from .cache import CACHE_NAME, RecurrentCache
from .sampling import draw_words

PRIORS = ("pushforward", "flow_posterior")
# What the loop of this package does not do, and at which values of its option; the library's own loops do.
NOT_ASKED = {
    "num_beams": (None, 1),
    "return_dict_in_generate": (None, False),
    "streamer": (None,),
    "assistant_model": (None,),
    "synced_gpus": (None, False),
}


def generation_defaults(config):
    """How sentences are written where nobody says otherwise: from the model's own distribution, without padding and a
    second beginning, up to the configuration's length."""
    special = [config.pad_token_id, config.bos_token_id]
    return {"do_sample": True, "top_k": 0, "max_length": config.max_words + 1, "suppress_tokens": special}


class Suppress(LogitsProcessor):
    """What the library's processor does to the same tokens, in place."""

    def __init__(self, processor):
        self.tokens = processor.suppress_tokens

    def __call__(self, input_ids, scores):
        return scores.index_fill_(1, self.tokens.to(scores.device), -torch.inf)


class LatentGenerationMixin(GenerationMixin):
    """`generate` from the prior or from given codes, reconstruction, interpolation, analogy, sentence features."""

    @torch.no_grad()
    def generate(
        self,
        inputs=None,
        num_samples=None,
        latents=None,
        z_prime=None,
        prior="pushforward",
        generator=None,
        **kwargs,
    ):
        """Decodes sentences. Every option of the library's `generate` applies: beams, top-k, streamers, scores, …

        The defaults are in `generation_config`: words are drawn from the model's own distribution, and a sentence
        has at most `config.max_words`.

        Args:
            inputs: (batch, length), prompts that the sentences begin with, padded on either side; also `input_ids`.
                An end-of-sentence at their end is taken away, and a beginning-of-sentence is put before them.
            num_samples: how many codes are drawn from the prior; by default one for each prompt.
            latents: (batch, latent_size), z in the base space, instead of drawing.
            z_prime: (batch, latent_size), the same in the decoder's space, after the flow.
            prior: "pushforward", z ~ N(0, I) and z' = F(z); or "flow_posterior", z' ~ N(0, I). On the sphere z is
                uniform.
            generator: source of the random numbers, of codes and words; the global one when None.
            kwargs: options of `transformers.GenerationMixin.generate`.

        Returns:
            (batch, length) token ids from beginning-of-sentence on, padded after end-of-sentence; or what
            `return_dict_in_generate` asks for.

        Raises:
            ValueError: more than one of `num_samples`, `latents` and `z_prime`, codes of another shape, as many
                prompts as do not fit, a prompt that leaves no room for a word, an unknown prior.

        Example:
            >>> from .configuration_wae_rnf import WaeRnfConfig
            >>> from .modeling_wae_rnf import WaeRnfModel
            >>> model = WaeRnfModel(WaeRnfConfig(vocab_size=20, hidden_size=8, latent_size=4)).eval()
            >>> model.generate(num_samples=3, max_new_tokens=5).shape
            torch.Size([3, 6])
        """
        prompts, attention_mask = self._prompts(inputs, kwargs)
        with seeded_by(generator, self.device):
            z_prime = self._codes(prompts, num_samples, latents, z_prime, prior, generator)
            if prompts is not None and len(prompts) == 1:
                prompts, attention_mask = (ids.expand(len(z_prime), -1) for ids in (prompts, attention_mask))
            if prompts is None:
                prompts = torch.full((len(z_prime), 1), self.config.bos_token_id, device=self.device)
                attention_mask = torch.ones_like(prompts)
            self._check_room(prompts, kwargs)
            self._complete(kwargs)
            if kwargs.get("use_cache", True):
                kwargs[CACHE_NAME] = RecurrentCache()
            config = kwargs.get("generation_config") or self.generation_config
            asked = {name: kwargs.get(name, getattr(config, name, None)) for name in NOT_ASKED}
            if not any(value not in NOT_ASKED[name] for name, value in asked.items()):
                kwargs.setdefault("custom_generate", draw_words)
            found = super().generate(prompts, attention_mask=attention_mask, z_prime=z_prime, **kwargs)
        self._pad_after_end(found if isinstance(found, torch.Tensor) else found.sequences)
        return found

    def _complete(self, kwargs):
        """Puts the defaults where neither the call nor a saved generation_config.json says anything."""
        config = kwargs.get("generation_config") or self.generation_config
        for name, value in generation_defaults(self.config).items():
            if getattr(config, name) is None:
                kwargs.setdefault(name, value)
        if kwargs.get("max_new_tokens") is not None or config.max_new_tokens is not None:
            kwargs["max_length"] = None  # of the two only one counts

    def _prompts(self, inputs, kwargs):
        """Prompts and their mask, beginning-of-sentence first, padded on the left; (None, None) without prompts."""
        input_ids, mask = kwargs.pop("input_ids", None), kwargs.pop("attention_mask", None)
        input_ids = inputs if input_ids is None else input_ids
        if input_ids is None or input_ids.shape[1] == 0:
            return None, None
        config, input_ids = self.config, input_ids.to(self.device)
        mask = input_ids.ne(config.pad_token_id) if mask is None else mask.to(self.device).bool()
        mask = mask & input_ids.ne(config.eos_token_id) & input_ids.ne(config.bos_token_id)
        order = mask.long().argsort(dim=1, stable=True)  # what is masked goes to the left
        mask = mask.gather(1, order)
        words = input_ids.gather(1, order).masked_fill(~mask, config.pad_token_id)
        # beginning-of-sentence right before the first word
        words, mask = torch.nn.functional.pad(words, (1, 0), value=config.pad_token_id), mask.long()
        first = words.shape[1] - mask.sum(1, keepdim=True) - 1
        words = words.scatter(1, first, config.bos_token_id)
        mask = torch.nn.functional.pad(mask, (1, 0)).scatter(1, first, 1)
        spare = int(first.min() > 0)  # prompts keep their width: callers count columns to find what is new
        return words[:, spare:], mask[:, spare:]

    def _get_logits_processor(self, *args, **kwargs):
        # the library's looks for its tokens among all words, at each word anew
        processors = super()._get_logits_processor(*args, **kwargs)
        suppressing = SuppressTokensLogitsProcessor
        return LogitsProcessorList(Suppress(part) if type(part) is suppressing else part for part in processors)

    def _pad_after_end(self, sentences):
        # where padding is token 0, the library's beam search repeats end-of-sentence instead
        ends = sentences.eq(self.config.eos_token_id).long()
        sentences.masked_fill_(ends.cumsum(1) > ends, self.config.pad_token_id)

    def _codes(self, prompts, num_samples, latents, z_prime, prior, generator):
        """z' (batch, latent_size): drawn, or those that are given."""
        if sum(given is not None for given in (num_samples, latents, z_prime)) > 1:
            raise ValueError("generate takes num_samples, to draw from the prior, or latents, or z_prime: one of them")
        if prior not in PRIORS:
            raise ValueError(f'prior must be "pushforward" or "flow_posterior", not {prior!r}')
        if num_samples is not None and num_samples < 1:
            raise ValueError(f"num_samples must be at least 1, not {num_samples}")
        codes = {"latents": latents, "z_prime": z_prime}
        for name, given in codes.items():
            if given is not None:
                self._check_codes(name, given)
        if latents is None and z_prime is None:
            count = num_samples or (1 if prompts is None else len(prompts))
            z = self.sample_prior(count, generator)
            latents, z_prime = (z, None) if prior == "pushforward" else (None, z)
        if z_prime is None:
            z_prime = self.push(latents.to(self.device, self.dtype))[0]
        if prompts is not None and len(prompts) not in (1, len(z_prime)):
            raise ValueError(
                f"{len(prompts)} prompts do not fit {len(z_prime)} latent codes; give one prompt or as many"
            )
        return z_prime.to(self.device, self.dtype)

    def _check_codes(self, name, codes):
        size = self.config.latent_size
        if codes.dim() != 2 or codes.shape[1] != size:
            raise ValueError(f"{name} must have shape (batch, {size}), not {tuple(codes.shape)}")

    def _check_room(self, prompts, kwargs):
        config = kwargs.get("generation_config") or self.generation_config
        longest = kwargs.get("max_length", config.max_length)
        if "max_new_tokens" not in kwargs and longest is not None and prompts.shape[1] >= longest:
            raise ValueError(
                f"the longest prompt has {prompts.shape[1] - 1} words, which leaves none of the {longest - 1} to be "
                "written; shorten it, or raise max_length"
            )

    @torch.no_grad()
    def embed(self, input_ids, attention_mask=None):
        """Posterior means, (batch, latent_size): features of sentences.

        Args:
            input_ids, attention_mask: (batch, length), as the tokenizer gives them, padded on the right.

        Raises:
            ValueError: a language model, which has no latent code.
        """
        if self.config.latent_size == 0:
            raise ValueError("a language model has no latent code: it encodes no sentence")
        return self.encode(input_ids, attention_mask).mean

    def reconstruct(self, batch, **kwargs):
        """Each sentence through its posterior mean and back, decoded greedily.

        Args:
            batch: what the tokenizer gives, `input_ids` and `attention_mask`.
            kwargs: options of `generate`; `do_sample=True` draws words.

        Returns:
            (batch, length) token ids.
        """
        return self.generate(latents=self.embed(**batch), **GREEDY | kwargs)

    def interpolate(self, batch_a, batch_b, steps=7, path=None, space="z", **kwargs):
        """Sentences on the way from one to another, decoded greedily.

        Args:
            batch_a, batch_b: what the tokenizer gives, as many sentences in both.
            steps: points of the way, its ends included.
            path: "straight", a (1 - t) + b t, or "spherical", which turns from a to b at a constant angle and keeps to
                the norms of a Gaussian sample (White 2016, arXiv 1609.04468). By default the one on the sphere for a
                von Mises-Fisher posterior, and straight otherwise.
            space: "z", where the prior is, or "z_prime", behind the flow.
            kwargs: options of `generate`.

        Returns:
            (batch, steps, length) token ids.

        Raises:
            ValueError: fewer than two steps, an unknown path or space, a language model.
        """
        path = path or ("spherical" if self.config.posterior == "vmf" else "straight")
        if steps < 2:
            raise ValueError(f"steps must be at least 2, not {steps}")
        if path not in PATHS:
            raise ValueError(f"path must be one of {', '.join(PATHS)}, not {path!r}")
        if space not in ("z", "z_prime"):
            raise ValueError(f'space must be "z" or "z_prime", not {space!r}')
        ends = [self.embed(**batch) for batch in (batch_a, batch_b)]
        if space == "z_prime":
            ends = [self.push(z)[0] for z in ends]
        positions = torch.linspace(0, 1, steps, device=self.device, dtype=self.dtype)
        points = torch.stack([PATHS[path](*ends, position) for position in positions], dim=1)
        codes = {"latents" if space == "z" else "z_prime": points.flatten(0, 1)}
        return self.generate(**codes, **GREEDY | kwargs).unflatten(0, (-1, steps))

    def analogy(self, batch_a, batch_b, batch_c, **kwargs):
        """What is to c as b is to a: the sentences at z = z_b - z_a + z_c, decoded greedily.

        Args:
            batch_a, batch_b, batch_c: what the tokenizer gives, as many sentences in each.
            kwargs: options of `generate`.

        Returns:
            (batch, length) token ids.
        """
        a, b, c = (self.embed(**batch) for batch in (batch_a, batch_b, batch_c))
        return self.generate(latents=b - a + c, **GREEDY | kwargs)


def spherical(a, b, position):
    """From a to b (batch, d) at a constant angle: sin((1 - t)w)/sin(w) a + sin(tw)/sin(w) b, w the angle between."""
    cosine = torch.nn.functional.cosine_similarity(a, b, dim=-1).clamp(-1, 1).unsqueeze(-1)
    angle = cosine.acos()
    turned = (((1 - position) * angle).sin() * a + (position * angle).sin() * b) / angle.sin()
    return torch.where(angle.sin() > 1e-4, turned, torch.lerp(a, b, position))


PATHS = {"straight": torch.lerp, "spherical": spherical}
GREEDY = {"do_sample": False}


@contextmanager
def seeded_by(generator, device):
    """Within it the global random numbers follow from the generator's; without one nothing changes."""
    if generator is None:
        yield
        return
    devices = [device] if device.type == "cuda" else []
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield
