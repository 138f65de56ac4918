"""Our search beside two that municipalities might take instead, in one run, on the same texts and questions.

`PEERS=ours,nlpjs` leaves one out; `DIET_EPOCHS=30` trains DIET shorter than its default of 100."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.peers import data
from bench.peers.peer import Asked, Peer, thresholds
from bench.report import Report, milliseconds, quantile
from bot.ports import Thresholds
from bot.settings import ROOT
from knowledge.evaluate import Judged, report
from knowledge.evaluate.report import Share, share
from tests import processes
from tests.services import Missing

HERE = Path(__file__).parent
FIGURES = Path(os.environ.get("STATE_DIR") or ROOT / "var") / "bench" / "peers.json"
_WARM = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """What one of them reached on the evaluation."""

    name: str
    first: Share
    """The right article is the best, whatever its score: of the questions that an article answers."""
    three: Share
    """The right article is among the best three."""
    right_first: Share
    """The right article is given, or the first choice: by the thresholds."""
    right_offered: Share
    wrong: Share
    """Of all questions."""
    outside_refused: Share
    thresholds: Thresholds
    p50: float
    p95: float
    memory: int
    training: float


async def measure(directory: Path) -> Report:
    """Train, choose thresholds, ask: each in turn. The figures go to var/bench/peers.json too."""
    table = Report("Peers, on the same phrasings and questions", "make bench ARGS=peers")
    measured: list[Measured] = []
    peers = {"ours": _ours, "nlpjs": _nlpjs, "diet": _diet}
    wanted = os.environ.get("PEERS", ",".join(peers)).split(",")
    if unknown := set(wanted) - set(peers):
        raise SystemExit(f"PEERS: no such peer: {', '.join(sorted(unknown))}; there are {', '.join(peers)}")
    for name in wanted:
        make = peers[name]
        try:
            with make(directory) as peer:
                print(f"measuring: peers: {peer.name} ...", file=sys.stderr, flush=True)
                measured.append(_measure(peer))
            _keep(measured)
        except Missing as missing:
            table.add(name, "not measured", str(missing))
    for one in measured:
        _add(table, one)
    _add_ratio(table, measured)
    return table


def _add_ratio(table: Report, measured: Sequence[Measured]) -> None:
    errors = {one.name: one.right_first.of - one.right_first.count for one in measured}
    ours = errors.pop("ours", None)
    if ours is not None and errors:
        best = min(errors, key=lambda name: errors[name])
        ratio = ours / max(1, errors[best])
        table.add("not right first: ours / best peer's", f"{ratio:.2f}", f"{best}; aim: at most 0.50")


def _keep(measured: Sequence[Measured]) -> None:
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    rows = {"questions": data.QUESTIONS.name, "measured": [asdict(one) for one in measured]}
    FIGURES.write_text(json.dumps(rows, indent=2), "utf-8")


def _measure(peer: Peer) -> Measured:
    seconds, limits = peer.train(data.training())
    own = limits is not None
    limits = limits or thresholds(peer.ask(data.tuning()))
    peer.ask(data.tuning()[:_WARM])
    asked = peer.ask(data.evaluation())
    judged = [one.judged_as_ours(limits) if own else one.judged(limits) for one in asked]
    return _measured(peer.name, asked, judged, limits, peer.memory(), seconds)


def _measured(
    name: str,
    asked: Sequence[Asked],
    judged: Sequence[Judged],
    limits: Thresholds,
    memory: int,
    training: float,
) -> Measured:
    inside = [one for one in asked if one.case.slugs]
    found = report(judged, {})
    seconds = [one.seconds for one in asked]
    return Measured(
        name=name,
        first=share(one.among(1) for one in inside),
        three=share(one.among(3) for one in inside),
        right_first=found.right_first,
        right_offered=found.right_offered,
        wrong=found.wrong_answers,
        outside_refused=found.outside_refused,
        thresholds=limits,
        p50=quantile(seconds, 0.5),
        p95=quantile(seconds, 0.95),
        memory=memory,
        training=training,
    )


def _add(table: Report, one: Measured) -> None:
    rows = {
        "best article right": (one.first, f"among the best three {one.three.value:.1%}"),
        "right first, by thresholds": (
            one.right_first,
            f"or among the choices {one.right_offered.value:.1%}",
        ),
        "wrong answer given": (one.wrong, f"from {one.thresholds.answer:.2f} up an answer"),
        "outside refused": (one.outside_refused, f"below {one.thresholds.clarify:.2f} refused"),
    }
    for name, (part, note) in rows.items():
        low, high = part.interval
        table.add(f"{one.name}: {name}", f"{part.value:.1%}", f"{low:.1%} - {high:.1%} of {part.of}; {note}")
    table.add(f"{one.name}: one question", milliseconds(one.p50), f"p95 {milliseconds(one.p95)}")
    table.add(f"{one.name}: memory", f"{one.memory / 2**20:.0f} MB RSS")
    table.add(f"{one.name}: training", f"{one.training:.1f} s")


def _environment(**more: str) -> dict[str, str]:
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "QUESTIONS", "DIET_EPOCHS")
    return {name: os.environ[name] for name in kept if name in os.environ} | more


def _ours(directory: Path) -> Peer:
    command = [sys.executable, "-m", "bench.peers.ours"]
    return Peer("ours", command, ROOT, _environment(PYTHONPATH=str(ROOT)), directory / "ours.log")


def _diet(directory: Path) -> Peer:
    quiet = {
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    }
    command = [str(processes.engine_python()), str(HERE / "diet.py")]
    return Peer("Rasa DIET", command, directory, _environment(**quiet), directory / "diet.log")


def _nlpjs(directory: Path) -> Peer:
    """Installs what its lock file names. Raises `Missing` where that is not possible."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Missing("no Node.js: install the packages nodejs and npm")
    home = directory / "nlpjs"
    shutil.copytree(HERE / "nlpjs", home)
    install = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(install, cwd=home, capture_output=True, text=True)
    if done.returncode:
        raise Missing(f"npm can't install NLP.js: {done.stderr[-300:]}")
    return Peer("NLP.js", [node, "serve.mjs"], home, _environment(), directory / "nlpjs.log")
