"""What a model writes, judged: variety of its samples, faithfulness of its reconstructions."""

import numpy as np
import torch

from wae_rnf.tokenization.batching import load_batches, sorted_batches

from .text_quality import reconstruction_quality, sample_quality
from .toy_quality import toy_quality

BATCH_SIZE = 256
NUM_EXAMPLES = 5  # reconstructions that are shown


@torch.no_grad()
def judge_text(model, tokenizer, sentences, count=1000, seed=0, toy=False):
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
    ids = model.generate(num_samples=count, generator=generator)
    samples = tokenizer.batch_decode(ids, skip_special_tokens=True)
    quality, inputs, outputs = {"samples": sample_quality(samples, count, seed)}, [], []
    if model.config.latent_size:
        lengths = sentences["length"][:count]
        batches = sorted_batches(lengths, BATCH_SIZE)
        for batch in load_batches(sentences, batches, model.config.pad_token_id, model.device):
            ids = model.generate(latents=model.encode(**batch).mean, do_sample=False)
            inputs += tokenizer.batch_decode(batch["input_ids"], skip_special_tokens=True)
            outputs += tokenizer.batch_decode(ids, skip_special_tokens=True)
        order = np.concatenate(batches).argsort()
        inputs, outputs = ([texts[place] for place in order] for texts in (inputs, outputs))
        examples = [list(pair) for pair in zip(inputs, outputs, strict=True)][:NUM_EXAMPLES]
        quality["reconstructions"] = reconstruction_quality(outputs, inputs) | {"examples": examples}
    if toy:
        quality["toy"] = toy_quality(samples, inputs, outputs)
    return quality
