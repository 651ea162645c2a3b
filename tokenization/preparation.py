"""Preparation: sentences become token ids, once, in Arrow files that later runs reuse."""

import logging
from collections.abc import Sequence
from functools import lru_cache

import torch
from datasets import Dataset, DatasetDict, Features, List, Value
from tokenizers import Tokenizer
from torch import LongTensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerFast

from tokenization_wae_rnf.streams import SentenceStream
from tokenization_wae_rnf.tokenizer import build_tokenizer
from tokenization_wae_rnf.vocabulary import SPECIAL_TOKENS, UNK, build_vocabulary, count_words

__all__ = ["collate", "prepare", "train_tokenizer"]

logger = logging.getLogger(__name__)

MAX_ENTRIES = 1_000_000  # different words that are counted for certain; twice as many lie in memory
UNK_ID = SPECIAL_TOKENS.index(UNK)


def train_tokenizer(corpus: DatasetDict, max_size: int = 20_000, max_words: int = 200) -> PreTrainedTokenizerFast:
    """Build the tokenizer of a corpus from the words of its training split alone.

    Args:
        corpus: splits with the column ``text``, as :func:`~tokenization_wae_rnf.corpora.load_corpus` gives, or a
            stream for the training split.
        max_size: greatest size of the vocabulary, the four special tokens included.
        max_words: greatest number of words of a sentence; those beyond are not counted either.
    """
    train = corpus["train"]
    if isinstance(train, Dataset):
        batches = train.select_columns("text").iter(batch_size=1000)
        train = (text for batch in batches for text in batch["text"])
    counts = count_words(train, max_words, MAX_ENTRIES)
    if not counts:
        raise ValueError("the train split has no words")
    return build_tokenizer(build_vocabulary(counts, max_size), max_words)


def prepare(
    corpus: DatasetDict, tokenizer: PreTrainedTokenizerFast, max_words: int = 200, num_proc: int | None = None
) -> DatasetDict:
    """Turn every sentence into its token ids.

    The result is cached beside the corpus' Arrow files, under a key made of the corpus, the tokenizer's
    vocabulary and rules, and ``max_words``: any later run with the same three reads it from there.

    Args:
        corpus: splits with the column ``text``; a stream stays one, and is encoded as it is read.
        tokenizer: one that puts ``<bos>`` before and ``<eos>`` after the words, as
            :func:`~tokenization_wae_rnf.tokenizer.build_tokenizer` makes, new or reloaded.
        max_words: words kept of each sentence, at most those that the tokenizer was built for.
        num_proc: number of worker processes; None for none.

    Returns:
        The splits with the columns ``input_ids`` (from ``<bos>`` to ``<eos>``), ``length`` (number of scored
        tokens: the words and ``<eos>``, one less than there are ids) and, where the corpus has it,
        ``log_prob`` (nats); it is left out, with a warning, of a split that has a truncated sentence or an unknown
        word, since it would then not be the log-probability of what the model sees.

    Raises:
        ValueError: if a split lacks the column ``text``, or the tokenizer does not suit.
    """
    check_tokenizer(tokenizer, max_words)
    rules = pure_rules(tokenizer)
    features = {"input_ids": List(Value("int32")), "length": Value("int32")}
    prepared = DatasetDict()
    for split, rows in corpus.items():
        if not isinstance(rows, Dataset):
            prepared[split] = SentenceStream(rows, lambda texts: encode_batch({"text": texts}, rules, max_words))
            continue
        if "text" not in rows.column_names:
            raise ValueError(f"the {split} split has no column text, only {', '.join(rows.column_names)}")
        kept = {column: rows.features[column] for column in rows.column_names if column == "log_prob"}
        prepared[split] = rows.map(
            encode_batch,
            batched=True,
            fn_kwargs={"rules": rules, "max_words": max_words},
            remove_columns=[column for column in rows.column_names if column not in kept],
            features=Features(features | kept),
            num_proc=num_proc,
            desc=f"Preparing {split}",
        )
        if "log_prob" in kept and prepared[split].data.column("log_prob").null_count:
            logger.warning("%s: sentences are cut or have unknown words, so their log_prob is left out", split)
            prepared[split] = prepared[split].remove_columns("log_prob")
    return prepared


def check_tokenizer(tokenizer: PreTrainedTokenizerFast, max_words: int) -> None:
    """Raise ValueError unless the tokenizer frames its words and was built for as many of them."""
    limit = tokenizer.model_max_length - 2
    if not 1 <= max_words <= limit:
        raise ValueError(
            f"max_words={max_words} does not suit this tokenizer: choose 1 to {limit}, "
            "or build it with a larger max_words"
        )
    if tokenizer("")["input_ids"] != [tokenizer.bos_token_id, tokenizer.eos_token_id]:
        raise ValueError("the tokenizer must put <bos> before and <eos> after the words: use build_tokenizer")


def pure_rules(tokenizer: PreTrainedTokenizerFast) -> str:
    """Return the tokenizer's vocabulary and rules as JSON, free of what earlier calls left in it.

    A call with ``padding`` or ``truncation`` stays behind in the tokenizer, which would change the cache's
    key, and the ids as well.
    """
    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_padding()
    backend.no_truncation()
    return backend.to_str()


@lru_cache(maxsize=1)
def read_rules(rules: str) -> Tokenizer:
    """Rebuild the tokenizer, once a process."""
    backend = Tokenizer.from_str(rules)
    backend.encode_special_tokens = True  # literal special tokens are words; the JSON does not hold this
    return backend


def encode_batch(batch: dict[str, list], rules: str, max_words: int) -> dict[str, list]:
    """Encode a batch of texts; the ``<eos>`` of a truncated sentence stays, its log-probability does not."""
    sentences = [encoding.ids for encoding in read_rules(rules).encode_batch_fast(batch["text"])]
    whole = [len(ids) <= max_words + 2 for ids in sentences]
    sentences = [ids if fits else ids[: max_words + 1] + ids[-1:] for ids, fits in zip(sentences, whole, strict=True)]
    encoded = {"input_ids": sentences, "length": [len(ids) - 1 for ids in sentences]}
    if "log_prob" in batch:
        known = [fits and UNK_ID not in ids for ids, fits in zip(sentences, whole, strict=True)]
        encoded["log_prob"] = [value if keep else None for value, keep in zip(batch["log_prob"], known, strict=True)]
    return encoded


def collate(rows: Sequence[dict], pad_token_id: int) -> dict[str, LongTensor]:
    """Make a batch of prepared rows, padded on the right to the longest.

    Returns:
        ``input_ids`` and ``attention_mask`` (1 for a token, 0 for padding), each (batch, length).

    Example:
        >>> batch = collate([{"input_ids": [1, 4, 2]}, {"input_ids": [1, 2]}], pad_token_id=0)
        >>> batch["input_ids"].tolist(), batch["attention_mask"].tolist()
        ([[1, 4, 2], [1, 2, 0]], [[1, 1, 1], [1, 1, 0]])
    """
    sentences = [torch.as_tensor(row["input_ids"], dtype=torch.long) for row in rows]
    return {
        "input_ids": pad_sequence(sentences, batch_first=True, padding_value=pad_token_id),
        "attention_mask": pad_sequence([torch.ones_like(ids) for ids in sentences], batch_first=True),
    }
