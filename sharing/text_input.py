"""Sentences on their way into a model, of a command or of a page: what it does not read is said."""

import sys

from wae_rnf.tokenization.unread import cut_sentences, unknown_words
from wae_rnf.tokenization.vocabulary import first_words


def encode(model, tokenizer, sentences):
    """The inputs of a model, padded and cut to its limit: {input_ids, attention_mask}, (sentences, length)."""
    # cut before they are encoded: a line of a megabyte would take a hundred
    short = [first_words(sentence, tokenizer.model_max_length - 2) for sentence in sentences]
    return tokenizer(short, return_tensors="pt", padding=True, truncation=True).to(model.device)


def warn_of_unread(tokenizer, sentences):
    """Says what the model does not read of sentences; returns these messages."""
    messages = unknown_words(tokenizer, sentences) + cut_sentences(tokenizer, sentences)
    warn(messages)
    return messages


def warn(messages):
    for message in messages:
        print(f"wae-rnf: warning: {message}", file=sys.stderr)
