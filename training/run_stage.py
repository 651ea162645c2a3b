"""One stage of a run: a model of the options, trained."""

from accelerate.utils import set_seed

from modeling_wae_rnf import WaeRnfModel

from .model_options import model_config
from .stage import Stage


def copy_encoder(source, model):
    """Gives a model another's way from words to posterior; its flow and its decoder stay as they are."""
    for part in ("embedding", "encoder", "posterior_head"):
        getattr(model, part).load_state_dict(getattr(source, part).state_dict())


def run_stage(name, system, arguments, accelerator, tokenizer, data, output_dir, centres=None, encoder=None):
    """Trains one system into `output_dir`; returns {steps, best_validation_loss, seconds, history}.

    Args:
        centres: (num_centres, latent_size), for a Riemannian metric.
        encoder: a model whose way from words to posterior this one starts from.
    """
    set_seed(arguments.seed)  # a stage does not depend on what ran before it
    model = WaeRnfModel(model_config(arguments, system, len(tokenizer)))
    if centres is not None:
        model.set_centres(centres)
    if encoder is not None:
        copy_encoder(encoder, model)
    return Stage(name, accelerator, model, tokenizer, data, system, arguments, output_dir).run()
