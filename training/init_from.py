"""`--init_from`: a run that begins with the weights of a trained model, as far as they fit."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
from wae_rnf.evaluation.model_directory import digest_of_weights

OF_THE_RUN = ("centres",)  # found for each run anew


def vocabulary_weights(config: WaeRnfConfig) -> set[str]:
    """The names of the weights that have a row for each token: those whose size follows the vocabulary's.

    Args:
        config: the model's.
    """
    with torch.device("meta"):
        model = WaeRnfModel(config)
        larger = WaeRnfModel(type(config)(**config.to_diff_dict() | {"vocab_size": config.vocab_size + 1}))
    sizes = {name: value.shape for name, value in model.state_dict().items()}
    return {name for name, value in larger.state_dict().items() if value.shape != sizes[name]}


@torch.no_grad()
def copy_weights(
    source: WaeRnfModel,
    source_tokenizer: PreTrainedTokenizerFast,
    model: WaeRnfModel,
    tokenizer: PreTrainedTokenizerFast,
    name: str,
) -> dict[str, Any]:
    """Copies into a new model every weight that a trained one has under the same name and in the same shape.

    Of the weights with a row for each token, the rows of the tokens that both vocabularies have are copied. The
    centres of a metric are none of the weights. A language model has no encoder: its decoder's weights are where an
    encoder of the same kind starts too (Yang et al. 2017, arXiv 1702.08139).

    Args:
        source, source_tokenizer: the trained model, with its vocabulary.
        model, tokenizer: the new one.
        name: of the trained model, for the record.

    Returns:
        a record: {"model", "weights", its digest, "parameters": how many numbers were copied, "of_parameters",
        "tokens": how many the vocabularies share, "of_tokens", "anew": [name of each weight that was not copied]}.

    Raises:
        ValueError: no matrix fits.
    """
    theirs, by_token = source.state_dict(), vocabulary_weights(model.config)
    ids = {
        token: number for token, number in source_tokenizer.get_vocab().items() if number < source.config.vocab_size
    }
    shared = [(number, ids[token]) for token, number in tokenizer.get_vocab().items() if token in ids]
    own_rows, their_rows = (torch.tensor(numbers, device=model.device) for numbers in zip(*shared, strict=True))
    copied, total, anew, matrices = 0, 0, [], 0
    for weight, value in model.state_dict().items():
        if weight in OF_THE_RUN:
            continue
        given, total = theirs.get(_counterpart(weight, source.config)), total + value.numel()
        by_row = weight in by_token
        if given is None or given.shape[by_row:] != value.shape[by_row:]:
            anew.append(weight)
            continue
        if by_row:
            value[own_rows] = given.to(value)[their_rows]
        else:
            value.copy_(given)
        copied += value[own_rows].numel() if by_row else value.numel()
        matrices += value.ndim > 1
    if not matrices:
        raise ValueError(f"--init_from {name} has no weight matrix in the shape of this run's; are its sizes others?")
    return {
        "model": str(name), "weights": digest_of_weights(source), "parameters": copied, "of_parameters": total,
        "tokens": len(shared), "of_tokens": len(tokenizer), "anew": anew,
    }  # fmt: skip


def _counterpart(weight: str, config: WaeRnfConfig) -> str:
    """The name that a weight of a new model has in a trained one of a configuration."""
    return weight if config.has_latents else re.sub(r"^encoder\.", "decoder.", weight)


def in_words(record: Mapping[str, Any]) -> str:
    """What was copied, and what was not.

    Examples:
        >>> found = {"parameters": 90, "of_parameters": 100, "tokens": 7, "of_tokens": 9, "anew": ["flow.u", "flow.w"]}
        >>> in_words(found | {"model": "runs/vae"})
        '90 of 100 weights are those of runs/vae, with 7 of 9 tokens; flow starts anew'
    """
    parts = ", ".join(sorted({weight.partition(".")[0] for weight in record["anew"]}))
    given = f"{record['parameters']:,} of {record['of_parameters']:,} weights are those of {record['model']}"
    tokens = f"with {record['tokens']:,} of {record['of_tokens']:,} tokens"
    return f"{given}, {tokens}" + (f"; {parts} starts anew" if parts else "")
