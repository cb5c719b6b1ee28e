"""Keyword arguments: the wire has none, but a server says what its methods' arguments are called."""

from __future__ import annotations

import difflib
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple


class Signatures:
    """What a server's _zerorpc_inspect says. A proxy says it for all of its services."""

    def __init__(self, described: Any) -> None:
        methods = described.get("methods") if isinstance(described, dict) else None
        self.methods: Dict[str, Mapping[str, Any]] = {
            name: about
            for name, about in (methods if isinstance(methods, dict) else {}).items()
            if isinstance(name, str) and isinstance(about, dict)
        }

    def find(self, method: str) -> Optional[Mapping[str, Any]]:
        """What is said of a method, whether it is called by its bare name or with its service's."""
        if method in self.methods:
            return self.methods[method]
        bare = method.rpartition(".")[2]
        if bare != method:
            return self.methods.get(bare)
        with_service = [name for name in self.methods if name.rpartition(".")[2] == method]
        return self.methods[with_service[0]] if len(with_service) == 1 else None

    def idempotent(self, method: str) -> bool:
        """Whether executing it twice does no harm. Only our servers say so."""
        about = self.find(method)
        return about is not None and about.get("idempotent") is True

    def nearest(self, method: str) -> List[str]:
        return difflib.get_close_matches(method, self.methods, n=3)


def in_order(method: str, about: Mapping[str, Any], args: Sequence[Any], named: Mapping[str, Any]) -> Tuple[Any, ...]:
    """All arguments by place. Raises TypeError, in Python's words, if they do not fit."""
    parameters = _parameters(about)
    names = [name for name, _ in parameters]
    if not names:
        raise TypeError(f"{method}() takes no keyword arguments, as far as its server says")
    for name in named:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it takes {', '.join(names)}"
            raise TypeError(f"{method}() got an unexpected keyword argument {name!r}{hint}")
        if names.index(name) < len(args):
            raise TypeError(f"{method}() got multiple values for argument {name!r}")
    placed = list(args)
    last = max(names.index(name) for name in named)
    for name, about_it in parameters[len(args):last + 1]:
        if name in named:
            placed.append(named[name])
        elif "default" in about_it:
            placed.append(about_it["default"])
        else:
            raise TypeError(f"{method}() missing 1 required positional argument: {name!r}")
    return tuple(placed)


def _parameters(about: Mapping[str, Any]) -> List[Tuple[str, Mapping[str, Any]]]:
    args = about.get("args")
    described = [each for each in args if isinstance(each, dict) and "name" in each] if isinstance(args, list) else []
    named: List[Tuple[str, Mapping[str, Any]]] = [(str(each["name"]), each) for each in described]
    # A stock Python server counts the object that its methods are bound to.
    return named[1:] if named and named[0][0] == "self" else named
