"""What a GPU makes of trainings and samplings, and the hours that the published studies take on it.

python benchmarks/gpu.py [--json FILE] [--minutes M]

For each AU model at the sizes of workflow/studies/paper_*.yaml: images a second of a training step
and of sampling, TFLOP/s (as counted by segue.study.cost) and their share of the card's own rate in
a large product of matrices in bfloat16; whether a training that is repeated has the same bits; what
determinism costs, and what another layout, compiling and several processes on the card would gain;
the kernels that take most of the time. Last, a small study that is run twice, whose tables must be
the same. What does not fit into M minutes is left out, and said.

`--device cpu --small` runs it at tiny sizes on the CPU: a test of this script, no measurement.
"""

import argparse
import json
import math
import multiprocessing
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml
from torch.nn.utils import clip_grad_norm_

from segue.models import examples
from segue.models.checkpoint import build, flatten
from segue.models.device import be_deterministic, name_of, pick_device, use_cpu_threads
from segue.models.examples import Examples
from segue.models.noise import image_noise
from segue.models.precision import autocast
from segue.study import cost, summary
from segue.study.study import Study

ROOT = Path(__file__).parent.parent
VARIANTS: dict[str, dict[str, Any]] = {  # of a training step; the first is Segue's own
    "as it is": {},
    "not deterministic": {"deterministic": False},
    "NCHW": {"layout": torch.contiguous_format},
    "compiled": {"compiled": True},
}
GOAL = 0.4  # share of the card's rate


class Bench(NamedTuple):
    """Where and how long is measured."""

    device: torch.device
    small: bool
    end: float

    @property
    def seconds(self) -> float:
        """Time of one measurement."""
        return 0.01 if self.small else 3.0

    def late(self, what: str) -> bool:
        """Whether no time is left, which is said."""
        if over := time.monotonic() > self.end:
            print(f"left out, for lack of time: {what}", flush=True)
        return over


