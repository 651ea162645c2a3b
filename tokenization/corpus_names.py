"""What the name of a corpus means, told from the name and the files alone: nothing heavy is imported for it."""

import re
from pathlib import Path

__all__ = ["NAMED", "SAVED", "corpus_name", "format_of", "kind_of_corpus", "local_files"]

NAMED = ("toy", "ptb", "yelp", "yahoo")
SPLIT_NAMES = {"train": ("train",), "validation": ("valid", "validation", "val", "dev"), "test": ("test",)}
TABLES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
FORMATS = (".txt", *TABLES)
ENDINGS = (*FORMATS, *(f"{ending}.gz" for ending in FORMATS if ending != ".parquet"))  # that one is compressed itself
SAVED = ("dataset_dict.json", "state.json")  # of a DatasetDict and of a Dataset that `save_to_disk` has written


def kind_of_corpus(name: str | Path) -> str:
    """Return what a name means: "named", one of ``NAMED``; "local", a file or a folder; or "hub", a repository.

    A ``Path``, or ``"./toy"``, is always local.

    Raises:
        ValueError: if it means nothing, or two corpora.

    Examples:
        >>> kind_of_corpus("toy"), kind_of_corpus("user/name")
        ('named', 'hub')
    """
    path, known = Path(name), str(name)
    if isinstance(name, Path) and path.exists():
        return "local"
    if known in NAMED:
        if path.is_dir() and (any(candidates(path, split) for split in SPLIT_NAMES) or is_saved(path)):
            raise ValueError(
                f"{known!r} is a corpus of that name, and a folder of texts here: name the folder ./{known}, "
                "or start elsewhere for the corpus"
            )
        return "named"
    if known and path.exists():
        return "local"
    if re.fullmatch(r"\w[\w.-]*/[\w.-]+", known) and path.suffix.lower() not in (*FORMATS, ".gz"):
        return "hub"
    raise ValueError(
        f"unknown corpus {known!r}: choose {', '.join(NAMED)}, a Hub name user/name, or an existing file or folder of "
        f"text ({', '.join(FORMATS)})"
    )


def format_of(path: Path) -> str | None:
    """Return the ending that says how a file is read, without its .gz; None where it is no ending of ours.

    Examples:
        >>> format_of(Path("a.b.csv.gz")), format_of(Path("a.doc"))
        ('.csv', None)
    """
    name = path.name.lower()
    return next((ending.removesuffix(".gz") for ending in ENDINGS if name.endswith(ending)), None)


def is_saved(folder: Path) -> bool:
    """Whether a folder is what `save_to_disk` of the library datasets has written."""
    return any((folder / name).is_file() for name in SAVED)


def candidates(folder: Path, split: str) -> list[Path]:
    """Return what may be the file of a split, by its name."""
    names = [f"{name}{ending}" for name in SPLIT_NAMES[split] for ending in ENDINGS]
    return [folder / name for name in names if (folder / name).exists()]


def local_files(path: Path) -> dict[str, Path]:
    """Return the file of each split of a corpus that lies here, train at least; none of a saved data set.

    Raises:
        ValueError: if there is no train split, or a split that is no file, or more than one.
    """
    if not path.is_dir():
        check_file(path, path.name, f"{path} is no corpus")
        if format_of(path) is None:
            raise ValueError(f"{path} is no file of a corpus: it must end in {', '.join(FORMATS)}, or .gz after it")
        return {"train": path}
    if is_saved(path):
        return {}
    files = {}
    for split in SPLIT_NAMES:
        found = candidates(path, split)
        if len(found) > 1:
            names = " and ".join(file.name for file in found)
            raise ValueError(f"{path} has {len(found)} files for the {split} split, {names}: leave one of them there")
        if found:
            check_file(found[0], found[0].name, f"{path} has no {split} split")
            files[split] = found[0]
    if "train" not in files:
        others = sorted(file.name for file in path.iterdir() if file.is_file() and format_of(file))
        hint = f", or name a file of it, as {path / others[0]}" if others else ""
        forms = "train.txt, one sentence a line, or train.csv or the like"
        raise ValueError(f"{path} has no train split: add {forms}{hint}")
    return files


def check_file(path: Path, name: str, problem: str) -> None:
    """Raise ValueError unless a path is a file that can be read more than once."""
    if not path.is_file():
        kind = "a directory" if path.is_dir() else "a pipe or a device, which cannot be read twice"
        raise ValueError(f"{problem}: {name} is {kind}; it must be a file")


def corpus_name(dataset: str) -> str:
    """What the directories of a corpus are called: never a way out of the directory above.

    Examples:
        >>> corpus_name("toy"), corpus_name("user/name"), corpus_name("/"), corpus_name("reviews.csv.gz")
        ('toy', 'name', 'corpus', 'reviews')
    """
    path = Path(dataset)
    if (ending := format_of(path)) and not path.is_dir():
        return path.name[: path.name.lower().rindex(ending)] or "corpus"
    return (path.resolve().name if path.is_dir() else path.name) or "corpus"
