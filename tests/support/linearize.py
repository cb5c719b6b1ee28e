"""C4: whether a history of one name could have happened one call after the other (linearizability).

The search is Wing and Gong's with Lowe's memory ("Testing for linearizability", 2016). The models are those that
Jepsen checks Hazelcast's locks with: owner-aware, re-entrant and fenced mutexes, permits; and a readers-writer lock.
"""

from collections import defaultdict, namedtuple
from dataclasses import dataclass, replace

from support.history import GRANTING, RELEASING

ENDLESS = 1 << 30


class SearchTooLong(Exception):
    """The history is too tangled to be decided."""


#: One step of a history: it takes effect between `call` and `back`; it need not, if it is optional. What weighs
#: nothing takes all there is.
Step = namedtuple("Step", "call back kind owner token weight optional text")
State = namedtuple("State", "holders greatest")  # holders: a frozenset of Holder
Holder = namedtuple("Holder", "owner token weight count")


@dataclass(frozen=True)
class Model:
    """A lock with room for `capacity`: who takes it takes a part, or all of it."""

    capacity: int = 1
    entries: int = 1
    fenced: bool = True

    def begin(self):
        return State(frozenset(), 0)

    def step(self, state, step):
        """The state after it; None when it cannot happen now."""
        own = [holder for holder in state.holders if holder.owner == step.owner
               and (step.token is None or holder.token in (step.token, None))]
        if step.kind == "take":
            return self._take(state, step, own)
        if step.kind == "refuse":  # somebody else has it
            return state if self._full_for(state, step) else None
        if step.kind == "miss":  # a release or extend by who holds nothing
            return state if not own else None
        if not own:
            return None
        if step.kind == "keep":
            return state
        holder = own[0]
        left = holder.count - 1 if step.kind == "leave" else 0
        rest = state.holders - {holder}
        return State(rest | {holder._replace(count=left)} if left > 0 else rest, state.greatest)

    def _take(self, state, step, own):
        if own and self.entries > 1:
            holder = own[0]
            if holder.count >= self.entries:
                return None
            known = holder.token or step.token
            return State(state.holders - {holder} | {holder._replace(count=holder.count + 1, token=known)},
                         max(state.greatest, known or 0))
        if self._full_for(state, step):
            return None
        if self.fenced and step.token is not None and step.token <= state.greatest:
            return None
        return State(state.holders | {Holder(step.owner, step.token, step.weight or self.capacity, 1)},
                     max(state.greatest, step.token or 0))

    def _full_for(self, state, step):
        return sum(holder.weight for holder in state.holders) + (step.weight or self.capacity) > self.capacity


OWNER_MUTEX = Model(fenced=False)
REENTRANT_MUTEX = Model(entries=255, fenced=False)
FENCED_MUTEX = Model()
REENTRANT_FENCED_MUTEX = Model(entries=255)
READERS_WRITER = Model(capacity=ENDLESS, entries=255)


def permits(limit):
    return Model(capacity=limit)


def steps_of(ops, crashes=False):
    """The steps of the ops on one name. A crash may lose a release: then it can be made again, and until that or the
    end of the lease others may be refused."""
    steps, expiries, first, left = [], {}, {}, set()
    for op in sorted(ops, key=lambda op: op.t_send):
        key = op.owner, str(op.args.get("request_id", id(op)))
        call = first.setdefault(key, op.t_send)
        if op.op in GRANTING:
            steps += _taking(op, call, refusals=not crashes)
            if op.granted or op.unknown:
                token = op.token if op.granted else None
                end = op.t_send + op.lease
                expiries[op.owner, token] = max(expiries.get((op.owner, token), 0), end)
        elif op.op in RELEASING:
            if not (crashes and op.done and op.token in left):
                steps += _leaving(op)
            if op.done and op.result.get("hold_count", 0) == 0:
                left.add(op.token)
        elif op.op == "extend":
            steps += _keeping(op)
            if op.done:
                held = op.owner, op.token
                expiries[held] = max(expiries.get(held, 0), op.t_send + op.result["remaining_ms"] / 1000)
    steps += [Step(at, float("inf"), "expire", owner, token, 0, True, f"{owner}'s lease of token {token} passes")
              for (owner, token), at in expiries.items()]
    return sorted(steps, key=lambda step: step.call)


