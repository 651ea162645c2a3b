"""The model's parts in torch.export and ONNX give what the model gives, at other sizes than they were traced with."""

import json
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from modeling_wae_rnf import GaussianPosterior, VonMisesFisherPosterior, WaeRnfConfig, WaeRnfModel
from modeling_wae_rnf.decoder import Decoder
from modeling_wae_rnf.encoder import Encoder
from wae_rnf.commands import export
from wae_rnf.commands.main import main
from wae_rnf.evaluation.model_directory import load_model
from wae_rnf.sharing import export_directory
from wae_rnf.sharing.onnx_export import OUTPUTS, export_onnx, export_programs, write_onnx

MODELS = Path(__file__).parent / "golden" / "models"
NO_FLOW = {"num_flows": 0, "flow_kernel": None, "mmd_weight": 0.0}
ARCHITECTURES = {
    "gaussian": {},
    "linear head": {"posterior_head": "linear", "latents_at_every_step": True, "batch_norm": False},
    "vmf": {"posterior": "vmf", "posterior_head": "linear"} | NO_FLOW,
    "authors": {"posterior_head": "linear", "encoder_input": "bos", "flow_init": "normal", "batch_norm_eps": 1e-5},
    "language model": {"latent_size": 0} | NO_FLOW,
}
SHAPES = ((1, 2), (4, 7), (33, 19))
PARTS = [
    (name, part)
    for name in ARCHITECTURES
    for part in ("encoder", "decoder_start", "decoder_step")
    if (name, part) != ("language model", "encoder")
]


@cache
def exported(name):
    """A model of an architecture, nothing in it at its start, and its programs."""
    torch.manual_seed(0)
    sizes = {"vocab_size": 13, "embedding_size": 6, "hidden_size": 8, "latent_size": 4, "num_centres": 3}
    model = WaeRnfModel(WaeRnfConfig(**(sizes | ARCHITECTURES[name]))).eval().requires_grad_(False)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.01, 0.1)
    return model, export_programs(model)


def sentences(batch, length, left=False):
    """Sentences of 0 to length - 2 words, one of them as long as that, padded."""
    generator = torch.Generator().manual_seed(batch * length)
    ids = torch.randint(4, 13, (batch, length), generator=generator)
    lengths = torch.randint(2, length + 1, (batch,), generator=generator)
    lengths[0] = length
    rows = torch.zeros_like(ids)
    for row, size in enumerate(lengths.tolist()):
        sentence = torch.cat([torch.tensor([1]), ids[row, : size - 2], torch.tensor([2])])
        rows[row, length - size if left else 0 :][:size] = sentence
    return {"input_ids": rows, "attention_mask": rows.ne(0).long()}


@torch.no_grad()
def cases(model, part, shape):
    """Inputs of a part by name, and the outputs that the model itself has for them."""
    batch = sentences(*shape)
    if part == "encoder":
        posterior = model.encode(**batch)
        expected = [posterior.mean] if model.config.posterior == "vmf" else [posterior.mean, posterior.stddev]
        return batch, expected
    latents = torch.randn(shape[0], model.config.latent_size, generator=torch.Generator().manual_seed(1))
    before = model(batch["input_ids"][:, :1], latents=latents, use_cache=True)
    if part == "decoder_start":  # where the model itself begins
        return {"latents": latents}, list(model.decoder.start(model.push(latents)[0]))
    hidden, cell = before.past_key_values.state
    token = batch["input_ids"][:, 1]
    inputs = {"token": token, "latents": latents, "hidden": hidden, "cell": cell}
    after = model(token[:, None], torch.ones(shape[0], 2), latents=latents, past_key_values=before.past_key_values)
    return inputs, [after.logits[:, 0], *after.past_key_values.state]


