"""What the metrics of text share."""

import datasets
import evaluate


class TextMetric(evaluate.Metric):
    """An `evaluate.Metric` on lists of sentences, described by its docstring.

    It keeps the sentences in memory, so that processes share no file of them, and needs no network.
    """

    INPUTS: tuple[str, ...] = ("predictions",)  # lists of sentences that `compute` takes
    CITATION = ""
    URLS: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__(keep_in_memory=True)

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=self.__doc__,
            citation=self.CITATION,
            inputs_description="",
            features=datasets.Features({name: datasets.Value("string") for name in self.INPUTS}),
            reference_urls=list(self.URLS),
        )
