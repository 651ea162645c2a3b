"""What an evaluation is of, and the file that its metrics go to: the record of the model, or a file of their own."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from wae_rnf.tokenization.corpus_names import corpus_name

from .json_files import read_json
from .metrics import METRICS_FILE
from .metrics_files import sentences_file
from .model_names import check_model_dir
from .run_file import RUN_FILE, dataset_of, read_run


@dataclass(frozen=True)
class EvaluationOptions:
    """What is evaluated, and how.

    Args:
        dataset: as in train.
        split: train, validation or test.
        text_column: of a table, where it was named.
        iwae_samples: importance samples per sentence.
        proposal: what they are drawn from, posterior or mixture.
        max_sentences: only the first sentences of the split; None for all of them.
        mixed_precision: no, bf16 or fp16; what the accelerator was started with.
        seed: of the samples.
    """

    dataset: str
    split: str = "test"
    text_column: str | None = None
    iwae_samples: int = 500
    proposal: str = "posterior"
    max_sentences: int | None = None
    mixed_precision: str = "no"
    seed: int = 0


def corpus_of(directory: str | Path) -> str | None:
    """The corpus that the record of a model directory is of: what it was trained on; None where nothing says so."""
    if Path(directory, RUN_FILE).exists():
        return dataset_of(read_run(directory))
    if Path(directory, METRICS_FILE).exists():
        return read_json(Path(directory, METRICS_FILE)).get("dataset")
    return None


def named_corpus(directory: str | Path, dataset: str | None) -> str:
    """The corpus that is named, or else the model's own.

    Raises:
        ValueError: none is named, and nothing says what the model was trained on.
    """
    found = dataset or corpus_of(directory)
    if found is None:
        raise ValueError(f"{directory} does not say what it was trained on; name a --dataset")
    return str(found)


def file_of_figures(directory: str | Path, name: str, output: str | None) -> Path:
    """Where a command's figures go, made sure of before any work: `output`, or a file of this name in the directory.

    Raises:
        ValueError: no place for the file, or no directory here and no `output`.
    """
    if output is None and not Path(directory).is_dir():
        raise ValueError(f"{directory} is not a directory here; say with --output FILE.json where figures go")
    path = Path(output or Path(directory, name))
    check_writable(path)
    return path


def text_column_of(directory: str | Path, dataset: str) -> str | None:
    """The column that a model read of a corpus while it was trained; None for another corpus, or where none was named.

    Args:
        directory: of the model.
        dataset: the corpus, by its name.
    """
    run = read_run(directory) if Path(directory, RUN_FILE).exists() else {}
    own = dataset_of(run)
    return run["options"].get("text_column") if own is not None and same_corpus(str(own), dataset) else None


def same_corpus(one: str, other: str) -> bool:
    """Whether two names of corpora mean the same one: the same name, or the same path.

    Examples:
        >>> same_corpus("toy", "toy"), same_corpus("tests", "./tests/"), same_corpus("toy", "ptb")
        (True, True, False)
    """
    return one == other or (Path(one).exists() and Path(other).exists() and Path(one).samefile(other))


def destination(directory: str | Path, options: EvaluationOptions, output: str | Path | None = None) -> Path:
    """Where the metrics of an evaluation go, made sure of before any work.

    The whole test split of the model's own corpus is the record of the model, metrics.json; anything else has a file
    of its own beside it, metrics-CORPUS-SPLIT.json, or where there is a limit metrics-CORPUS-SPLIT-LIMIT.json.

    Args:
        directory: of the model, or its name on the Hub.
        output: another place, a file that ends in .json.

    Raises:
        ValueError: no model there, no place for the files, or files that are none of ours in it.
    """
    check_model_dir(str(directory))
    own = corpus_of(directory)
    whole = options.split == "test" and options.max_sentences is None
    is_record = whole and (own is None or same_corpus(str(own), options.dataset))
    record = Path(directory, METRICS_FILE)
    if output is not None:
        path = Path(output)
        if path.suffix != ".json":
            raise ValueError(f"--output {output} must name a file that ends in .json")
        if not is_record and path.resolve() == record.resolve():
            raise ValueError(
                f"--output {output} is the record of the model, of its whole test split; name another file"
            )
        check_replaceable(path)
    elif not Path(directory).is_dir():
        raise ValueError(f"{directory} is not a directory here; say with --output FILE.json where the metrics go")
    else:
        limit = "" if options.max_sentences is None else f"-{options.max_sentences}"
        other = f"metrics-{corpus_name(options.dataset)}-{options.split}{limit}.json"
        path = record if is_record else record.with_name(other)
    check_writable(path)
    return path


def check_writable(path: Path) -> None:
    """Raises ValueError unless files can be written there."""
    if path.is_dir():
        raise ValueError(f"{path} is a directory; name a file for the metrics")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise ValueError(f"no metrics can be written to {path}: {error.strerror or error}") from error


def check_replaceable(path: Path) -> None:
    """Raises ValueError where one of the two files to be written holds something else than metrics."""
    if path.is_file() and "pushforward" not in read_json(path):
        raise ValueError(f"--output {path} holds something else than metrics; name another file")
    columns = sentences_file(path)
    if columns.exists() and not columns.read_bytes().startswith(b"length\t"):
        raise ValueError(
            f"{columns}, where the bounds of each sentence go, holds something else; name another --output"
        )