def assert_all_close(found, expected, tolerance=1e-5):
    for values, others in zip(found, expected, strict=True):
        torch.testing.assert_close(torch.as_tensor(values), others, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_programs_give_what_the_model_gives(name, part):
    model, programs = exported(name)
    for shape in SHAPES:
        inputs, expected = cases(model, part, shape)
        assert_all_close(programs[part].module()(**inputs), expected)


def test_a_model_without_an_end_of_sentence(tiny_model):
    """Its sentences end at their limit alone; no program is traced with that token."""
    model = tiny_model(eos_token_id=None).eval()
    start = export_programs(model)["decoder_start"].module()
    latents = torch.randn(3, 4)
    assert_all_close(start(latents=latents), model.decoder.start(model.push(latents)[0]))


def test_a_language_model_has_no_encoder():
    assert set(exported("language model")[1]) == {"decoder_start", "decoder_step"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_strict_export_gives_the_same(name):
    model, _ = exported(name)
    for part, program in export_programs(model, strict=True).items():
        inputs, expected = cases(model, part, (5, 9))
        assert_all_close(program.module()(**inputs), expected)


@pytest.mark.parametrize("name", ["gaussian", "linear head"])
def test_the_encoder_reads_padding_on_the_left_and_rows_without_words(name):
    model, programs = exported(name)
    encoder = programs["encoder"].module()
    assert_all_close(encoder(**sentences(6, 9, left=True)), encoder(**sentences(6, 9)))
    empty = {"input_ids": torch.tensor([[0, 0, 0], [1, 0, 0], [1, 2, 0]])}
    empty["attention_mask"] = empty["input_ids"].ne(0).long()
    assert_all_close(encoder(**empty)[:1], [model.encode(**empty).mean])


def test_what_cannot_be_exported_is_refused(tiny_model, tmp_path):
    with pytest.raises(ValueError, match=r"training mode cannot be exported; call model.eval\(\)"):
        export_programs(tiny_model().train())
    for part, kind in {"encoder": Encoder, "decoder": Decoder}.items():
        other = tiny_model().eval()
        setattr(other, part, kind())
        with pytest.raises(
            ValueError, match=f"only models with an LSTM {part} can be exported, not with a {kind.__name__}"
        ):
            export_programs(other)
    hooked = tiny_model().eval()
    hooked.encoder.lstm.register_forward_hook(lambda module, inputs, output: None)
    with pytest.raises(ValueError, match="an LSTM with adapters, hooks or quantized weights cannot be exported"):
        export_programs(hooked)
    for moved in (tiny_model().eval().bfloat16(), tiny_model().eval().to("meta")):
        with pytest.raises(ValueError, match=r"cannot be exported to ONNX; call model.float\(\).cpu\(\) first"):
            export_onnx(moved, tmp_path)


def test_the_decoder_step_takes_the_cell_of_its_lstm():
    """Not the LSTM over a length of one, which a change of `is_plain` brought about."""
    targets = [str(node.target) for node in exported("gaussian")[1]["decoder_step"].graph.nodes]
    assert "aten.lstm.input" not in targets


def assert_onnx_gives_what_the_model_gives(path, model, part):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == list(OUTPUTS[part])[: len(session.get_outputs())]
    for shape in SHAPES:
        inputs, expected = cases(model, part, shape)
        assert_all_close(session.run(None, {name: value.numpy() for name, value in inputs.items()}), expected, 1e-4)


def test_onnx_of_the_linear_head_gives_what_the_model_gives(tmp_path):
    """The mlp head and the decoder are in `exported_directory`."""
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    model, programs = exported("linear head")
    with export_directory.quiet():
        write_onnx(programs["encoder"], OUTPUTS["encoder"], tmp_path / "encoder.onnx")
    assert_onnx_gives_what_the_model_gives(tmp_path / "encoder.onnx", model, "encoder")


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ARCHITECTURES, *sorted(path.name for path in MODELS.iterdir())])
def test_every_architecture_and_system_in_onnx(name, tmp_path):
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    model = exported(name)[0] if name in ARCHITECTURES else load_model(MODELS / name)[0]
    with export_directory.quiet():
        files = export_onnx(model, tmp_path)
    assert len(files) == (3 if model.config.latent_size else 2)
    for name in files:
        assert_onnx_gives_what_the_model_gives(tmp_path / name, model, name.removesuffix(".onnx"))


