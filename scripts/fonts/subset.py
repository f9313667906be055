#!/usr/bin/python3
"""Makes the fonts that receipts are drawn with.

    apt-get install --no-install-recommends fonts-noto-core fonts-noto-cjk python3-fonttools
    scripts/fonts/subset.py            write the fonts and their manifest
    scripts/fonts/subset.py --check    make them again and compare with the manifest

The sources are the Noto fonts of Debian. What comes out is TrueType without hints
and without composite glyphs, so that the PDF writer can copy outlines one by one.
The manifest names every source and output with its SHA-256; the outputs' sums are of
the fonts before gzip, because gzip's bytes depend on the zlib that is installed.
"""
import gzip, hashlib, io, json, pathlib, subprocess, sys

from fontTools import subset, version as fonttools_version
from fontTools.misc.roundTools import otRound
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable

TRUETYPE = pathlib.Path("/usr/share/fonts/truetype/noto")
OPENTYPE = pathlib.Path("/usr/share/fonts/opentype/noto")
OUT = pathlib.Path(__file__).resolve().parents[2] / "internal/domain/receipt/drawing/fonts/data"
SPACES = {0x20, 0xA0}


def ranges(*pairs):
    return {c for first, last in pairs for c in range(first, last + 1)}


LATIN = SPACES | ranges(
    (0x21, 0x7E), (0xA1, 0x24F),             # Latin
    (0x250, 0x2FF), (0x300, 0x36F),          # phonetic letters, combining marks
    (0x370, 0x3FF), (0x400, 0x52F),          # Greek, Cyrillic
    (0x1E00, 0x1EFF), (0x1F00, 0x1FFF),      # more Latin, old Greek
    (0x2000, 0x206F), (0x2070, 0x20BF),      # punctuation, small figures, currencies
    (0x2100, 0x218F), (0x25CC, 0x25CC),      # letterlike, number forms
    (0xFB00, 0xFB06), (0xFFFC, 0xFFFD),
) - ranges((0x202A, 0x202E), (0x2060, 0x206F))

ARABIC = SPACES | ranges((0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0x200C, 0x200F), (0x25CC, 0x25CC), (0x21, 0x2F), (0x3A, 0x3B))
ARABIC |= ranges((0xFB50, 0xFDFF), (0xFE70, 0xFEFF))
HEBREW = SPACES | ranges((0x591, 0x5F4), (0xFB1D, 0xFB4F), (0x200C, 0x200F), (0x20AA, 0x20AA), (0x25CC, 0x25CC), (0x21, 0x2F), (0x3A, 0x3B))

MATH = SPACES | ranges((0x2190, 0x21FF), (0x2200, 0x22FF), (0x2300, 0x23FF), (0x27C0, 0x27FF))
SYMBOLS = SPACES | ranges((0x25A0, 0x25FF), (0x2600, 0x27BF), (0x2B00, 0x2BFF), (0x1F300, 0x1FAFF))


def charset(codec, first, last, second=(0xA1, 0xFE)):
    """All characters of a two-byte character set."""
    found = set()
    for a in range(first, last + 1):
        for b in range(second[0], second[1] + 1):
            try:
                text = bytes((a, b)).decode(codec)
            except UnicodeDecodeError:
                continue
            found.update(map(ord, text))
    return found


def cjk():
    chars = SPACES | ranges(
        (0x2018, 0x201D), (0x2014, 0x2015), (0x2025, 0x2026), (0xB7, 0xB7), (0x203B, 0x203B),
        (0x3000, 0x303F), (0x3041, 0x30FF), (0x3105, 0x312F), (0x3131, 0x318E), (0x31F0, 0x31FF),
        (0x3200, 0x33FF), (0xAC00, 0xD7A3), (0xFF01, 0xFFEE), (0x2460, 0x24FF),
    )
    wanted = charset("gb2312", 0xB0, 0xF7)                                   # simplified
    wanted |= charset("big5", 0xA4, 0xC6, (0x40, 0xFE))                      # traditional, level 1
    wanted |= charset("euc_jp", 0xB0, 0xF4) | charset("euc_kr", 0xCA, 0xFD)
    wanted |= charset("cp932", 0xFA, 0xFC, (0x40, 0xFC))
    return chars | {c for c in wanted if c >= 0x2E80 and not 0xE000 <= c <= 0xF8FF}


