"""A site on disk, and child processes that work on it and may be killed."""

from collections.abc import Callable
from niteoweb.click2sell.tests.cases.process import connected
from pathlib import Path
from typing import Any
from ZODB.Connection import TransactionMetaData
from ZODB.DB import DB
from ZODB.FileStorage import FileStorage
from ZODB.serialize import referencesf
from ZODB.utils import z64

import os
import pickle
import threading
import traceback


#: Exit status of a child that was killed where it had to be.
KILLED = 43
_BROKEN = 44


def write(database: Any, path: Path) -> None:
    """Write the present state of a database, of whatever storage, to a new file.

    Blobs stay behind: no notification touches one.
    """
    connection = database.open()
    target = FileStorage(str(path), create=True)
    meta = TransactionMetaData()
    target.tpc_begin(meta)
    seen, waiting = {z64}, [z64]
    while waiting:
        oid = waiting.pop()
        record, _serial = connection._storage.load(oid)
        target.store(oid, z64, record, "", meta)
        for other in referencesf(record):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    target.tpc_vote(meta)
    target.tpc_finish(meta)
    target.close()
    connection.close()


def in_child(path: Path, site_id: str, work: Callable[[Any], Any]) -> Any:
    """Do something with a site on disk, in a process of its own.

    :param path: the database file, which nobody else has open.
    :param work: called with the site.
    :returns: what the work returned; :data:`KILLED` when the process ended with it.
    :raises AssertionError: the work failed.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        # A thread has a transaction of its own, without the parent's connections.
        thread = threading.Thread(target=_work, args=(path, site_id, work, writing))
        thread.start()
        thread.join()
        os._exit(_BROKEN)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == KILLED:
        return KILLED
    if status or not answer:
        raise AssertionError(f"child ended with {status}:\n{answer.decode('utf-8', 'replace')}")
    return pickle.loads(answer)


def _work(path: Path, site_id: str, work: Callable[[Any], Any], writing: int) -> None:
    try:
        database = DB(FileStorage(str(path)))
        with connected(database, site_id) as site:
            answer = pickle.dumps(work(site))
        database.close()
        status = 0
    except BaseException:
        answer, status = traceback.format_exc().encode(), _BROKEN
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(answer)
    os._exit(status)
