"""Corpora of the Hugging Face Hub: which repositories, which columns, which splits."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import datasets
import pyarrow.compute as pc
from datasets import Dataset, DatasetDict, Features, IterableDataset
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from .code_digest import code_digest
from .lines import say
from .local_corpora import TEXT_FEATURES
from .streams import TextStream
from .table_files import check_column

__all__ = ["HUB_CORPORA", "HubCorpus", "load_from_hub"]

logger = logging.getLogger(__name__)

SPLIT_NAMES = {"train": ("train",), "validation": ("validation", "valid", "dev"), "test": ("test",)}
MAX_HELD_OUT = 10_000  # rows of train that serve as validation where a corpus has no such split
FOLDER_HINT = "pass a folder with train.txt, valid.txt and test.txt"
BLANK_ROWS = "blank rows skipped"
INVISIBLE = r"[\x00\x{FEFF}\x{200B}\x{2060}]"
INVISIBLE_ROWS = "rows have characters without width (U+0000, U+FEFF, U+200B, U+2060), which are part of their words"


@dataclass(frozen=True)
class HubCorpus:
    """Where a corpus lies on the Hub, and which of its columns are the text.

    Args:
        repository: the Parquet repository, ``user/name``.
        config: the repository's configuration; None for its only or default one.
        revision: the branch; ``refs/convert/parquet`` is the Hub's own conversion of a repository whose
            loading script current versions of datasets refuse.
        columns: joined by a space into ``text``; empty to guess the column.
        escaped: whether line ends are written as a backslash and an n, quotation marks likewise.
    """

    repository: str
    config: str | None = None
    revision: str | None = None
    columns: tuple[str, ...] = ()
    escaped: bool = False


HUB_CORPORA = {
    # The conversion has no card, so that its one configuration is called "default", not "penn_treebank".
    "ptb": HubCorpus("ptb-text-only/ptb_text_only", revision="refs/convert/parquet", columns=("sentence",)),
    "yelp": HubCorpus("Yelp/yelp_review_full", config="yelp_review_full", columns=("text",), escaped=True),
    "yahoo": HubCorpus(
        "community-datasets/yahoo_answers_topics",
        config="yahoo_answers_topics",
        columns=("question_title", "question_content", "best_answer"),
        escaped=True,
    ),
}


def load_from_hub(corpus: HubCorpus, cache_dir: str | None, streaming: bool = False) -> DatasetDict:
    """Load a Hub repository and reduce it to the three splits and the column ``text``; train may be a stream."""
    name = corpus.repository
    try:
        loaded = datasets.load_dataset(
            name, corpus.config, revision=corpus.revision, cache_dir=cache_dir, streaming=streaming
        )
    except (ConnectionError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ConnectionError(
            f"{name!r} is no folder here, and the Hub cannot be reached for it: check the network, or {FOLDER_HINT}"
        ) from error
    except (datasets.exceptions.DatasetsError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{name!r} is neither a folder here nor a data set that can be read from the Hub ({reason}): "
            f"check the name, or {FOLDER_HINT}"
        ) from error
    chosen = choose_splits(loaded, name)
    if streaming:
        return stream_train(chosen, corpus, name)
    splits = hold_out_validation(chosen, name)
    columns = columns_of(corpus, splits["train"].features)
    return DatasetDict({split: join_columns(rows, columns, corpus.escaped, name) for split, rows in splits.items()})


def choose_splits(loaded: DatasetDict, name: str) -> DatasetDict:
    """Pick the splits under the names we use; all but validation are required."""
    chosen = DatasetDict()
    for split, names in SPLIT_NAMES.items():
        found = [candidate for candidate in names if candidate in loaded]
        if found:
            chosen[split] = loaded[found[0]]
        elif split != "validation":
            raise ValueError(
                f"{name!r} has no {split} split, only {', '.join(loaded)}: "
                f"choose a data set that has one, or {FOLDER_HINT}"
            )
    return chosen


def hold_out_validation(splits: DatasetDict, name: str) -> DatasetDict:
    """Make the tail of train the validation split where there is none."""
    if "validation" in splits:
        return splits
    rows = splits["train"]
    held_out = min(MAX_HELD_OUT, max(1, len(rows) // 10))
    kept = len(rows) - held_out
    logger.warning("%s has no validation split: the last %d rows of train serve as one", name, held_out)
    return DatasetDict(
        train=rows.select(range(kept)),
        validation=rows.select(range(kept, len(rows))),
        test=splits["test"],
    )


def stream_train(splits: DatasetDict, corpus: HubCorpus, name: str) -> DatasetDict:
    """Store what is small: test, and validation, or train's first rows for it; the rest of train stays a stream."""
    train, held_out = splits["train"], 0
    if "validation" not in splits:
        splits["validation"], held_out = train.take(MAX_HELD_OUT), MAX_HELD_OUT
        logger.warning("%s has no validation split: the first %d rows of train serve as one", name, held_out)
    columns = columns_of(corpus, train.features)

    def texts(rows: IterableDataset) -> Iterator[str]:
        for batch in rows.iter(batch_size=1000):
            yield from join_rows(batch, columns, corpus.escaped)

    def store(split: str) -> Dataset:
        rows = list(texts(splits[split]))
        stored = Dataset.from_dict({"text": list(filter(None, rows))})
        say_of_rows(f"{name}, {split}", stored, len(rows))
        return stored

    stored = {split: store(split) for split in ("validation", "test")}
    return DatasetDict(train=TextStream(lambda: texts(train.skip(held_out)), f"{name}, train"), **stored)


