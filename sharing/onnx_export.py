"""The model for other runtimes: its parts in a form that `torch.export` and ONNX take.

What the model does for speed hangs on the data: packed sentences, stretches of time. The parts here share its weights,
take whole padded batches, and give the same.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from torch import nn
from torch._higher_order_ops.scan import scan  # the one loop over a length that is not known yet which both accept

from modeling_wae_rnf import WaeRnfModel
from modeling_wae_rnf.decoder_lstm import LSTMDecoder
from modeling_wae_rnf.encoder_lstm import LSTMEncoder
from modeling_wae_rnf.plain_module import is_plain

EXAMPLE = {"batch": 2, "length": 3}  # of the inputs to trace with; any other batch and length will do later


class EncoderForExport(nn.Module):
    """Token ids and their mask -> the posterior's mean and standard deviation; on the sphere the mean direction alone.

    Padding, on either side, leaves the state as it is, and so does the mark that `encoder_input` leaves out.

    Args:
        model: a [`WaeRnfModel`] with latents, in evaluation mode.

    Examples:
        >>> from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
        >>> model = WaeRnfModel(WaeRnfConfig(vocab_size=20, embedding_size=8, hidden_size=8, latent_size=4)).eval()
        >>> input_ids = torch.tensor([[1, 5, 6, 2], [1, 7, 2, 0]])
        >>> mean, stddev = EncoderForExport(model)(input_ids, input_ids.ne(0).long())
        >>> torch.allclose(mean, model.encode(input_ids).mean, atol=1e-6)
        True
    """

    def __init__(self, model: WaeRnfModel) -> None:
        super().__init__()
        encoder = model.encoder
        if not isinstance(encoder, LSTMEncoder):
            raise ValueError(f"only models with an LSTM encoder can be exported, not with a {type(encoder).__name__}")
        if model.inference.refinement_steps:
            raise ValueError("a posterior that is refined on each sentence cannot be exported: it takes gradients")
        self.bos_token_id, self.with_cell = model.config.bos_token_id, encoder.with_cell
        self.reads_bos = model.config.encoder_input == "bos"
        self.embedding, self.lstm, self.posterior_head = model.embedding, encoder.lstm, model.posterior_head
        self.train(model.training)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(batch, length) twice -> (batch, latent_size), once or twice."""
        embeddings, mask = self.embedding(input_ids).detach(), attention_mask.bool()
        read = mask & input_ids.ne(self.bos_token_id)
        if self.reads_bos:  # first, whether it stands there or not; and the last token never
            read = read & (mask.flip(1).cumsum(1).flip(1) > 1)
            begin = torch.where(mask.any(1), self.bos_token_id, input_ids[:, 0])
            start = self.embedding(begin).detach()
        else:  # as in `encode`, a row without words is read as one token
            second = torch.arange(read.shape[1], device=read.device) == 1
            read, start = read | (second & ~read.any(dim=1, keepdim=True)), None
        hidden, cell = self._last_state(embeddings, read, start)
        posterior = self.posterior_head(torch.cat([hidden, cell], dim=-1) if self.with_cell else hidden)
        return (posterior.mean, posterior.stddev) if hasattr(posterior, "stddev") else (posterior.mean,)

    def _last_state(
        self, embeddings: torch.Tensor, read: torch.Tensor, first: torch.Tensor | None = None
    ) -> Sequence[torch.Tensor]:
        """h and c after the last token that is read, each (batch, hidden_size).

        Args:
            embeddings: (batch, length, embedding_size), and read: (batch, length), true for those that are read.
            first: (batch, embedding_size), read before all of them.
        """
        weights = [weight.detach() for weight in self.lstm.all_weights[0]]  # the loop has no gradient of its own

        def step(
            state: list[torch.Tensor], inputs: tuple[torch.Tensor, torch.Tensor]
        ) -> tuple[list[torch.Tensor], torch.Tensor]:
            embedding, kept = inputs
            after = torch.lstm_cell(embedding, state, *weights)
            state = [torch.where(kept, new, old) for new, old in zip(after, state, strict=True)]
            return state, kept.clone()  # something has to come out at each step

        start = [embeddings.new_zeros(embeddings.shape[0], self.lstm.hidden_size) for _ in range(2)]
        if first is not None:
            start = list(torch.lstm_cell(first, start, *weights))
        return scan(step, start, (embeddings, read.unsqueeze(-1)), dim=1)[0]


def lstm_decoder(model: WaeRnfModel) -> LSTMDecoder:
    """The decoder of a model, which is an LSTM; raises ValueError for another one."""
    if not isinstance(model.decoder, LSTMDecoder):
        raise ValueError(
            f"only models with an LSTM decoder can be exported, not with a {type(model.decoder).__name__}"
        )
    return model.decoder


