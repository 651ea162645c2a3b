"""Text in, token ids out: corpora, vocabulary, tokenizer, preparation and statistics of a corpus.

Import from the modules themselves, for example ``from tokenization_wae_rnf.corpora import load_corpus``:
importing the package alone loads neither torch nor transformers nor datasets.
"""
