"""C4: whether a history of one name could have happened one call after the other (linearizability).

The search is Wing and Gong's with Lowe's memory ("Testing for linearizability", 2016). The models are those that
Jepsen checks Hazelcast's locks with: owner-aware, re-entrant and fenced mutexes, permits; and a readers-writer lock.
"""

from collections import Counter, defaultdict, namedtuple
from dataclasses import dataclass, replace

from support.history import GRANTING, RELEASING

ENDLESS = 1 << 30


class SearchTooLong(Exception):
    """The history is too tangled to be decided."""


#: One step of a history: it takes effect between `call` and `back`; it need not, if it is optional. What weighs
#: nothing takes all there is. Steps of one request are attempts of the same: it is done once. `count` is how often
#: the lock is held after it, and `replay` whether it was done before, as far as the answer says so.
Step = namedtuple("Step", "call back kind owner token weight optional text request count replay",
                  defaults=(None, None, False))
#: `holders` and `done` are frozensets of Holder and of Done, `heard` one of requests whose owner knows of its grant.
State = namedtuple("State", "holders greatest done heard")
Holder = namedtuple("Holder", "owner token weight count request")
Done = namedtuple("Done", "request count")


@dataclass(frozen=True)
class Model:
    """A lock with room for `capacity`: who takes it takes a part, or all of it."""

    capacity: int = 1
    entries: int = 1
    fenced: bool = True

    def begin(self):
        return State(frozenset(), 0, frozenset(), frozenset())

    def step(self, state, step):
        """The state after it; None when it cannot happen now."""
        own = [holder for holder in state.holders if holder.owner == step.owner
               and (step.token is None or holder.token in (step.token, None))]
        if step.kind in ("take", "leave"):
            return self._once(state, step, own)
        if step.kind == "undo":
            return self._undo(state, step)
        if step.kind == "restore":
            return None if own else _held(state, Holder(step.owner, step.token, step.weight or self.capacity, 1, None))
        if step.kind == "refuse":  # somebody else has it
            return state if self._full_for(state, step) else None
        if step.kind == "miss":  # a release or extend by who holds nothing
            return state if not own else None
        if not own:
            return None
        return state if step.kind == "keep" else state._replace(holders=state.holders - {own[0]})

    def _once(self, state, step, own):
        """A request that was done before is answered once more, and nothing else."""
        before = _done(state, step.request)
        if before is not None:
            return None if step.optional or step.count not in (None, before.count) else self._heard(state, step, own)
        if step.kind == "leave":
            return self._leave(state, step, own)
        return None if step.replay else self._take(state, step, own)

    def _heard(self, state, step, own):
        if step.kind == "leave":
            return state
        state = state._replace(heard=state.heard | {step.request}, greatest=max(state.greatest, step.token))
        mine = [holder for holder in own if self.entries > 1 or holder.request == step.request]
        return _held(state, mine[0]._replace(token=step.token), instead=mine[0]) if mine else None

    def _take(self, state, step, own):
        if own and self.entries > 1:
            holder = own[0]
            entered = holder._replace(count=holder.count + 1, token=holder.token or step.token)
        elif self._full_for(state, step) or self.fenced and step.token is not None and step.token <= state.greatest:
            return None
        else:
            holder = None
            entered = Holder(step.owner, step.token, step.weight or self.capacity, 1, step.request)
        if entered.count > self.entries or step.count not in (None, entered.count):
            return None
        state = _held(_noted(state, step, entered.count), entered, instead=holder)
        return state._replace(greatest=max(state.greatest, entered.token or 0))

    @staticmethod
    def _leave(state, step, own):
        if step.replay:  # of what has ended, by whichever request
            return state if not own and step.count in (None, 0) else None
        if not own or step.count not in (None, own[0].count - 1):
            return None
        left = own[0]._replace(count=own[0].count - 1)
        return _held(_noted(state, step, left.count), left, instead=own[0])

    def _undo(self, state, step):
        """A client that was gone before it could be told did not enter; one that was told so did."""
        before = _done(state, step.request)
        own = [holder for holder in state.holders if holder.owner == step.owner
               and (self.entries > 1 or holder.request == step.request)]
        if before is None or not own or step.request in state.heard:
            return None
        state = state._replace(done=state.done - {before})
        return _held(state, own[0]._replace(count=own[0].count - 1), instead=own[0])

    def _full_for(self, state, step):
        return sum(holder.weight for holder in state.holders) + (step.weight or self.capacity) > self.capacity


def _done(state, request):
    return next((done for done in state.done if done.request == request), None) if request is not None else None


def _noted(state, step, count):
    if step.request is None:
        return state
    heard = state.heard if step.optional or step.kind == "leave" else state.heard | {step.request}
    return state._replace(done=state.done | {Done(step.request, count)}, heard=heard)


def _held(state, holder, instead=None):
    """With that holder, in the place of another; or without it when it has left."""
    return state._replace(holders=state.holders - {instead} | ({holder} if holder.count > 0 else frozenset()))


OWNER_MUTEX = Model(fenced=False)
REENTRANT_MUTEX = Model(entries=255, fenced=False)
FENCED_MUTEX = Model()
REENTRANT_FENCED_MUTEX = Model(entries=255)
READERS_WRITER = Model(capacity=ENDLESS, entries=255)


