"""Publishing a trained model: weights, configurations, tokenizer, code and card, in one commit to the Hub."""

from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import HfApi
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from wae_rnf.evaluation.json_files import write_json
from wae_rnf.evaluation.metrics import METRICS_FILE
from wae_rnf.evaluation.metrics_files import read_metrics
from wae_rnf.evaluation.model_directory import digest_of_weights, load_model

from .model_card import model_card


def push(directory: str | Path, repository: str, private: bool = False, token: str | None = None) -> str:
    """Puts a model directory on the Hub.

    Args:
        directory: what `wae-rnf train` left, with metrics.json.
        repository: `user/name`; created if there is none.
        private: for its owner's eyes alone, where it is created.
        token: of the Hub; the one that `hf auth login` stored when None.

    Returns:
        the commit's address.

    Raises:
        ValueError: no model or no metrics of it there, a name that the Hub does not take, or what the Hub answered.
    """
    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise ValueError(f"{repository} is no name for a repository: {error}") from error
    if repository.count("/") != 1:
        raise ValueError(f"{repository} is no name for a repository: it must have the form user/name")
    path = Path(directory, METRICS_FILE)
    if not path.exists():
        raise ValueError(
            f"{directory} has no metrics.json, which the model card is made of; run wae-rnf evaluate on it"
        )
    metrics = read_metrics(path)
    model, tokenizer = load_model(directory)
    if metrics.get("weights", digest_of_weights(model)) != digest_of_weights(model):
        raise ValueError(f"{path} was measured on other weights than those of {directory}; run wae-rnf evaluate on it")
    api = HfApi(token=token)
    with TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_json(Path(folder, METRICS_FILE), metrics)
        model_card(repository, metrics, model.config).save(Path(folder, "README.md"))
        try:
            api.create_repo(repository, private=private, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repository, folder_path=folder, commit_message=f"{metrics['system']} of WAE-RNF"
            )
        except Exception as error:  # the network's library changes, and its errors with it
            reason = " ".join(str(error).split())
            raise ValueError(f"the Hub did not take {repository}: {reason}") from error
    return str(commit.commit_url)