def test_the_command_writes_all_that_a_runtime_needs(exported_directory):
    model, _ = load_model(MODELS / "wae-rnf")
    onnx = {path.stem for path in exported_directory.glob("*.onnx")}
    assert onnx == {"encoder", "decoder_start", "decoder_step"}
    assert {path.name for path in exported_directory.iterdir()} - {f"{name}.onnx" for name in onnx} == {
        "tokenizer.json", "model.json"
    }  # fmt: skip
    for part in onnx:
        assert_onnx_gives_what_the_model_gives(exported_directory / f"{part}.onnx", model, part)
        assert b".py" not in (exported_directory / f"{part}.onnx").read_bytes(), "no traces of the machine's files"
    described = json.loads((exported_directory / "model.json").read_text())
    sizes = {name: described[name] for name in ("vocab_size", "latent_size", "hidden_size", "eos_token_id")}
    assert sizes == {"vocab_size": 30, "latent_size": 4, "hidden_size": 12, "eos_token_id": 2}
    assert described["suppress_tokens"] == [0, 1]
    assert main(["export", str(MODELS / "vae"), str(exported_directory)]) == 2
    assert len(list(exported_directory.iterdir())) == 5


def test_the_command_makes_half_precision_single(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(export_directory, "export_onnx", lambda model, folder: seen.append(model.dtype) or [])
    monkeypatch.setattr(export, "find_spec", lambda name: SimpleNamespace(name=name))
    model, tokenizer = load_model(MODELS / "vae")
    model.bfloat16().save_pretrained(tmp_path / "half")
    tokenizer.save_pretrained(tmp_path / "half")
    assert load_model(tmp_path / "half")[0].dtype == torch.bfloat16
    assert main(["export", str(tmp_path / "half"), str(tmp_path / "onnx")]) == 0
    assert seen == [torch.float32]


def test_the_command_refuses_with_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(export, "find_spec", lambda name: SimpleNamespace(name=name))
    (tmp_path / "file").write_text("mine")
    refused = {
        (str(MODELS / "vae"), str(tmp_path)): f"{tmp_path} exists; name a new or empty folder",
        (str(MODELS / "vae"), str(tmp_path / "file")): f"{tmp_path}/file exists; name a new or empty folder",
        (str(tmp_path / "none"), str(tmp_path / "new")): "none is not a model directory",
    }
    for arguments, message in refused.items():
        assert main(["export", *arguments]) == 2
        assert message in capsys.readouterr().err
    monkeypatch.setattr(export, "find_spec", lambda name: None)
    assert main(["export", str(MODELS / "vae"), str(tmp_path / "new")]) == 2
    assert "export needs onnx and onnxscript: pip install wae-rnf[onnx]" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


DRAWS = {
    "gaussian": lambda model, mean: GaussianPosterior(mean, mean.exp()).rsample(),
    "vmf": lambda model, mean: VonMisesFisherPosterior(mean, 5.0).rsample(),
    "mmd": lambda model, mean: model._mmd(mean, 1.0, None),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
def test_a_compiled_draw_takes_any_batch(draw, tiny_model):
    draw = partial(draw, tiny_model())
    compiled = torch.compile(draw, backend="eager", dynamic=True)
    for batch in (3, 5):
        mean = torch.nn.functional.normalize(torch.ones(batch, 4), dim=-1)
        torch.manual_seed(0)
        expected = draw(mean)
        torch.manual_seed(0)
        torch.testing.assert_close(compiled(mean), expected)


COMPILED = [("eager", name, True) for name in ARCHITECTURES]
COMPILED += [("eager", "gaussian", False), ("aot_eager", "gaussian", True)]


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "name", "training"), COMPILED)
def test_a_compiled_forward_gives_the_same_loss_and_gradients(backend, name, training):
    torch.compiler.reset()
    config = exported(name)[0].config
    torch.manual_seed(0)
    models = [WaeRnfModel(config).train(training) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    calls = models[0], torch.compile(models[1], backend=backend)
    for shape in SHAPES[1:]:
        found = []
        for model, call in zip(models, calls, strict=True):
            model.zero_grad()
            torch.manual_seed(1)
            loss = call(**sentences(*shape)).loss
            loss.backward()
            found.append([loss, *(parameter.grad for parameter in model.parameters() if parameter.grad is not None)])
        assert_all_close(found[1], found[0])
