"""Preparation: sentences become token ids, once, in Arrow files that later runs reuse."""

import logging
import re
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
from .tokenizer import build_tokenizer
from .vocabulary import SPECIAL_TOKENS, UNK, build_vocabulary, count_words, first_words

__all__ = ["prepare", "train_tokenizer"]

logger = logging.getLogger(__name__)

MAX_UNKNOWN = 0.2  # of the words of a split; more is told
MAX_LETTERS = 15  # of a word on average; more is no language that puts spaces between its words
MAX_SPACELESS_LETTERS = 5  # where most words are of a script that many write without spaces
SPACELESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
MAX_ENTRIES = 1_000_000  # different words that are counted for certain; twice as many lie in memory
UNK_ID = SPECIAL_TOKENS.index(UNK)


def train_tokenizer(corpus: DatasetDict, max_size: int = 20_000, max_words: int = 200) -> PreTrainedTokenizerFast:
    """Build the tokenizer of a corpus from the words of its training split alone.

    Args:
        corpus: splits with the column ``text``, as :func:`~wae_rnf.tokenization.corpora.load_corpus` gives, or a
            stream for the training split.
        max_size: greatest size of the vocabulary, the four special tokens included.
        max_words: greatest number of words of a sentence; those beyond are not counted either.
    """
    train = corpus["train"]
    notes: Counter = Counter()
    if isinstance(train, Dataset):
        batches = train.select_columns("text").iter(batch_size=1000)
        texts = (text for batch in batches for text in batch["text"])
        counts = count_words(noted(texts, notes), max_words, MAX_ENTRIES)
    else:  # of a stored split `prepare` says how many are cut
        counts = count_words(noted(train, notes, max_words), max_words, MAX_ENTRIES)
    if not counts:
        raise ValueError("the train split has no words")
    say("train", notes)
    warn_of_long_words(counts)
    return build_tokenizer(build_vocabulary(counts, max_size), max_words)


def noted(texts: Iterable[str], notes: Counter[str], max_words: int | None = None) -> Iterator[str]:
    """Yield the texts, and count those that are not what the model will see: lowered, or cut to ``max_words``."""
    lowered, cut = "sentences have capital letters, which are lowered", f"sentences are cut to {max_words} words"
    for text in texts:
        notes[lowered] += text != text.lower()
        notes[cut] += max_words is not None and first_words(text, max_words) is not text
        yield text


def warn_of_long_words(counts: Counter[str]) -> None:
    """Log where words are so long that white space cannot be what separates them."""
    letters = sum(len(word) * number for word, number in counts.items()) / counts.total()
    spaceless = sum(number for word, number in counts.items() if SPACELESS.search(word)) / counts.total()
    if letters > (MAX_SPACELESS_LETTERS if spaceless > 0.5 else MAX_LETTERS):
        logger.warning(
            "train: words have %.1f letters on average; white space is what separates words: put it between them",
            letters,
        )


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
        max_words: words kept of each sentence, at most those that the tokenizer was built for.
        num_proc: number of worker processes; None for none.

    Returns:
        The splits with the columns ``input_ids`` (from ``<bos>`` to ``<eos>``), ``length`` (number of scored
        tokens: the words and ``<eos>``, one less than there are ids), ``cut`` (whether words were left out) and,
        where the corpus has it, ``log_prob`` (nats); this is left out, with a warning, of a split that has a
        truncated sentence or an unknown word, since it would then not be the log-probability of what the model sees.

    Raises:
        ValueError: if a split lacks the column ``text``, or the tokenizer does not suit.
    """
    check_tokenizer(tokenizer, max_words)
    rules = pure_rules(tokenizer)
    features = {"input_ids": List(Value("int32")), "length": Value("int32"), "cut": Value("bool")}
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
            fn_kwargs={"rules": rules, "max_words": max_words, "version": code_digest("preparation", "vocabulary")},
            remove_columns=[column for column in rows.column_names if column not in kept],
            features=Features(features | kept),
            num_proc=num_proc,
            desc=f"Preparing {split}",
        )
        if len(rows):
            warn_of_losses(split, split_statistics(prepared[split], split, len(tokenizer)), max_words)
        if "log_prob" in kept and prepared[split].data.column("log_prob").null_count:
            logger.warning("%s: sentences are cut or have unknown words, so their log_prob is left out", split)
            prepared[split] = prepared[split].remove_columns("log_prob")
    return prepared


def warn_of_losses(split: str, statistics: dict[str, int | float], max_words: int) -> None:
    """Log what a split loses on its way to the model."""
    if cut := statistics["cut"]:
        logger.warning("%s: %d of %d sentences are cut to %d words", split, cut, statistics["sentences"], max_words)
    if (share := statistics["fraction_unk"]) > MAX_UNKNOWN:
        logger.warning("%s: %.1f%% of the words are unknown to the vocabulary", split, 100 * share)


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
    cut = [short is not text for short, text in zip(texts, batch["text"], strict=True)]
    sentences = [encoding.ids for encoding in read_rules(rules).encode_batch_fast(texts)]
    encoded: dict[str, list] = {"input_ids": sentences, "length": [len(ids) - 1 for ids in sentences], "cut": cut}
    if "log_prob" in batch:
        known = [not shortened and UNK_ID not in ids for ids, shortened in zip(sentences, cut, strict=True)]
        encoded["log_prob"] = [value if keep else None for value, keep in zip(batch["log_prob"], known, strict=True)]
    return encoded
