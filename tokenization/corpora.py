"""Corpora: a name, a Hub repository or a folder of text files becomes three splits of sentences.

Every corpus comes as a ``DatasetDict`` of train, validation and test with the column ``text``, kept in Arrow
files on disk: memory does not grow with the corpus, and a second run reads what the first one wrote.
"""

import codecs
import hashlib
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import datasets
from datasets import Dataset, DatasetDict, Features, Value

from tokenization_wae_rnf import toy
from tokenization_wae_rnf.hub_corpora import HUB_CORPORA, TEXT_FEATURES, HubCorpus, load_from_hub
from tokenization_wae_rnf.streams import TextStream

__all__ = ["load_corpus"]

logger = logging.getLogger(__name__)

TOY = "toy"
FILE_NAMES = {
    "train": ("train.txt",),
    "validation": ("valid.txt", "validation.txt", "dev.txt"),
    "test": ("test.txt",),
}


def load_corpus(
    name: str | Path, *, seed: int = 0, cache_dir: str | Path | None = None, streaming: bool = False
) -> DatasetDict:
    """Load a corpus as the splits train, validation and test with the column ``text``.

    Sentences keep their length here; :func:`~tokenization_wae_rnf.preparation.prepare` truncates them. Blank
    ones are left out, and their number is logged as a warning.

    Args:
        name: one of

            - ``"toy"``: generated sentences, with the column ``log_prob``, their exact log-probability in
              nats;
            - ``"ptb"``, ``"yelp"``, ``"yahoo"``: the Hub's Penn Treebank, Yelp reviews, Yahoo answers;
            - an existing folder with train.txt, valid.txt (or validation.txt, dev.txt) and test.txt, UTF-8,
              one sentence a line;
            - any ``user/name`` of the Hub; its text column is the one named text or sentence, or else its
              only column of strings. Without a validation split, the last tenth of train, at most 10,000
              rows, becomes one. That holds for yelp and yahoo.
        seed: of the generated corpus; the others do not depend on it.
        cache_dir: where the Arrow files lie; None for the usual cache of datasets.
        streaming: the training split is a :class:`~tokenization_wae_rnf.streams.TextStream`, read anew in each
            pass; a Hub corpus without a validation split gives its first 10,000 rows for it.

    Raises:
        ValueError: if the name is unknown, a split or file is missing, empty, blank or not UTF-8, or the text
            column cannot be told.
        ConnectionError: if the Hub cannot be reached.
    """
    folder, known = Path(name), str(name)
    cache_dir = None if cache_dir is None else str(cache_dir)
    if known == TOY:
        return load_toy(seed, cache_dir, streaming)
    if known in HUB_CORPORA:
        return load_from_hub(HUB_CORPORA[known], cache_dir, streaming)
    if known and folder.is_dir():
        return load_folder(folder, cache_dir, streaming)
    if re.fullmatch(r"\w[\w.-]*/[\w.-]+", known) and not folder.exists():
        return load_from_hub(HubCorpus(known), cache_dir, streaming)
    raise ValueError(
        f"unknown corpus {known!r}: choose {', '.join((TOY, *HUB_CORPORA))}, a Hub name user/name, or "
        "an existing folder with train.txt, valid.txt and test.txt"
    )


def load_toy(seed: int, cache_dir: str | None, streaming: bool) -> DatasetDict:
    """Generate the toy corpus, or read it from the cache."""
    # datasets hashes an installed function by its name alone: the source tells a changed grammar apart.
    modules = sorted(Path(toy.__file__).parent.glob("toy*.py"))
    source = hashlib.sha256(b"".join(module.read_bytes() for module in modules)).hexdigest()
    features = Features({"text": Value("string"), "log_prob": Value("float64")})
    corpus = DatasetDict()
    for split, size in toy.SPLIT_SIZES.items():
        if streaming and split == "train":
            corpus[split] = TextStream(lambda size=size: (row["text"] for row in toy.generate("train", size, seed)))
            continue
        corpus[split] = Dataset.from_generator(
            toy_rows,
            features=features,
            cache_dir=cache_dir,
            gen_kwargs={"split": split, "num_sentences": size, "seed": seed, "source": source},
            split=datasets.NamedSplit(split),
        )
    return corpus


def toy_rows(split: str, num_sentences: int, seed: int, source: str) -> Iterator[dict]:
    """Yield the generated rows; ``source`` only serves as part of the cache's key."""
    return toy.generate(split, num_sentences, seed)


def load_folder(folder: Path, cache_dir: str | None, streaming: bool) -> DatasetDict:
    """Check the three text files of a folder, then read them, or their Arrow cache."""
    files = {}
    for split, names in FILE_NAMES.items():
        found = [folder / name for name in names if (folder / name).is_file()]
        if not found:
            raise ValueError(f"{folder} has no {split} split: add {' or '.join(names)}, one sentence a line")
        files[split] = found[0].resolve()
    for split, path in files.items():
        if not (streaming and split == "train"):  # one that is streamed is checked as it is read
            check_file(path)
    splits = {}
    for split, path in files.items():
        if streaming and split == "train":
            splits[split] = TextStream(lambda path=path: filter(None, read_lines(path)))
            continue
        with path.open("rb") as stream:  # the cache follows the content, whatever the file's date
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        splits[split] = Dataset.from_generator(
            sentence_rows,
            features=TEXT_FEATURES,
            cache_dir=cache_dir,
            gen_kwargs={"path": str(path), "digest": digest},
            split=datasets.NamedSplit(split),
        )
    return DatasetDict(splits)


def read_lines(path: str | Path) -> Iterator[str]:
    """Yield the lines of a UTF-8 file without the white space around them, blank ones as "".

    Only line feeds end a line: U+2028, form feeds and the like, which `str.splitlines` would split at, stay
    in their sentence.
    """
    with open(path, "rb") as stream:
        for number, line in enumerate(stream, start=1):
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            try:
                yield line.decode("utf-8").strip()
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{path}, line {number}: byte {error.start + 1} is not UTF-8; save the file as UTF-8"
                ) from None


def check_file(path: Path) -> None:
    """Read a file once: raise ValueError if it has no sentence or is not UTF-8, log its blank lines."""
    sentences = blank = 0
    for line in read_lines(path):
        if line:
            sentences += 1
        else:
            blank += 1
    if not sentences:
        state = "has only blank lines" if blank else "is empty"
        raise ValueError(f"{path} {state}: it needs one sentence a line")
    if blank:
        logger.warning("%s: %d blank lines skipped", path, blank)


def sentence_rows(path: str, digest: str) -> Iterator[dict[str, str]]:
    """Yield the sentences of a file; ``digest`` only serves as part of the cache's key."""
    return ({"text": line} for line in read_lines(path) if line)
