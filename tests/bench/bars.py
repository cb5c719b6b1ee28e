"""The bars: what each benchmark must reach, and whether it did."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """`limit` is a ratio when `against` names another contender of the contest, else a figure in the metric's unit.
    `sense` is "at least" or "at most"."""

    what: str
    contest: str
    contender: str
    metric: str
    sense: str
    limit: float
    against: str = ""


@dataclass(frozen=True)
class Verdict:
    bar: str
    wanted: str
    measured: str
    word: str  # "ok", "FALLS SHORT" or "not measured"


def compare(what, sense, limit, value, unit=""):
    """The verdict on one figure."""
    good = value >= limit if sense == "at least" else value <= limit
    text = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return Verdict(what, f"{sense} {limit:,.10g}{unit}", text + unit, "ok" if good else "FALLS SHORT")


def judge(bar, outcomes):
    """The verdict on one bar from the outcomes of its contest, keyed by contender name."""
    sides = [outcomes[name] for name in (bar.contender, bar.against) if name]
    missing = {side.missing for side in sides if side.missing}
    if missing:
        return Verdict(bar.what, f"{bar.sense} {bar.limit:,.10g}", "; ".join(sorted(missing)), "not measured")
    if bar.against:
        return compare(bar.what, bar.sense, bar.limit, sides[0].ratio(bar.metric, sides[1]), " ×")
    return compare(bar.what, bar.sense, bar.limit, sides[0].value(bar.metric))