def _weight(op):
    return {"x": 0, "s": 1}.get(op.mode, op.args.get("permits", 1))


def _taking(op, call, refusals):
    if op.granted and not op.result.get("replay"):
        return [Step(call, op.t_recv, "take", op.owner, op.token, _weight(op), False, str(op))]
    if op.unknown:
        return [Step(call, float("inf"), "take", op.owner, None, _weight(op), True, str(op))]
    if op.refused and refusals and op.mode == "x":
        return [Step(op.t_send, op.t_recv, "refuse", op.owner, None, _weight(op), False, str(op))]
    return []


def _leaving(op):
    if op.done and not op.result.get("replay"):
        return [Step(op.t_send, op.t_recv, "leave", op.owner, op.args["token"], 0, False, str(op))]
    if op.unknown or op.done:
        return [Step(op.t_send, float("inf"), "leave", op.owner, op.args["token"], 0, True, str(op))]
    return _missing(op)


def _keeping(op):
    if op.done:
        return [Step(op.t_send, op.t_recv, "keep", op.owner, op.args["token"], 0, False, str(op))]
    return [] if op.unknown else _missing(op)


def _missing(op):
    if op.error not in ("NotHeld", "NotOwner", "StaleToken", "LeaseExpired"):
        return []
    return [Step(op.t_send, op.t_recv, "miss", op.owner, op.args["token"], 0, False, str(op))]


def linearizable(steps, model, most=300_000):
    """None when there is an order; else the step nobody could place, in words. SearchTooLong after `most` states."""
    steps = list(steps)
    must = sum(1 << place for place, step in enumerate(steps) if not step.optional)
    seen, stack, furthest = set(), [(0, model.begin())], (0, None)
    while stack:
        done, state = stack.pop()
        if done & must == must:
            return None
        if (done, state) in seen:
            continue
        seen.add((done, state))
        if len(seen) > most:
            raise SearchTooLong(f"{len(steps)} steps and no end")
        limit, blocking = _next_return(steps, done)
        if bin(done & must).count("1") >= furthest[0]:
            furthest = (bin(done & must).count("1"), blocking)
        # What has to be back first is tried first, what need not have happened last.
        for place, step in sorted(_open(steps, done, limit), key=lambda entry: -entry[1].back):
            after = model.step(state, step)
            if after is not None:
                stack.append((done | 1 << place, after))
    return f"no order explains it: {furthest[1].text}"


def _next_return(steps, done):
    """By when the next step that is owed has to take effect, and which it is."""
    limit, owed = float("inf"), None
    for place, step in enumerate(steps):
        if step.call > limit:
            break
        if step.back < limit and not done >> place & 1:
            limit, owed = step.back, step
    return limit, owed


def _open(steps, done, limit):
    """The steps that may be next."""
    entries = []
    for place, step in enumerate(steps):
        if step.call > limit:
            break
        if not done >> place & 1:
            entries.append((place, step))
    # Among those that need not happen the earliest comes last, so that it is tried before the later ones.
    return entries[::-1]


def not_linearizable(ops, models=None, crashes=False):
    """C4 for every name of a history: a model for each, by name; otherwise a readers-writer
    lock, of which a mutex is the half."""
    by_name = defaultdict(list)
    for op in ops:
        for part in parts_of(op):
            by_name[part.args["name"]].append(part)
    violations = []
    for name, mine in by_name.items():
        model = (models or {}).get(name, READERS_WRITER)
        wrong = linearizable(steps_of(mine, crashes), model)
        if wrong:
            violations.append(f"{name}: {wrong}")
    return violations


def parts_of(op):
    """What an op is to each name that it is about."""
    if "held" in op.args:
        lost = {name: error for name, _, error in (op.result or {}).get("lost", [])}
        return [replace(op, op="release", args={"name": name, "owner": op.owner, "token": token}, result={},
                        error=op.error or lost.get(name)) for name, token in op.args["held"]]
    if op.op in GRANTING:
        return [replace(op, args={**op.args, "name": name}) for name in op.names]
    return [op] if op.op in (*RELEASING, "extend") else []
