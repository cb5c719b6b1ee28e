#!/usr/bin/env python3
"""Measures one part of zerosuite and writes docs/bench-NAME.md, docs/bench-NAME.svg and the raw results as JSON."""

import argparse
import importlib
import os
import sys

sys.dont_write_bytecode = True  # the source tree stays clean

import plot
import report
from bars import judge
from rounds import play

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def parse(argv):
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("name", choices=["call", "hop", "lock", "id"], help="what to measure")
    flags.add_argument("--bin", default=os.path.join(ROOT, "build/release/bin"), help="where the programs are")
    flags.add_argument("--docs", default=os.path.join(ROOT, "docs"), help="where the report goes")
    flags.add_argument("--rounds", type=int, default=5, help="rounds of each contest; the median counts")
    flags.add_argument("--only", default="", help="only contests with this in their title; nothing is written")
    return flags.parse_args(argv)


def panels(plots, played):
    """The panels of the plot, without the contenders that were not measured."""
    outcomes = {contest.title: list(found) for contest, found in played}
    made = []
    for contest, metric, title in plots:
        rows = [(o.contender.name, o.value(metric), f"{o.value(metric):,.0f}", o.contender.name.startswith("zerosuite"))
                for o in outcomes[contest] if not o.missing]
        if rows:
            made.append((title, rows))
    return made


def play_all(subject, flags):
    """Plays the contests that were asked for, printing each as it ends."""
    servers = subject.servers(flags.bin)
    played = []
    for contest in subject.contests(flags.bin):
        if flags.only in contest.title:
            outcomes = play(contest, servers, flags.rounds)
            played.append((contest, outcomes))
            print(report.text_table(report.contest_head(contest), report.contest_rows(outcomes)), end="\n\n", flush=True)
    return played


def main(argv):
    flags = parse(argv)
    subject = importlib.import_module(flags.name)
    played = play_all(subject, flags)
    by_title = {contest.title: {o.contender.name: o for o in outcomes} for contest, outcomes in played}
    verdicts = [judge(bar, by_title[bar.contest]) for bar in subject.BARS if bar.contest in by_title]
    figures = []
    if flags.only in subject.FIGURES:
        figures, more = subject.figures(flags.bin, by_title)
        verdicts += more
        print(report.text_table([subject.FIGURES, ""], figures), end="\n\n", flush=True)
    print(report.text_table(["bar", "wanted", "measured", ""], [list(vars(v).values()) for v in verdicts]))
    if flags.only:
        return
    print(f"\n{report.facts(played)}")
    findings = report.Findings(f"./dev bench {flags.name}", played, subject.FIGURES, figures, verdicts)
    base = os.path.join(flags.docs, f"bench-{flags.name}")
    report.write_markdown(base + ".md", subject.TITLE, subject.NOTES, findings)
    with open(base + ".svg", "w", encoding="utf-8") as file:
        file.write(plot.bars(panels(subject.PLOTS, played)))
    report.write_json(os.path.join(flags.bin, os.pardir, f"bench-{flags.name}.json"), findings)
    print(f"written: {base}.md, {base}.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
