/*
The numbers that must not be dealt: those of the do-not-contact list, and all numbers that have a match key of theirs.
*/
DROP VIEW IF EXISTS dbo.suppressed_number;
GO

CREATE VIEW dbo.suppressed_number
AS
SELECT d.number FROM dbo.do_not_contact_entry AS d
UNION
SELECT s.number
FROM dbo.do_not_contact_entry AS d
INNER JOIN dbo.number_key AS k ON d.number = k.number
INNER JOIN dbo.number_key AS s ON k.match_key = s.match_key AND k.country = s.country;
GO
