"""Indexes and counters of records, kept by the difference to the rows that were filed.

A room states with :func:`define` the rows of its records in each index. Whoever changes a
record marks it; the rows of marked records are worked out before the commit, or when one of the
indexes is read before that, and the difference to the rows in ``record["filed"]`` is written.
So nothing is counted twice, and no index can be forgotten. Products.CMFCore.indexing does this
for Plone's catalog.

The marks belong to the transaction: they end with it.
"""

from BTrees.Length import Length
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from niteoweb.click2sell.storage import transactions
from niteoweb.click2sell.storage import trees
from typing import Any
from zope.component import hooks

import transaction


Record = Mapping[str, Any]

#: Writes a row: called with the tree, the row, how often it was added, and the record's id.
Writer = Callable[[Any, Any, int, Any], None]


def in_set(tree: Any, row: Any, change: int, id_: Any) -> None:
    """A set holds the row, which names the record: one may never take out another's row."""
    (tree.insert if change > 0 else tree.discard)(row)


def in_words(tree: Any, row: str, change: int, id_: str) -> None:
    """A set holds the row, a word, a space and the record's id."""
    in_set(tree, f"{row} {id_}", change, id_)


def in_groups(tree: Any, row: tuple[Any, Any], change: int, id_: Any) -> None:
    """A mapping holds a set for each first half of a row, of the second halves."""
    group, member = row
    if group not in tree:
        tree[group] = trees.TreeSet()
    in_set(tree[group], member, change, id_)


def as_key(tree: Any, row: Any, change: int, id_: Any) -> None:
    """A mapping leads from the row to the record's id: a row may pass to another one."""
    if change > 0:
        tree[row] = id_
    elif tree.get(row) == id_:
        del tree[row]


def counted(tree: Any, row: Any, change: int, id_: Any) -> None:
    """A mapping counts the rows; two processes that change one count do not conflict."""
    if row not in tree:
        tree[row] = Length()
    tree[row].change(change)


@dataclass(frozen=True)
class Index:
    """An index of records.

    :ivar name: of its tree.
    :ivar rows: gives the rows of a record; called with the site and the record.
    :ivar write: writes a row.
    """

    name: str
    rows: Callable[[Any, Record], Iterable[Any]]
    write: Writer = in_set


@dataclass(frozen=True)
class _Kind:
    id_of: Callable[[Record], Any]
    indexes: tuple[Index, ...]
    view: Callable[[Any], Record]

    def id(self, record: Any) -> Any:
        """The key of a record in its tree."""
        return self.id_of(self.view(record))

    def rows(self, site: Any, record: Any) -> dict[str, tuple[Any, ...]]:
        """The rows of a record in each index, where it has any."""
        seen = self.view(record)
        rows = ((index.name, tuple(index.rows(site, seen))) for index in self.indexes)
        return {name: found for name, found in rows if found}

    def move(self, site: Any, record: Any, rows: dict[str, tuple[Any, ...]]) -> None:
        """File a record under other rows than before."""
        before = record.get("filed", {})
        if rows == before:
            return
        for index in self.indexes:
            changes = Counter(rows.get(index.name, ()))
            changes.subtract(before.get(index.name, ()))
            for row, change in changes.items():
                if change:
                    tree = trees.stored(site, index.name)
                    index.write(tree, row, change, self.id(record))
        record["filed"] = rows


#: The kinds of records, by the names of the trees that hold them.
_KINDS: dict[str, _Kind] = {}

#: Marked records with their sites, by kind and identity.
_Marks = dict[tuple[str, int], tuple[Any, Any]]


@dataclass(frozen=True)
class _Queue:
    """All records that a transaction has marked, and those that are not filed yet.

    All of them are looked at again before the commit: a savepoint that was rolled back undoes
    their filing.
    """

    marked: _Marks
    pending: _Marks


def define(
    kind: str,
    id_of: Callable[[Record], Any],
    *indexes: Index,
    view: Callable[[Any], Record] = lambda record: record,
) -> None:
    """Define the indexes of a kind of records.

    :param kind: name of the tree that holds the records.
    :param id_of: gives the key of a record in that tree.
    :param view: gives the record as readers see it.
    """
    _KINDS[kind] = _Kind(id_of, indexes, view)
    trees.refresh.update((index.name, flush) for index in indexes)


def names() -> list[str]:
    """The names of all indexes."""
    return list(dict.fromkeys(i.name for kind in _KINDS.values() for i in kind.indexes))


def mark(site: Any, kind: str, record: Any) -> None:
    """Mark a record that was changed, or is new: it is filed before the commit."""
    queue, key = _queue(), (kind, id(record))
    queue.marked[key] = queue.pending[key] = site, record


def forget(site: Any, kind: str, record: Any) -> None:
    """Take a record that is about to be removed out of all indexes."""
    _KINDS[kind].move(site, record, {})


def flush() -> None:
    """File the marked records at once: an index is about to be read."""
    queue = _queue(create=False)
    if queue is not None and queue.pending:
        marks = dict(queue.pending)
        queue.pending.clear()
        _file(marks)


def rebuild(site: Any) -> dict[str, int]:
    """Make all indexes anew.

    :returns: how many records there are of each kind, and how many were filed wrongly.
    """
    for name in names():
        trees.tree(site, name).clear()
    numbers: Counter[str] = Counter(corrected=0, **dict.fromkeys(_KINDS, 0))
    for name, kind in _KINDS.items():
        for record in transactions.batched(site, trees.tree(site, name).values(), True):
            rows = kind.rows(site, record)
            numbers[name] += 1
            if record.get("filed", {}) != rows:
                numbers["corrected"] += 1
                record["filed"] = rows
            for index in kind.indexes:
                for row in rows.get(index.name, ()):
                    index.write(trees.stored(site, index.name), row, 1, kind.id(record))
    return dict(numbers)


def _queue(create: bool = True) -> _Queue | None:
    current = transaction.get()
    try:
        return current.data(_Queue)
    except KeyError:
        if not create:
            return None
    queue = _Queue({}, {})
    current.set_data(_Queue, queue)
    current.addBeforeCommitHook(_file, (queue.marked,))
    return queue


def _file(marks: _Marks) -> None:
    """File marked records, one kind after the other: a buyer's rows depend on its entries."""
    for name, kind in _KINDS.items():
        for site, record in [mark for key, mark in marks.items() if key[0] == name]:
            # A record that was made after a savepoint may be gone with it.
            if trees.tree(site, name).get(kind.id(record)) is not record:
                continue
            # What is a day depends on the site's time zone.
            with hooks.site(site):
                kind.move(site, record, kind.rows(site, record))
