"""What must be true of every history of a lock service. Each checker answers its violations, in words."""

import itertools
from collections import defaultdict

from support.history import GRANTING, first_sending, holds_of


def overlaps(ops):
    """C1: nobody holds a lock while somebody else does whom its mode shuts out, by what each may know."""
    by_name = defaultdict(list)
    for hold in holds_of(ops).values():
        for name, (begin, end) in itertools.product(hold.names, hold.spans):
            if begin < end:
                by_name[name].append((begin, end, hold))
    return [violation for name, spans in by_name.items() for violation in _crowds(name, spans)]


def _crowds(name, spans):
    violations, inside = [], []
    for begin, end, hold in sorted(spans, key=lambda span: span[:2]):
        inside = [(until, other) for until, other in inside if until > begin]
        others = {other.token: other for _, other in inside if other.token != hold.token}
        if hold.mode == "permits":
            taken = hold.permits + sum(other.permits for other in others.values())
            if taken > hold.limit:
                violations.append(f"{name}: {taken} of {hold.limit} permits are out at {begin:.3f}")
        else:
            violations += [f"{name}: token {hold.token} of {hold.owner} from {begin:.3f} on, while {other.owner} has "
                           f"token {other.token}" for other in others.values() if "x" in (hold.mode, other.mode)]
        inside.append((end, hold))
    return violations


def token_order(ops):
    """C2: a grant asked for after another was received has the greater token; none is given twice."""
    violations, greatest, given = [], None, {}
    grants = [op for op in ops if op.granted]
    received = sorted(grants, key=lambda op: op.t_recv)
    fresh = [op for op in grants if not op.result.get("replay") and op.result.get("hold_count", 1) == 1]
    for op in fresh:
        before = given.setdefault(op.token, op)
        if before.request != op.request:
            violations.append(f"token {op.token} was given to {before.owner} and again to {op.owner}")
    for op in grants:
        if op.token in given and given[op.token].owner != op.owner:
            violations.append(f"token {op.token} is of {given[op.token].owner}, and {op.owner} was told it too")
    place = 0
    for op in sorted(fresh, key=lambda op: op.t_send):
        while place < len(received) and received[place].t_recv < op.t_send:
            if greatest is None or received[place].token > greatest.token:
                greatest = received[place]
            place += 1
        if greatest is not None and greatest.token >= op.token:
            violations.append(f"token {op.token} of {op.owner}, after token {greatest.token} of {greatest.owner}")
    return violations


def differing_answers(ops):
    """C2, of a request that was asked again: each of its answers says the same."""
    violations, first = [], {}
    for op in ops:
        if op.granted or op.done and "hold_count" in op.result:
            said = {"token": op.token, "hold_count": op.result.get("hold_count")}
            before = first.setdefault(op.request, said)
            if said != before:
                violations.append(f"before it was {before}: {op}")
    return violations


def lost_updates(acknowledged, contents):
    """C3: what a register said it has taken is what is in it at the end."""
    missing = sorted(set(acknowledged) - set(contents))
    return [f"{value!r} was acknowledged and is lost" for value in missing]


def foreign_updates(acknowledged, refused, contents):
    """C3, the other way round: nothing is in a register that it refused."""
    return [f"{value!r} was refused and is there" for value in sorted(set(refused) & set(contents) - set(acknowledged))]


def queue_jumps(ops):
    """C5: who came first is granted first, as far as anybody can tell who came first."""
    first, lines = first_sending(ops), defaultdict(list)
    for op in ops:
        if op.granted and op.op in GRANTING and len(op.names) == 1 and not op.result.get("replay") \
                and op.result.get("hold_count", 1) == 1:
            begun = first[op.request]
            # It stood in line for as long as the answer says.
            queued = max(begun, op.t_recv - op.result.get("waited_ms", 0) / 1000)
            lines[op.names[0]].append((begun, queued, op))
    violations = []
    for name, line in lines.items():
        line.sort(key=lambda entry: entry[0])
        earlier, place = None, 0
        by_queued = sorted(line, key=lambda entry: entry[1])
        for begun, _, op in line:
            while by_queued[place][1] < begun:
                if earlier is None or by_queued[place][2].token > earlier.token:
                    earlier = by_queued[place][2]
                place += 1
            if earlier is not None and earlier.token > op.token:
                violations.append(f"{name}: {op.owner} came after {earlier.owner} and was granted before")
    return violations


def late_answers(ops, healed, slack):
    """C6: every acquire sent after the faults has its answer `slack` seconds after its wait at the latest."""
    violations = []
    for op in ops:
        if op.op not in GRANTING or op.t_send < healed:
            continue
        wait = op.args.get("wait_ms", 0) / 1000
        if op.t_recv is None:
            violations.append(f"no answer: {op}")
        elif op.t_recv - op.t_send > wait + slack:
            violations.append(f"answered {op.t_recv - op.t_send:.3f} s after it was sent, for a wait of {wait} s: {op}")
    return violations


def stuck_names(ops, healed, slack):
    """C6: a lock that somebody waits for is granted `slack` seconds after its last holder can have had it."""
    violations, ends = [], defaultdict(list)
    for hold in holds_of(ops).values():
        for name in hold.names:
            ends[name].append(hold)
    for op in ops:
        if not op.granted or op.t_send < healed or len(op.names) > 1 or _clouded(ops, op):
            continue
        came = op.t_recv - op.result.get("waited_ms", 0) / 1000
        before = [min(hold.at_latest, op.t_recv) for hold in ends[op.names[0]] if hold.token < op.token]
        free = max([came, *before, *_sets_in_line(ops, op)])
        if op.t_recv - free > slack:
            violations.append(f"{op.names[0]} was free for {op.t_recv - free:.3f} s before {op.owner} got it")
    return violations


def _sets_in_line(ops, grant):
    """When those left the line who wait for several names at a time; until then nobody may pass them."""
    return [min(op.t_recv, grant.t_recv) for op in ops if op.op in GRANTING and len(op.names) > 1
            and grant.names[0] in op.names and op.t_recv is not None and op.t_send < grant.t_recv]


def _clouded(ops, grant):
    """Whether somebody may have had the lock before, or stood in line, without being told."""
    came = grant.t_send
    return any(op.unknown and op.op in GRANTING and set(op.names) & set(grant.names) and op.t_send < grant.t_recv
               and op.t_send + op.args.get("wait_ms", 0) / 1000 + 2 * op.lease > came for op in ops)


def leaks(stats, resident_kib=0, most_kib=0):
    """C7: when everybody has gone, nothing is left of them."""
    violations = [f"{what} = {stats[what]}" for what in ("held", "waiting", "names") if stats[what] != 0]
    if resident_kib > most_kib:
        violations.append(f"{resident_kib} KiB are resident, of {most_kib}")
    return violations