def main(arguments: list[str] | None = None) -> int:
    """Measure, print a line for each result, write all as JSON; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="file to write all results to")
    parser.add_argument("--minutes", type=float, default=30, help="time to take (default: 30)")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny sizes, to test this script")
    given = parser.parse_args(arguments)
    if given.device == "cuda" and not torch.cuda.is_available():
        print("benchmarks/gpu.py: there is no GPU; --device cpu --small tests the script")
        return 1
    use_cpu_threads(1)
    device = pick_device(int(given.device == "cuda"))
    bench = Bench(device, given.small, time.monotonic() + 60 * given.minutes)
    found: dict[str, Any] = {"device": name_of(device), "torch": torch.__version__}
    found["peak_tflops"] = peak(bench)
    print(f"{found['device']}: {found['peak_tflops']:.1f} TFLOP/s in products of matrices")
    names = ["smoke"] if given.small else ["paper_lidc", "paper_chaksu"]
    for name in names:
        found[name] = of_study(bench, name, found["peak_tflops"], all_of_it=name == names[0])
    found["same_study_twice"] = twice(bench)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    return 0 if found["same_study_twice"] in (True, None) else 1


def peak(bench: Bench) -> float:
    """TFLOP/s of a product of large random matrices in bfloat16."""
    n = 64 if bench.small else 8192
    a, b = (torch.randn(n, n, device=bench.device).bfloat16() for _ in range(2))
    return rate(bench, lambda: a @ b) * 2 * n**3 / 1e12


def of_study(bench: Bench, name: str, peak: float, *, all_of_it: bool) -> dict[str, Any]:
    """Rates of each AU model of a study, and the GPU-hours that follow.

    Without ``all_of_it``, or where sizes are small of all but the first model, without variants.
    """
    study = read(name)
    config = study.config
    (data,) = config.datasets.values()  # each of these has one
    size = cost.nominal(data.source, data.options)
    network = config.network.model_dump()
    found: dict[str, Any] = {}
    for model, entry in config.aleatoric.items():
        asked, variants = entry.model_dump(), all_of_it and not (bench.small and found)
        each = 1e-12 * cost.training_flops(asked, network, 1, size) / size.images["train"]
        entries: dict[str, Any] = {}
        for variant, options in VARIANTS.items():
            if (options and not variants) or bench.late(f"{name} {model}, {variant}"):
                continue
            found_step = tried(f"{model}, {variant}", timed, bench, study, model, size, **options)
            be_deterministic(bench.device.type == "cuda")
            if found_step is None:
                continue
            step, images = found_step
            share = images * each / peak
            entries[variant] = {"images_s": images, "tflops": images * each, "share": share}
            line = f"{name} {model:10} {variant:18} {images:9.1f} images/s {images * each:7.2f}"
            print(f"{line} TFLOP/s, {share:.1%} of the peak", flush=True)
            if not options:
                entries["repeats"] = repeats(bench, study, model, size)
                entries["kernels"] = kernels(bench, step) if share < GOAL else {}
        if variants:
            entries["side by side"] = beside(bench, name, model, size)
        entries["sampling_images_s"] = tried(model, sampling, bench, study, model, size)
        found[model] = entries
    found["hours"] = hours(study, size, found)
    print(f"{name}: {found['hours']}", flush=True)
    return found


def read(name: str) -> Study:
    """A study of the presets."""
    return Study.parse(
        yaml.safe_load((ROOT / f"workflow/studies/{name}.yaml").read_text()),
        yaml.safe_load((ROOT / "config.yaml").read_text()),
    )


def tried(what: str, call: Callable[..., Any], *given: Any, **options: Any) -> Any:
    """What a call returns; None where torch or its compiler fails, which is said."""
    try:
        return call(*given, **options)
    except RuntimeError as error:
        print(f"{what}: FAILED: {str(error)[:500]}", flush=True)
        return None


def timed(bench: Bench, study: Study, model: str, size: cost.Size, **options: Any) -> Any:
    """A training step of an AU model, and how many images a second it trains on."""
    step = stepper(bench, study, model, size, **options)
    return step, rate(bench, step) * study.config.training.batch


def rate(bench: Bench, call: Callable[[], Any]) -> float:
    """Calls a second, after three that are not counted."""
    for _ in range(3):
        call()
    number, taken = 1, 0.0
    while taken < bench.seconds:
        wait(bench)
        start = time.perf_counter()
        for _ in range(number):
            call()
        wait(bench)
        taken = time.perf_counter() - start
        done, number = number, 2 * number
    return done / taken


def wait(bench: Bench) -> None:
    """Let the device end what it was given."""
    if bench.device.type == "cuda":
        torch.cuda.synchronize(bench.device)


def built(bench: Bench, study: Study, model: str, size: cost.Size) -> torch.nn.Module:
    """The AU model of a study on the device."""
    entry = study.config.aleatoric[model]
    return build(
        aleatoric={"method": entry.method, "options": entry.options},
        network=study.config.network.model_dump(),
        dropout=0.0,
        channels=size.channels,
        classes=size.classes,
        seed=0,
    ).to(bench.device)


def stepper(
    bench: Bench,
    study: Study,
    name: str,
    size: cost.Size,
    *,
    deterministic: bool = True,
    layout: torch.memory_format = torch.channels_last,
    compiled: bool = False,
) -> Callable[[], torch.nn.Module]:
    """A training step as that of ``segue.models.train``, on random images; gives the model."""
    be_deterministic(deterministic and bench.device.type == "cuda")
    device, batch = bench.device, study.config.training.batch
    model = built(bench, study, name, size).train().to(memory_format=layout)
    if compiled:
        for child in model.children():
            child.compile(backend="aot_eager" if bench.small else "inductor")
    draw, n = torch.Generator().manual_seed(0), 4 * batch
    sides = (size.side, size.side)
    images = torch.randn(n, size.channels, *sides, generator=draw)
    labels = torch.randint(size.classes, (n, 4, *sides), dtype=torch.uint8, generator=draw)
    data = examples.near(Examples(images, labels, labels[..., 0, 0].numpy() >= 0), device)
    order, raters = (torch.arange(n, device=data.images.device) % k for k in (n, 4))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    weights = list(model.parameters())
    means, state = [w.detach().clone() for w in weights], {"step": 0}

    def step() -> torch.nn.Module:
        state["step"] += 1
        part = slice(state["step"] % 4 * batch, (state["step"] % 4 + 1) * batch)
        image, label = examples.batch(data, order[part], raters[part], device)
        generator = torch.Generator(device).manual_seed(state["step"])
        with autocast(device):
            loss = model.loss(image.to(memory_format=layout), label, generator, 1000)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(weights, 0.5)
        optimiser.step()
        torch._foreach_lerp_(means, weights, 0.001)
        return model

    return step


def repeats(bench: Bench, study: Study, name: str, size: cost.Size) -> bool:
    """Whether five steps from the same weights, done twice, give the same bits."""
    ends = []
    for _ in range(2):
        step = stepper(bench, study, name, size)
        ends.append(flatten([step() for _ in range(5)][-1]))
    same = torch.equal(*ends)
    print(f"  {name}: the same bits when repeated: {'yes' if same else 'NO'}", flush=True)
    return same


def kernels(bench: Bench, step: Callable[[], Any]) -> dict[str, float]:
    """Share of the device's time in a step that each of the eight longest kernels takes."""
    on_gpu = bench.device.type == "cuda"
    activity = torch.profiler.ProfilerActivity
    with torch.profiler.profile(activities=[activity.CUDA if on_gpu else activity.CPU]) as profile:
        step()
        wait(bench)
    spent = {
        each.key[:60]: each.self_device_time_total if on_gpu else each.self_cpu_time_total
        for each in profile.key_averages()
    }
    total = sum(spent.values()) or 1.0
    longest = sorted(spent, key=lambda key: -spent[key])[:8]
    for key in longest:
        print(f"  {spent[key] / total:6.1%} {key}")
    return {key: spent[key] / total for key in longest}


