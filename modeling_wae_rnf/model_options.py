"""The options of a model: declared here for the configuration, which saves them, and the command line, which asks."""

from dataclasses import dataclass

from .objectives import OBJECTIVES
from .options import NOT_NEGATIVE, POSITIVE, RATE, WIDEST, Rule, at_least, one_of, option

KAPPA = Rule(  # beyond, the normalizer loses its digits, and its series grows with kappa
    lambda value: 1e-6 <= value <= 1e5, "must be positive, and lie in [1e-06, 100000]"
)


@dataclass(kw_only=True, repr=False)
class ModelOptions:
    """Sizes, parts and objective of a model. The defaults are those of WAE-RNF in the paper (section 5.2).

    Each field has its help text and its rule in its metadata, see [`option`]. A new option of a model is a field here:
    it is then one of [`WaeRnfConfig`], and of `wae-rnf train`.
    """

    latent_size: int = option(
        32, "Dimension of the latent variable (0 for a language model, the decoder alone).", at_least(0, WIDEST), True
    )
    hidden_size: int = option(200, "Size of the encoder's and the decoder's LSTM.", at_least(1, WIDEST), True)
    embedding_size: int = option(200, "Size of the word embeddings.", at_least(1, WIDEST), True)
    dropout: float = option(0.2, "Dropout rate on both LSTMs' inputs and on the decoder's outputs.", RATE, True)
    encoder_dropout: float | None = option(
        None, "Dropout rate on the encoder's input; by default that of --dropout.", RATE
    )
    word_dropout: float = option(
        0.0,
        "Rate at which the decoder reads a word as unknown in training (Bowman et al. 2016, arXiv 1511.06349).",
        RATE,
    )
    input_drop: float = option(
        0.0,
        "Rate at which the encoder's input loses tokens in training, for a denoising autoencoder (Shen et al. 2020, "
        "arXiv 1905.12777).",
        RATE,
    )
    input_shuffle: int = option(
        0,
        "Maximum number of places that a token of the encoder's input moves by in training (Lample et al. 2018, arXiv "
        "1711.00043).",
        at_least(0),
    )
    max_words: int = option(200, "Maximum length of a sentence in words; longer ones are cut.", at_least(1))

    encoder_type: str = option("lstm", "Encoder, by its name in components.py.")
    encoder_kwargs: dict = option(dict, "Options of the encoder's own.")
    posterior_kwargs: dict = option(dict, "Options of the posterior head's own.")
    inference: str = option("amortized", "Inference, from sentences to the posterior, by its name in components.py.")
    inference_kwargs: dict = option(dict, "Options of the inference's own.")
    posterior_head: str = option(
        "mlp",
        "Layers from the encoder to the posterior: mlp (two on h_n, paper) or linear (one on h_n and c_n, authors' "
        "code).",
        one_of("mlp", "linear"),
    )
    encoder_input: str = option(
        "eos",
        "Input of the encoder: eos (words, end-of-sentence) or bos (beginning-of-sentence, words; authors' code).",
        one_of("eos", "bos"),
    )
    embedding_std: float = option(1.0, "Standard deviation of the word embeddings' initialization.", NOT_NEGATIVE)
    decoder_type: str = option("lstm", "Decoder, by its name in components.py.")
    decoder_kwargs: dict = option(dict, "Options of the decoder's own.")
    latents_at_every_step: bool = option(
        False, "Latent variable as an input of the decoder at every step, not of its initial state alone.", basic=True
    )
    kappa: float = option(80.0, "Concentration of the von Mises-Fisher posterior.", KAPPA)
    batch_norm: bool = option(
        True, "Batch normalization of the posterior's mean and log variance, as in the paper (section 5.2)."
    )
    batch_norm_eps: float = option(
        1e-12,
        "Epsilon of that batch normalization (PyTorch's default is 1e-5). It must lie far below any variance that "
        "training can reach: from there down nothing is normalized, and the latent variable collapses.",
        NOT_NEGATIVE,
    )
    mean_gamma: float | None = option(
        None,
        "Scale of the mean's batch normalization, kept fixed so that the latent variable is used (BN-VAE, Zhu et al. "
        "2020, arXiv 2004.12585); none learns it, as the paper does.",
        POSITIVE,
        True,
    )

    num_flows: int = option(3, "Number of planar flows.", NOT_NEGATIVE)
    flow_init: str = option(
        "uniform",
        "Initialization of the flows' u and w: uniform (in ±1/√d with b = 0, near the identity) or normal (N(0, 1) "
        "with b = 1, authors' code).",
        one_of("uniform", "normal"),
    )
    flow_kernel: str | None = option(
        "imq",
        "Kernel of the Riemannian metric: imq (K_m) or gaussian (K_g); none is a plain flow.",
        one_of("imq", "gaussian"),
    )
    kernel_bandwidth: float = option(10.0, "Bandwidth beta of the gaussian kernel.", NOT_NEGATIVE)
    num_centres: int = option(20, "Number of cluster centres of the Riemannian metric.", at_least(1))

    prior: str | None = option(
        None,
        "Prior p(z): standard_normal, or learned: mixture (of Gaussians), vamp (mixture of the posteriors of learned "
        "pseudo-inputs) or flow (affine coupling layers). By default standard_normal, and uniform_sphere for a von "
        "Mises-Fisher posterior. Of topics: conditional_dirichlet (learned, given z) or dirichlet (the same for all "
        "z).",
    )
    prior_kwargs: dict = option(dict, "Options of the prior's own.")
    prior_components: int = option(
        20, "Number of Gaussians of --prior mixture, or of pseudo-inputs of --prior vamp.", at_least(1)
    )
    prior_layers: int = option(4, "Number of affine coupling layers of --prior flow.", at_least(1))

    objective: str = option(
        "paper",
        "Latent terms of the loss: paper, authors, pushforward or flow_posterior; or the importance-weighted bound of "
        "the pushforward (iwae) or of the flow-posterior model (iwae_flow_posterior).",
        one_of(*OBJECTIVES),
    )
    auxiliary_losses: dict = option(
        dict, "Losses that are added while training, by their names in components.py, and their weights."
    )
    auxiliary_losses_kwargs: dict = option(dict, "Options of these losses' own, by their names.")
    importance_samples: int = option(
        8,
        "Number of samples per sentence in an iwae objective; the decoder reads this many times the batch.",
        at_least(1, 10_000),
    )
    kl_weight: float = option(0.8, "Weight alpha of the KL divergence at the end of its schedule.", NOT_NEGATIVE)
    mmd_weight: float = option(
        9.2, "Weight lambda of the MMD at the end of its schedule; 0 leaves the MMD out.", NOT_NEGATIVE
    )
    mmd_kernel: str = option(
        "imq",
        "Kernel of the MMD: imq (unbiased, multi-scale), gaussian (the paper's biased statistic, blind from about 9 "
        "dimensions on) or gaussian_scaled (authors' code for Yelp and Yahoo).",
        one_of("imq", "gaussian", "gaussian_scaled"),
    )
    free_bits: float = option(
        0.0,
        "KL divergence per dimension, in nats averaged over the batch, below which no penalty applies (Kingma et al. "
        "2016, arXiv 1606.04934).",
        NOT_NEGATIVE,
    )
    minimum_rate: float = option(
        0.0,
        "Total KL divergence, in nats averaged over the batch, below which no penalty applies (Pelsmaeker and Aziz "
        "2020, arXiv 1904.08194).",
        NOT_NEGATIVE,
    )
