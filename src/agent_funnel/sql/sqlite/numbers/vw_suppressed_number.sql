-- The numbers that must not be dealt: those of the do-not-contact list, and all numbers that have a match key of theirs.
DROP VIEW IF EXISTS suppressed_number;

CREATE VIEW suppressed_number AS
SELECT d.number FROM do_not_contact_entry AS d
UNION
SELECT s.number
FROM do_not_contact_entry AS d
INNER JOIN number_key AS k ON d.number = k.number
INNER JOIN number_key AS s ON k.match_key = s.match_key AND k.country = s.country;
