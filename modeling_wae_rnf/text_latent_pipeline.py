"""`pipeline("text-latent")`: sentences in, their latent codes and what the decoder makes of them out."""

from transformers import AutoModel, Pipeline
from transformers.pipelines import PIPELINE_REGISTRY


class TextLatentPipeline(Pipeline):
    """The posterior mean of each sentence, and its greedy reconstruction.

    Examples:
        >>> from transformers import pipeline
        >>> pipeline("text-latent", model="runs/toy")("the soup was cold .")  # doctest: +SKIP
        {'latents': [0.12, ...], 'reconstruction': 'the soup was cold .'}
    """

    _load_tokenizer = True  # type: ignore[assignment]  # the base class declares None

    def _sanitize_parameters(self, reconstruct=None, **generate_kwargs):
        """Splits a call's options.

        Args:
            reconstruct: False leaves the reconstruction out.
            generate_kwargs: options of `generate`, for the reconstruction.
        """
        forward = {"generate_kwargs": generate_kwargs} if generate_kwargs else {}
        if reconstruct is not None:
            forward["reconstruct"] = reconstruct
        return {}, forward, {}

    def preprocess(self, sentence):
        return self.tokenizer(sentence, return_tensors="pt", truncation=True)

    def _forward(self, inputs, reconstruct=True, generate_kwargs=None):
        batch = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        output = {"latents": self.model.embed(**batch)}
        if reconstruct:
            output["sentences"] = self.model.reconstruct(batch, **(generate_kwargs or {}))
        return output

    def postprocess(self, output):
        result = {"latents": output["latents"][0].float().tolist()}
        if "sentences" in output:
            result["reconstruction"] = self.tokenizer.decode(output["sentences"][0], skip_special_tokens=True)
        return result


def register():
    """Makes the task known to `pipeline`."""
    PIPELINE_REGISTRY.register_pipeline(
        "text-latent", pipeline_class=TextLatentPipeline, pt_model=AutoModel, type="text"
    )
