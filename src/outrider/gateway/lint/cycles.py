"""Which things of a graph lie on a circle together (Tarjan, Depth-first search and linear graph algorithms, 1972)."""

from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def circles(graph: Mapping[T, Collection[T]]) -> list[list[T]]:
    """The strongly connected components, each after all that it leads to. Every thing is a key of `graph`.

    Without recursion: chains of references may be longer than Python's stack is deep.
    """
    order: dict[T, int] = {}
    lowest: dict[T, int] = {}
    open_: dict[T, None] = {}
    found: list[list[T]] = []
    for start in graph:
        if start in order:
            continue
        way: list[tuple[T, Iterator[T]]] = [(start, iter(graph[start]))]
        order[start] = lowest[start] = len(order)
        open_[start] = None
        while way:
            here, onward = way[-1]
            for there in onward:
                if there not in order:
                    order[there] = lowest[there] = len(order)
                    open_[there] = None
                    way.append((there, iter(graph[there])))
                    break
                if there in open_:
                    lowest[here] = min(lowest[here], order[there])
            else:
                way.pop()
                if way:
                    above = way[-1][0]
                    lowest[above] = min(lowest[above], lowest[here])
                if lowest[here] == order[here]:
                    found.append(_closed(open_, here))
    return found


def _closed(open_: dict[T, None], first: T) -> list[T]:
    component = []
    while True:
        last, _ = open_.popitem()
        component.append(last)
        if last == first:
            return component
