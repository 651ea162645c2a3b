"""What a model writes, judged: variety of its samples, faithfulness of its reconstructions."""

import torch

from .batching import load_batches, sorted_batches
from .text_quality import reconstruction_quality, sample_quality

BATCH_SIZE = 256


@torch.no_grad()
def judge_text(model, tokenizer, sentences, count=1000, seed=0):
    """Distinct-n and self-BLEU of samples from the prior, BLEU of greedy reconstructions.

    Args:
        model: a `WaeRnfModel` in evaluation mode.
        sentences: prepared rows; the first `count` are reconstructed from their posterior means.
        count: of the samples too.
        seed: of the samples.

    Returns:
        {"samples": see `sample_quality`, "reconstructions": {"bleu"}}; without a latent code no reconstructions.
    """
    generator = torch.Generator(model.device).manual_seed(seed)
    ids = model.generate(num_samples=count, generator=generator)
    quality = {"samples": sample_quality(tokenizer.batch_decode(ids, skip_special_tokens=True), count, seed)}
    if model.config.latent_size:
        inputs, outputs = [], []
        lengths = sentences["length"][:count]
        batches = sorted_batches(lengths, BATCH_SIZE)
        for batch in load_batches(sentences, batches, model.config.pad_token_id, model.device):
            ids = model.generate(latents=model.encode(**batch).mean, do_sample=False)
            inputs += tokenizer.batch_decode(batch["input_ids"], skip_special_tokens=True)
            outputs += tokenizer.batch_decode(ids, skip_special_tokens=True)
        quality["reconstructions"] = reconstruction_quality(outputs, inputs)
    return quality
