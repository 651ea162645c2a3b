"""The corpus of a run: its splits, its tokenizer, and the rows that batches are made of."""

import warnings
from pathlib import Path

from datasets import DatasetDict
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from wae_rnf.evaluation.json_files import read_json, write_json
from wae_rnf.evaluation.provenance import code_version
from wae_rnf.evaluation.run_file import read_run
from wae_rnf.evaluation.shared_work import main_first, on_main
from wae_rnf.tokenization.choose_tokenization import choose_tokenization
from wae_rnf.tokenization.corpora import load_corpus
from wae_rnf.tokenization.corpus_names import kind_of_corpus
from wae_rnf.tokenization.preparation import prepare, train_tokenizer
from wae_rnf.tokenization.tokenizer import tokenization_of

from .arguments import TrainArguments
from .centres import check_enough
from .centres_from import is_file_of_centres
from .fingerprints import fingerprint_of_vocabulary, fingerprints_of_data
from .run_directory import dataset_to_read, remember
from .systems import customized_system, has_metric
from .training_batches import sample_of

STREAM, COUNT_FILE = "stream", "count.json"
Opened = tuple[DatasetDict, PreTrainedTokenizerFast, DatasetDict]  # the corpus, its tokenizer, its prepared splits


def open_corpus_of_run(arguments: TrainArguments) -> Opened:
    """As `open_corpus`, of a run whose directory remembers what it began on."""
    corpus = main_first(lambda: read_corpus(arguments))
    on_main(lambda: remember_data(arguments, corpus))
    corpus, tokenizer, data = main_first(lambda: open_corpus(arguments, corpus))
    found = {"vocabulary": fingerprint_of_vocabulary(tokenizer), "tokenization": str(tokenization_of(tokenizer))}
    on_main(lambda: remember(arguments.output_dir, **found))
    if has_metric(customized_system(arguments)) and not is_file_of_centres(arguments.centres_from):
        check_enough(sample_of(data["train"]), arguments.num_centres)
    return corpus, tokenizer, data


def read_corpus(arguments: TrainArguments) -> DatasetDict:
    """The corpus that [`TrainArguments`] name, wherever a run that goes on has it now."""
    dataset = dataset_to_read(arguments)
    return load_corpus(dataset, streaming=arguments.streaming, text_column=arguments.text_column)


def remember_data(arguments: TrainArguments, corpus: DatasetDict) -> None:
    """Has run.json say which text the run is of, or makes sure that it is the text it began on."""
    dataset, run = dataset_to_read(arguments), read_run(arguments.output_dir)
    folder = str(Path(dataset).resolve()) if kind_of_corpus(dataset) == "local" else None
    began = run.get("version", None if arguments.resume else code_version())
    if None not in (began, code_version()) and began != code_version():
        warnings.warn(f"the run was begun by version {began}, and goes on with {code_version()}", stacklevel=2)
    found = {"data": fingerprints_of_data(corpus, dataset), "folder": folder, "version": began}
    remember(arguments.output_dir, **found)


def open_corpus(arguments: TrainArguments, corpus: DatasetDict | None = None) -> Opened:
    """The corpus, its tokenizer, and its prepared splits.

    What a pass over a stream has counted lies in `output_dir/stream`, and is not counted again.

    Args:
        arguments: [`TrainArguments`].
        corpus: as `load_corpus` gives it; None to load it.
    """
    if corpus is None:
        corpus = read_corpus(arguments)
    counted = Path(arguments.output_dir, STREAM)
    if arguments.streaming and (counted / COUNT_FILE).exists():
        tokenizer = AutoTokenizer.from_pretrained(counted)
        assert isinstance(tokenizer, PreTrainedTokenizerFast)  # as `train_tokenizer` has made it
        corpus["train"].num_sentences = read_json(counted / COUNT_FILE)["sentences"]
    else:
        choice = choose_tokenization(corpus, dataset_to_read(arguments), arguments.tokenization, arguments.lowercase)
        tokenizer = train_tokenizer(corpus, arguments.vocab_size, arguments.max_words, *choice)
        if arguments.streaming:
            tokenizer.save_pretrained(counted)
            write_json(counted / COUNT_FILE, {"sentences": corpus["train"].num_sentences})
    return corpus, tokenizer, prepare(corpus, tokenizer, max_words=arguments.max_words)