def columns_of(corpus: HubCorpus, features: Features) -> tuple[str, ...]:
    """Return the columns that are the text; those that are named have to be there."""
    for column in corpus.columns:
        check_column(features, column, corpus.repository)
    return corpus.columns or (guess_text_column(features, corpus.repository),)


def guess_text_column(features: Features, name: str) -> str:
    """Return the column named text or sentence, or else the only column of strings."""
    kinds = {column: getattr(feature, "dtype", None) for column, feature in features.items()}
    strings = [column for column, kind in kinds.items() if kind in ("string", "large_string")]
    for column in ("text", "sentence"):
        if column in strings:
            return column
    if len(strings) == 1:
        logger.warning("%s: the column %s is taken for the text", name, strings[0])
        return strings[0]
    raise ValueError(
        f"cannot tell the text column of {name!r} among {', '.join(features)}: "
        "it needs one named text or sentence, or a single column of strings; or name one with --text_column"
    )


def join_columns(rows: Dataset, columns: tuple[str, ...], escaped: bool, name: str) -> Dataset:
    """Reduce the rows to ``text``, the columns joined by a space, without blank rows."""
    joined = rows.map(
        join_batch,
        batched=True,
        fn_kwargs={"columns": columns, "escaped": escaped, "version": code_digest("hub_corpora")},
        remove_columns=rows.column_names,
        features=TEXT_FEATURES,
        desc="Joining columns",
    )
    say_of_rows(name, joined, len(rows))
    return joined


def say_of_rows(name: str, kept: Dataset, num_rows: int) -> None:
    """Log how many of the rows were not kept, and how many of those kept have characters that nobody sees."""
    notes = Counter({BLANK_ROWS: num_rows - len(kept)})
    for table in kept.with_format("arrow").iter(batch_size=10_000):
        notes[INVISIBLE_ROWS] += pc.sum(pc.match_substring_regex(table["text"], INVISIBLE)).as_py() or 0
    say(name, notes)


def join_batch(batch: dict[str, list], columns: tuple[str, ...], escaped: bool, version: str) -> dict[str, list[str]]:
    """Join the columns of a batch of rows, and drop blank ones; ``version`` only serves as part of the cache's key."""
    return {"text": list(filter(None, join_rows(batch, columns, escaped)))}


def join_rows(batch: dict[str, list], columns: tuple[str, ...], escaped: bool) -> list[str]:
    r"""Join the columns of a batch of rows; a blank row gives "".

    Examples:
        >>> join_rows({"q": ["Why?", " "], "a": ["So\\n\\nit is.", None]}, ("q", "a"), escaped=True)
        ['Why? So  it is.', '']
    """
    rows = zip(*(batch[column] for column in columns), strict=True)
    texts = [" ".join(part or "" for part in row) for row in rows]
    if escaped:
        texts = [text.replace("\\n", " ").replace('\\"', '"') for text in texts]
    return [text.strip() for text in texts]
