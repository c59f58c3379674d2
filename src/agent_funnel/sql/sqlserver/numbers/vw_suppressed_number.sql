/*
The numbers that must not be dealt: those of the do-not-contact lists, with the country '*', and by country all numbers
that have a match key of theirs, and the numbers of forgotten people that somebody has stored again. These are known by
their hashes; ownership chaining lets a login read this view without a right to the salt. Keys of a country that the
sales floor had before stay in their table, so whoever reads this asks for '*' and for the present country. A number may
come more than once.
*/
DROP VIEW IF EXISTS dbo.suppressed_number;
GO

CREATE VIEW dbo.suppressed_number
AS
SELECT d.number, CAST('*' AS VARCHAR(2)) AS country FROM dbo.do_not_contact_entry AS d
UNION ALL
SELECT s.number, s.country
FROM dbo.do_not_contact_entry AS d
INNER JOIN dbo.number_key AS k ON d.number = k.number
INNER JOIN dbo.number_key AS s ON k.match_key = s.match_key AND k.country = s.country
UNION ALL
SELECT k.number, k.country
FROM dbo.forgotten_salt AS s
CROSS JOIN dbo.number_key AS k
INNER JOIN dbo.forgotten_number AS f ON f.hash = HASHBYTES('SHA2_256', CONCAT(s.salt, k.match_key))
WHERE f.only_without_country = 0 OR k.country = '';
GO
