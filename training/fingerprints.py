"""What a run depends on, as digests that run.json keeps: the text of each split, and the vocabulary."""

import hashlib
import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from datasets import Dataset
from transformers import PreTrainedTokenizerFast

from wae_rnf.tokenization.corpus_names import local_files

BEGINNING = 20_000  # sentences of a stream that stand for it: to read all of it may take hours


def fingerprints_of_data(corpus: dict, dataset: str) -> dict[str, str]:
    """{split: SHA-256} of the texts of each split, in their order.

    Of a stream, it is that of its beginning and, where it is a file, of the file's size.

    Args:
        corpus: splits with the column `text`, or streams of texts.
        dataset: its name or path.

    Examples:
        >>> one, other = (Dataset.from_dict({"text": texts}) for texts in (["a", "b"], ["b", "a"]))
        >>> found = fingerprints_of_data({"train": one, "test": other}, "toy")
        >>> found["train"] == found["test"]
        False
    """
    found = {}
    for split, rows in corpus.items():
        if isinstance(rows, Dataset):
            batches = rows.select_columns("text").iter(batch_size=1000)
            found[split] = _digest(text for batch in batches for text in batch["text"])
        else:
            file = local_files(Path(dataset)).get(split) if Path(dataset).exists() else None
            size = [] if file is None else [str(file.stat().st_size)]
            found[split] = _digest([*size, *islice(rows.read(), BEGINNING)])
    return found


def fingerprint_of_vocabulary(tokenizer: PreTrainedTokenizerFast) -> str:
    """SHA-256 of which word has which id."""
    return hashlib.sha256(json.dumps(sorted(tokenizer.get_vocab().items())).encode()).hexdigest()


def _digest(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()
