"""Which options a system has a part for: one that would change nothing is refused, not ignored."""

from collections.abc import Iterable
from dataclasses import asdict

from .adversarial import Adversarial
from .arguments import TrainArguments, arguments_of_record
from .lagging import Lagging
from .network.objectives import OBJECTIVES
from .systems import MODEL_DEFAULTS, SYSTEMS, customized_system

ANNEALING = ("kl_start", "kl_end", "kl_cycles")
ADVERSARY = ("adversarial_weight", "discriminator_learning_rate", "discriminator_hidden_size")
OF_A_LATENT = (
    "latent_size", "encoder_type", "encoder_kwargs", "posterior_kwargs", "inference", "inference_kwargs",
    "prior_kwargs", "auxiliary_losses", "auxiliary_losses_kwargs", "posterior_head", "encoder_dropout",
    "encoder_input", "input_drop", "input_shuffle", "latents_at_every_step", "num_flows", "flow_init", "flow_kernel",
    "kernel_bandwidth",
    "num_centres", "centres_from", "first_stage_epochs", "kappa", "batch_norm", "batch_norm_eps",
    "batch_norm_statistics", "mean_gamma", "free_bits", "minimum_rate", "objective", "mmd_kernel", "kl_weight",
    "mmd_weight", *ANNEALING, "autoencoder_epochs", "inner_steps", "importance_samples", "prior", "prior_components",
    "prior_layers", "eval_proposal", *ADVERSARY,
)  # fmt: skip
# (options, what the system needs for them, what it is where it has none), the first that holds is reported
RULES = (
    (OF_A_LATENT, lambda own: own["latent_size"] > 0, "it is a language model, without a latent variable"),
    (("kappa",), lambda own: own["posterior"] == "vmf", "its posterior is not von Mises-Fisher"),
    (("batch_norm", "batch_norm_eps", "batch_norm_statistics", "mean_gamma"),
     lambda own: own["posterior"] != "vmf",
     "its posterior is von Mises-Fisher, whose mean direction is not batch-normalized"),
    (("latents_at_every_step",), lambda own: own["decoder_type"] == "lstm",
     "its decoder reads the latent variable at every step in any case"),
    (("prior", "prior_components", "prior_layers"), lambda own: own["posterior"] != "vmf",
     "the prior of its von Mises-Fisher posterior is uniform on the sphere"),
    (("prior_components",), lambda own: own["prior"] in ("mixture", "vamp"),
     "its prior has no components, see --prior"),
    (("prior_layers",), lambda own: own["prior"] == "flow", "its prior has no layers, see --prior flow"),
    (("importance_samples",), lambda own: OBJECTIVES[own["objective"]].importance_weighted,
     "its objective has one sample a sentence, see --objective iwae"),
    (("kl_weight", *ANNEALING, "free_bits", "minimum_rate"), lambda own: own["posterior"] != "vmf",
     "the divergence of its von Mises-Fisher posterior is a constant, whatever it weighs"),
    (("free_bits", "minimum_rate"), lambda own: own["posterior"] == "gaussian",
     "the divergence of its topics is no sum over dimensions"),
    (("batch_norm_eps", "batch_norm_statistics"), lambda own: own["batch_norm"], "nothing is batch-normalized"),
    (("lr_decay",), lambda own: own["lr_patience"] or own["lr_milestones"],
     "its learning rate never decays, see --lr_patience and --lr_milestones"),
    (("flow_init",), lambda own: own["num_flows"], "it has no flow"),
    (("num_flows",), lambda own: own["num_flows"] or own["flow_kernel"] is None, "it has no flow"),
    (("num_centres", "centres_from", "first_stage_epochs", "kernel_bandwidth"),
     lambda own: own["flow_kernel"] is not None, "it has no metric, hence no centres"),
    (("first_stage_epochs",), lambda own: not own["centres_from"] and not own["autoencoder_epochs"],
     "its centres do not come from a VAE that is trained for them"),
    (("kernel_bandwidth",), lambda own: own["flow_kernel"] == "gaussian",
     "its kernel is imq, which has no bandwidth, see --flow_kernel gaussian"),
    (("mmd_kernel",), lambda own: own["mmd_weight"] > 0, "its loss has no MMD"),
    (ANNEALING, lambda own: own["kl_weight"] > 0, "its alpha is 0 from the first step to the last"),
    (("kl_cycles",), lambda own: own["annealing"][1] > 0,
     "its alpha has its last value from the first step on, see --kl_end"),
    (("free_bits", "minimum_rate"), lambda own: own["kl_weight"] > 0,
     "its loss has no KL divergence, see --kl_weight"),
    (("prior",), lambda own: own["kl_weight"] > 0 or own["prior"] in (None, "standard_normal"),
     "a prior is learned by the KL divergence, which its loss does not have, see --kl_weight"),
    (("inner_steps",), lambda own: own["strategy"] is Lagging, "its encoder has no steps of its own"),
    (ADVERSARY, lambda own: own["strategy"] is Adversarial, "it has no discriminator, see --system aae"),
    (("length_pool",), lambda own: not own["streaming"], "a stream keeps the order of its text"),
)  # fmt: skip


