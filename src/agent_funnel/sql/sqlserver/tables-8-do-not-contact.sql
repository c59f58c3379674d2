/*
The tables of version 8: the do-not-contact lists. Frozen once shipped; new tables only.
*/

-- The lists. reason and source say why and from where; bound_days is the greatest age of an import (NULL: the list
-- never ages); imported_at is the last import (NULL: none); warned_at is when people were told that the list is old.
IF OBJECT_ID(N'dbo.do_not_contact_list') IS NULL
    CREATE TABLE dbo.do_not_contact_list (
        list_id INT IDENTITY (1, 1) NOT NULL CONSTRAINT pk_do_not_contact_list PRIMARY KEY,
        name NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL CONSTRAINT uq_do_not_contact_list_name UNIQUE,
        reason NVARCHAR(1000) NULL,
        source NVARCHAR(1000) NULL,
        bound_days INT NULL CONSTRAINT ck_do_not_contact_list_bound_days CHECK (bound_days > 0),
        added_at DATETIME2(3) NOT NULL,
        imported_at DATETIME2(3) NULL,
        warned_at DATETIME2(3) NULL
    );
GO

-- The numbers of the lists. A number that is on any list is never dealt. imported is 1 if an import of the list put the
-- number there, and 0 if a person did.
IF OBJECT_ID(N'dbo.do_not_contact_entry') IS NULL
    CREATE TABLE dbo.do_not_contact_entry (
        number NVARCHAR(255) COLLATE Latin1_General_BIN2 NOT NULL,
        list_id INT NOT NULL,
        reason NVARCHAR(1000) NULL,
        added_at DATETIME2(3) NOT NULL,
        imported BIT NOT NULL,
        CONSTRAINT pk_do_not_contact_entry PRIMARY KEY (number, list_id)
    );
GO

-- Before there were lists, the numbers were in the table do_not_contact. They move to the first list when it is made,
-- once: a later installation finds a list, and brings back no number that was removed since.
IF NOT EXISTS (SELECT 1 FROM dbo.do_not_contact_list)
    BEGIN
        INSERT INTO dbo.do_not_contact_list (name, added_at) VALUES (N'own requests', SYSUTCDATETIME());

        INSERT INTO dbo.do_not_contact_entry (number, list_id, reason, added_at, imported)
        SELECT d.number, l.list_id, d.reason, d.added_at, 0
        FROM dbo.do_not_contact AS d
        CROSS JOIN dbo.do_not_contact_list AS l
        WHERE
            NOT EXISTS (
                SELECT 1 FROM dbo.do_not_contact_entry AS e
                WHERE e.number = d.number AND e.list_id = l.list_id
            );

        DELETE FROM dbo.do_not_contact;
    END;
GO
