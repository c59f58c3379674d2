-- The numbers that must not be dealt: those of the do-not-contact lists, with the country '*', and by country all numbers
-- that have a match key of theirs. Keys of a country that the sales floor had before stay in their table, so whoever
-- reads this asks for '*' and for the present country. A number may come more than once.
DROP VIEW IF EXISTS suppressed_number;

CREATE VIEW suppressed_number AS
SELECT d.number, '*' AS country FROM do_not_contact_entry AS d
UNION ALL
SELECT s.number, s.country
FROM do_not_contact_entry AS d
INNER JOIN number_key AS k ON d.number = k.number
INNER JOIN number_key AS s ON k.match_key = s.match_key AND k.country = s.country;
