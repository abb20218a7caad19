"""CPU time of one certificate, against reportlab with pypdf, and against copying the template.

``python -m tests.benchmarks.bench_rendering SCRIPT`` prints where the time goes for one script.
"""

import cProfile
import gc
import hashlib
import multiprocessing
import pstats
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from statistics import median
from typing import Final
from uuid import UUID

import uharfbuzz as hb
from fpdf import FPDF
from PIL import Image

from examples.demo_sources.make_template import MM, NAVY, certificate
from testamur.adapters.pdf import PdfOptions, PdfRenderer, PreparedPdf
from testamur.application.ports.rendering import Document
from testamur.domain.identifiers import CredentialId, VerificationId
from tests.benchmarks.measuring import peak_memory_mib, report
from tests.benchmarks.rendering_peers import OverlayAndMerge
from tests.support.pdf import FONTS, MemoryAssets, font_file, text_of

ROUNDS: Final = 15
OURS_A_ROUND: Final = 30
PEERS_A_ROUND: Final = 3
COMPILATIONS: Final = 3
FLOORS_A_ROUND: Final = 100

#: Certificates of each process where two work at once.
AT_ONCE: Final = 3_000

TEMPLATE_BYTES: Final = 275_000
PAGE: Final = (297 * MM, 210 * MM)
CONTEXT: Final = "Introduction to Analytical Engines"
DAY: Final = date(2026, 3, 12)
PROFILED: Final = 1_000
TOP_FUNCTIONS: Final = 30

Draw = Callable[[Document], object]

Peer = tuple[bool, bool]
"""Whether its files are encrypted, and whether it reads font and template once."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script to write names in.

    Args:
        language: Of the documents.
        syllables: What its words are made of: each is one of each string's characters.
        words: Numbers of syllables of a name's words.
    """

    language: str
    syllables: Sequence[str]
    words: Sequence[int] = (3, 4)


HAN: Final = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
    "明华建国文志伟芳秀英敏静丽强磊洋艳勇军杰娟涛超霞平刚桂"
)
KANJI: Final = (
    "佐藤鈴木高橋田中伊渡辺山本村小林加吉井松清水口崎石川前後池阿部森岡長谷近坂遠青"
    "太郎花子一美健直人恵"
)

SCRIPTS: Final[Mapping[str, Script]] = {
    "Latin": Script("pl", ("BCDFGŁMNPRSTWZŻŹĆbcdfgłmnprstwzżźćńš", "aeiouyąęóéáöüø")),
    "Greek": Script("el", ("βγδζθκλμνξπρστφχψ", "αεηιουωάέήίόύώ")),
    "Cyrillic": Script("ru", ("бвгджзклмнпрстфхцчшщ", "аеёиоуыэюя")),
    "Arabic": Script("ar", ("بتثجحخدرزسشصضطعغفقكلمنهوي", "اويبمنل"), (2, 3)),
    "Hebrew": Script("he", ("אבגדהוזחטיכלמנסעפצקרשת", "אויהלמנ"), (2, 3)),
    "Devanagari": Script("hi", ("कखगघचछजटठडणतथदधनपफबभमयरलवशषसह", "ािीुूेैोौंर"), (2, 3)),
    "Thai": Script("th", ("กขคงจชญดตถทนบปผพมยรลวสห", "าิีึืุูั", "กงนมยวรล"), (2, 2)),
    "Chinese": Script("zh", (HAN,), (3,)),
    "Japanese": Script("ja", (KANJI,), (2, 2)),
    "Korean": Script("ko", ("".join(map(chr, range(0xAC00, 0xD7A4, 7))),), (3,)),
}


