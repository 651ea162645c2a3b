"""The configuration: every system of the paper is one setting of these fields."""

import copy
import os
from typing import Any, Self

from transformers import PretrainedConfig
from transformers.utils.versions import require_version

from .components import COMPONENTS, check_parts, part_of
from .model_options import ModelOptions
from .options import check_rules, one_of, option

# a saved model carries this file: where it is too new for the installed Transformers, it says so before anything else
require_version("transformers>=5.17", "WAE-RNF models need it: pip install --upgrade transformers")

# What a saved configuration means that is older than the field.
BEFORE = {"batch_norm_eps": 1e-5}
# What `Trainer.predict` and `compute_metrics` leave out of a forward's output, so that predictions are the logits.
NOT_PREDICTIONS = ["last_hidden_state", "loss", "reconstruction", "kl", "log_abs_det", "log_kernel", "bound"]
NOT_PREDICTIONS += ["mmd", "auxiliary", "latents", "hidden_states", "past_key_values", "cache"]
# Where a saved directory has the classes, for `trust_remote_code=True`.
AUTO_MAP = {
    "AutoConfig": "configuration_wae_rnf.WaeRnfConfig",
    "AutoModel": "modeling_wae_rnf.WaeRnfModel",
    "AutoModelForCausalLM": "modeling_wae_rnf.WaeRnfModel",
}
CUSTOM_PIPELINES = {
    "text-latent": {"impl": "text_latent_pipeline.TextLatentPipeline", "pt": ["AutoModel"], "type": "text"}
}


class WaeRnfConfig(PretrainedConfig, ModelOptions):
    """Sizes, latent variable and objective of a [`WaeRnfModel`]: the fields of [`ModelOptions`], whose help texts say
    what each is, and those here. The defaults are WAE-RNF's in the paper (section 5.2).

    Args:
        vocab_size: number of token ids, the four special ones included.
        posterior: "gaussian"; or, without flows and MMD, "vmf", von Mises-Fisher on the sphere, or
            "gaussian_dirichlet", a Gaussian beside proportions of topics.
        eval_latents: the z of a forward outside of training that does not say `sample`. "sample" draws it anew each
            time: the loss is an expectation over q(z|x), which a draw estimates without bias, and the loss at the
            mean is no bound. "seeded" draws with the same noise in every forward, so that the losses of two
            evaluations differ by the weights alone. "mean" takes the posterior's mean. With both of the latter
            nothing depends on the state of the random numbers; the sample of the prior in the MMD is fixed too.
        return_logits: whether a forward gives the logits; None for outside of training.
        tie_word_embeddings: the decoder's projection has the weights of the embedding, so both sizes are equal.

    Raises:
        ValueError: a size under 1, a rate outside [0, 1), a negative weight or an unknown choice.

    Examples:
        >>> WaeRnfConfig(vocab_size=100, num_flows=0, flow_kernel=None, mmd_weight=0.0, kl_weight=1.0).num_flows
        0
    """

    model_type = "wae_rnf"
    keys_to_ignore_at_inference = NOT_PREDICTIONS

    vocab_size: int = 10_000
    posterior: str = "gaussian"
    eval_latents: str = option("sample", "z outside of training.", one_of("sample", "seeded", "mean"))
    return_logits: bool | None = None
    tie_word_embeddings: bool = False
    pad_token_id: int = 0
    bos_token_id: int = 1
    eos_token_id: int | None = 2
    unk_token_id: int | None = 3

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        self.auto_map = dict(AUTO_MAP)
        # the package registers its pipelines; where they are named here too, `pipeline` asks for `trust_remote_code`
        remote = __name__.startswith("transformers_modules.")
        self.custom_pipelines = copy.deepcopy(CUSTOM_PIPELINES) if remote else {}
        if self.vocab_size < 4:
            raise ValueError(f"vocab_size must be at least 4 (the special tokens), not {self.vocab_size}")
        if self.return_logits not in (None, True, False):
            raise ValueError(f"return_logits must be one of (None, True, False), not {self.return_logits!r}")
        check_rules(self)
        self.check_combinations()

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Self:
        saved = "transformers_version" in config_dict
        return super().from_dict((BEFORE if saved else {}) | config_dict, **kwargs)

    @classmethod
    def from_json_file(cls, json_file: str | os.PathLike) -> Self:
        return cls.from_dict(cls._dict_from_json_file(json_file))

    def to_dict(self) -> dict[str, Any]:
        # `pipeline` puts classes in the place of their names
        return super().to_dict() | {"custom_pipelines": copy.deepcopy(CUSTOM_PIPELINES)}

    @property
    def has_latents(self) -> bool:
        """Whether there is a latent variable; a language model has none."""
        return self.latent_size > 0

    @property
    def has_flow(self) -> bool:
        """Whether z' is another point than z."""
        return self.num_flows > 0

    def check_combinations(self) -> None:
        """Whether the fields fit each other, and there is every part that they name.

        Raises:
            ValueError: they do not.
        """
        if self.tie_word_embeddings and self.embedding_size != self.hidden_size:
            raise ValueError(
                f"tie_word_embeddings needs an embedding_size ({self.embedding_size}) equal to hidden_size "
                f"({self.hidden_size})"
            )
        if None in (self.pad_token_id, self.bos_token_id):
            raise ValueError("pad_token_id and bos_token_id must be ids of tokens, not None")
        if self.word_dropout and self.unk_token_id is None:
            raise ValueError("word_dropout has words read as unknown, but unk_token_id is None")
        check_parts(self)
        head, prior, objective = (part_of(kind, self) for kind in ("posterior", "prior", "objective"))
        euclidean = self.has_latents and head.space == "euclidean"
        if not euclidean and (self.num_flows or self.flow_kernel or self.mmd_weight):
            kind = f"whose latents lie on the {head.space}" if self.has_latents else "without a latent variable"
            raise ValueError(f"a model {kind} has neither flows nor MMD: num_flows=0, flow_kernel=None, mmd_weight=0")
        if self.mean_gamma and not self.batch_norm:
            raise ValueError("mean_gamma is the scale of a batch normalization, but batch_norm is false")
        if not self.has_latents and (self.prior or objective.importance_weighted or self.auxiliary_losses):
            raise ValueError(
                "a model without a latent variable has no prior, auxiliary losses or importance samples to weigh"
            )
        if prior.space != head.space:
            raise ValueError(f"the prior of a {self.posterior} posterior cannot be {self.prior!r}: it lies elsewhere")
        if (self.free_bits or self.minimum_rate) and not (prior.has_kl_per_dimension and objective.closed_form):
            closed = [name for name, one in COMPONENTS["objective"].items() if one.closed_form]
            raise ValueError(
                "free_bits and minimum_rate need a divergence that is known for each dimension: a gaussian posterior, "
                f"the standard normal prior and an objective of {', '.join(closed)}"
            )
