-- The tables of version 8: the do-not-contact lists. Frozen once shipped; new tables only.

-- The lists. reason and source say why and from where; bound_days is the greatest age of an import (NULL: the list
-- never ages); imported_at is the last import (NULL: none); warned_at is when people were told that the list is old.
CREATE TABLE IF NOT EXISTS do_not_contact_list (
    list_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    reason TEXT,
    source TEXT,
    bound_days INTEGER CHECK (bound_days > 0),
    added_at TEXT NOT NULL,
    imported_at TEXT,
    warned_at TEXT
);

-- The numbers of the lists. A number that is on any list is never dealt. imported is 1 if an import of the list put the
-- number there, and 0 if a person did.
CREATE TABLE IF NOT EXISTS do_not_contact_entry (
    number TEXT NOT NULL,
    list_id INTEGER NOT NULL,
    reason TEXT,
    added_at TEXT NOT NULL,
    imported INTEGER NOT NULL CHECK (imported IN (0, 1)),
    PRIMARY KEY (number, list_id)
) WITHOUT ROWID;

-- Before there were lists, the numbers were in the table do_not_contact. They move to the first list when it is made,
-- once: a later installation finds a list, and brings back no number that was removed since.
INSERT OR IGNORE INTO do_not_contact_entry (number, list_id, reason, added_at, imported)
SELECT d.number, 1, d.reason, d.added_at, 0 FROM do_not_contact AS d
WHERE NOT EXISTS (SELECT 1 FROM do_not_contact_list);

DELETE FROM do_not_contact WHERE NOT EXISTS (SELECT 1 FROM do_not_contact_list);

INSERT INTO do_not_contact_list (list_id, name, added_at)
SELECT 1, 'own requests', strftime('%Y-%m-%d %H:%M:%f', 'now')
WHERE NOT EXISTS (SELECT 1 FROM do_not_contact_list);
