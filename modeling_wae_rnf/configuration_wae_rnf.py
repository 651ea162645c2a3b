"""The configuration: every system of the paper is one setting of these fields."""

import copy
from dataclasses import field

from transformers import PretrainedConfig
from transformers.utils.versions import require_version

from .components import COMPONENTS, check_parts, part_of

# a saved model carries this file: where it is too new for the installed Transformers, it says so before anything else
require_version("transformers>=5.17", "WAE-RNF models need it: pip install --upgrade transformers")

CHOICES = {
    "posterior_head": ("mlp", "linear"),
    "encoder_input": ("eos", "bos"),
    "flow_init": ("uniform", "normal"),
    "flow_kernel": (None, "imq", "gaussian"),
    "mmd_kernel": ("imq", "gaussian", "gaussian_scaled"),
    "eval_latents": ("sample", "seeded", "mean"),
    "return_logits": (None, True, False),
}
AT_LEAST_ONE = (
    "embedding_size", "hidden_size", "num_centres", "max_words", "importance_samples", "prior_components",
    "prior_layers",
)  # fmt: skip
NOT_NEGATIVE = (
    "latent_size", "num_flows", "kernel_bandwidth", "kl_weight", "mmd_weight", "free_bits", "minimum_rate",
    "batch_norm_eps", "embedding_std",
)  # fmt: skip
RATES = ("dropout", "word_dropout")
# What a saved configuration means that is older than the field.
BEFORE = {"batch_norm_eps": 1e-5}
KAPPA = (1e-6, 1e5)  # beyond, the normalizer loses its digits, and its series grows with kappa
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


