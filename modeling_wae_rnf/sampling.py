"""The loop that draws words: what the library's does for sampling and greedy decoding, at less cost."""

import torch

from .cache import CACHE_NAME

LEFT_OUT = 8  # sentences that have ended are left out once they are one in so many


def draw_words(model, input_ids, logits_processor, stopping_criteria, generation_config, **model_kwargs):
    """Sampling or greedy decoding, a `custom_generate` of the library.

    The library draws with `torch.multinomial`, one random number for each word of the vocabulary, and goes on with
    sentences that have ended. Here a word takes one uniform number, and sentences that have ended are left out, as
    soon as they are an eighth of those that run, so that the batch seldom changes its size.

    Args:
        model: a [`WaeRnfModel`].
        input_ids: (batch, length), prompts padded on the left.
        logits_processor, stopping_criteria, generation_config: as the library prepares them.
        model_kwargs: `attention_mask` of the prompts, `z_prime` (batch, latent_size), and a fresh
            [`RecurrentCache`], as `CACHE_NAME`; without it every sentence is computed anew at each word.

    Returns:
        (batch, longest length), padded after end-of-sentence.
    """
    mask, z_prime = model_kwargs.get("attention_mask"), model_kwargs["z_prime"]
    mask = torch.ones_like(input_ids) if mask is None else mask  # the library leaves out a mask without padding
    cache, prompt = model_kwargs.get(CACHE_NAME), input_ids
    running, steps = torch.arange(len(input_ids), device=input_ids.device), []
    ended = torch.zeros_like(running, dtype=torch.bool)
    while len(running):
        new = input_ids if cache is None or cache.state is None else input_ids[:, -1:]
        logits = model(new, mask, z_prime=z_prime, cache=cache).logits[:, -1]
        scores = logits_processor(input_ids, logits.float())
        words = draw(scores) if generation_config.do_sample else scores.argmax(-1)
        words.masked_fill_(ended, model.config.pad_token_id)
        steps.append((running, words))
        input_ids = torch.cat([input_ids, words.unsqueeze(1)], dim=1)
        mask = torch.cat([mask, mask.new_ones(len(words), 1)], dim=1)
        ended = ended | stopping_criteria(input_ids, None)
        if int(ended.sum()) * LEFT_OUT >= len(ended):
            going_on = ~ended
            running, input_ids, ended = running[going_on], input_ids[going_on], ended[going_on]
            mask, z_prime = mask[going_on], z_prime[going_on]
            if cache is not None:
                cache.reorder_cache(going_on.nonzero().squeeze(1))
    written = prompt.new_full((len(prompt), len(steps)), model.config.pad_token_id)
    for position, (rows, words) in enumerate(steps):
        written[rows, position] = words
    return torch.cat([prompt, written], dim=1)


def draw(scores):
    """One word a row, with probability softmax(scores); overwrites `scores`.

    Args:
        scores: (batch, vocab_size), single precision.

    Returns:
        (batch,)
    """
    cumulative = torch.cumsum(torch.softmax(scores, -1, out=scores), -1, out=scores)
    total = cumulative[:, -1:]
    position = torch.rand_like(total) * total
    # the first word beyond the position; rounding may put the position at the very end
    words = torch.searchsorted(cumulative, position, right=True).squeeze(1)
    return words.clamp_max(scores.shape[1] - 1)
