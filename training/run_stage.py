"""One stage of a run: a model of the options, with what it is given, trained."""

from collections.abc import Callable
from typing import Any

from accelerate.utils import set_seed

from modeling_wae_rnf import WaeRnfModel

from .model_options import model_config
from .run_context import RunContext
from .run_plan import PlannedStage
from .stage import Stage


def copy_encoder(source: WaeRnfModel, model: WaeRnfModel) -> None:
    """Gives a model another's way from tokens to posterior; its flow and its decoder stay as they are."""
    for part in ("embedding", "encoder", "posterior_head"):
        getattr(model, part).load_state_dict(getattr(source, part).state_dict())


def run_stage(
    context: RunContext, planned: PlannedStage, prepare: Callable[[WaeRnfModel], object] = lambda model: None
) -> dict[str, Any]:
    """Trains a stage into its directory; returns {steps, best_validation_loss, seconds, history}.

    Args:
        context: [`RunContext`].
        planned: [`PlannedStage`].
        prepare: called with the new model; copies into it what it does not begin with by chance.
    """
    set_seed(planned.arguments.seed)  # a stage does not depend on what ran before it
    model = WaeRnfModel(model_config(planned.arguments, planned.system, len(context.tokenizer)))
    prepare(model)
    return Stage(context, planned, model).run()
