"""A benchmark's outcomes as a terminal table, as Markdown and as JSON."""

import datetime
import json
import os
import platform
import re
from dataclasses import dataclass

BUSY = 0.1
METRICS = [("per second", "per_second", ",.0f"), ("p50 µs", "p50_us", ",.1f"), ("p99 µs", "p99_us", ",.1f"),
           ("p99.9 µs", "p999_us", ",.1f"), ("CPU µs", "cpu_us", ",.2f")]


def machine():
    """The machine in words, without its name."""
    model = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    kernel = re.match(r"[\d.]*", platform.release()).group()
    return f"{os.cpu_count()} cores, {model}, Linux {kernel}, loopback TCP"


def contest_rows(outcomes):
    """One row of text cells for each contender."""
    rows = []
    for outcome in outcomes:
        if outcome.missing:
            rows.append([outcome.contender.name, f"not measured: {outcome.missing}"] + [""] * (len(METRICS) - 1))
            continue
        cells = [format(outcome.value(key), form) if key in outcome.rounds[0] else "" for _, key, form in METRICS]
        rows.append([outcome.contender.name, *cells])
    return rows


def text_table(head, rows):
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                       for i, (cell, width) in enumerate(zip(row, widths))) for row in [head, *rows]]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def markdown_table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def facts(played):
    """When, where, and how much else the machine was doing."""
    shares = [result["foreign"] for _, outcomes in played for outcome in outcomes for result in outcome.rounds]
    mean = sum(shares) / len(shares)
    warning = "; **too much for the figures to count, repeat it on a quiet machine**" if mean > BUSY else ""
    return (f"{datetime.date.today().isoformat()}; {machine()}; other processes took {100 * mean:.0f} % of the machine "
            f"on average and {100 * max(shares):.0f} % at worst{warning}")


def contest_head(contest):
    return [contest.title, *(title for title, _, _ in METRICS)]


@dataclass
class Findings:
    """All that one benchmark came to. `played` holds (contest, outcomes); `figures` rows of [what, figure], for a table
    under `title`."""

    command: str
    played: list
    title: str
    figures: list
    verdicts: list


def write_markdown(path, title, notes, findings):
    verdict_rows = [[v.bar, v.wanted, v.measured, v.word if v.word == "ok" else f"**{v.word}**"]
                    for v in findings.verdicts]
    parts = [f"# {title}", f"`{findings.command}`", f"Measured {facts(findings.played)}.", notes,
             f"![The figures as bars]({os.path.basename(path).replace('.md', '.svg')})",
             "## The bars", markdown_table(["what", "wanted", "measured", ""], verdict_rows)]
    for contest, outcomes in findings.played:
        parts += [f"## {contest.title}", markdown_table(["", *contest_head(contest)[1:]], contest_rows(outcomes))]
    parts += [f"## {findings.title}", markdown_table(["", "measured"], findings.figures)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n\n".join(parts) + "\n")


def write_json(path, findings):
    document = {
        "command": findings.command,
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine(),
        "bars": [vars(verdict) for verdict in findings.verdicts],
        "contests": {contest.title: {o.contender.name: o.missing or o.rounds for o in outcomes}
                     for contest, outcomes in findings.played},
        "figures": findings.figures,
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")
