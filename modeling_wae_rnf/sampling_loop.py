"""The loop that draws words: what Transformers' does for sampling and greedy decoding, at less cost."""

from typing import TYPE_CHECKING, Any

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteriaList,
    SuppressTokensLogitsProcessor,
)
from transformers.generation import logits_process, stopping_criteria

from .recurrent_cache import CACHE_NAME
from .stop_strings import StopStrings

if TYPE_CHECKING:
    from .modeling_wae_rnf import WaeRnfModel

COMPACT_AT = 1 / 8  # the part of the sentences that have ended, from which on these are left out
# Whatever looks at each row for itself, and remembers nothing, is not disturbed by rows that are left out.
PROCESSORS = (
    "MinLengthLogitsProcessor",
    "MinNewTokensLengthLogitsProcessor",
    "TemperatureLogitsWarper",
    "RepetitionPenaltyLogitsProcessor",
    "TopPLogitsWarper",
    "TopKLogitsWarper",
    "TopHLogitsWarper",
    "MinPLogitsWarper",
    "TypicalLogitsWarper",
    "EpsilonLogitsWarper",
    "EtaLogitsWarper",
    "NoRepeatNGramLogitsProcessor",
    "SequenceBiasLogitsProcessor",
    "NoBadWordsLogitsProcessor",
    "ForcedBOSTokenLogitsProcessor",
    "ForcedEOSTokenLogitsProcessor",
    "InfNanRemoveLogitsProcessor",
    "ExponentialDecayLengthPenalty",
    "LogitNormalization",
    "SuppressTokensAtBeginLogitsProcessor",
    "SuppressTokensLogitsProcessor",
)
ENDS_ALL = (stopping_criteria.MaxLengthCriteria, stopping_criteria.MaxTimeCriteria)
ENDS_EACH = (stopping_criteria.EosTokenCriteria, StopStrings)
STATELESS = {getattr(logits_process, name, None) for name in PROCESSORS} | {*ENDS_ALL, *ENDS_EACH}


def suits_draw_words(
    logits_processor: LogitsProcessorList,
    stopping_criteria: StoppingCriteriaList,
    generation_config: GenerationConfig,
    model_kwargs: dict[str, Any],
) -> bool:
    """Whether [`draw_words`] gives what Transformers' loop gives: ids, by parts that see each row for itself.

    A subclass of a known part is not known. A repetition penalty knows its rows by number where prompts are padded.
    Without an end-of-sentence Transformers writes on in a sentence that a string has stopped.
    """
    config, parts = generation_config, [*logits_processor, *stopping_criteria]
    by_row = any(isinstance(getattr(part, "prompt_ignore_length", None), torch.Tensor) for part in parts)
    ends = {type(part) for part in stopping_criteria}
    return (
        all(type(part) in STATELESS for part in parts)
        and not by_row
        and (StopStrings not in ends or ENDS_EACH[0] in ends)
        and not config.return_dict_in_generate
        and getattr(config, "prefill_chunk_size", None) is None
        and model_kwargs.get(CACHE_NAME) is None  # the caller's, who goes on from it with all rows
    )


class Suppress(LogitsProcessor):
    """What Transformers' processor does to the same tokens, in place: that one looks for them among all words anew."""

    def __init__(self, processor: SuppressTokensLogitsProcessor, vocab_size: int) -> None:
        tokens = processor.suppress_tokens
        self.tokens = tokens[(tokens >= 0) & (tokens < vocab_size)]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        return scores.index_fill_(1, self.tokens.to(scores.device), -torch.inf)


def draw_words(
    model: "WaeRnfModel",
    input_ids: torch.Tensor,
    logits_processor: LogitsProcessorList,
    stopping_criteria: StoppingCriteriaList,
    generation_config: GenerationConfig,
    **model_kwargs: Any,
) -> torch.Tensor:
    """Sampling or greedy decoding.

    Transformers draws with `torch.multinomial`, one random number for each word of the vocabulary, and goes on with
    sentences that have ended. Here a word takes one uniform number, and sentences that have ended are left out, as
    soon as they are an eighth of those that run, so that the batch seldom changes its size.

    Args:
        model: a [`WaeRnfModel`].
        input_ids: (batch, length), prompts padded on the left.
        logits_processor, stopping_criteria, generation_config: as Transformers prepares them, and
            [`suits_draw_words`] takes them.
        model_kwargs: `attention_mask` of the prompts, `z_prime` (batch, latent_size), and `use_cache`; without it
            every sentence is computed anew at each word.

    Returns:
        (batch, longest length), padded after end-of-sentence.
    """
    logits_processor = LogitsProcessorList(
        Suppress(part, model.config.vocab_size) if type(part) is SuppressTokensLogitsProcessor else part
        for part in logits_processor
    )
    mask, z_prime = model_kwargs.get("attention_mask"), model_kwargs["z_prime"]
    mask = torch.ones_like(input_ids) if mask is None else mask  # Transformers leaves out a mask without padding
    cache, prompt = model.decoder.new_cache() if model_kwargs.get("use_cache") else None, input_ids
    padding = generation_config._pad_token_tensor
    pad = 0 if padding is None else int(padding)  # then no sentence ends before the others
    running, steps = torch.arange(len(input_ids), device=input_ids.device), []
    ended = torch.zeros_like(running, dtype=torch.bool)
    while len(running):
        new = input_ids if cache is None or not cache.get_seq_length() else input_ids[:, -1:]
        logits = model(new, mask, z_prime=z_prime, cache=cache).logits[:, -1]
        scores = logits_processor(input_ids, logits.float().contiguous())  # type: ignore[arg-type]  # ids are long
        words = draw(scores) if generation_config.do_sample else scores.argmax(-1)
        words.masked_fill_(ended, pad)
        steps.append((running, words))
        input_ids = torch.cat([input_ids, words.unsqueeze(1)], dim=1)
        mask = torch.cat([mask, mask.new_ones(len(words), 1)], dim=1)
        ended = ended | stopping_criteria(input_ids, None)
        if int(ended.sum()) >= COMPACT_AT * len(ended):
            going_on = ~ended
            running, input_ids, ended = running[going_on], input_ids[going_on], ended[going_on]
            mask, z_prime = mask[going_on], z_prime[going_on]
            if cache is not None:
                cache.reorder_cache(going_on.nonzero().squeeze(1))
    written = prompt.new_full((len(prompt), len(steps)), pad)
    for position, (rows, words) in enumerate(steps):
        written[rows, position] = words
    return torch.cat([prompt, written], dim=1)


def draw(scores: torch.Tensor) -> torch.Tensor:
    """One word a row, with probability softmax(scores); overwrites `scores`.

    Args:
        scores: (batch, vocab_size), single precision.

    Returns:
        (batch,)

    Raises:
        ValueError: scores that make no distribution.
    """
    cumulative = torch.cumsum(torch.softmax(scores, -1, out=scores), -1, out=scores)
    total = cumulative[:, -1:]
    if total.isnan().any():
        raise ValueError("no word can be drawn: every word is excluded, or the model's scores are not numbers")
    position = torch.rand_like(total) * total
    # the first word beyond the position; rounding may put the position at the very end
    words = torch.searchsorted(cumulative, position, right=True).squeeze(1)
    return words.clamp_max(scores.shape[1] - 1)