def main() -> None:
    """Measure and report."""
    designed, font = template(), static_font("noto-sans")
    compiling = [_compile(designed, font) for _ in range(COMPILATIONS)]
    renderer = prepared(designed, font)
    sizes = {name: len(renderer.render(next(documents(name))).content) for name in SCRIPTS}
    peers = {
        (encrypted, reading_once): _peer(
            OverlayAndMerge(designed, font, PAGE, reading_once=reading_once), encrypted
        )
        for encrypted in (True, False)
        for reading_once in (True, False)
    }
    floor, theirs, ours = _measured(designed, peers, renderer)

    report("floor: copy the template and hash it", f"{floor:.3f} ms")
    print("reportlab and pypdf, CPU time of a certificate; they cannot shape any but Latin names:")
    for (encrypted, reading_once), milliseconds in theirs.items():
        what = "AES-256" if encrypted else "not encrypted"
        how = "once" if reading_once else "for each"
        report(f"  {what}; font and template read {how}", f"{milliseconds:.2f} ms")
    print("ours, and how many times that are their figures above, in the same order:")
    for name, milliseconds in ours.items():
        ratios = " ".join(f"{their / milliseconds:4.0f}" for their in theirs.values())
        floors = f"{milliseconds / floor:.2f} floors, {sizes[name] - len(designed):,} bytes more"
        report(f"  {name}", f"{milliseconds:.3f} ms", ratio=f"{ratios}   {floors}")
    report("template", f"{len(designed):,} bytes")
    report("prepare", f"{median(prepare for prepare, _ in compiling):.0f} ms")
    report("first document of a language", f"{median(first for _, first in compiling):.0f} ms")
    _report_two_processes(designed, font)


def profile(script: str) -> None:
    """Print the functions that take the most time for certificates in a script."""
    renderer = prepared(template(), static_font("noto-sans"))
    wanted = documents(script)
    renderer.render(next(wanted))
    profiled = list(islice(wanted, PROFILED))
    profiler = cProfile.Profile()
    profiler.enable()
    for document in profiled:
        renderer.render(document)
    profiler.disable()
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(TOP_FUNCTIONS)


def template() -> bytes:
    """Return a designed template of some 275 KB: vectors, embedded fonts and a photograph."""
    without = len(bytes(_design().output()))
    photograph = next(
        photograph
        for quality in range(10, 96)
        if len(photograph := _photograph(quality)) >= TEMPLATE_BYTES - without
    )
    design = _design()
    design.image(BytesIO(photograph), 60 * MM, 125 * MM, 40 * MM, 30 * MM)
    return bytes(design.output())


def _design() -> FPDF:
    return certificate("Certificate of Completion", "has successfully completed", NAVY)


def _photograph(quality: int) -> bytes:
    width, height = 640, 480
    grain = Image.frombytes("L", (width, height), random.Random(1).randbytes(width * height))
    scene = Image.linear_gradient("L").resize((width, height))
    file = BytesIO()
    Image.merge("RGB", (scene, Image.blend(scene, grain, 0.15), scene)).save(
        file, "JPEG", quality=quality
    )
    return file.getvalue()


def static_font(slug: str) -> bytes:
    """Return a variable font's default instance: reportlab would carry the variations along."""
    face = hb.Face(hb.Blob(font_file(slug)))
    wanted = hb.SubsetInput()
    wanted.keep_everything()
    wanted.pin_all_axes_to_default(face)
    return bytes(hb.subset(face, wanted).blob.data)


def prepared(designed: bytes, font: bytes) -> PreparedPdf:
    """Return our renderer, with fonts for all scripts, and the standard elements."""
    assets = MemoryAssets({"designed": designed, "static-sans": font})
    options = PdfOptions.model_validate(
        {
            "template": "designed",
            "fonts": ["static-sans", *FONTS[1:]],
            "font_for_language": {
                "ja": "noto-sans-jp",
                "ko": "noto-sans-kr",
                "zh": "noto-sans-sc",
            },
        }
    )
    return PdfRenderer().prepare(options, assets)


def documents(script: str) -> Iterator[Document]:
    """Yield documents with names in a script, each another one, the same ones every time."""
    chance = random.Random(script)
    known: set[str] = set()
    while True:
        name = _name(SCRIPTS[script], chance)
        if name in known:
            continue
        known.add(name)
        yield Document(
            credential_id=CredentialId(UUID(int=chance.getrandbits(128), version=5)),
            verification_id=VerificationId(f"{chance.getrandbits(64):016x}"),
            full_name=name,
            context_name=CONTEXT,
            type_name="Certificate of Completion",
            issuer_name="Example University",
            award_date=DAY,
            locale=SCRIPTS[script].language,
            verify_url="https://learn.example.org/verify/",
        )


def _name(script: Script, chance: random.Random) -> str:
    return " ".join(
        "".join(
            chance.choice(letters) for _ in range(length) for letters in script.syllables
        ).capitalize()
        for length in script.words
    )


