"""A session of Microsoft's ODBC driver: reads batches of T-SQL as JSON, prints the answer of each as JSON.

It runs in an environment of its own, in which mssql-python brings the driver; see `support.clients`. This client passes
the text of an error on, but not its number.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import mssql_python


def answer(cursor: Any, batch: str) -> dict[str, Any]:
    """The result sets of a batch, and its errors."""
    sets: list[Any] = []
    errors: list[Any] = []
    try:
        cursor.execute(batch)
        while True:
            if cursor.description is not None:
                names = [column[0] for column in cursor.description]
                sets.append({"names": names, "rows": [[text(value) for value in row] for row in cursor.fetchall()]})
            if not cursor.nextset():
                break
    except mssql_python.Error as error:
        errors.append({"number": None, "message": str(error)})
    return {"sets": sets, "errors": errors}


def text(value: Any) -> str | None:
    """A value as text."""
    return None if value is None else str(value)


def main() -> None:
    order = json.load(sys.stdin)
    connection = mssql_python.connect(
        f"Server={order['server']},{order['port']};Database={order['database']};UID={order['user']};"
        f"PWD={{{order['password']}}};Encrypt=Optional;TrustServerCertificate=yes",
        autocommit=order["autocommit"],
    )
    # One cursor for all: on the next one, the driver would find an error that came after the rows.
    cursor = connection.cursor()
    json.dump([answer(cursor, batch) for batch in order["batches"]], sys.stdout)
    try:
        connection.close()
    except mssql_python.Error:
        # Without autocommit the driver rolls back now; it does not know that a batch has ended its transaction.
        pass


if __name__ == "__main__":
    main()
