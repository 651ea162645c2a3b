"""WAE-RNF: a text autoencoder with Riemannian normalizing flows, as a Hugging Face model.

Reading order: configuration, components, part; inputs, alignment, encoder, encoder_lstm, posterior_head, gaussian,
batch_norm, von_mises_fisher, seeding, dirichlet, gaussian_dirichlet, inference, priors, dirichlet_priors, flows,
metric, mmd, objectives, auxiliary_loss, decoder, decoder_lstm, modeling, outputs; then recurrent_cache, prompts,
generation_options, sampling_loop, stop_strings, loops, generation, latent_operations, text_latent_pipeline; for its
geometry, riemannian_metric, decoder_metric, metric_tensor, batched_lbfgs, geodesics, latent_geometry; and, for speed,
dropout, padded_lstm, linear_cross_entropy, plain_module, distributed.
"""

from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

from .configuration_wae_rnf import WaeRnfConfig
from .dirichlet import Dirichlet
from .flows import PlanarFlow
from .gaussian import GaussianPosterior
from .gaussian_dirichlet import GaussianDirichletPosterior
from .metric import log_kernel
from .mmd import mmd
from .modeling_wae_rnf import WaeRnfModel
from .outputs import WaeRnfOutput
from .text_latent_pipeline import TextLatentPipeline, register
from .von_mises_fisher import VonMisesFisherPosterior

__all__ = [
    "Dirichlet",
    "GaussianDirichletPosterior",
    "GaussianPosterior",
    "PlanarFlow",
    "TextLatentPipeline",
    "VonMisesFisherPosterior",
    "WaeRnfConfig",
    "WaeRnfModel",
    "WaeRnfOutput",
    "log_kernel",
    "mmd",
]

AutoConfig.register(WaeRnfConfig.model_type, WaeRnfConfig)
AutoModel.register(WaeRnfConfig, WaeRnfModel)
AutoModelForCausalLM.register(WaeRnfConfig, WaeRnfModel)
# a saved model takes these files along, and loads from them where this package is not installed
WaeRnfConfig.register_for_auto_class()
WaeRnfModel.register_for_auto_class()
register()