def _peer(peer: OverlayAndMerge, encrypted: bool) -> Draw:
    def draw(document: Document) -> bytes:
        return peer.certificate(document.full_name, CONTEXT, DAY, encrypted=encrypted)

    document = next(documents("Latin"))
    assert document.full_name in text_of(draw(document)), "a peer has to draw the name too"
    return draw


def _copy_and_hash(content: bytes) -> tuple[bytes, str]:
    copied = bytes(memoryview(content))
    return copied, hashlib.sha256(copied).hexdigest()


def _measured(
    designed: bytes, peers: Mapping[Peer, Draw], renderer: PreparedPdf
) -> tuple[float, dict[Peer, float], dict[str, float]]:
    """Return milliseconds of CPU time for once, of the floor, the peers, and ours by script.

    Each is the median of rounds in which all take turns.
    """
    floor: list[float] = []
    theirs: dict[Peer, list[float]] = {peer: [] for peer in peers}
    ours: dict[str, list[float]] = {name: [] for name in SCRIPTS}
    given = {name: documents(name) for name in SCRIPTS}
    for _ in range(ROUNDS):
        latin = list(islice(given["Latin"], FLOORS_A_ROUND))
        floor.append(_timed(lambda _: _copy_and_hash(designed), latin))
        for name in SCRIPTS:
            ours[name].append(_timed(renderer.render, list(islice(given[name], OURS_A_ROUND))))
        for peer, draw in peers.items():
            theirs[peer].append(_timed(draw, latin[:PEERS_A_ROUND]))
    return (
        median(floor),
        {peer: median(each) for peer, each in theirs.items()},
        {name: median(each) for name, each in ours.items()},
    )


def _timed(draw: Draw, wanted: Sequence[Document]) -> float:
    gc.collect()
    begun = time.process_time()
    for document in wanted:
        draw(document)
    return (time.process_time() - begun) / len(wanted) * 1000


def _compile(designed: bytes, font: bytes) -> tuple[float, float]:
    """Return the CPU milliseconds of preparing and of the first document."""
    gc.collect()
    document = next(documents("Latin"))
    begun = time.process_time()
    renderer = prepared(designed, font)
    middle = time.process_time()
    renderer.render(document)
    return (middle - begun) * 1000, (time.process_time() - middle) * 1000


def _report_two_processes(designed: bytes, font: bytes) -> None:
    (alone,) = _rates(1, designed, font)
    both = _rates(2, designed, font)
    rate = sum(each.rate for each in both)
    report("one process, by the clock, Latin", f"{alone.rate:,.0f}/s")
    report("two processes at once", f"{rate:,.0f}/s", ratio=f"{rate / alone.rate:.2f} times one")
    report(
        "memory of a process",
        f"{alone.memory_mib:.0f} MiB",
        ratio=f"{alone.memory_mib - alone.memory_mib_before:.0f} MiB over the program and its "
        "assets",
    )


@dataclass(frozen=True, slots=True)
class _Rate:
    rate: float
    memory_mib_before: float
    memory_mib: float


def _rates(processes: int, designed: bytes, font: bytes) -> list[_Rate]:
    """Return what each of some processes does that begin at the same moment."""
    spawning = multiprocessing.get_context("spawn")
    start = spawning.Barrier(processes)
    ends, workers = [], []
    for _ in range(processes):
        ours, theirs = spawning.Pipe()
        worker = spawning.Process(target=_work, args=(start, theirs, designed, font))
        worker.start()
        theirs.close()
        ends.append(ours)
        workers.append(worker)
    rates = [end.recv() for end in ends]
    for worker in workers:
        worker.join()
    return rates


def _work(start: Barrier, end: Connection, designed: bytes, font: bytes) -> None:
    before = peak_memory_mib()
    renderer = prepared(designed, font)
    given = documents("Latin")
    renderer.render(next(given))
    wanted = list(islice(given, AT_ONCE))
    start.wait()
    begun = time.perf_counter()
    for document in wanted:
        renderer.render(document)
    rate = AT_ONCE / (time.perf_counter() - begun)
    end.send(_Rate(rate, before, peak_memory_mib()))


if __name__ == "__main__":
    profile(sys.argv[1] if len(sys.argv) > 1 else "Latin")