class WaeRnfConfig(PretrainedConfig):
    """Sizes, latent code and objective of a [`WaeRnfModel`]. The defaults are the paper's (section 5.2).

    Args:
        vocab_size: number of token ids, the four special ones included.
        embedding_size, hidden_size: width of the word embedding and of both LSTMs.
        latent_size: d, the dimension of the latent code; 0 for a language model: the decoder alone.
        dropout: rate on both LSTMs' inputs and on the decoder's outputs.
        encoder_dropout: rate on the encoder's input alone; None for that of `dropout`.
        word_dropout: rate at which words that the decoder reads become the unknown word while training (Bowman et
            al. 2016, arXiv 1511.06349).
        encoder_type: "lstm"; see `components.py` for what there is of this and of the other parts.
        encoder_kwargs: the encoder's own options.
        posterior: "gaussian", or "vmf", von Mises-Fisher on the sphere, without flows and MMD.
        posterior_kwargs: the posterior head's own options.
        inference: "amortized", the posterior is what the head makes of the encoder's vector.
        inference_kwargs: the inference's own options.
        kappa: concentration of the von Mises-Fisher posterior, from 1e-6 to 1e5.
        batch_norm: normalize the posterior's mean and log variance over the batch (paper 5.2).
        batch_norm_eps: added to the variance that is divided by. It must lie far under any variance that training can
            reach: from about that variance down nothing is normalized, and the latent variable dies. Models saved
            before this field existed have 1e-5.
        mean_gamma: fixes the scale of the mean's batch normalization (BN-VAE); None learns it.
        free_bits: nats of each dimension's divergence, averaged over the batch, that cost nothing (Kingma et al.
            2016, arXiv 1606.04934).
        minimum_rate: nats of the whole divergence, averaged over the batch, that cost nothing: where they are spent is
            left to the model (Pelsmaeker and Aziz 2020, arXiv 1904.08194).
        posterior_head: "mlp", two layers on h_n (paper), or "linear", one layer on (h_n, c_n) (authors' code).
        encoder_input: "eos", the words and end-of-sentence, or "bos", beginning-of-sentence and the words (authors'
            code).
        embedding_std: standard deviation of the word embedding at the start, N(0, embedding_std²).
        num_flows: K planar flows; 0 leaves z as it is.
        flow_init: u and w of each flow at the start: "uniform" in ±1/√d with b = 0, near the identity, or "normal",
            N(0, 1) with b = 1 (authors' code).
        flow_kernel: kernel of the Riemannian metric, "imq" (K_m), "gaussian" (K_g), or None for plain flows.
        kernel_bandwidth: beta of K_g.
        num_centres: cluster centres that the kernel is measured from.
        prior: p(z), see `priors.py`: "standard_normal", "mixture", "vamp" or "flow" of a Gaussian posterior,
            "uniform_sphere" of a von Mises-Fisher one; None for "standard_normal" and "uniform_sphere".
        prior_kwargs: the prior's own options.
        prior_components: K, Gaussians of "mixture" and pseudo-inputs of "vamp".
        prior_layers: affine coupling layers of "flow".
        objective: what the latent terms of the loss are, see [`WaeRnfModel`].
        importance_samples: k, samples z of a sentence in a loss of "iwae" and "iwae_flow_posterior". The decoder reads
            k times the batch.
        kl_weight: alpha, at the end of its schedule.
        mmd_weight: lambda, at the end of its schedule; 0 leaves the MMD out.
        mmd_kernel: "imq" (multi-scale, unbiased), "gaussian" (paper's biased statistic, blind from about 9 dimensions
            on) or "gaussian_scaled" (authors' code for Yelp and Yahoo), see [`mmd`].
        auxiliary_losses: what is added to the loss while training, {name: weight}.
        auxiliary_losses_kwargs: their own options, {name: {option: value}}.
        decoder_type: "lstm".
        decoder_kwargs: the decoder's own options.
        latents_at_every_step: feed z' to the decoder at every word, not to its initial state alone.
        eval_latents: the z of a forward outside of training that does not say `sample`. "sample" draws it anew each
            time: the loss is an expectation over q(z|x), which a draw estimates without bias, and the loss at the
            mean is no bound. "seeded" draws with the same noise in every forward, so that the losses of two
            evaluations differ by the weights alone. "mean" takes the posterior's mean. With both of the latter
            nothing depends on the state of the random numbers; the sample of the prior in the MMD is fixed too.
        return_logits: whether a forward gives the logits; None for outside of training.
        tie_word_embeddings: the decoder's projection has the weights of the embedding, so both sizes are equal.
        max_words: longest sentence, in words, without the two sentence marks.

    Raises:
        ValueError: a size under 1, a rate outside [0, 1), a negative weight or an unknown choice.

    Example:
        >>> WaeRnfConfig(vocab_size=100, num_flows=0, flow_kernel=None, mmd_weight=0.0, kl_weight=1.0).num_flows
        0
    """

    model_type = "wae_rnf"
    keys_to_ignore_at_inference = NOT_PREDICTIONS

    vocab_size: int = 10_000
    embedding_size: int = 200
    hidden_size: int = 200
    latent_size: int = 32
    dropout: float = 0.2
    encoder_dropout: float | None = None
    word_dropout: float = 0.0
    encoder_type: str = "lstm"
    encoder_kwargs: dict = field(default_factory=dict)
    posterior: str = "gaussian"
    posterior_kwargs: dict = field(default_factory=dict)
    inference: str = "amortized"
    inference_kwargs: dict = field(default_factory=dict)
    kappa: float = 80.0
    batch_norm: bool = True
    batch_norm_eps: float = 1e-12
    mean_gamma: float | None = None
    free_bits: float = 0.0
    minimum_rate: float = 0.0
    posterior_head: str = "mlp"
    encoder_input: str = "eos"
    embedding_std: float = 1.0
    num_flows: int = 3
    flow_init: str = "uniform"
    flow_kernel: str | None = "imq"
    kernel_bandwidth: float = 10.0
    num_centres: int = 20
    prior: str | None = None
    prior_kwargs: dict = field(default_factory=dict)
    prior_components: int = 20
    prior_layers: int = 4
    objective: str = "paper"
    importance_samples: int = 8
    kl_weight: float = 0.8
    mmd_weight: float = 9.2
    mmd_kernel: str = "imq"
    auxiliary_losses: dict = field(default_factory=dict)
    auxiliary_losses_kwargs: dict = field(default_factory=dict)
    decoder_type: str = "lstm"
    decoder_kwargs: dict = field(default_factory=dict)
    latents_at_every_step: bool = False
    eval_latents: str = "sample"
    return_logits: bool | None = None
    tie_word_embeddings: bool = False
    max_words: int = 200
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | None = 2
    unk_token_id: int | None = 3

    def __post_init__(self, **kwargs):
        super().__post_init__(**kwargs)
        self.auto_map = dict(AUTO_MAP)
        # the package registers its pipelines; where they are named here too, `pipeline` asks for `trust_remote_code`
        remote = __name__.startswith("transformers_modules.")
        self.custom_pipelines = copy.deepcopy(CUSTOM_PIPELINES) if remote else {}
        for name in (*AT_LEAST_ONE, *NOT_NEGATIVE, *RATES):
            if not isinstance(getattr(self, name), (int, float)):
                raise ValueError(f"{name} must be a number, not {getattr(self, name)!r}")
        for name in AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in NOT_NEGATIVE:
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must not be negative, but is {getattr(self, name)}")
        if self.vocab_size < 4:
            raise ValueError(f"vocab_size must be at least 4 (the special tokens), not {self.vocab_size}")
        for name in RATES:
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must lie in [0, 1), but is {getattr(self, name)}")
        if self.encoder_dropout is not None and not 0 <= self.encoder_dropout < 1:
            raise ValueError(f"encoder_dropout must lie in [0, 1), but is {self.encoder_dropout}")
        for name in ("kappa", "mean_gamma"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be positive, but is {value}")
        if not KAPPA[0] <= self.kappa <= KAPPA[1]:
            raise ValueError(f"kappa must lie in [{KAPPA[0]:g}, {KAPPA[1]:g}], but is {self.kappa}")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} must be one of {choices}, not {getattr(self, name)!r}")
        self.check_combinations()

    @classmethod
    def from_dict(cls, config_dict, **kwargs):
        saved = "transformers_version" in config_dict
        return super().from_dict((BEFORE if saved else {}) | config_dict, **kwargs)

    @classmethod
    def from_json_file(cls, json_file):
        return cls.from_dict(cls._dict_from_json_file(json_file))

    def to_dict(self):
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

    def check_combinations(self):
        """Whether the fields fit each other, and there is every part that they name.

        Raises:
            ValueError: they do not.
        """
        if self.tie_word_embeddings and self.embedding_size != self.hidden_size:
            raise ValueError(
                f"tie_word_embeddings needs an embedding_size ({self.embedding_size}) equal to hidden_size "
                f"({self.hidden_size})"
            )
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