# What becomes of which source: name, file, number in a collection, characters,
# layout features, and the languages whose own forms are kept.
ALL = ["ccmp", "locl", "kern", "mark", "mkmk", "isol", "init", "medi", "fina", "rlig", "calt", "liga", "curs", "rclt"]
FONTS = [
    ("sans-regular", TRUETYPE / "NotoSans-Regular.ttf", -1, LATIN, ["ccmp", "locl", "kern", "mark", "mkmk"], ["*"]),
    ("sans-bold", TRUETYPE / "NotoSans-Bold.ttf", -1, LATIN, ["ccmp", "locl", "kern", "mark", "mkmk"], ["*"]),
    ("arabic-regular", TRUETYPE / "NotoSansArabic-Regular.ttf", -1, ARABIC, ALL, ["*"]),
    ("arabic-bold", TRUETYPE / "NotoSansArabic-Bold.ttf", -1, ARABIC, ALL, ["*"]),
    ("hebrew-regular", TRUETYPE / "NotoSansHebrew-Regular.ttf", -1, HEBREW, ALL, ["*"]),
    ("hebrew-bold", TRUETYPE / "NotoSansHebrew-Bold.ttf", -1, HEBREW, ALL, ["*"]),
    ("math", TRUETYPE / "NotoSansMath-Regular.ttf", -1, MATH, ["ccmp"], ["*"]),
    ("symbols", TRUETYPE / "NotoSansSymbols2-Regular.ttf", -1, SYMBOLS, ["ccmp"], ["*"]),
    ("cjk", OPENTYPE / "NotoSansCJK-Regular.ttc", 0, cjk(), ["ccmp", "locl"],
     ["hani.dflt", "hani.ZHS", "hani.ZHT", "hani.KOR", "hang.dflt", "kana.dflt"]),
]
PACKAGES = {TRUETYPE: "fonts-noto-core", OPENTYPE: "fonts-noto-cjk"}


def plain_outlines(font):
    """Replaces all outlines by quadratic ones without composites."""
    glyphs, order = font.getGlyphSet(), font.getGlyphOrder()
    cubic = "glyf" not in font
    made = {}
    for name in order:
        pen = TTGlyphPen(None)
        if cubic:
            # CFF runs the other way round.
            glyphs[name].draw(Cu2QuPen(pen, 1.0, reverse_direction=True))
        else:
            recording = DecomposingRecordingPen(glyphs)
            glyphs[name].draw(recording)
            recording.replay(pen)
        made[name] = pen.glyph()
    glyf = newTable("glyf")
    glyf.glyphOrder, glyf.glyphs = order, made
    if cubic:
        font["loca"] = newTable("loca")
        maxp = font["maxp"]
        maxp.tableVersion = 0x00010000
        for field in ("maxZones", "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs",
                      "maxStackElements", "maxSizeOfInstructions", "maxComponentElements", "maxPoints", "maxContours",
                      "maxCompositePoints", "maxCompositeContours", "maxComponentDepth"):
            setattr(maxp, field, 1 if field == "maxZones" else 0)
        for tag in ("CFF ", "VORG", "vhea", "vmtx", "BASE"):
            if tag in font:
                del font[tag]
        font.sfntVersion = "\0\1\0\0"
    font["glyf"] = glyf
    for name in order:
        glyph = made[name]
        glyph.recalcBounds(glyf)
        advance, _ = font["hmtx"][name]
        font["hmtx"][name] = (advance, otRound(getattr(glyph, "xMin", 0)))


def make(source, number, characters, features, scripts):
    options = subset.Options()
    options.layout_features = features
    options.layout_scripts = scripts
    options.hinting = False
    options.notdef_outline = True
    options.glyph_names = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.name_languages = [0x409]
    options.drop_tables += ["DSIG", "gasp", "post", "meta"]
    options.recalc_timestamp = False
    font = TTFont(source, fontNumber=number, recalcTimestamp=False)
    wanted = characters & set(font.getBestCmap())
    if not SPACES <= wanted:
        raise SystemExit(f"{source} has no space")
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    plain_outlines(font)
    out = io.BytesIO()
    font.save(out, reorderTables=True)
    return out.getvalue(), len(wanted)


def package_version(name):
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], check=True, capture_output=True, text=True).stdout


def main():
    manifest = {"fonttools": fonttools_version, "fonts": []}
    for name, source, number, characters, features, scripts in FONTS:
        data, count = make(source, number, characters, features, scripts)
        package = PACKAGES[source.parent]
        manifest["fonts"].append({
            "name": name, "characters": count, "sha256": hashlib.sha256(data).hexdigest(),
            "source": source.name, "package": package, "version": package_version(package),
            "sourceSha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        })
        print(f"{name}: {count} characters, {len(data)} bytes", file=sys.stderr)
        if "--check" not in sys.argv:
            (OUT / (name + ".ttf.gz")).write_bytes(gzip.compress(data, 9, mtime=0))
    text = json.dumps(manifest, indent=1) + "\n"
    if "--check" in sys.argv:
        if text != (OUT / "manifest.json").read_text():
            raise SystemExit("the fonts differ from the manifest")
        print("the fonts are as the manifest says", file=sys.stderr)
    else:
        (OUT / "manifest.json").write_text(text)


main()
