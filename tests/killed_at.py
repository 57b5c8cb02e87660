"""Run as a program: change a store, and kill oneself after so many steps.

``python killed_at.py URL ACTION COUNT`` with ACTION ``add``, ``replace``, ``publish`` or ``delete``. A step is a
statement, a layer that is written, or the end of the transaction. Exit status 0 if the change was over before.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from sqlalchemy import event

from gridmap.store import open_store
from made_plan import made_plan


def main(url: str, action: str, count: int) -> None:
    """Do it."""
    store = open_store(url)
    left, write_rows = sys.maxsize, type(store)._write_rows

    def count_down(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def written(self: Any, *what: Any) -> None:
        write_rows(self, *what)
        count_down()

    seen = store.version("p", 1)
    plan = made_plan(rings=2)
    with store.writing() as connection:
        event.listen(connection.engine, "after_cursor_execute", count_down)
        event.listen(connection.engine, "commit", count_down)
    type(store)._write_rows = written
    left = count
    if action == "add":
        store.add_version("p", plan, who="killed")
    elif action == "replace":
        store.replace_draft(seen, plan, who="killed")
    elif action == "publish":
        store.publish(seen, who="killed")
    else:
        store.delete_draft(seen, who="killed")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
