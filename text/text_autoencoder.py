"""A model and its tokenizer as one object: plain strings in, plain strings and numbers out."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.tokenization.unread import unknown_words

from . import likelihoods, neighbours
from .batches import MANY, TextBatches, bar
from .sampling_options import check_sampling
from .text_input import check_texts, tell, unread
from .topics import Topic, topics_of

BATCH_SIZE = 256


def load(name: str | Path, device: str | torch.device | None = None) -> "TextAutoencoder":
    """Loads a trained model as an object that takes and gives strings.

    Args:
        name: a directory that `wae-rnf train` left, or a Hub name.
        device: where it computes; by default an accelerator where there is one, and the CPU otherwise.

    Raises:
        ValueError: no model or no tokenizer there, or a model of another kind.

    Examples:
        >>> import wae_rnf
        >>> text = wae_rnf.load("runs/toy")  # doctest: +SKIP
        >>> text.reconstruct(["the soup was cold ."])  # doctest: +SKIP
        ['the soup was cold .']
    """
    if device is None:
        device = torch.accelerator.current_accelerator(check_available=True) or "cpu"
    return TextAutoencoder(*load_model(name, device))


class TextAutoencoder:
    """A trained model and its tokenizer. Every method gives one row for one text, in the order given.

    Texts are lists of strings; an empty one is a sentence without words. What the model does not read of them, unknown
    words and words beyond its limit, is reported by an `UnreadTextWarning`. From 1,000 texts on a bar is shown.

    Args:
        model: a `WaeRnfModel`; put in evaluation mode.
        tokenizer: the one that it was trained with.
        progress: show a bar always or never, instead of by the number of texts.

    Raises:
        ValueError: from every method, for texts that are no list of strings; and from those that encode or take
            latents, for a language model.
    """

    def __init__(self, model: WaeRnfModel, tokenizer: PreTrainedTokenizerFast, progress: bool | None = None) -> None:
        self.model: WaeRnfModel = model.eval()
        self.tokenizer, self.progress = tokenizer, progress

    @property
    def latent_size(self) -> int:
        """d, numbers of a latent; 0 for a language model."""
        return self.model.config.latent_size

    def require_latents(self) -> None:
        """Raises ValueError for a language model, which encodes no sentence."""
        if not self.latent_size:
            raise ValueError("a language model has no latent variable: it encodes no sentence")

    def sample(
        self,
        n: int,
        temperature: float = 1.0,
        top_p: float = 1.0,
        top_k: int = 0,
        greedy: bool = False,
        prompt: str = "",
        prior: str = "pushforward",
        seed: int | torch.Generator | None = None,
    ) -> list[str]:
        """Sentences from the prior.

        Args:
            n: how many.
            temperature: of the tokens; under 1 favours likelier ones.
            top_p: probability of the likeliest tokens to draw from.
            top_k: number of the likeliest tokens to draw from; 0 is all.
            greedy: take the likeliest token at every step; the latents are still drawn.
            prompt: words that every sentence begins with.
            prior: generative model, prior on z ("pushforward") or on z' ("flow_posterior").
            seed: makes it reproducible; or a generator on the model's device, which goes on.

        Raises:
            ValueError: a number out of its range, an unknown prior, or a prompt that leaves no room for a word.
        """
        check_sampling(n, temperature, top_p, top_k)
        generator = seed
        if isinstance(seed, int):
            generator = torch.Generator(self.model.device).manual_seed(seed)
        options: dict[str, Any] = {"prior": prior, "generator": generator, "do_sample": not greedy}
        if not greedy:
            options |= {"temperature": temperature, "top_k": top_k, "top_p": top_p}
        if prompt.strip():
            tell(unknown_words(self.tokenizer, [prompt]))
            options |= self.tokenizer(prompt, return_tensors="pt")
        sizes = [min(BATCH_SIZE, n - start) for start in range(0, n, BATCH_SIZE)]
        parts = bar(sizes, "sample", self._shows_bar(n), unit="batch")
        return [text for size in parts for text in self._generate(num_samples=size, **options)]

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Posterior means: (n, latent_size), single precision, on the CPU."""
        batches = self._batches(texts, BATCH_SIZE)
        means = [row for inputs in batches.inputs(self.model.device, "encode") for row in self._embed(inputs)]
        return torch.stack(batches.in_order(means)) if means else torch.empty(0, self.latent_size)

    def decode(self, latents: Tensor | Sequence[Sequence[float]], **options: Any) -> list[str]:
        """The sentence of each latent, decoded greedily.

        Args:
            latents: z, (n, latent_size), as `encode` gives them; a tensor, an array or lists.
            options: of the model's `generate`: `num_beams=4`, or `do_sample=True` to draw tokens.

        Raises:
            ValueError: latents of another shape, or that are not finite, or `return_dict_in_generate`.
        """
        self.require_latents()
        latents = torch.as_tensor(latents)
        if len(latents) == 0:
            return []
        parts = bar(latents.split(BATCH_SIZE), "decode", self._shows_bar(len(latents)), unit="batch")
        return [text for part in parts for text in self._generate(latents=part, **{"do_sample": False} | options)]

    def reconstruct(self, texts: Sequence[str], **options: Any) -> list[str]:
        """Each text through its posterior mean and back; options as for `decode`."""
        return self.decode(self.encode(texts), **options)

    def interpolate(
        self, a: str, b: str, steps: int = 7, path: str | None = None, metric: str | None = None, space: str = "z"
    ) -> list[str]:
        """Sentences on the way from one to another, both ends included, decoded greedily.

        Args:
            a, b: the two sentences.
            steps: points of the way.
            path: "straight", "spherical" or "geodesic"; by default straight, and spherical for a von Mises-Fisher
                posterior.
            metric: of a geodesic: "euclidean", "flow", "conformal" or "decoder"; the flow's when None.
            space: "z", before the flow, or "z_prime", behind it.

        Raises:
            ValueError: fewer than two steps, an unknown path, metric or space, or options that do not go together.
        """
        one, other = (next(self._batches([text], 1).inputs(self.model.device, "encode")) for text in (a, b))
        (ids,) = self.model.interpolate(one, other, steps=steps, path=path, space=space, metric=metric)
        return self._texts(ids)

    def nll(
        self, texts: Sequence[str], samples: int = 100, seed: int = 0, generative_model: str | None = None
    ) -> likelihoods.Likelihoods:
        """The negative log-likelihood of each text in nats per sentence: a bound, and exact for a language model.

        It is the importance-weighted bound of the evaluation: the same numbers as `wae-rnf evaluate` has of the same
        sentences with as many samples and the same seed.

        Args:
            texts: n texts.
            samples: k, importance samples a sentence; more are tighter.
            seed: of the samples.
            generative_model: "pushforward" or "flow_posterior"; by default the one that the model was trained as.

        Returns:
            [`Likelihoods`], which says what they are.

        Raises:
            ValueError: no samples, or an unknown generative model.
        """
        estimate = likelihoods.estimate_of(self.model, samples, generative_model)
        return likelihoods.likelihoods(self.model, self._scored(texts), estimate, seed)

    def surprisal(
        self, texts: Sequence[str], samples: int = 100, seed: int = 0, generative_model: str | None = None
    ) -> list[likelihoods.TokenSurprisals]:
        """What each token of each text costs in nats, given the latent, and what the latent costs.

        Arguments are those of `nll`. The tokens of a sentence and its latent sum to its `nll`; in a language model the
        latent costs nothing, and a token's surprisal is -log p(x_t | x_<t).
        """
        estimate = likelihoods.estimate_of(self.model, samples, generative_model)
        return likelihoods.surprisals(self.model, self._scored(texts), estimate, seed)

    def direction(self, from_texts: Sequence[str], to_texts: Sequence[str]) -> Tensor:
        """The way from one kind of text to another: the difference of their mean latents, (latent_size,).

        Raises:
            ValueError: no text on either side.
        """
        ends = [self.encode(texts) for texts in (to_texts, from_texts)]
        if not all(map(len, ends)):
            raise ValueError("a direction needs at least one text on each side")
        return ends[0].mean(0) - ends[1].mean(0)

    def edit(
        self, texts: Sequence[str], direction: Tensor | Sequence[float], strength: float = 1.0, **options: Any
    ) -> list[str]:
        """Each text moved along a direction of the latent space: z + strength · direction, decoded greedily.

        The moved point is brought back to where latents lie: to length 1 on the sphere of a von Mises-Fisher
        posterior, and to proportions of topics where there are some.

        Args:
            texts: n texts.
            direction: (latent_size,), as `direction` gives it.
            strength: how far; 0 reconstructs, and a negative one goes the other way.
            options: as for `decode`.

        Raises:
            ValueError: a direction of another size, or numbers that are not finite.
        """
        self.require_latents()
        direction = torch.as_tensor(direction)
        if direction.shape != (self.latent_size,):
            raise ValueError(f"the direction must have shape ({self.latent_size},), not {tuple(direction.shape)}")
        if not math.isfinite(strength):
            raise ValueError(f"strength must be finite, but is {strength}")
        moved = self.encode(texts) + strength * direction.cpu()
        return self.decode(self.model.prior.project(moved), **options)

    def nearest(
        self, texts: Sequence[str], corpus: Sequence[str], k: int = 5, metric: str = "cosine"
    ) -> list[list[neighbours.Neighbour]]:
        """The k texts of a corpus whose latents are nearest to that of each text, the nearest first.

        Args:
            texts: n texts.
            corpus: texts to look among; one that equals a query is its first neighbour.
            k: neighbours of each text.
            metric: "cosine", the greatest similarity, or "euclidean", the smallest distance, of the posterior means.

        Raises:
            ValueError: an unknown metric, or more neighbours than texts in the corpus.
        """
        corpus = check_texts(corpus)
        neighbours.check_neighbours(k, len(corpus), metric)
        return neighbours.nearest(self.encode(texts), self.encode(corpus), corpus, k, metric)

    def topics(self, words: int = 10, samples: int = 256, seed: int = 0) -> list[Topic]:
        """The topics of a model that has them, by the words that stand out in each; see [`topics_of`]."""
        return topics_of(self.model, self.tokenizer, words, samples, seed)

    def _batches(self, texts: Sequence[str], size: int) -> TextBatches:
        """Batches of texts that are going to be encoded."""
        self.require_latents()
        return self._read(texts, size)

    def _scored(self, texts: Sequence[str]) -> TextBatches:
        """Batches as the evaluation has them."""
        return self._read(texts, likelihoods.BATCH_SIZE)

    def _read(self, texts: Sequence[str], size: int) -> TextBatches:
        texts = check_texts(texts)
        tell(unread(self.tokenizer, texts), stacklevel=5)
        return TextBatches(self.tokenizer, texts, size, self._shows_bar(len(texts)))

    def _shows_bar(self, number: int) -> bool:
        return number >= MANY if self.progress is None else self.progress

    def _embed(self, inputs: Mapping[str, Tensor]) -> Tensor:
        return self.model.embed(**inputs).float().cpu()

    def _generate(self, **options: Any) -> list[str]:
        ids = self.model.generate(**{"return_dict_in_generate": False} | options)
        if not isinstance(ids, Tensor):
            raise ValueError("a TextAutoencoder gives strings alone; leave return_dict_in_generate out")
        return self._texts(ids)

    def _texts(self, ids: Tensor) -> list[str]:
        return self.tokenizer.batch_decode(ids, skip_special_tokens=True)
