"""Publishing a trained model: weights, configurations, tokenizer, code and card, in one commit to the Hub."""

from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import HfApi
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from .model_card import model_card
from .model_directory import load_model, read_json, write_json


def push(directory, repository, private=False, token=None):
    """Puts a model directory on the Hub.

    Args:
        directory: what `wae-rnf train` left, with metrics.json.
        repository: `user/name`; created if there is none.
        private: for its owner's eyes alone, where it is created.
        token: of the Hub; the one that `hf auth login` stored when None.

    Returns:
        the commit's address.

    Raises:
        ValueError: no model or no metrics there, a name that the Hub does not take, or what the Hub answered.
    """
    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise ValueError(f"{repository} is no name for a repository: {error}") from error
    if repository.count("/") != 1:
        raise ValueError(f"{repository} is no name for a repository: it must have the form user/name")
    if not (Path(directory) / "metrics.json").exists():
        raise ValueError(
            f"{directory} has no metrics.json, which the model card is made of; run wae-rnf evaluate on it"
        )
    model, tokenizer = load_model(directory)
    metrics = read_json(Path(directory) / "metrics.json")
    api = HfApi(token=token)
    with TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_json(Path(folder) / "metrics.json", metrics)
        try:
            card = model_card(repository, metrics, model.config)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{directory}/metrics.json is not what wae-rnf evaluate writes: no {error}") from error
        card.save(Path(folder) / "README.md")
        try:
            api.create_repo(repository, private=private, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repository, folder_path=folder, commit_message=f"{metrics['system']} of WAE-RNF"
            )
        except Exception as error:  # the network's library changes, and its errors with it
            reason = " ".join(str(error).split())
            raise ValueError(f"the Hub did not take {repository}: {reason}") from error
    return str(commit.commit_url)
