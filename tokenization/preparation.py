"""Preparation: sentences become token ids, once, in Arrow files that later runs reuse."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from datasets import Dataset, DatasetDict, Features, List, Value
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from .code_digest import code_digest
from .corpus_statistics import split_statistics
from .lines import say
from .streams import SentenceStream
from .tokenizations import TokenizationChoice, find_tokenization
from .tokenizer import tokenization_of, wrap_backend
from .vocabulary import SPECIAL_TOKENS, UNK, first_words

__all__ = ["prepare", "train_tokenizer"]

logger = logging.getLogger(__name__)

MAX_UNKNOWN = 0.2  # of the words of a split; more is told
MAX_ENTRIES = 1_000_000  # different words that are counted for certain; twice as many lie in memory
UNK_ID = SPECIAL_TOKENS.index(UNK)
# of each sentence: ids; scored tokens; what was read of the text, in white-space words and UTF-8 bytes; whether more
# was there
FEATURES = {
    "input_ids": List(Value("int32")),
    "length": Value("int32"),
    "words": Value("int32"),
    "bytes": Value("int32"),
    "cut": Value("bool"),
}


def train_tokenizer(
    corpus: DatasetDict,
    max_size: int = 20_000,
    max_words: int = 200,
    tokenization: str = "words",
    lowercase: bool | None = None,
) -> PreTrainedTokenizerFast:
    """Make the tokenizer of a corpus from its training split alone.

    Args:
        corpus: splits with the column ``text``, as :func:`~wae_rnf.tokenization.corpora.load_corpus` gives, or a
            stream for the training split.
        max_size: greatest size of the vocabulary, the four special tokens included.
        max_words: greatest number of tokens of a sentence; words beyond are not counted either.
        tokenization: words, punctuation or bpe, see :mod:`wae_rnf.tokenization.tokenizations`.
        lowercase: whether text is lower-cased; None for the tokenization's own default, for words true.

    Raises:
        ValueError: an unknown tokenization, no words, or no room for them in the vocabulary.
    """
    choice, train = TokenizationChoice.of(tokenization, lowercase), corpus["train"]
    notes: Counter = Counter()
    if isinstance(train, Dataset):
        batches = train.select_columns("text").iter(batch_size=1000)
        texts = noted((text for batch in batches for text in batch["text"]), notes, choice.lowercase)
    else:  # of a stored split `prepare` says how many are cut
        texts = noted(train, notes, choice.lowercase, max_words)
    row = find_tokenization(choice.tokenization)
    backend = row.train(texts, max_size, max_words, choice.lowercase, MAX_ENTRIES)
    say("train", notes)
    return wrap_backend(backend, max_words, choice)


def noted(texts: Iterable[str], notes: Counter[str], lowercase: bool, max_words: int | None = None) -> Iterator[str]:
    """Yield the texts, and count those that are not what the model will see: lowered, or cut to ``max_words``."""
    lowered, cut = "sentences have capital letters, which are lowered", f"sentences are cut to {max_words} words"
    for text in texts:
        notes[lowered] += lowercase and text != text.lower()
        notes[cut] += max_words is not None and first_words(text, max_words) is not text
        yield text


def prepare(
    corpus: DatasetDict, tokenizer: PreTrainedTokenizerFast, max_words: int = 200, num_proc: int | None = None
) -> DatasetDict:
    """Turn every sentence into its token ids.

    The result is cached beside the corpus' Arrow files, under a key made of the corpus, the tokenizer's
    vocabulary and rules, ``max_words`` and the version of the code: any later run with the same reads it from there.
    Sentences that are cut, and a large share of unknown words, are logged as warnings.

    Args:
        corpus: splits with the column ``text``; a stream stays one, and is encoded as it is read.
        tokenizer: one that puts ``<bos>`` before and ``<eos>`` after the words, as
            :func:`~wae_rnf.tokenization.tokenizer.build_tokenizer` makes, new or reloaded.
        max_words: tokens kept of each sentence, at most those that the tokenizer was built for.
        num_proc: number of worker processes; None for none.

    Returns:
        The splits with the columns ``input_ids`` (from ``<bos>`` to ``<eos>``), ``length`` (number of scored
        tokens: ``<eos>`` is one, and there is one more id), ``words`` and ``bytes`` (white-space words and UTF-8 bytes
        of the text that is read), ``cut`` (whether more was there) and, where the corpus has it, ``log_prob`` (nats);
        this is left out, with a warning, of a split that has a truncated sentence or an unknown word, since it would
        then not be the log-probability of what the model sees.

    Raises:
        ValueError: if a split lacks the column ``text``, or the tokenizer does not suit.
    """
    check_tokenizer(tokenizer, max_words)
    rules, unit = pure_rules(tokenizer), tokenization_of(tokenizer).unit
    prepared = DatasetDict()
    for split, rows in corpus.items():
        if not isinstance(rows, Dataset):
            stream = SentenceStream(rows, lambda texts: encode_batch({"text": texts}, rules, max_words))
            if unit != "words":  # of those all cut sentences have been counted
                part = f"{split}, its first {len(stream.sample):,} sentences"
                warn_of_losses(part, split_statistics(stream.sample, split, len(tokenizer)), max_words, unit)
            prepared[split] = stream
            continue
        if "text" not in rows.column_names:
            raise ValueError(f"the {split} split has no column text, only {', '.join(rows.column_names)}")
        kept = {column: rows.features[column] for column in rows.column_names if column == "log_prob"}
        prepared[split] = rows.map(
            encode_batch,
            batched=True,
            fn_kwargs={"rules": rules, "max_words": max_words, "version": code_digest("preparation", "vocabulary")},
            remove_columns=[column for column in rows.column_names if column not in kept],
            features=Features(FEATURES | kept),
            num_proc=num_proc,
            desc=f"Preparing {split}",
        )
        if len(rows):
            warn_of_losses(split, split_statistics(prepared[split], split, len(tokenizer)), max_words, unit)
        if "log_prob" in kept and prepared[split].data.column("log_prob").null_count:
            logger.warning("%s: sentences are cut or have unknown words, so their log_prob is left out", split)
            prepared[split] = prepared[split].remove_columns("log_prob")
    return prepared


def warn_of_losses(split: str, statistics: dict[str, int | float], max_words: int, unit: str) -> None:
    """Log what a split loses on its way to the model."""
    if cut := statistics["cut"]:
        logger.warning("%s: %d of %d sentences are cut to %d %s", split, cut, statistics["sentences"], max_words, unit)
    if (share := statistics["fraction_unk"]) > MAX_UNKNOWN:
        logger.warning("%s: %.1f%% of the %s are unknown to the vocabulary", split, 100 * share, unit)


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


def encode_batch(batch: dict[str, list], rules: str, max_words: int, version: str = "") -> dict[str, list]:
    """Encode a batch of texts; the ``<eos>`` of a truncated sentence stays, its log-probability does not.

    ``version`` only serves as part of the cache's key.
    """
    # cut before they are encoded: a text of a million words would take gigabytes
    texts = [first_words(text, max_words) for text in batch["text"]]
    backend = read_rules(rules)
    sentences = [encoding.ids for encoding in backend.encode_batch_fast(texts)]
    cut = [short is not text for short, text in zip(texts, batch["text"], strict=True)]
    for row, ids in enumerate(sentences):
        if len(ids) > max_words + 2:
            last = backend.encode(texts[row]).offsets[max_words]
            texts[row], sentences[row], cut[row] = texts[row][: last[1]], [*ids[: max_words + 1], ids[-1]], True
    encoded: dict[str, list] = {
        "input_ids": sentences,
        "length": [len(ids) - 1 for ids in sentences],
        "words": [len(text.split()) for text in texts],
        "bytes": [len(text.encode("utf-8", "surrogatepass")) for text in texts],
        "cut": cut,
    }
    if "log_prob" in batch:
        known = [not shortened and UNK_ID not in ids for ids, shortened in zip(sentences, cut, strict=True)]
        encoded["log_prob"] = [value if keep else None for value, keep in zip(batch["log_prob"], known, strict=True)]
    return encoded