def beside(bench: Bench, name: str, model: str, size: cost.Size) -> dict[int, float]:
    """Images a second of one, two and four trainings at a time on the card, all together."""
    found: dict[int, float] = {}
    context = multiprocessing.get_context("spawn")
    for number in (2,) if bench.small else (1, 2, 4):
        if bench.late(f"{name} {model}, {number} side by side"):
            continue
        barrier, results = context.Barrier(number), context.Queue()
        settings = (bench, name, model, size, barrier, results)
        jobs = [context.Process(target=one_of_many, args=settings) for _ in range(number)]
        for job in jobs:
            job.start()
        rates = [results.get(timeout=300) for _ in jobs]
        for job in jobs:
            job.join()
        found[number] = sum(rates)
        print(f"{name} {model:10} {number} side by side {found[number]:9.1f} images/s", flush=True)
    return found


def one_of_many(bench: Bench, name: str, model: str, size: cost.Size, barrier, results) -> None:
    """A process of its own that trains beside others; puts images a second, NaN without memory."""
    use_cpu_threads(1)
    study = read(name)
    try:
        step = stepper(bench, study, model, size)
        step()
        barrier.wait(300)
        results.put(rate(bench, step) * study.config.training.batch)
    except (torch.OutOfMemoryError, threading.BrokenBarrierError):
        barrier.abort()
        results.put(math.nan)


def sampling(bench: Bench, study: Study, name: str, size: cost.Size) -> float:
    """Images a second, with all draws of one hypothesis, as far as the memory of the CPU."""
    config, model = study.config, built(bench, study, name, size).eval()
    batch, options = config.sampling.batch, config.aleatoric[name].sampling
    images = torch.randn(batch, size.channels, size.side, size.side).to(bench.device)

    def call() -> torch.Tensor:
        noise = image_noise(range(batch), bench.device)
        with torch.inference_mode(), autocast(bench.device):
            return model.sample(images, config.sampling.au_samples, noise, **options).half().cpu()

    images_s = rate(bench, call) * batch
    print(f"  {name}: sampling, {images_s:.1f} images/s and hypothesis", flush=True)
    return images_s


def hours(study: Study, size: cost.Size, found: dict[str, Any]) -> dict[str, float]:
    """GPU-hours of all trainings and samplings of a study at the rates found, one job at a time."""
    if not all("as it is" in each and each["sampling_images_s"] for each in found.values()):
        return {}  # some model was left out, or failed
    config, network = study.config, study.config.network.model_dump()
    training = sum(
        cost.training_flops(config.aleatoric[run.aleatoric].model_dump(), network, epochs, size)
        / found[run.aleatoric]["as it is"]["tflops"]
        / 1e12
        for run, job in study.training.items()
        for epochs in [summary.epochs(job.settings)]
    )
    drawing = sum(
        size.sampled
        * config.epistemic[cell.epistemic].hypotheses
        / found[cell.aleatoric]["sampling_images_s"]
        for cell in study.trained
    )
    return {"training": training / 3600, "sampling": drawing / 3600}


def twice(bench: Bench) -> bool | None:
    """Whether a small study has the same trainings, samples and tables when it is run again."""
    if bench.late("a study, twice"):
        return None
    config = yaml.safe_load((ROOT / "workflow/studies/smoke.yaml").read_text())
    config["resources"] = {"train": {"gpu": 1}, "sample": {"gpu": 1}}
    until = []
    if bench.small:
        images = {"train": 12, "val": 4, "id": 4}
        config["datasets"] = {"lidc_contours": None, "phantom": {"options": {"images": images}}}
        config["aleatoric"] |= dict.fromkeys(("ssn", "prob_unet", "diffusion"))
        config["epistemic"] |= dict.fromkeys(("none", "swag_diag", "swag", "ensemble"))
        config["figures"] = {"qualitative": {"cells": ["softmax-dropout"]}}
        until = ["--until", "sample"]
    found = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "study.yaml"
            file.write_text(yaml.safe_dump(config))
            command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile")]
            command += ["--directory", folder, "--configfile", str(file), "--cores", "2"]
            # Two jobs at a time, so that it is tried whether they disturb each other.
            command += ["--resources", "gpu=2", *until]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(done.stderr[-5000:])
                return False
            results = Path(folder) / "results"
            files = [*results.rglob("made.json"), *results.glob("*/tables/*.csv")]
            found.append({str(path.relative_to(results)): path.read_bytes() for path in files})
    same = found[0] == found[1]
    print(f"a study run twice, {len(found[0])} stamps and tables: {'the same' if same else 'NOT'}")
    return same


if __name__ == "__main__":
    sys.exit(main())