def permits(limit):
    return Model(capacity=limit)


def steps_of(ops, crashes=False, sync=False):
    """The steps of the ops on one name. A crash may lose a release: then it can be made again, and until that or the
    end of the lease others may be refused. With `sync` it may not lose one of a lock that was entered again."""
    attempts, steps, expiries = Counter(op.request for op in ops), [], {}
    # Who waits for several names keeps others out of one that nobody holds.
    refusals = not crashes and not any(len(op.args.get("names", ())) > 1 for op in ops)
    for op in sorted(ops, key=lambda op: op.t_send):
        request = op.request if op.unknown or attempts[op.request] > 1 else None
        if op.op in GRANTING:
            steps += _taking(op, request, refusals)
            if op.granted:
                held = op.owner, op.token
                expiries[held] = max(expiries.get(held, 0), op.t_send + op.result["lease_ms"] / 1000)
        elif op.op in RELEASING:
            steps += _leaving(op, request)
        elif op.op == "extend":
            steps += _keeping(op)
            if op.done:
                held = op.owner, op.token
                expiries[held] = max(expiries.get(held, 0), op.t_send + op.result["remaining_ms"] / 1000)
    steps += [Step(at, float("inf"), "expire", owner, token, 0, True, f"{owner}'s lease of token {token} passes")
              for (owner, token), at in expiries.items()]
    if crashes:
        steps += _restorations(ops, sync)
    return sorted(steps, key=lambda step: step.call)


def _weight(op):
    return {"x": 0, "s": 1}.get(op.mode, op.args.get("permits", 1))


def _taking(op, request, refusals):
    if op.granted:
        return [Step(op.t_send, op.t_recv, "take", op.owner, op.token, _weight(op), False, str(op), request,
                     op.result.get("hold_count"), bool(op.result.get("replay")))]
    if op.unknown:
        return [Step(op.t_send, float("inf"), kind, op.owner, None, _weight(op), True, str(op), request)
                for kind in ("take", "undo")]
    if op.refused and refusals and op.mode == "x":
        return [Step(op.t_send, op.t_recv, "refuse", op.owner, None, _weight(op), False, str(op))]
    return []


def _leaving(op, request):
    if op.done:
        return [Step(op.t_send, op.t_recv, "leave", op.owner, op.token, 0, False, str(op), request,
                     op.result.get("hold_count"), bool(op.result.get("replay")))]
    if op.unknown:
        return [Step(op.t_send, float("inf"), "leave", op.owner, op.token, 0, True, str(op), request)]
    return _missing(op)


def _keeping(op):
    if op.done:
        return [Step(op.t_send, op.t_recv, "keep", op.owner, op.args["token"], 0, False, str(op))]
    return [] if op.unknown else _missing(op)


def _missing(op):
    if op.error not in ("NotHeld", "NotOwner", "StaleToken", "LeaseExpired"):
        return []
    return [Step(op.t_send, op.t_recv, "miss", op.owner, op.args["token"], 0, False, str(op))]


def _restorations(ops, sync):
    """Releases that a crash has lost, as it seems: the hold was there again. Nobody counts on it, so others may have
    the lock at the same time."""
    grants, lost = defaultdict(list), []
    for op in ops:
        if op.granted:
            grants[op.token].append(op)
    for op in ops:
        entries = [grant for grant in grants[op.token] if grant.t_send < op.t_send] if _left(op) else []
        if not entries or sync and len({entry.request for entry in entries}) > 1:
            continue
        if any(_uses(later, op.token) and later.t_send > op.t_send for later in ops if later is not op):
            text = f"a crash loses: {op}"
            lost += [Step(op.t_send, float("inf"), kind, op.owner, op.token, weight, True, text)
                     for kind, weight in (("restore", _weight(entries[0])), ("expire", 0))]
    return lost


def _left(op):
    return op.op in RELEASING and op.done and op.result.get("hold_count", 0) == 0


def _uses(op, token):
    """Whether the answer says that the token was good."""
    return (op.granted or op.done) and op.token == token and not op.result.get("replay")


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


def not_linearizable(ops, crashes=False, sync=False):
    """C4 for every name of a history."""
    by_name = defaultdict(list)
    for op in ops:
        for part in parts_of(op):
            by_name[part.args["name"]].append(part)
    violations = []
    for name, mine in by_name.items():
        wrong = linearizable(steps_of(mine, crashes, sync), _model_of(mine))
        if wrong:
            violations.append(f"{name}: {wrong}")
    return violations


def _model_of(ops):
    """A semaphore; otherwise a readers-writer lock, of which a mutex is the half."""
    limits = [op.args["limit"] for op in ops if op.op == "sem_acquire"]
    return permits(limits[0]) if limits else READERS_WRITER


def parts_of(op):
    """What an op is to each name that it is about."""
    if "held" in op.args:
        lost = {name: error for name, _, error in (op.result or {}).get("lost", [])}
        common = {key: value for key, value in op.args.items() if key != "held"}
        return [replace(op, op="release", args={**common, "name": name, "token": token}, result={},
                        error=op.error or lost.get(name)) for name, token in op.args["held"]]
    if op.op in GRANTING:
        return [replace(op, args={**op.args, "name": name}) for name in op.names]
    return [op] if op.op in (*RELEASING, "extend") else []