class DecoderStartForExport(nn.Module):
    """Latents z in the base space, (batch, latent_size) -> the first state h and c, (batch, hidden_size) each.

    Args:
        model: a [`WaeRnfModel`]; of a language model the latents have size 0.
    """

    def __init__(self, model: WaeRnfModel) -> None:
        super().__init__()
        self.flow, self.decoder = model.flow, lstm_decoder(model)
        self.train(model.training)

    def forward(self, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden, cell = self.decoder.start(self.flow(latents)[0])
        return hidden, cell


class DecoderStepForExport(nn.Module):
    """One word further: token ids (batch,), latents z in the base space, h and c -> logits of the next word, h and c.

    Args:
        model: a [`WaeRnfModel`].

    Examples:
        >>> from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
        >>> model = WaeRnfModel(WaeRnfConfig(vocab_size=20, embedding_size=8, hidden_size=8, latent_size=4)).eval()
        >>> latents = torch.zeros(2, 4)
        >>> state = DecoderStartForExport(model)(latents)
        >>> logits, *state = DecoderStepForExport(model)(torch.tensor([1, 1]), latents, *state)
        >>> logits.shape
        torch.Size([2, 20])
    """

    def __init__(self, model: WaeRnfModel) -> None:
        super().__init__()
        self.embedding, self.flow, self.decoder = model.embedding, model.flow, lstm_decoder(model)
        self.train(model.training)

    def forward(
        self, token: torch.Tensor, latents: torch.Tensor, hidden: torch.Tensor, cell: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        output, (hidden, cell) = self.decoder.step(self.embedding(token), self.flow(latents)[0], (hidden, cell))
        return self.decoder.logits(output), hidden, cell


def parts(model: WaeRnfModel) -> dict[str, tuple[nn.Module, dict[str, torch.Tensor]]]:
    """The modules of an export by name, each with an example of its inputs; a language model has no encoder."""
    config, device, dtype = model.config, model.device, model.dtype
    ids = torch.zeros(tuple(EXAMPLE.values()), dtype=torch.long, device=device)
    latents, hidden = (
        torch.zeros(len(ids), size, device=device, dtype=dtype) for size in (config.latent_size, config.hidden_size)
    )
    found = {
        "decoder_start": (DecoderStartForExport(model), {"latents": latents}),
        "decoder_step": (
            DecoderStepForExport(model),
            {"token": ids[:, 0], "latents": latents, "hidden": hidden, "cell": hidden.clone()},
        ),
    }
    if config.latent_size:
        found["encoder"] = EncoderForExport(model), {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    return found


OUTPUTS = {
    "encoder": ("mean", "stddev"),
    "decoder_start": ("hidden", "cell"),
    "decoder_step": ("logits", "next_hidden", "next_cell"),
}


def export_programs(model: WaeRnfModel, strict: bool = False) -> dict[str, torch.export.ExportedProgram]:
    """The parts as `torch.export` gives them, for any batch size and length.

    Args:
        model: a [`WaeRnfModel`] in evaluation mode.
        strict: as for `torch.export.export`.

    Returns:
        programs "decoder_start", "decoder_step" and, but for a language model, "encoder".

    Raises:
        ValueError: a model in training mode, whose dropout and batch statistics would be exported, one of other parts
            than LSTMs or with topics, or one whose LSTMs are more than their weights (adapters, hooks, quantization).

    Examples:
        >>> from modeling_wae_rnf import WaeRnfConfig, WaeRnfModel
        >>> sizes = {"vocab_size": 20, "embedding_size": 8, "hidden_size": 8}
        >>> language_model = WaeRnfConfig(**sizes, latent_size=0, num_flows=0, flow_kernel=None, mmd_weight=0)
        >>> sorted(export_programs(WaeRnfModel(language_model).eval()))
        ['decoder_start', 'decoder_step']
    """
    if model.training:
        raise ValueError("a model in training mode cannot be exported; call model.eval() first")
    if model.prior.space == "simplex":
        raise ValueError("a model with topics cannot be exported: there is no Dirichlet distribution in ONNX")
    found = parts(model)
    if not all(is_plain(module) for module in model.modules() if isinstance(module, nn.LSTM)):
        raise ValueError("an LSTM with adapters, hooks or quantized weights cannot be exported; merge or remove them")
    return {
        name: torch.export.export(module, (), inputs, dynamic_shapes=axes(inputs), strict=strict)
        for name, (module, inputs) in found.items()
    }


def axes(names: Iterable[str]) -> dict[str, dict[int, torch.export.Dim]]:
    """The axes of inputs that take any size, as `torch.export` wants them; by the inputs' names."""
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
    return {name: {0: batch, 1: length} if name in ("input_ids", "attention_mask") else {0: batch} for name in names}


def export_onnx(model: WaeRnfModel, folder: str | Path) -> list[str]:
    """Writes encoder.onnx, decoder_start.onnx and decoder_step.onnx; needs onnx and onnxscript.

    Each takes any batch size and length. Inputs have the names of the parts' arguments, outputs those of `OUTPUTS`.

    Args:
        model: a [`WaeRnfModel`] on the CPU, in single precision and evaluation mode.
        folder: one that exists.

    Returns:
        the files' names.

    Raises:
        ValueError: a model elsewhere, in another precision, or one that `export_programs` refuses.
    """
    if model.dtype != torch.float32 or model.device.type != "cpu":
        where = f"{model.dtype} on {model.device}"
        raise ValueError(f"a model in {where} cannot be exported to ONNX; call model.float().cpu() first")
    programs = export_programs(model)
    for name, program in programs.items():
        write_onnx(program, OUTPUTS[name], f"{folder}/{name}.onnx")
    return [f"{name}.onnx" for name in programs]


def write_onnx(program: torch.export.ExportedProgram, outputs: Sequence[str], path: str) -> None:
    """One of `export_programs` as an ONNX file, with its outputs' names."""
    inputs, found = program.graph_signature.user_inputs, program.graph_signature.user_outputs
    onnx = torch.onnx.export(
        program, dynamo=True, dynamic_shapes=axes(inputs), output_names=outputs[: len(found)], verbose=False
    )
    assert onnx is not None  # it is a program, as dynamo says
    for node in onnx.model.graph.all_nodes():
        node.metadata_props.clear()  # traces of the code, with the paths of the machine it ran on
    onnx.save(path, external_data=False)
