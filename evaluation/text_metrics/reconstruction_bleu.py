"""Reconstruction BLEU: how much of its input an autoencoder gives back."""

from collections.abc import Sequence

from sacrebleu.metrics import BLEU

from .text_metric import TextMetric


class ReconstructionBleu(TextMetric):
    """BLEU of reconstructions.

    Corpus BLEU-4 of reconstructions, each against its one input, from 0 to 100, higher is better: sacrebleu's corpus
    score with tokenize="none" (words are separated by white space) and smooth_method="exp" (sacrebleu's default):

        BLEU = 100 · min(1, exp(1 - r / c)) · (p_1 p_2 p_3 p_4)^(1/4)

    p_n is the part of all reconstructions' n-grams that their own inputs have, c and r are the numbers of words of all
    reconstructions and of all inputs. The j-th p_n that is 0 becomes 1 / (2^j · number of n-grams), and without any
    common word BLEU is 0. Where no reconstruction has four words, the orders without n-grams are left out
    (effective_order=True), so that a perfect reconstruction of short sentences scores 100 too.

    Args:
        predictions: reconstructions, a list of strings.
        references: their inputs, a list of as many strings.

    Returns:
        `bleu`; None without sentences.

    Examples:
        >>> bleu = ReconstructionBleu()
        >>> round(bleu.compute(predictions=["a b c d e", "x y"], references=["a b c d f", "x y"])["bleu"], 2)
        69.14
    """

    CITATION = """\
Papineni, Roukos, Ward and Zhu: BLEU: a Method for Automatic Evaluation of Machine Translation. ACL 2002.
Post: A Call for Clarity in Reporting BLEU Scores. WMT 2018, arXiv 1804.08771.
"""
    URLS = ("https://aclanthology.org/P02-1040", "https://github.com/mjpost/sacrebleu")
    INPUTS = ("predictions", "references")

    def _compute(self, predictions: Sequence[str], references: Sequence[str]) -> dict[str, float | None]:
        if not predictions:
            return {"bleu": None}
        # force: the corpora are tokenized, and sacrebleu would warn of it
        bleu = BLEU(tokenize="none", force=True, effective_order=True)
        return {"bleu": bleu.corpus_score(predictions, [references]).score}