def without_part(names: Iterable[str], arguments: TrainArguments) -> dict[str, str]:
    """Those of the options that change nothing in a run, each with the reason.

    Args:
        names: of options.
        arguments: of the run.

    Examples:
        >>> without_part(["kappa", "latent_size"], TrainArguments(system="vae"))
        {'kappa': 'its posterior is not von Mises-Fisher'}
    """
    system = customized_system(arguments)
    own = {"posterior": "gaussian"} | asdict(arguments) | system.fixed
    own |= {"annealing": system.annealing, "strategy": system.strategy}
    found = dict.fromkeys(system.fixed, "it has none by definition")
    for options, has_part, reason in RULES:
        if not has_part(own):
            found = dict.fromkeys(options, reason) | found
    return {name: found[name] for name in names if name in found}


def with_part(options: dict) -> dict:
    """Of the options that a run's record has, those that the run's system has a part for."""
    arguments = arguments_of_record(options)
    options = options | asdict(arguments)
    left_out = without_part(options, arguments)
    return {name: value for name, value in options.items() if name not in left_out}


def unlike_system(options: dict) -> dict:
    """Of the options of a run, those that its system's row does not have in this way.

    Examples:
        >>> unlike_system({"system": "vae", "kl_weight": 1.0, "mean_gamma": 0.5})
        {'system': 'vae', 'mean_gamma': 0.5}
    """
    row = MODEL_DEFAULTS | SYSTEMS[options["system"]].config
    return {name: value for name, value in options.items() if name not in row or value != row[name]}


def check_scope(given: Iterable[str], arguments: TrainArguments) -> None:
    """Raises ValueError where one of the options that were given changes nothing in the run."""
    for name, reason in without_part(given, arguments).items():
        raise ValueError(f"--{name} does not apply to {arguments.system}: {reason}")


def shared_part(shared: dict, own: dict) -> dict:
    """Of the options that several systems share, those that one of them has a part for.

    Args:
        shared: {option: value}.
        own: the options of the system's row, with `system`; they come first.

    Raises:
        ValueError: an option of the row itself does not apply.

    Examples:
        >>> shared_part({"kappa": 9.0, "hidden_size": 8, "kernel_bandwidth": 1.0}, {"system": "vmf-vae"})
        {'kappa': 9.0, 'hidden_size': 8}
    """
    kept: dict = {}
    for _ in range(2):  # what is kept may bring a part that the row lacks, as a gaussian kernel brings a bandwidth
        left_out = without_part(shared.keys() - own.keys(), TrainArguments(**kept | own))
        kept = {name: value for name, value in shared.items() if name not in left_out}
    check_scope(own, TrainArguments(**kept | own))
    return kept
