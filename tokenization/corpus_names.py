"""What the name of a corpus means, told from the name and the files alone: nothing heavy is imported for it."""

import re
from pathlib import Path

__all__ = ["FILE_NAMES", "NAMED", "corpus_name", "kind_of_corpus", "split_files"]

NAMED = ("toy", "ptb", "yelp", "yahoo")
FILE_NAMES = {
    "train": ("train.txt",),
    "validation": ("valid.txt", "validation.txt", "dev.txt"),
    "test": ("test.txt",),
}


def kind_of_corpus(name: str | Path) -> str:
    """Return what a name means: "named", one of ``NAMED``; "folder", of text files; or "hub", a repository.

    A ``Path``, or ``"./toy"``, is always a folder.

    Raises:
        ValueError: if it means nothing, or two corpora.

    Examples:
        >>> kind_of_corpus("toy"), kind_of_corpus("user/name")
        ('named', 'hub')
    """
    folder, known = Path(name), str(name)
    if isinstance(name, Path) and folder.is_dir():
        return "folder"
    if known in NAMED:
        if any((folder / file).exists() for files in FILE_NAMES.values() for file in files):
            raise ValueError(
                f"{known!r} is a corpus of that name, and a folder of texts here: name the folder ./{known}, "
                "or start elsewhere for the corpus"
            )
        return "named"
    if known and folder.is_dir():
        return "folder"
    if re.fullmatch(r"\w[\w.-]*/[\w.-]+", known) and not folder.exists():
        return "hub"
    raise ValueError(
        f"unknown corpus {known!r}: choose {', '.join(NAMED)}, a Hub name user/name, or "
        "an existing folder with train.txt, valid.txt and test.txt"
    )


def split_files(folder: Path, split: str) -> list[Path]:
    """Return the files that may be a split of a folder, the one to be read first.

    Raises:
        ValueError: if there is none that can be read more than once.
    """
    names = FILE_NAMES[split]
    there = [folder / name for name in names if (folder / name).exists()]
    files = [path for path in there if path.is_file()]
    if files:
        return files
    reason = f"add {' or '.join(names)}, one sentence a line"
    if there:
        kind = "a directory" if there[0].is_dir() else "a pipe or a device, which cannot be read twice"
        reason = f"{there[0].name} is {kind}; it must be a file, one sentence a line"
    raise ValueError(f"{folder} has no {split} split: {reason}")


def corpus_name(dataset):
    """What the directories of a corpus are called: never a way out of the directory above.

    Examples:
        >>> corpus_name("toy"), corpus_name("user/name"), corpus_name("/")
        ('toy', 'name', 'corpus')
    """
    return (Path(dataset).resolve().name if Path(dataset).is_dir() else Path(dataset).name) or "corpus"
