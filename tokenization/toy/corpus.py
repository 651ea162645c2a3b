"""The corpus `toy`: sentences of the grammar as three splits, each with its exact log-probability."""

import random
from collections.abc import Iterator

import datasets
from datasets import Dataset, DatasetDict, Features, Value

from ..code_digest import code_digest
from ..streams import TextStream
from .grammar import ToyGrammar

__all__ = ["SPLIT_SIZES", "generate", "load_toy"]

SPLIT_SIZES = {"train": 20_000, "validation": 2_000, "test": 2_000}


def load_toy(seed: int, cache_dir: str | None, streaming: bool) -> DatasetDict:
    """Generate the toy corpus, or read it from the cache."""
    features = Features({"text": Value("string"), "log_prob": Value("float64")})
    corpus = DatasetDict()
    for split, size in SPLIT_SIZES.items():
        if streaming and split == "train":
            corpus[split] = TextStream(lambda size=size: (str(row["text"]) for row in generate("train", size, seed)))
            continue
        corpus[split] = Dataset.from_generator(
            toy_rows,
            features=features,
            cache_dir=cache_dir,
            gen_kwargs={"split": split, "num_sentences": size, "seed": seed, "version": code_digest("toy/*")},
            split=datasets.NamedSplit(split),
        )
    return corpus


def toy_rows(split: str, num_sentences: int, seed: int, version: str) -> Iterator[dict]:
    """Yield the generated rows; ``version`` only serves as part of the cache's key."""
    return generate(split, num_sentences, seed)


def generate(split: str, num_sentences: int, seed: int) -> Iterator[dict[str, str | float]]:
    """The rows {"text", "log_prob"} (nats per sentence) of one split; for `Dataset.from_generator`.

    Each split has its own stream of random numbers, the same in every run of Python.

    >>> row, = generate("validation", 1, seed=0)
    >>> row["log_prob"] == ToyGrammar().log_prob(row["text"])
    True
    """
    if split not in SPLIT_SIZES:
        raise ValueError(f"split must be one of {', '.join(SPLIT_SIZES)}, not {split!r}")
    grammar = ToyGrammar()
    rng = random.Random(f"{seed}-{split}")  # text is seeded through SHA-512, not through hash()
    for _ in range(num_sentences):
        text = grammar.sample(rng)
        yield {"text": text, "log_prob": grammar.log_prob(text)}
