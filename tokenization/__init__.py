"""Text in, batches of token ids out: corpora, vocabulary, tokenizer, preparation, batches. It knows no model.

Import from the modules themselves, for example ``from wae_rnf.tokenization.corpora import load_corpus``:
importing the package alone loads neither torch nor transformers nor datasets.
"""
