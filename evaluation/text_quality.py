"""Text quality: diversity of samples and BLEU of reconstructions. Words are separated by white space.

Of a model whose tokens are not white-space words, punctuation marks and contractions are words too.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from modeling_wae_rnf import WaeRnfModel
from wae_rnf.tokenization.batching import load_batches, sorted_batches
from wae_rnf.tokenization.tokenization_punctuation import Punctuation
from wae_rnf.tokenization.tokenizer import tokenization_of
from wae_rnf.tokenization.vocabulary import UNK

from .metrics import SampleQuality, Text
from .text_metrics.distinct import Distinct
from .text_metrics.reconstruction_bleu import ReconstructionBleu
from .text_metrics.self_bleu import SelfBleu
from .toy_quality import toy_quality

BATCH_SIZE = 256
UNK_APART = "< unk >"
NUM_EXAMPLES = 5  # reconstructions that are shown


def sample_quality(sentences: Sequence[str], max_sentences: int = 1000, seed: int = 0) -> SampleQuality:
    """How varied sampled sentences are.

    distinct-n = number of different n-grams / number of n-grams (Li et al. 2016, arXiv 1510.03055), over all
    sentences; self-BLEU = mean BLEU-4 of each sentence against all others (Zhu et al. 2018, arXiv 1802.01886).
    Both depend on the number of sentences: compare sets of one size.

    Args:
        sentences: a list of strings.
        max_sentences: self-BLEU is taken over at most so many sentences, drawn at random.
        seed: of that draw.

    Returns:
        `distinct_1`, `distinct_2`, `distinct_3` in (0, 1], None where no sentence is long enough; `self_bleu` from 0
        to 100, None for a single sentence; `num_sentences`, all that were given.

    Raises:
        ValueError: no sentences, something else than strings, or max_sentences under 2.

    Examples:
        >>> quality = sample_quality(["a b c d e", "a b c d f"])
        >>> quality["distinct_1"], round(quality["self_bleu"], 2), quality["num_sentences"]
        (0.6, 66.87, 2)
    """
    check_sentences("sentences", sentences)
    quality = Distinct().compute(predictions=sentences)
    quality |= SelfBleu().compute(predictions=sentences, max_sentences=max_sentences, seed=seed)
    return quality | {"num_sentences": len(sentences)}


def reconstruction_quality(reconstructions: Sequence[str], sentences: Sequence[str]) -> dict[str, float]:
    """How much of their inputs reconstructions give back: corpus BLEU-4 (Papineni et al. 2002) by sacrebleu.

    Args:
        reconstructions: a list of strings.
        sentences: their inputs, in the same order.

    Returns:
        `bleu`, from 0 to 100.

    Raises:
        ValueError: no sentences, something else than strings, or lists of different length.

    Examples:
        >>> round(reconstruction_quality(["a b c d e"], ["a b c d f"])["bleu"], 2)
        66.87
    """
    check_sentences("reconstructions", reconstructions)
    check_sentences("sentences", sentences)
    if len(reconstructions) != len(sentences):
        counts = f"{len(reconstructions)} reconstructions and {len(sentences)} sentences"
        raise ValueError(f"each sentence needs one reconstruction, but there are {counts}")
    return ReconstructionBleu().compute(predictions=reconstructions, references=sentences)


def check_sentences(name: str, sentences: Sequence[str]) -> None:
    if isinstance(sentences, str) or not all(isinstance(sentence, str) for sentence in sentences):
        raise ValueError(f"{name} must be a list of strings")
    if len(sentences) == 0:
        raise ValueError(f"{name} must not be empty")


@torch.no_grad()
def judge_text(
    model: WaeRnfModel,
    tokenizer: PreTrainedTokenizerFast,
    sentences: Dataset,
    count: int = 1000,
    seed: int = 0,
    toy: bool = False,
) -> Text:
    """Distinct-n and self-BLEU of samples from the prior, BLEU of greedy reconstructions.

    Args:
        model: a `WaeRnfModel` in evaluation mode.
        sentences: prepared rows; the first `count` are reconstructed from their posterior means.
        count: of the samples too.
        seed: of the samples.
        toy: whether the sentences are of the toy corpus, whose grammar then judges too.

    Returns:
        {"samples": see `sample_quality`, "reconstructions": {"bleu", "examples": [[sentence, reconstruction], …]}},
        and for the toy corpus "toy": see `toy_quality`; without a latent variable no reconstructions.
    """
    generator = torch.Generator(model.device).manual_seed(seed)
    samples = _sentences(model, tokenizer, num_samples=count, generator=generator)
    words = spaced_by(tokenizer)
    quality: Text = {"samples": sample_quality(words(samples), count, seed)}
    inputs: list[str] = []
    outputs: list[str] = []
    if model.config.has_latents:
        lengths = sentences["length"][:count]
        batches = sorted_batches(lengths, BATCH_SIZE)
        for batch in load_batches(sentences, batches, model.config.pad_token_id, model.device):
            inputs += tokenizer.batch_decode(batch["input_ids"], skip_special_tokens=True)
            outputs += _sentences(model, tokenizer, latents=model.encode(**batch).mean, do_sample=False)
        order = np.concatenate(batches).argsort()
        inputs, outputs = ([texts[place] for place in order] for texts in (inputs, outputs))
        examples = [list(pair) for pair in zip(inputs, outputs, strict=True)][:NUM_EXAMPLES]
        bleu = reconstruction_quality(words(outputs), words(inputs))["bleu"]
        quality["reconstructions"] = {"bleu": bleu, "examples": examples}
    if toy:
        quality["toy"] = toy_quality(samples, inputs, outputs)
    return quality


def spaced_by(tokenizer: PreTrainedTokenizerFast) -> Callable[[Sequence[str]], list[str]]:
    """A function of texts, which puts the words of each apart by spaces, so that it can be compared by its words.

    Texts of a model of white-space words are left as they are; of any other one they are split as by the tokenization
    `punctuation`, so that models of different tokenizations are judged alike.

    Examples:
        >>> from wae_rnf.tokenization.tokenizer import build_tokenizer
        >>> vocabulary = {"<pad>": 0, "<bos>": 1, "<eos>": 2, "<unk>": 3}
        >>> spaced_by(build_tokenizer(vocabulary, tokenization="punctuation"))(["It's cold."])
        ["It 's cold ."]
    """
    if tokenization_of(tokenizer).tokenization == "words":
        return list
    split = Punctuation().splitter(lowercase=False)

    def spaced(text: str) -> str:
        words = " ".join(piece.strip() for piece in split(text, None))
        return words.replace(UNK_APART, UNK)

    return lambda texts: list(map(spaced, texts))


def _sentences(model: WaeRnfModel, tokenizer: PreTrainedTokenizerFast, **options: Any) -> list[str]:
    """What `generate` writes with these options, as text."""
    ids = model.generate(**options, return_dict_in_generate=False)
    assert isinstance(ids, torch.Tensor)
    return tokenizer.batch_decode(ids, skip_special_tokens=True)
