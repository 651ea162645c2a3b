"""Corpora: a name, a Hub repository, or files of one's own become three splits of sentences.

Every corpus comes as a ``DatasetDict`` of train, validation and test with the column ``text``, kept in Arrow
files on disk: memory does not grow with the corpus, and a second run reads what the first one wrote.
"""

from pathlib import Path

from datasets import DatasetDict

from .corpus_names import kind_of_corpus
from .hub_corpora import HUB_CORPORA, HubCorpus, load_from_hub
from .local_corpora import load_local
from .toy.corpus import load_toy

__all__ = ["load_corpus"]

TOY = "toy"


def load_corpus(
    name: str | Path,
    *,
    seed: int = 0,
    cache_dir: str | Path | None = None,
    streaming: bool = False,
    text_column: str | None = None,
) -> DatasetDict:
    """Load a corpus as the splits train, validation and test with the column ``text``.

    Sentences keep their length here; :func:`~wae_rnf.tokenization.preparation.prepare` truncates them. Blank
    ones are left out. What is left out, or read otherwise than it looks, is counted and logged as a warning.

    Args:
        name: one of

            - ``"toy"``: generated sentences, with the column ``log_prob``, their exact log-probability in
              nats;
            - ``"ptb"``, ``"yelp"``, ``"yahoo"``: the Hub's Penn Treebank, Yelp reviews, Yahoo answers;
            - an existing file: lines of text (.txt), or a table (.csv, .tsv, .jsonl, .json, .parquet); each but
              the last may be compressed (.gz). Text is UTF-8, one sentence a line or a row. Of one file, random
              sentences, 5% and at most 10,000 for each, become validation and test;
            - an existing folder with such a file for train, and one for valid (validation, val, dev) and for test,
              which are split off train where they are missing; or one that ``save_to_disk`` has written. A `Path`,
              or ``"./toy"``, is always local;
            - any ``user/name`` of the Hub; its text column is the one named text or sentence, or else its
              only column of strings. Without a validation split, the last tenth of train, at most 10,000
              rows, becomes one. That holds for yelp and yahoo.
        seed: of the generated corpus; the others do not depend on it.
        cache_dir: where the Arrow files lie; None for the usual cache of datasets.
        streaming: the training split is a :class:`~wae_rnf.tokenization.streams.TextStream`, read anew in each
            pass; a Hub corpus without a validation split gives its first 10,000 rows for it.
        text_column: the column of the text, of a table that has several columns of text.

    Raises:
        ValueError: if the name is unknown or means two corpora, the train split is missing, two files may be one
            split, a file is empty, blank, not UTF-8 or not what its ending says, or the text column cannot be told.
        ConnectionError: if the Hub cannot be reached.
    """
    kind, known = kind_of_corpus(name), str(name)
    cache_dir = None if cache_dir is None else str(cache_dir)
    if kind == "local":
        return load_local(Path(name), cache_dir, streaming, text_column)
    if kind == "named" and text_column is not None:
        raise ValueError(f"--text_column does not apply to {known}, whose text is known")
    if known == TOY:
        return load_toy(seed, cache_dir, streaming)
    columns = () if text_column is None else (text_column,)
    return load_from_hub(HUB_CORPORA.get(known) or HubCorpus(known, columns=columns), cache_dir, streaming)
